"""Images on Debian: what the engine builds, on which base, and how their entry points behave."""

import io
import json
import os
import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from docker import DockerClient
from docker.errors import ImageNotFound

from demo.tenant.images import APP, app_image
from observability.parts import images as pins  # noqa: F401 - its parts state the recipes
from toolchain import assemble, cache, debian, debootstrap, dockerfile, recipe
from toolchain.process import ObtainError
from toolchain.recipe import KNOWN
from toolchain.recipes.debian import DEBIAN
from toolchain.report import Report

BASE = "debian:bookworm-slim"
SCRIPTS = recipe.ROOT / "toolchain/recipes"


class Silent:
    """A report that is discarded."""

    def line(self, item: str, text: str) -> None:
        pass

    @contextmanager
    def task(self, label: str) -> Iterator["Silent"]:
        assert label
        yield self

    def note(self, text: str) -> None:
        pass


class Docker:
    """An engine that records what it is given, and responds to a build with these events."""

    def __init__(self, *here: str, events: tuple[dict[str, str], ...] = ()) -> None:
        self.here, self.events = {*here}, events
        self.images = self.api = self
        self.imported: list[str] = []
        self.options: dict[str, Any] = {}
        self.context: dict[str, bytes] = {}

    def get(self, reference: str) -> SimpleNamespace:
        if reference not in self.here:
            raise ImageNotFound(reference)
        return SimpleNamespace()

    def import_image_from_data(self, data: io.BufferedReader, repository: str, tag: str) -> None:
        assert data.read(1)
        self.imported.append(f"{repository}:{tag}")

    def build(self, fileobj: io.BufferedReader, **options: Any) -> Iterator[dict[str, str]]:  # noqa: ANN401
        self.options = options
        with tarfile.open(fileobj=io.BytesIO(fileobj.read())) as context:
            self.context = {info.name: cast(io.BufferedReader, context.extractfile(info)).read() for info in context}
        return iter(self.events)

    @property
    def client(self) -> DockerClient:
        return cast(DockerClient, self)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OBS_CACHE_DIR", str(tmp_path / "cache"))
    cache.cache_dir().mkdir()
    return tmp_path


def program(folder: Path, name: str, text: str) -> None:
    path = folder / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/bash\n{text}\n")
    path.chmod(0o755)


def made(service: str, docker: Docker) -> Docker:
    recipes = {**KNOWN, **DEBIAN, "demo": APP}
    assemble.make(docker.client, recipes[service], f"{service}:1", cast(Report, Silent()))
    return docker


def test_the_demo_is_built_from_its_packages_and_the_files_of_this_checkout() -> None:
    docker = made("demo", Docker(BASE))
    text = docker.context["Dockerfile"].decode()
    assert text.startswith(f"FROM {BASE}\n")
    assert "python3-psycopg2" in text
    assert "USER 10001:10001\n" in text
    with tarfile.open(fileobj=io.BytesIO(docker.context["layer.tar"])) as layer:
        found = {info.name: info for info in layer}
    assert found["app/demo/__main__.py"].uid == 0
    assert not any("__pycache__" in name for name in found)
    assert (docker.options["tag"], docker.options["network_mode"]) == ("demo:1", "host")


def test_a_changed_file_does_not_make_the_engine_install_the_packages_again() -> None:
    lines = made("demo", Docker(BASE)).context["Dockerfile"].decode().splitlines()
    words = [line.split()[0] for line in lines]
    assert words.index("RUN") < words.index("ADD") < words.index("LABEL")
    assert APP.version not in lines[words.index("RUN")]


def test_users_get_their_ids_before_a_package_can_choose_others() -> None:
    text = made("postgres", Docker(BASE)).context["Dockerfile"].decode()
    assert text.index("useradd --uid 999 --gid 999") < text.index("apt-get install")


def test_an_image_on_debian_is_set_up_as_the_official_one_is() -> None:
    lines = made("postgres", Docker(BASE)).context["Dockerfile"].decode().splitlines()
    assert 'ENTRYPOINT ["docker-entrypoint.sh"]' in lines
    assert 'CMD ["postgres"]' in lines
    assert "STOPSIGNAL SIGINT" in lines
    assert 'VOLUME ["/var/lib/postgresql/data"]' in lines
    assert 'ENV PGDATA="/var/lib/postgresql/data"' in lines


def test_a_compiled_program_can_be_based_on_debian_too(folder: Path) -> None:
    wanted = replace(KNOWN["loki"], base=recipe.Base.DEBIAN)
    build = wanted.build
    assert build is not None
    for kept in ("bin/loki", f"files/{build.keep[0]}"):
        (build.folder / kept).parent.mkdir(parents=True, exist_ok=True)
        (build.folder / kept).write_text("x")
    docker = Docker(BASE)
    assemble.make(docker.client, wanted, "loki:1", cast(Report, Silent()))
    with tarfile.open(fileobj=io.BytesIO(docker.context["layer.tar"])) as layer:
        assert layer.getmember("usr/bin/loki").mode == 0o755
    assert folder.exists()


def test_a_step_that_fails_is_reported_with_its_last_output() -> None:
    events = ({"stream": "E: Unable to locate package python9\n"}, {"error": "returned a non-zero code: 100"})
    with pytest.raises(ObtainError, match="Unable to locate package python9; returned a non-zero code: 100"):
        made("demo", Docker(BASE, events=events))


def test_settings_with_quotes_are_escaped_in_the_image() -> None:
    wanted = replace(APP, env={"TEXT": 'a "b" c'}, cmd=("say", "x y"))
    text = dockerfile.dockerfile(wanted, BASE, assemble.settings(wanted))
    assert 'ENV TEXT="a \\"b\\" c"' in text
    assert f"CMD {json.dumps(['say', 'x y'])}" in text


