"""The status page in its image, confined as in a stack: declarations arrive, it publishes, and the edge serves it."""

import json
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import docker
import httpx
import pytest
from docker.models.containers import Container as Program

from components.edge import COMMAND
from components.edge import FOLDER as EDGE_FOLDER
from observability.core import http, naming
from observability.operations.home import Home
from observability.operations.incidents import Incidents
from observability.operations.status_page import send
from observability.parts import authority, caddy, program
from observability.parts.edge import AUTHORITY, AUTHORITY_KEY
from observability.parts.images import PINS
from observability.parts.status_page import DATA, NAME, PORT, RECIPE
from observability.scrape import edge
from observability.settings.load import StackConfig
from observability.status_page.facts import FILE, files
from tests.ports import free_port
from tests.unit.conftest import stack_config
from tests.waits import until

STACK: Final = "status-test"
SITE: Final = "status.example.com"
WEB: Final = "/tmp/web"  # noqa: S108 - in the container


def config() -> StackConfig:
    page = {
        "enabled": True,
        "url": f"https://{SITE}",
        "components": {"shop": {"title": "Web shop", "system": "depot"}},
        "interval": "5s",
        "publish": {"command": ["rsync", "-rt", "--delete", "{folder}/", f"{WEB}/"]},
        "edgeName": SITE,
    }
    settings = {"statusPage": page, "edge": {"enabled": True, "address": "monitoring.example.com"}}
    return replace(stack_config("dev", settings), stack=STACK)


@contextmanager
def started(image: str, name: str, **options: Any) -> Iterator[Program]:  # noqa: ANN401 - Docker's own
    """A container without rights and with a root that is read-only."""
    program = docker.from_env().containers.run(
        PINS[image],
        name=name,
        read_only=True,
        tmpfs={"/tmp": "size=16m,mode=1777"},  # noqa: S108 - the container's own
        cap_drop=["ALL"],
        security_opt=["no-new-privileges:true"],
        detach=True,
        **options,
    )
    try:
        yield program
    finally:
        print(program.logs().decode()[-3000:])  # noqa: T201 - shown by pytest where a test fails
        program.remove(force=True, v=True)


def folder(root: Path, texts: dict[str, str]) -> Path:
    """A folder of configuration files as a container mounts it."""
    (root / "current").mkdir(parents=True)
    for path, text in texts.items():
        (root / "current" / path).write_text(text)
        (root / "current" / path).chmod(0o644)
    for one in (root, root / "current"):
        one.chmod(0o755)
    return root


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """The page's container, without a Prometheus, for the tests of this file in their order."""
    own = folder(tmp_path_factory.mktemp("page"), files(config(), []))
    with ExitStack() as held:
        volume = docker.from_env().volumes.create(naming.volume(STACK, NAME, "data"))
        held.callback(volume.remove)
        user = RECIPE.user
        mounts = {str(own): {"bind": program.folder(NAME), "mode": "ro"}, volume.name: {"bind": DATA, "mode": "rw"}}
        command = [f"{program.folder(NAME)}/current/{FILE}"]
        name = naming.container(STACK, NAME)
        yield held.enter_context(started(NAME, name, command=command, user=user, volumes=mounts, network_mode="none"))


def said(program: Program, *command: str) -> str:
    """The output of a command in the container; empty where it failed."""
    code, output = program.exec_run(list(command))
    assert isinstance(output, bytes)
    return output.decode() if code == 0 else ""


def test_it_publishes_by_its_command_and_answers_for_its_health(page: Program) -> None:
    html = until(lambda: said(page, "cat", f"{WEB}/index.html"))
    assert "Web shop" in html
    assert "This page is stale." in html
    assert set(said(page, "ls", WEB).split()) == {"index.html", "feed.xml", "status.json"}
    health = f"exec 3<>/dev/tcp/127.0.0.1/{PORT} && printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n' >&3 && head -1 <&3"
    assert " 200 " in said(page, "bash", "-c", health)


@pytest.mark.parametrize("program", ["ssh", "rsync", "curl"])
def test_its_image_has_the_programs_that_publish(page: Program, program: str) -> None:
    assert said(page, "sh", "-c", f"command -v {program}")


def test_an_incident_that_is_declared_is_published(
    page: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OBS_DATA_DIR", str(tmp_path))
    home = Home.find()
    store = Incidents(journal=home.incidents(STACK), stack=STACK, by="test")
    one = store.open("Orders fail", "P1", store.now)
    store.publish(one.id, "We are looking into it.", store.now)
    assert send(config(), home) == ""
    html = until(lambda: "We are looking into it." in (text := said(page, "cat", f"{WEB}/index.html")) and text)
    assert "Orders fail" in html
    assert "We are looking into it." in said(page, "cat", f"{WEB}/feed.xml")


def test_a_stack_whose_container_is_gone_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBS_DATA_DIR", str(tmp_path))
    missing = replace(config(), stack="status-gone")
    assert send(missing, Home.find()) == "there is no container obs-status-gone-status-page"


def test_the_edge_serves_the_page_also_when_its_writer_is_stopped(page: Program, tmp_path: Path) -> None:
    until(lambda: said(page, "cat", f"{WEB}/index.html"))
    made = authority.make(AUTHORITY, AUTHORITY_KEY, "test")
    texts = {caddy.HOSTS: "", **edge.files(config())}
    texts |= {path: made[secret] for path, secret in edge.secret_files(config()).items()}
    port = free_port()
    mounts = {
        str(folder(tmp_path, texts)): {"bind": EDGE_FOLDER, "mode": "ro"},
        naming.volume(STACK, NAME, "data"): {"bind": caddy.STATUS, "mode": "ro"},
    }
    trusted = ssl.create_default_context(cadata=made[AUTHORITY])
    with started(
        "edge",
        f"{STACK}-edge",
        entrypoint=["/bin/sh", "-c", COMMAND],
        user="65534:65534",
        environment={"XDG_CONFIG_HOME": "/tmp", "XDG_DATA_HOME": "/tmp"},  # noqa: S108
        cap_add=["NET_BIND_SERVICE"],
        ports={f"{caddy.PORT}/tcp": ("127.0.0.1", port)},
        volumes=mounts,
    ):

        def request(path: str, method: str = "GET", host: str = SITE) -> httpx.Response:
            with http.client(verify=trusted, trust_env=False, timeout=30) as client:
                wanted = client.build_request(method, f"https://127.0.0.1:{port}{path}", headers={"Host": host})
                wanted.extensions["sni_hostname"] = host
                return client.send(wanted)

        found = until(lambda: request("/"))
        assert "Web shop" in found.text
        assert found.headers["Cache-Control"] == "no-cache"
        assert json.loads(request("/status.json").text)["stale"] is True
        page.stop(timeout=10)
        assert "Web shop" in request("/").text
        # What is not to be published lies beside it.
        for path in ("/history.json", "/../history.json", "/declared.json", "/state.json"):
            assert request(path).status_code == 404
        assert request("/", "POST").status_code == 405
        assert request("/", host="monitoring.example.com").status_code == 401
