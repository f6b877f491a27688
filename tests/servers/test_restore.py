"""`obs backups` and `obs restore` on a machine that has nothing of the stack but its file and the password."""

import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import docker
import pytest
import yaml
from docker.models.containers import Container
from typer.testing import CliRunner

from observability.cli.app import app
from observability.core import naming, project
from observability.core.errors import ConfigError
from observability.operations import backup
from observability.operations.home import Home
from observability.operations.restore import Target, make_volumes
from observability.parts.backup import PASSWORD, STAGE, script
from observability.parts.images import PINS
from tests import networks

STACK: Final = "restoretest"
SECRET: Final = "a password of this test"  # noqa: S105
SERVICES: Final = ("prometheus", "alertmanager")


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[docker.DockerClient]:
    """A project with a stack whose repository is a folder; what the test makes in Docker is removed."""
    document = {
        "observability:environment": "dev",
        "observability:profile": "minimal",
        "observability:network": {"subnet": networks.subnet("restore")},
        "observability:backup": {"repository": str(tmp_path / "repository")},
    }
    (tmp_path / "project").mkdir()
    (tmp_path / f"project/Pulumi.{STACK}.yaml").write_text(yaml.safe_dump({"config": document}))
    monkeypatch.setenv(project.VARIABLE, str(tmp_path / "project"))
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    machine(tmp_path / "old", monkeypatch)
    found = docker.from_env()
    yield found
    label: dict[str, str | list[str] | bool] = {"label": f"{naming.LABEL_STACK}={STACK}"}
    for container in found.containers.list(all=True, filters=label, ignore_removed=True):
        container.remove(force=True, v=True)
    clear(found)


def machine(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A data folder that has the password alone."""
    monkeypatch.setenv("OBS_DATA_DIR", str(folder))
    home = Home.find()
    home.set_secret(STACK, PASSWORD, SECRET)
    return home


def clear(client: docker.DockerClient) -> None:
    for volume in client.volumes.list(filters={"label": f"{naming.LABEL_STACK}={STACK}"}):
        volume.remove(force=True)


def make_backup(client: docker.DockerClient) -> None:
    """A backup of two volumes and of the data folder, as the stack's own container makes it."""
    home = Home.find()
    (home.folder / "passphrase").write_text("p")
    home.remember_made(STACK)
    volumes = make_volumes(client, STACK, SERVICES)
    target = Target(client=client, config=home.config(STACK), secrets=home.secrets(STACK), volumes=volumes)
    said: list[str] = []
    with target.container() as container:
        put(container, {"prometheus/wal/00000001": "samples", "alertmanager/silences": "silences"})
        container.put_archive(STAGE, backup.packed({"state/state.tar": backup.archive(home, STACK)}))
        assert backup.execute(container, list(script("now")), said.append) == 0, said


def put(container: Container, files: dict[str, str]) -> None:
    container.put_archive("/volumes", backup.packed({path: text.encode() for path, text in files.items()}))


def held(client: docker.DockerClient, service: str, path: str) -> tuple[int, bytes]:
    """The owner and the content of a file of a volume."""
    volume = naming.volume(STACK, service, "data")
    container = client.containers.create(PINS["backup"], volumes={volume: {"bind": "/data", "mode": "ro"}})
    try:
        stream, _ = container.get_archive(f"/data/{path}")
        with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as found:
            (member,) = found
            file = found.extractfile(member)
            assert file is not None
            return member.uid, file.read()
    finally:
        container.remove(force=True, v=True)


def run(*arguments: str, code: int = 0) -> Any:  # noqa: ANN401 - any JSON
    done = CliRunner().invoke(app, [*arguments, STACK, "--json"], catch_exceptions=False)
    assert done.exit_code == code, done.output
    return json.loads(done.stdout)


def test_a_new_machine_gets_data_and_state_from_the_repository_and_its_password(
    client: docker.DockerClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_backup(client)
    clear(client)
    home = machine(tmp_path / "new", monkeypatch)
    (listed,) = run("backups")
    answer = run("restore")
    assert answer["snapshot"] == listed["id"]
    assert set(answer["restored"]) == {*SERVICES, "state"}
    assert held(client, "prometheus", "wal/00000001") == (65534, b"samples")
    assert held(client, "alertmanager", "silences") == (65534, b"silences")
    assert (home.folder / "passphrase").read_text() == "p"
    assert home.made(STACK)
    assert home.secrets(STACK)[PASSWORD] == SECRET


def test_a_container_that_uses_the_data_refuses_a_restore_or_is_stopped_for_it(client: docker.DockerClient) -> None:
    make_backup(client)
    volume = naming.volume(STACK, "prometheus", "data")
    name = naming.container(STACK, "prometheus")
    server = client.containers.run(
        PINS["backup"],
        ["-c", "echo newer > /data/newer; exec sleep 3600"],
        entrypoint="sh",
        name=name,
        detach=True,
        init=True,
        volumes={volume: {"bind": "/data", "mode": "rw"}},
        labels={naming.LABEL_STACK: STACK},
    )
    with pytest.raises(ConfigError, match=f"{STACK} is running: {name} have") as caught:
        run("restore")
    assert "--stop" in caught.value.fix
    begun = server.attrs["State"]["StartedAt"]
    answer = run("restore", "--stop", "--only", "prometheus")
    assert answer["stopped"] == [name]
    assert answer["restored"] == ["prometheus"]
    server.reload()
    assert server.status == "running"
    assert server.attrs["State"]["StartedAt"] != begun
    assert held(client, "prometheus", "wal/00000001") == (65534, b"samples")


def test_another_password_than_the_repository_has_is_refused(
    client: docker.DockerClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_backup(client)
    clear(client)
    machine(tmp_path / "new", monkeypatch).set_secret(STACK, PASSWORD, "wrong")
    with pytest.raises(ConfigError, match="wrong password"):
        run("restore")
    assert not client.volumes.list(filters={"label": f"{naming.LABEL_STACK}={STACK}"})