def test_a_changed_file_of_this_checkout_changes_version_and_reference(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = folder / "demo"
    source.mkdir()
    (source / "a.py").write_text("1")
    monkeypatch.setattr(recipe, "ROOT", folder)
    before = (app_image(), APP.version)
    (source / "__pycache__").mkdir()
    (source / "__pycache__/a.pyc").write_text("compiled")
    assert (app_image(), APP.version) == before
    (source / "a.py").write_text("2")
    assert app_image() != before[0]
    assert app_image().startswith(f"{APP.repository}:{APP.tag}-")
    assert APP.version != before[1]


def refuse(asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def pull(reference: str, _: Report) -> ObtainError:
        asked.append(reference)
        return ObtainError("no such host")

    monkeypatch.setattr(debootstrap, "pull_one", pull)


def test_the_official_base_is_used_where_present_and_pulled_where_possible(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(debootstrap, "pull_one", lambda reference, _: asked.append(reference))
    assert debootstrap.obtain(Docker(BASE).client, cast(Report, Silent())) == BASE
    assert asked == []
    assert debootstrap.obtain(Docker().client, cast(Report, Silent())) == BASE
    assert asked == [BASE]


def test_where_the_base_cannot_be_pulled_or_built_both_reasons_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse([], monkeypatch)
    monkeypatch.setattr(debian, "can_install", lambda: False)
    with pytest.raises(ObtainError, match=r"no such host.*takes a Debian-like system and its root"):
        debootstrap.obtain(Docker().client, cast(Report, Silent()))


def test_a_locally_built_base_uses_the_machines_sources_and_starts_no_service(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse([], monkeypatch)
    archives = [("http://mirror/debian/", "bookworm"), ("http://mirror/security/", "bookworm-security")]
    monkeypatch.setattr(debian, "can_install", lambda: True)
    monkeypatch.setattr(debian, "sources", lambda _: archives)
    program(folder, "debootstrap", "true")
    program(
        folder,
        "unshare",
        'mkdir -p "$5"/{etc/apt,usr/share/doc/x}; echo y > "$5/usr/share/doc/x/README"; echo "$@" > args',
    )
    monkeypatch.setenv("PATH", f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(folder)
    docker = Docker()
    reference = debootstrap.obtain(docker.client, cast(Report, Silent()))
    assert docker.imported == [reference]
    assert (folder / "args").read_text().startswith("--mount debootstrap --variant=minbase bookworm ")
    (archive,) = (cache.cache_dir() / "debian").glob("*/root.tar")
    with tarfile.open(archive) as system:
        names = system.getnames()
        sources = cast(io.BufferedReader, system.extractfile("./etc/apt/sources.list")).read().decode()
        assert system.getmember("./usr/sbin/policy-rc.d").mode == 0o755
    assert sources.splitlines() == [f"deb {address} {suite} main" for address, suite in archives]
    assert "./usr/share/doc/x/README" not in names


def test_only_debians_own_archives_of_the_release_are_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lists = folder / "lists"
    lists.mkdir()
    (lists / "x_Packages").touch()
    monkeypatch.setattr(debian, "_LISTS", lists)
    monkeypatch.setenv("PATH", f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}")
    program(folder, "apt-get", 'echo "$@" > args; printf "http://a bookworm\\nhttp://a bookworm\\nhttp://b trixie\\n"')
    monkeypatch.chdir(folder)
    assert debian.sources("bookworm") == [("http://a", "bookworm")]
    assert "Origin: Debian" in (folder / "args").read_text()


def enter(
    folder: Path, script: str, *arguments: str, uid: int = 999, env: Mapping[str, str] | None = None
) -> list[str]:
    """The arguments of an entry point's programs, one line per call."""
    calls = folder / "calls"
    calls.write_text("")
    program(folder, "id", f"echo {uid}")
    for name in ("redis-server", "setpriv", "chown", "postgres", "pg_ctl", "true-command"):
        program(folder, name, f'echo {name} "$@" >> {calls}')
    program(
        folder,
        "initdb",
        f'echo initdb "$1" >> {calls}; cat "${{2#--pwfile=}}" >> {calls}; echo 15 > $PGDATA/PG_VERSION',
    )
    program(folder, "psql", f'echo "psql ${{@: -1}}" >> {calls}')
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [SCRIPTS / script, *arguments],
        env={"PATH": path, "PGDATA": str(folder / "data"), **(env or {})},
        capture_output=True,
        text=True,
        timeout=300,
    )
    return [*calls.read_text().splitlines(), *done.stderr.splitlines()]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("redis-server",), "redis-server --protected-mode no"),
        (("--save", ""), "redis-server --protected-mode no --save "),
        (("/etc/redis.conf",), "redis-server /etc/redis.conf"),
        (("redis-server", "/etc/redis.conf", "--port", "1"), "redis-server /etc/redis.conf --port 1"),
        (("true-command", "-x"), "true-command -x"),
    ],
)
def test_redis_is_open_to_its_network_unless_a_file_configures_it(
    folder: Path, arguments: tuple[str, ...], told: str
) -> None:
    assert enter(folder, "redis-entrypoint.sh", *arguments) == [told]


def test_redis_does_not_run_as_root(folder: Path) -> None:
    called = enter(folder, "redis-entrypoint.sh", "redis-server", uid=0)
    assert called[-1].startswith("setpriv --reuid=redis --regid=redis --clear-groups redis-server")


def test_an_empty_folder_becomes_a_cluster_with_the_given_user_and_database(folder: Path) -> None:
    (folder / "password").write_text("open sesame")
    env = {"POSTGRES_USER": "app", "POSTGRES_DB": "shop", "POSTGRES_PASSWORD_FILE": str(folder / "password")}
    called = enter(folder, "postgres-entrypoint.sh", "postgres", env=env)
    assert called[:2] == ["initdb --username=app", "open sesame"]
    assert [line.split()[0] for line in called[2:]] == ["pg_ctl", "psql", "pg_ctl", "postgres"]
    assert called[3] == "psql --set=name=shop"
    assert "host all all all scram-sha-256" in (folder / "data/pg_hba.conf").read_text()


def test_an_existing_cluster_is_only_started(folder: Path) -> None:
    (folder / "data").mkdir()
    (folder / "data/PG_VERSION").write_text("15")
    assert enter(folder, "postgres-entrypoint.sh", "-c", "work_mem=8MB") == ["postgres -c work_mem=8MB"]


@pytest.mark.parametrize(
    ("env", "why"),
    [
        ({}, "there is no password"),
        ({"POSTGRES_PASSWORD": "x", "POSTGRES_PASSWORD_FILE": "/y"}, "are both set"),
    ],
)
def test_no_cluster_is_created_without_exactly_one_password(folder: Path, env: dict[str, str], why: str) -> None:
    called = enter(folder, "postgres-entrypoint.sh", "postgres", env=env)
    assert why in called[-1]
    assert not (folder / "data/PG_VERSION").exists()


def test_only_packages_of_missing_programs_are_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    installed: list[str] = []
    monkeypatch.setattr(debian, "which", lambda program: None if program.startswith("no-") else f"/bin/{program}")
    monkeypatch.setattr(debian, "can_install", lambda: True)
    monkeypatch.setattr(debian, "_SYSTEMD", Path("/nonexistent"))
    monkeypatch.setattr(debian, "install", lambda *packages: installed.extend(packages))
    debian.obtain_programs({"sh": "dash", "no-ip": "iproute2", "no-ss": "iproute2", "no-sshd": "openssh-server"})
    assert installed == ["iproute2", "openssh-server"]


def test_no_server_is_installed_where_systemd_would_start_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(debian, "can_install", lambda: True)
    monkeypatch.setattr(debian, "_SYSTEMD", tmp_path)
    with pytest.raises(ObtainError, match="install no-such-server"):
        debian.obtain_programs({"no-such-program": "no-such-server"})
