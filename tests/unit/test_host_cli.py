"""`obs host`: what is written into a stack's file, and what is refused before that."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from observability.cli import hosts as cli
from observability.core import project
from observability.core.errors import ConfigError
from observability.operations import hosts, preflight

FILE = """\
config:
  # Ours alone.
  observability:environment: dev
  observability:edge:
    address: monitoring.example.com
"""
ADDED = FILE + "  observability:hosts:\n    web-2:\n      docker: ssh://root@10.0.0.2\n"


class Engine:
    """A Docker Engine without networks or images."""

    def __init__(self, identity: str, arch: str = "amd64") -> None:
        self.identity, self.arch = identity, arch
        self.networks = SimpleNamespace(list=list)

    def info(self) -> dict[str, str]:
        return {"ID": self.identity}

    def version(self) -> dict[str, str]:
        return {"Version": "29.0.0", "Os": "linux", "Arch": self.arch}


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a stack `site` in a project folder, on a machine whose engine is another than the host's."""
    monkeypatch.setenv(project.VARIABLE, str(tmp_path))
    monkeypatch.setenv("OBS_DATA_DIR", str(tmp_path / "data"))
    project.select(tmp_path)
    monkeypatch.setattr(preflight, "connect", lambda: Engine("here"))
    monkeypatch.setattr(hosts, "connect", lambda _: Engine("there"))
    path = tmp_path / "Pulumi.site.yaml"
    path.write_text(FILE)
    return path


def run(*arguments: str) -> str:
    """The output of `obs host ...`; its ConfigError."""
    result = CliRunner().invoke(cli.app, arguments)
    if isinstance(result.exception, ConfigError):
        raise result.exception
    return result.output


def test_add_writes_the_host_and_leaves_the_rest_of_the_file(file: Path) -> None:
    said = run("add", "web-2", "--docker", "ssh://root@10.0.0.2", "site")
    assert file.read_text() == ADDED
    assert "next: ./obs up site, which brings the agent to web-2" in said


def test_add_wants_the_address_of_the_edge_with_the_first_host(file: Path) -> None:
    file.write_text("config:\n  observability:environment: dev\n")
    with pytest.raises(ConfigError, match=r"has no observability:edge\.address"):
        run("add", "web-2", "--docker", "ssh://a", "site")
    run("add", "web-2", "--docker", "ssh://a", "--edge", "10.0.0.1", "site")
    assert "  observability:edge:\n    address: 10.0.0.1\n" in file.read_text()


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("web-2", "--docker", "tcp://10.0.0.2:2376"), "tcp:// without tls"),
        (("web-2", "--docker", "10.0.0.2"), "is no address of a Docker Engine"),
        (("Web_2", "--docker", "ssh://a"), "must be 2 to 40 of a-z"),
        (("docker-host", "--docker", "ssh://a"), "has the name of the stack's own host"),
        (("web-2", "--docker", "ssh://a", "--edge", "b"), "edge.address is there already"),
    ],
)
def test_add_refuses_what_the_settings_refuse_and_writes_nothing(
    file: Path, arguments: tuple[str, ...], what: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        run("add", *arguments, "site")
    assert what in caught.value.what
    assert file.read_text() == FILE


def test_add_refuses_the_engine_of_the_stack_itself(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosts, "connect", lambda _: Engine("here"))
    with pytest.raises(ConfigError, match="is the engine that the stack itself runs on"):
        run("add", "web-2", "--docker", "ssh://a", "site")
    assert file.read_text() == FILE


def test_add_refuses_another_architecture_where_images_would_be_copied(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosts, "connect", lambda _: Engine("there", "arm64"))
    monkeypatch.setattr(hosts, "is_copied", lambda *_: True)
    with pytest.raises(ConfigError, match="was built here for amd64"):
        run("add", "web-2", "--docker", "ssh://a", "site")
    monkeypatch.setattr(hosts, "is_copied", lambda *_: False)
    run("add", "web-2", "--docker", "ssh://a", "site")
    assert "web-2" in file.read_text()


def test_remove_takes_out_what_add_wrote(file: Path) -> None:
    file.write_text(ADDED)
    assert "which removes the agent from web-2" in run("remove", "web-2", "site")
    assert file.read_text() == FILE


def test_remove_of_a_host_that_does_not_answer_names_the_other_way(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: Any) -> None:  # noqa: ANN401
        raise ConfigError("Docker at ssh://a does not answer: no route", "start it")

    file.write_text(ADDED)
    monkeypatch.setattr(hosts, "connect", fails)
    with pytest.raises(ConfigError) as caught:
        run("remove", "web-2", "site")
    assert "./obs host remove web-2 site --forget" in caught.value.fix
    assert file.read_text() == ADDED


def test_remove_of_an_unknown_host_names_the_known_ones(file: Path) -> None:
    file.write_text(ADDED)
    with pytest.raises(ConfigError) as caught:
        run("remove", "web-3", "site")
    assert caught.value.fix == "its hosts: web-2"


def test_list_of_a_stack_without_hosts_says_how_to_add_one(file: Path) -> None:
    del file
    assert "./obs host add NAME" in run("list", "site")
