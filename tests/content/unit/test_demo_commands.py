"""`obs demo status` and `obs fault` as JSON."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from demo.systems import FAULTS
from demo.tenant.containers import ContainerState
from observability.cli import demo, fault
from observability.cli.app import app

SYSTEM = next(iter(FAULTS))
FAULT = next(iter(FAULTS[SYSTEM].values()))


def run(*arguments: str, code: int = 0) -> Any:  # noqa: ANN401 - any JSON
    done = CliRunner().invoke(app, [*arguments, "--json"])
    assert done.exit_code == code, done.output
    return json.loads(done.stdout)


def state(until: str | None) -> dict[str, Any]:
    """The demo's response: for one fault, until when it is on."""
    return {SYSTEM: {FAULT.name: {"until": until, "does": FAULT.does}}}


def test_status_lists_the_containers_and_fails_where_one_is_not_healthy(monkeypatch: pytest.MonkeyPatch) -> None:
    states = [
        ContainerState(service="app", container="demo-app", state="healthy", image="app:1"),
        ContainerState(service="redis", container="demo-redis", state="missing", image="redis:7"),
    ]
    monkeypatch.setattr(demo, "_tenant", lambda _: SimpleNamespace(states=lambda _: states))
    monkeypatch.setattr("observability.operations.preflight.connect", lambda: None)
    assert [(one["service"], one["state"]) for one in run("demo", "status", code=1)] == [
        ("app", "healthy"),
        ("redis", "missing"),
    ]


def test_the_list_of_faults_names_the_alerts_that_each_raises() -> None:
    found = run("fault", "--list")
    assert len(found) == sum(map(len, FAULTS.values()))
    (one,) = run("fault", SYSTEM, FAULT.name, "--list")
    assert one["raises"] == [{"alert": alert.name, "severity": alert.severity} for alert in FAULT.raises]


def test_only_the_faults_that_are_on_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fault, "ask", lambda *_, **__: state(None))
    assert run("fault") == []
    monkeypatch.setattr(fault, "ask", lambda *_, **__: state("12:00:00 UTC"))
    assert run("fault") == [{"system": SYSTEM, "fault": FAULT.name, "until": "12:00:00 UTC", "does": FAULT.does}]


def test_switching_a_fault_on_or_off_prints_its_state(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str | None]] = []

    def ask(method: str, _: str, *, duration: str | None = None) -> dict[str, Any]:
        asked.append((method, duration))
        return state("12:00:00 UTC" if method == "POST" else None)

    monkeypatch.setattr(fault, "ask", ask)
    assert run("fault", SYSTEM, FAULT.name, "--for", "10m")["until"] == "12:00:00 UTC"
    assert run("fault", SYSTEM, FAULT.name, "--off")["until"] is None
    assert asked == [("POST", "10m"), ("DELETE", None)]


def test_a_demo_that_does_not_respond_is_reported_outside_the_json(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise fault.UnreachableError("connection refused")

    monkeypatch.setattr(fault, "ask", refuse)
    done = CliRunner().invoke(app, ["fault", "--json"])
    assert (done.exit_code, done.stdout) == (1, "")
    assert "connection refused" in done.stderr
