"""The command line: groups and their order, STACK as the last argument, what `down` asks, what `alerts` prints."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from observability.cli import alerts, lifecycle
from observability.cli.app import Commands, app
from observability.cli.common import stack_last
from observability.core.errors import ConfigError
from observability.core.version import version
from observability.operations import preflight
from observability.operations.home import Home
from observability.settings.load import ROOT


def run(*arguments: str) -> str:
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_the_version_is_that_of_pyproject_and_of_the_changelog() -> None:
    assert run("--version").strip() == f"obs {version()}"
    text = (Path(__file__).parents[2] / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"\n## {version()} - " in text


def test_help_lists_every_command_in_the_order_of_use() -> None:
    said = run("-h")
    at = [said.index(f"\n│ {name} ") for name in Commands.ORDER]
    assert at == sorted(at)


@pytest.mark.parametrize("name", ["new-system", "check-system", "oncall-sync", "oncall-verify"])
def test_earlier_names_work_and_are_not_listed(name: str) -> None:
    assert "Usage:" in run(name, "--help")
    assert f" {name} " not in run("--help")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_for_the_command(shell: str) -> None:
    assert "_OBS_COMPLETE" in run("completion", shell)


@pytest.mark.parametrize(
    ("given", "stack", "expected"),
    [
        (["prod"], "dev", ([None], "prod")),
        (["depot", None], "dev", (["depot", None], "dev")),
        (["depot", "prod"], "dev", (["depot", None], "prod")),
        (["prod"], "staging", (["prod"], "staging")),
        ([None], "dev", ([None], "dev")),
    ],
)
def test_a_stack_in_place_of_an_optional_argument_is_the_stack(
    given: list[str | None], stack: str, expected: tuple[list[str | None], str]
) -> None:
    assert stack_last(given, stack) == expected


def test_a_runbook_is_found_by_its_alert_in_any_case() -> None:
    assert run("runbook", "hostdown").startswith("# HostDown\n")
    with pytest.raises(ConfigError, match="no runbook of an alert 'HostDwn'") as caught:
        run("runbook", "HostDwn")
    assert "did you mean 'HostDown'?" in caught.value.fix


def alert(**status: list[str]) -> dict[str, Any]:
    return {
        "labels": {"alertname": "HostDown", "severity": "critical", "system": "shop", "instance": "a:9100"},
        "annotations": {},
        "startsAt": "2027-01-04T10:00:00Z",
        "fingerprint": "f1",
        "receivers": [{"name": "pager"}],
        "status": {"state": "active", "silencedBy": [], "inhibitedBy": [], **status},
    }


def test_an_alert_that_fires_shows_its_receivers() -> None:
    row = alerts._row(alert(), {}, {}, [])
    assert (row["state"], row["receivers"], row["about"]) == ("firing", ["pager"], "instance=a:9100")


def test_a_muted_alert_shows_what_mutes_it_and_no_receiver() -> None:
    silences = {"0123456789": {"id": "0123456789", "createdBy": "ann", "endsAt": "2027-01-04T12:00:00Z"}}
    row = alerts._row(alert(silencedBy=["0123456789"], inhibitedBy=["f2"]), silences, {"f2": "DockerDown"}, ["nights"])
    assert row["state"].startswith("silenced 01234567 by ann until ")
    assert row["state"].endswith("; inhibited by DockerDown; mute time nights")
    assert row["receivers"] == []


def config(environment: str) -> Any:  # noqa: ANN401 - as much of a configuration as is read
    return SimpleNamespace(stack="eu", settings=SimpleNamespace(environment=environment))


def test_down_with_volumes_in_prod_is_refused_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: False))
    with pytest.raises(ConfigError, match="nobody can be asked") as caught:
        lifecycle._confirm(config("prod"))
    assert "--yes" in caught.value.fix
    lifecycle._confirm(config("staging"))


def test_down_with_volumes_in_prod_requires_the_stacks_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("typer.prompt", lambda _: "prod")
    with pytest.raises(ConfigError, match="not the stack's name"):
        lifecycle._confirm(config("prod"))
    monkeypatch.setattr("typer.prompt", lambda _: "eu")
    lifecycle._confirm(config("prod"))


def test_down_of_a_stack_from_another_data_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBS_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    monkeypatch.setattr(preflight, "connect", lambda: None)
    monkeypatch.setattr(preflight, "objects_of", lambda _, stack: [f"obs-{stack}-prometheus"])
    with pytest.raises(ConfigError, match="was not created from the data folder") as caught:
        lifecycle._check_ours(config("dev"), adopt=False)
    assert "--adopt" in caught.value.fix
    lifecycle._check_ours(config("dev"), adopt=True)
    Home.find().remember_made("eu")
    lifecycle._check_ours(config("dev"), adopt=False)


def test_a_secret_is_removed_and_an_unknown_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBS_DATA_DIR", str(tmp_path))
    home = Home.find()
    home.set_secret("dev", "alertWebhookUrl", "https://example.com/hook")
    home.remove_secret("dev", "alertWebhookUrl")
    assert home.secrets("dev") == {}
    with pytest.raises(ConfigError, match="dev has no secret 'alertWebhookUrl'"):
        home.remove_secret("dev", "alertWebhookUrl")


def test_a_command_that_runs_no_engine_imports_none() -> None:
    """An import of the engine's SDK takes as long as all else of a short command."""
    slow = ("pulumi", "docker", "httpx", "mcp")
    code = f"import sys, observability.cli.app; print(*(name for name in {slow} if name in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == []
