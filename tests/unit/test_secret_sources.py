"""Secrets that are read from a file, a variable or a command at each `up`."""

import sys
from pathlib import Path
from typing import Any

import pytest

from observability.core.errors import ConfigError
from observability.operations.home import Home
from observability.operations.secret_sources import read
from observability.settings.load import validate
from observability.settings.sources import SecretSource
from tests.unit.conftest import stack_config

WHERE = "Pulumi.dev.yaml: observability:secretSources.alertWebhookUrl"


def printing(text: str) -> tuple[str, ...]:
    return (sys.executable, "-c", f"print({text!r})")


def test_a_secret_is_read_from_a_file_a_variable_or_a_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "url").write_text("https://one\n")
    monkeypatch.setenv("WEBHOOK", "https://two")
    assert read(WHERE, SecretSource(file=str(tmp_path / "url"))) == "https://one"
    assert read(WHERE, SecretSource(env="WEBHOOK")) == "https://two"
    assert read(WHERE, SecretSource(command=printing("https://three"))) == "https://three"


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ({"file": "/nowhere/url"}, r"secretSources\.alertWebhookUrl\.file: /nowhere/url: No such file"),
        ({"env": "NOT_SET_ANYWHERE"}, r"\.env: the variable NOT_SET_ANYWHERE is not set"),
        ({"command": ("no-such-program",)}, r"\.command: no-such-program: No such file"),
        ({"command": printing("")}, "the value is empty"),
        (
            {"command": (sys.executable, "-c", "import sys; print('hid' + 'den'); sys.exit('sign in first')")},
            "exit code 1: sign in first",
        ),
    ],
)
def test_a_source_that_gives_nothing_is_named_with_its_path(source: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem) as error:
        read(WHERE, SecretSource(**source))
    assert "hidden" not in str(error.value)


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ({}, "has none of file, env and command"),
        ({"env": "A", "file": "/a"}, "has file and env"),
        ({"file": "secrets/url"}, r"secretSources\.alertWebhookUrl\.file"),
        ({"command": []}, "has none of file, env and command"),
    ],
)
def test_a_source_is_one_of_the_three(source: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        stack_config("staging", {"secretSources": {"alertWebhookUrl": source}})


def test_an_unknown_secret_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ConfigError, match=r"secretSources\.alertWebhokUrl: there is no secret of this name") as error:
        stack_config("staging", {"secretSources": {"alertWebhokUrl": {"env": "A"}}})
    assert "alertWebhookUrl" in str(error.value)


def test_a_secret_with_a_source_is_not_missing() -> None:
    values = {"grafana": {"url": "https://grafana.example.com"}, "secretSources": {"grafanaAuth": {"env": "TOKEN"}}}
    assert "grafanaAuth" not in validate("staging", values, frozenset(), complete=False).missing


def test_only_a_changed_value_is_stored_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("WEBHOOK", "https://one")
    home, config = Home.find(), stack_config("dev", {"secretSources": {"alertWebhookUrl": {"env": "WEBHOOK"}}})
    home.read_sources(config)
    path = home.folder / "secrets/dev/alertWebhookUrl"
    written = path.stat().st_mtime_ns
    home.read_sources(config)
    assert path.stat().st_mtime_ns == written
    monkeypatch.setenv("WEBHOOK", "https://two")
    home.read_sources(config)
    assert path.read_text() == "https://two"
