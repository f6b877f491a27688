"""Exporters that get another password while they run: no container is restarted for these."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import docker
import pytest
from docker.models.containers import Container
from docker.models.networks import Network

from observability.core import http
from observability.parts import postgres, redis
from observability.parts.model import Here, Placed, Run
from tests import networks
from tests.samples.lab import IMAGES
from tests.waits import until
from toolchain import ensure_images
from toolchain.recipes.debian import DEBIAN

NETWORK: Final = "obs-test-secret-readers"
STORE: Final = "store"
FIRST, SECOND = "first:pass\\word", "second"
SOCKET: Final = "/tmp"  # noqa: S108 - in the container

POSTGRES: Final = f"""
export PGDATA=/tmp/data
initdb --username=postgres --auth=trust >/dev/null
printf 'local all all trust\\nhost all all all scram-sha-256\\n' >"$PGDATA/pg_hba.conf"
exec postgres -c listen_addresses='*' -c unix_socket_directories={SOCKET}
"""


@dataclass
class Exporter:
    """An exporter with its folder of files, which is changed as a loader does."""

    run: Run
    folder: Path
    program: Container
    network: Network
    releases: int = 1

    def install(self, password: str) -> None:
        """Put the files with this password in place of those before."""
        self.releases += 1
        install(self.run, self.folder, password, self.releases)

    def up(self, port: int, path: str, series: str) -> bool | None:
        """Whether the exporter reaches the store; None where it does not say so."""
        self.program.reload()
        address = self.program.attrs["NetworkSettings"]["Networks"][self.network.name]["IPAddress"]
        page = http.get(f"http://{address}:{port}{path}", timeout=30, trust_env=False).text
        values = [line.rpartition(" ")[2] for line in page.splitlines() if line.partition(" ")[0] == series]
        return values[0] == "1" if values else None

    def started(self) -> str:
        """When its container was started."""
        self.program.reload()
        return str(self.program.attrs["State"]["StartedAt"])


def install(run: Run, folder: Path, password: str, number: int) -> None:
    """Write a release of the exporter's files, and move the link `current` to it."""
    assert run.files is not None
    release = folder / f"release-{number}"
    release.mkdir()
    texts = {path: text.text(dict.fromkeys(text.names, password)) for path, text in run.files.secrets.items()}
    for path, text in {**run.files.files, **texts}.items():
        (release / path).write_text(text)
        (release / path).chmod(0o600)
    draft = folder / "next"
    draft.symlink_to(release.name)
    draft.replace(folder / "current")


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    # The images of parts are there; that of a store may not be.
    ensure_images({"redis": IMAGES["redis"]}, DEBIAN)
    client = docker.from_env()
    with networks.bridge(client, NETWORK) as made:
        yield made


@contextmanager
def running(network: Network, image: str, alias: str, **options: Any) -> Iterator[Container]:  # noqa: ANN401
    """A container on the network, removed at the end."""
    client = docker.from_env()
    endpoint = client.api.create_endpoint_config(aliases=[alias])
    made = client.containers.create(
        IMAGES[image], network=str(network.name), networking_config={str(network.name): endpoint}, **options
    )
    made.start()
    try:
        yield made
    finally:
        print(made.logs().decode()[-3000:])  # noqa: T201 - shown by pytest where a test fails
        made.remove(force=True, v=True)


@contextmanager
def exporter(network: Network, image: str, run: Run, folder: Path) -> Iterator[Exporter]:
    """The exporter as a stack runs it, with the first password; as this user, to whom its files belong."""
    assert run.files is not None
    install(run, folder, FIRST, 1)
    with running(
        network,
        image,
        "exporter",
        command=list(run.command) or None,
        environment=dict(run.envs),
        user=f"{os.getuid()}:{os.getgid()}",
        volumes={str(folder): {"bind": run.files.folder, "mode": "ro"}},
    ) as program:
        yield Exporter(run=run, folder=folder, program=program, network=network)


def called(container: Container, words: Sequence[str]) -> bool:
    """Run a command in a container; whether it succeeded."""
    return bool(container.exec_run(list(words)).exit_code == 0)


def here(server: Any) -> Here[Any, Any]:  # noqa: ANN401 - of either part
    placed = Placed(system="shop", server=server, secret="shopPassword")  # noqa: S106 - its name
    return Here(settings=None, servers=(placed,), files={}, gateway="", source="a test")


def test_another_password_of_postgresql_is_read_at_the_next_connection(network: Network, tmp_path: Path) -> None:
    server = postgres.PostgresServer(address=f"{STORE}:5432", ssl_mode="disable")
    assert postgres.PART.runs is not None
    (run,) = postgres.PART.runs(here(server))
    sql = ("psql", "--no-psqlrc", "-v", "ON_ERROR_STOP=1", "-h", SOCKET, "-U", "postgres", "-c")
    target = quote("postgresql://monitoring@store:5432/postgres?sslmode=disable", safe="")
    asked = (postgres.PORT, f"/probe?target={target}", "pg_up")
    with (
        running(network, "goalert-postgres", STORE, entrypoint=["/bin/sh", "-c", POSTGRES], user="postgres") as store,
        exporter(network, "postgres-exporter", run, tmp_path) as found,
    ):
        until(lambda: called(store, [*sql, f"CREATE ROLE monitoring LOGIN PASSWORD '{FIRST}' IN ROLE pg_monitor"]))
        until(lambda: found.up(*asked))
        began = found.started()
        assert called(store, [*sql, f"ALTER ROLE monitoring PASSWORD '{SECOND}'"])
        assert found.up(*asked) is False
        found.install(SECOND)
        assert found.up(*asked) is True
        assert found.started() == began


def test_another_password_of_redis_is_read_when_the_loader_asks_for_it(network: Network, tmp_path: Path) -> None:
    server = redis.RedisServer(address=f"{STORE}:6379", password=True)
    assert redis.PART.runs is not None
    (run,) = redis.PART.runs(here(server))
    assert run.files is not None
    asked = (redis.PORT, f"/scrape?target={server.url}", "redis_up")
    with (
        running(network, "redis", STORE, command=["redis-server", "--requirepass", FIRST]) as store,
        exporter(network, "redis-exporter", run, tmp_path) as found,
    ):
        until(lambda: found.up(*asked))
        began = found.started()
        assert called(store, ["redis-cli", "-a", FIRST, "CONFIG", "SET", "requirepass", SECOND])
        until(lambda: found.up(*asked) is False)
        found.install(SECOND)
        assert found.up(*asked) is False
        address = found.program.attrs["NetworkSettings"]["Networks"][network.name]["IPAddress"]
        answer = http.post(f"http://{address}:{redis.PORT}{run.files.reload}", timeout=30, trust_env=False)
        assert answer.is_success
        assert found.up(*asked) is True
        assert found.started() == began
