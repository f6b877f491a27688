"""Which source is used, and that it is reported: one line for each item."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from docker import DockerClient
from docker.errors import APIError, ImageNotFound

from demo.tenant.images import APP
from observability.core.errors import ConfigError
from observability.parts import images as pins  # noqa: F401 - its parts state the recipes
from toolchain import docker_plugin, ensure, ensure_images, foresee, inspect
from toolchain.assemble import LABEL
from toolchain.engine import Engine
from toolchain.process import ObtainError
from toolchain.recipe import KNOWN

PROMETHEUS = "prom/prometheus:v3.15.0"
GRAFANA = "grafana/grafana:13.2.0"

PULUMI = """#!/bin/sh
echo "$@" >> {calls}
case "$1" in version) echo {version} ;; plugin) echo "error: no such host" >&2; exit 1 ;; esac
"""


class Lines:
    """A report that keeps the lines."""

    def __init__(self) -> None:
        self.lines: dict[str, str] = {}

    def line(self, item: str, text: str) -> None:
        assert item not in self.lines, f"a second line for {item}"
        assert "\n" not in text
        self.lines[item] = text

    @contextmanager
    def task(self, label: str) -> Iterator["Lines"]:
        assert label
        yield self

    def note(self, text: str) -> None:
        pass


class Docker:
    """An engine with some images that cannot reach any registry."""

    def __init__(self, images: dict[str, dict[str, str]]) -> None:
        self.here = images
        self.pulls: list[str] = []
        self.asked: list[str] = []
        self.published: set[str] = set()
        self.images = self.api = self

    def get(self, reference: str) -> SimpleNamespace:
        if reference not in self.here:
            raise ImageNotFound(reference)
        return SimpleNamespace(labels=self.here[reference])

    def pull(self, repository: str, tag: str, **_: bool) -> list[dict[str, Any]]:
        self.pulls.append(f"{repository}:{tag}")
        return [{"error": "no such host"}]

    def get_registry_data(self, reference: str) -> SimpleNamespace:
        self.asked.append(reference)
        if reference not in self.published:
            raise APIError("no such host")
        return SimpleNamespace(id="sha256:00ff")

    def version(self) -> dict[str, str]:
        return {"Version": "28.0.0", "Arch": "amd64"}


class Machine:
    """A machine with Docker and a Pulumi CLI, without internet."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root, self.docker = root, Docker({PROMETHEUS: {}})
        monkeypatch.setenv("OBS_CACHE_DIR", str(root / "cache"))
        monkeypatch.setenv("PULUMI_HOME", str(root / "home"))
        monkeypatch.setenv("PATH", f"{root / 'bin'}{os.pathsep}{os.environ['PATH']}")
        monkeypatch.delenv(docker_plugin.CHOICE, raising=False)
        engine = Engine(cast(DockerClient, self.docker), "unix:///docker.sock")
        for module in ("engine", "pull"):
            monkeypatch.setattr(f"toolchain.{module}.connect", lambda *_: engine)
        self.pulumi("v3.272.0")

    def pulumi(self, version: str) -> None:
        program = self.root / "bin" / "pulumi"
        program.parent.mkdir(exist_ok=True)
        program.write_text(PULUMI.format(calls=self.root / "calls", version=version))
        program.chmod(0o755)

    def install_official_plugin(self) -> None:
        folder = self.root / "home/plugins" / f"resource-docker-v{docker_plugin.version()}"
        folder.mkdir(parents=True)
        (folder / "pulumi-resource-docker").touch()

    def plugin_downloads(self) -> int:
        calls = self.root / "calls"
        return calls.read_text().count("plugin install") if calls.exists() else 0

    def age_refusals(self, seconds: float) -> None:
        for marker in (self.root / "cache/refused").iterdir():
            then = time.time() - seconds
            os.utime(marker, (then, then))


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


