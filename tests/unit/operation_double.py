"""Stands in for an operation on a stack: it is completed, with the steps recorded in files/preview.json."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pulumi.automation.events import StepEventMetadata
from typer.testing import CliRunner

from observability.cli import lifecycle
from observability.cli.app import app
from observability.core.errors import ConfigError
from observability.operations.changes import Changes, records
from observability.operations.differences import SECRET
from observability.operations.engine import Outcome
from observability.operations.operation import Operation
from observability.operations.rotation import Progress
from observability.settings.watched import Unplaced

RECORDED = json.loads((Path(__file__).parent / "files" / "preview.json").read_text(encoding="utf-8"))

NOW = [
    {
        "file": "/staging/rules/shop.yaml",
        "content": "groups:\n- name: shop\n  rules:\n  - alert: QueueTooLong\n    expr: queue > 6\n    for: 10m\n"
        "  - alert: OrdersWaiting\n    expr: waiting > 1\n",
    },
    {
        "file": "/staging/prometheus.yaml",
        "content": "scrape_configs:\n- job_name: prometheus\n  scrape_interval: 15s\n- job_name: shop\n"
        '  scrape_interval: 30s\n  static_configs:\n  - targets: ["shop:8081"]\n',
    },
    {"file": "/staging/rules/new.yaml", "content": "groups: []\n"},
    {"file": "/staging/secrets/password", "content": SECRET},
    {"file": "/staging/secrets/same", "content": SECRET},
]
"""The files that the recorded loader is declared with."""


def recorded_steps() -> list[StepEventMetadata]:
    """The steps for which `up` would print a line."""
    found = [StepEventMetadata.from_json(step) for step in RECORDED["steps"]]
    return [step for step in found if step.op.value in ("create", "update", "replace", "delete")]


def completed(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Any:  # noqa: ANN401 - as much of one as is used
    """A completed operation, on a stack where something is not placed and a part is left out."""
    config = SimpleNamespace(
        stack="dev",
        runs=lambda _: False,
        addresses={"prometheus": "http://127.0.0.1:9090"},
        left_out={"cadvisor": "example/cadvisor:1 cannot be pulled (no such host)"},
        unplaced=(Unplaced(system="shop", what="postgres"), Unplaced(system="shop", what="redis", reason="shared")),
    )
    outcome = Outcome(steps=recorded_steps())
    outcome.changes.update({"create": 1, "update": 1, "replace": 4, "delete": 1, "same": 1})
    known = Changes(
        again={}, recorded=records(RECORDED["deployment"]["resources"]), declared={"server-config-loader": NOW}
    )
    made = SimpleNamespace(
        config=config,
        home=SimpleNamespace(folder=folder, remember_made=lambda _: None, secrets=lambda _: {}),
        run=lambda *_, **__: outcome,
        wait=list,
        verified=list,
        advance_rotations=Progress,
        keep_state=lambda: None,
        hosts=SimpleNamespace(silent={"web-2": "no route to host"}),
        changes=lambda found: known.of(found.steps),
        refusal=ConfigError("port 9090 is already taken", "free it"),
    )
    monkeypatch.setattr(Operation, "prepare", lambda *_, **__: made)
    companion = SimpleNamespace(
        name="beside",
        plan=lambda _: ["create beside-web"],
        prepare=lambda _: None,
        up=lambda *_: None,
        addresses=lambda _: {"beside": "http://127.0.0.1:8088"},
    )
    monkeypatch.setattr(lifecycle, "BESIDE", [companion])
    monkeypatch.setattr("observability.operations.parts.receivers", lambda _: [])
    return made


def run(*arguments: str) -> str:
    """What a command prints that succeeds."""
    done = CliRunner().invoke(app, [*arguments, "--skip-check"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout
