"""What is checked before an update or a preview begins."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from observability.core.errors import ConfigError
from observability.operations import operation, preflight
from observability.operations.home import Home
from observability.operations.operation import Operation
from tests.unit.conftest import stack_config
from toolchain import grafana_plugin

GRAFANA = "Pulumi's Grafana plugin cannot be downloaded"


class Machine:
    """A machine on which these images are not available; it records the requests."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, **left_out: str) -> None:
        monkeypatch.setenv("OBS_DATA_DIR", str(tmp_path))
        self.left_out = left_out
        self.pulled: list[str] = []
        self.engines: list[dict[str, str]] = []
        self.home = Home.find()
        monkeypatch.setattr("toolchain.ensure", self.ensure)
        monkeypatch.setattr("toolchain.foresee", lambda images, **_: self.without(images))
        monkeypatch.setattr(grafana_plugin, "obtain", lambda _: GRAFANA)
        monkeypatch.setattr(operation, "Engine", lambda *given: self.engines.append(dict(given[-1].left_out)))
        monkeypatch.setattr(preflight, "connect", lambda _: None)
        monkeypatch.setattr(preflight, "check", self.check)
        config = stack_config("dev")
        monkeypatch.setattr(Home, "config", lambda home, *_, **__: config.without(home.left_out("dev")))

    def ensure(self, images: dict[str, str], **_: object) -> Any:  # noqa: ANN401 - as much of it as is used
        self.pulled += images
        return SimpleNamespace(left_out=self.without(images), docker_host="unix:///docker.sock", pulumi=Path("pulumi"))

    def without(self, images: dict[str, str]) -> dict[str, str]:
        return {name: why for name, why in self.left_out.items() if name in images}

    def check(self, *_: object) -> None:
        raise ConfigError("port 9090 is already taken", "free it")


def prepare(**options: bool) -> Operation:
    return Operation.prepare("dev", Console(), **options)


def test_a_preview_leaves_out_what_up_then_leaves_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    machine = Machine(monkeypatch, tmp_path, cadvisor="cannot be pulled")
    shown = prepare(to_show=True)
    assert machine.pulled == []
    assert machine.home.left_out("dev") == {}
    monkeypatch.setattr(preflight, "check", lambda *_: None)
    made = prepare(to_run=True)
    assert (
        dict(shown.config.left_out)
        == dict(made.config.left_out)
        == {"cadvisor": "cannot be pulled", "grafana": GRAFANA}
    )
    assert shown.declared == made.declared
    assert machine.engines == [dict(shown.config.left_out)] * 2


def test_an_image_that_is_available_again_is_in_the_preview(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    machine = Machine(monkeypatch, tmp_path)
    machine.home.set_left_out("dev", {"cadvisor": "could not be pulled last week"})
    shown = prepare(to_show=True)
    assert dict(shown.config.left_out) == {"grafana": GRAFANA}
    assert any(one.name == "cadvisor-server-container" for one in shown.declared)


def test_a_preview_reports_what_up_would_refuse_and_continues(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    Machine(monkeypatch, tmp_path)
    shown = prepare(to_show=True)
    assert shown.refusal is not None
    assert shown.refusal.what == "port 9090 is already taken"
    with pytest.raises(ConfigError, match="port 9090 is already taken"):
        prepare(to_run=True)


@pytest.mark.parametrize("options", [{"to_show": True}, {"to_run": True}])
def test_without_an_essential_image_preview_and_up_are_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, options: dict[str, bool]
) -> None:
    Machine(monkeypatch, tmp_path, prometheus="cannot be pulled")
    with pytest.raises(ConfigError, match="the image of prometheus is not available: cannot be pulled"):
        prepare(**options)