def test_where_everything_is_present_each_item_has_one_line(machine: Machine) -> None:
    machine.install_official_plugin()
    report = Lines()
    toolchain = ensure({"prometheus": PROMETHEUS}, report)
    assert list(report.lines) == ["Docker Engine", "Pulumi CLI", "image prometheus", "Docker plugin"]
    assert all(text.startswith("found") for text in report.lines.values())
    assert toolchain.pulumi == machine.root / "bin/pulumi"
    assert (toolchain.plugin_dir, toolchain.plugin_notice, toolchain.left_out) == (None, None, {})
    assert toolchain.docker_host == "unix:///docker.sock"


def test_no_network_request_is_made_for_what_is_present(machine: Machine) -> None:
    machine.install_official_plugin()
    ensure({"prometheus": PROMETHEUS}, Lines())
    assert machine.docker.pulls == []
    assert machine.plugin_downloads() == 0


@pytest.mark.usefixtures("machine")
def test_an_image_that_is_not_available_is_left_out_and_reported() -> None:
    report = Lines()
    left_out = ensure({"prometheus": PROMETHEUS, "grafana": GRAFANA}, report).left_out
    assert list(left_out) == ["grafana"]
    assert "no such host" in left_out["grafana"]
    assert report.lines["image grafana"] == f"left out: {left_out['grafana']}"


def test_for_a_pin_that_no_recipe_builds_the_nearest_recipe_is_named(machine: Machine) -> None:
    left_out = ensure({"prometheus": "prom/prometheus:v3.99.0"}, Lines()).left_out
    assert "no such host" in left_out["prometheus"]
    assert "the recipe is for prom/prometheus:v3.15.0" in left_out["prometheus"]
    assert machine.docker.pulls == ["prom/prometheus:v3.99.0"]


def test_our_own_image_is_never_pulled(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    monkeypatch.setattr("toolchain.images.make", lambda _client, _recipe, reference, _report: made.append(reference))
    report = Lines()
    assert ensure_images({"app": "observability/demo:0.2.0-00ff00ff"}, {"app": APP}, report)[1] == {}
    assert made == ["observability/demo:0.2.0-00ff00ff"]
    assert machine.docker.pulls == []
    assert report.lines["image app"] == f"built {made[0]} from this project's own files"


@pytest.mark.usefixtures("machine")
def test_the_stand_in_is_used_where_the_official_plugin_is_refused() -> None:
    for _ in range(2):
        report = Lines()
        toolchain = ensure({}, report)
        assert toolchain.plugin_dir is not None
        launcher = toolchain.plugin_dir / "pulumi-resource-docker"
        assert os.access(launcher, os.X_OK)
        assert "-m toolchain.standin" in launcher.read_text()
        assert "stand-in" in (toolchain.plugin_notice or "")
        assert "no such host" in report.lines["Docker plugin"]


def test_a_refused_source_is_not_tried_again_within_a_day(machine: Machine) -> None:
    for _ in range(2):
        ensure({"grafana": GRAFANA}, Lines())
    assert machine.docker.pulls == [GRAFANA]
    assert machine.plugin_downloads() == 1


def test_a_refused_source_is_tried_again_after_a_day(machine: Machine) -> None:
    ensure({"grafana": GRAFANA}, Lines())
    machine.age_refusals(25 * 3600)
    ensure({"grafana": GRAFANA}, Lines())
    assert machine.docker.pulls == [GRAFANA, GRAFANA]
    assert machine.plugin_downloads() == 2


def test_forcing_the_official_plugin_where_it_is_not_available_is_an_error(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(docker_plugin.CHOICE, "official")
    with pytest.raises(ConfigError) as raised:
        ensure({}, Lines())
    assert "no such host" in raised.value.what
    assert docker_plugin.CHOICE in raised.value.fix
    assert machine.plugin_downloads() == 1


def test_the_stand_in_can_be_forced_where_the_official_plugin_is_installed(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.install_official_plugin()
    monkeypatch.setenv(docker_plugin.CHOICE, "stand-in")
    assert ensure({}, Lines()).plugin_dir is not None
    assert machine.plugin_downloads() == 0


def test_an_unknown_plugin_choice_is_refused_before_anything_is_done(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(docker_plugin.CHOICE, "other")
    with pytest.raises(ConfigError, match="other"):
        ensure({"grafana": GRAFANA}, Lines())
    assert machine.docker.pulls == []


@pytest.mark.parametrize("version", ["v3.258.0", "v4.0.0", "nonsense"])
def test_a_pulumi_of_an_unsupported_version_is_not_used(
    machine: Machine, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.pulumi(version)
    asked: list[str] = []

    def refuse(*_: object, **__: object) -> str:
        asked.append("download")
        raise ObtainError("no such host")

    monkeypatch.setattr("toolchain.pulumi_cli.run", refuse)
    monkeypatch.setattr("toolchain.go.obtain", refuse)
    with pytest.raises(ConfigError) as raised:
        ensure({}, Lines())
    assert f"{machine.root / 'bin/pulumi'} is not 3.x of at least 3.259.0" in raised.value.what
    assert asked == ["download", "download"]


def test_an_engine_in_docker_host_that_does_not_respond_is_not_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OBS_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with pytest.raises(ConfigError) as raised:
        ensure({}, Lines())
    assert f"unix://{tmp_path}/none.sock does not answer: No such file or directory" in raised.value.what
    assert "unset DOCKER_HOST" in raised.value.fix


def test_an_image_whose_recipe_has_changed_is_rebuilt(machine: Machine) -> None:
    machine.docker.here[PROMETHEUS] = {LABEL: "earlier"}
    assert [finding.ok for finding in inspect({"prometheus": PROMETHEUS})][-1] is False
    machine.docker.here[PROMETHEUS] = {LABEL: KNOWN["prometheus"].version}
    assert [finding.ok for finding in inspect({"prometheus": PROMETHEUS})][-1] is True


def test_inspect_changes_nothing_and_makes_no_network_request(machine: Machine) -> None:
    findings = {finding.name: finding for finding in inspect({"prometheus": PROMETHEUS, "grafana": GRAFANA})}
    assert list(findings) == ["Docker Engine", "Pulumi CLI", "Docker plugin", "image prometheus", "image grafana"]
    assert [finding.ok for finding in findings.values()] == [True, True, True, True, False]
    assert GRAFANA in findings["image grafana"].detail
    assert machine.docker.pulls == []
    assert not (machine.root / "cache").exists()


def test_inspect_without_docker_reports_it(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> Engine:
        raise ObtainError("no such file")

    monkeypatch.setattr("toolchain.engine.connect", refuse)
    finding = inspect({"prometheus": PROMETHEUS})[0]
    assert (finding.name, finding.ok) == ("Docker Engine", False)
    assert machine.docker.pulls == []


def test_what_would_be_left_out_is_predicted_without_a_pull(machine: Machine) -> None:
    images = {"prometheus": PROMETHEUS, "grafana": GRAFANA, "shop": "example/shop:1"}
    machine.docker.published = {"example/shop:1"}
    assert list(foresee(images)) == ["grafana"]
    assert machine.docker.pulls == []
    assert sorted(machine.docker.asked) == ["example/shop:1", GRAFANA]


def test_the_prediction_matches_what_is_then_left_out(machine: Machine) -> None:
    images = {"prometheus": PROMETHEUS, "grafana": GRAFANA, "shop": "example/shop:1"}
    expected = foresee(images)
    assert set(expected) == {"grafana", "shop"}
    left_out = ensure(images, Lines()).left_out
    assert set(left_out) == set(expected)
    assert all("no such host" in why for why in (*left_out.values(), *expected.values()))
    assert machine.docker.pulls == []


def test_an_image_that_a_recipe_builds_is_predicted_as_available(machine: Machine) -> None:
    machine.docker.here.clear()
    assert foresee({"prometheus": PROMETHEUS}) == {}
    assert machine.docker.asked == []


def test_inspect_reports_why_an_image_is_missing(machine: Machine) -> None:
    foresee({"grafana": GRAFANA})
    assert machine.docker.asked == [GRAFANA]
    detail = inspect({"grafana": GRAFANA})[-1].detail
    assert detail.startswith(f"not there yet: {GRAFANA} (its registry refused it: no such host; asked 0 min ago")
