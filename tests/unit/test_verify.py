"""`obs verify` counts passed, failed and unchecked items separately, and exits accordingly."""

import json
import time
from types import SimpleNamespace
from typing import Any, cast

import pytest
import typer

from observability.cli import look
from observability.operations import verify as operation
from observability.operations.containers import ServiceState
from observability.operations.parts import left_out
from observability.operations.rows import Row, Verdict
from tests.unit.conftest import stack_config


def ended(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *verdicts: Verdict,
    strict: bool = False,
    as_json: bool = False,
) -> tuple[int, str]:
    """Exit code and output of the command where its checks end like this."""
    rows = [Row(check=f"check {number}", verdict=one, detail="seen") for number, one in enumerate(verdicts)]
    monkeypatch.setattr(look, "load_all", lambda _: (stack_config("dev"), {}))
    monkeypatch.setattr("observability.operations.preflight.connect", lambda: None)
    monkeypatch.setattr("observability.operations.home.Home.find", lambda: SimpleNamespace(secrets=lambda _: {}))
    monkeypatch.setattr("observability.synth.record.record", lambda *_: [])
    monkeypatch.setattr(operation, "verify", lambda _subject, *, quick: iter(rows if not quick else []))
    code = 0
    try:
        look.verify("dev", quick=False, strict=strict, as_json=as_json)
    except typer.Exit as done:
        code = done.exit_code
    return code, capsys.readouterr().out


@pytest.mark.parametrize(
    ("verdicts", "strict", "code", "last"),
    [
        (("passed", "passed"), False, 0, "2 of 2 checks passed"),
        (("passed", "passed"), True, 0, "2 of 2 checks passed"),
        (("passed", "failed"), False, 1, "1 of 2 checks passed"),
        (("passed", "left out", "left out"), False, 0, "1 of 1 checks passed, 2 left out"),
        (("passed", "left out"), True, 1, "1 of 1 checks passed, 1 left out"),
        (("passed", "warning"), False, 0, "1 of 1 checks passed, 1 warnings"),
        (("passed", "warning"), True, 1, "1 of 1 checks passed, 1 warnings"),
        (("failed", "left out", "warning"), False, 1, "0 of 1 checks passed, 1 left out, 1 warnings"),
    ],
)
def test_what_is_left_out_does_not_count_as_passed_and_fails_with_strict(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    verdicts: tuple[Verdict, ...],
    strict: bool,
    code: int,
    last: str,
) -> None:
    ended_with, said = ended(monkeypatch, capsys, *verdicts, strict=strict)
    assert (ended_with, said.splitlines()[-1]) == (code, last)


def test_each_row_begins_with_its_verdict(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    _, said = ended(monkeypatch, capsys, "passed", "failed", "left out", "warning")
    assert [line.partition("  ")[0].strip() for line in said.splitlines()[:4]] == [
        "ok",
        "FAIL",
        "left out check 2",
        "warning",
    ]


def test_json_has_the_verdict_of_each_row(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = ended(monkeypatch, capsys, "passed", "left out", as_json=True)
    assert code == 0
    assert [(row["ok"], row["verdict"]) for row in json.loads(said)] == [(True, "passed"), (True, "left out")]


def test_a_part_whose_image_is_missing_is_left_out_with_the_reason() -> None:
    config = stack_config("dev").without({"cadvisor": "its image cannot be pulled"})
    assert list(left_out(config)) == [("image cadvisor", "left out", "its image cannot be pulled")]


@pytest.mark.parametrize(
    ("state", "shorter"),
    [
        *(("exited", True), ("missing", True), ("dead", True)),
        *(("starting", False), ("unhealthy", False), ("restarting", False), ("healthy", False)),
    ],
)
def test_what_is_stopped_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, state: str, shorter: bool) -> None:
    found = [
        ServiceState(service=name, state=its, image="", memory_mib=0, limit_mib=0)
        for name, its in (("loki", "healthy"), ("prometheus", state))
    ]
    monkeypatch.setattr(operation, "states", lambda *_: found)
    subject = operation.Subject(config=stack_config("dev"), declared=[], client=cast("Any", None))
    now = time.monotonic()
    assert subject.deadline > now + operation.PATIENCE_STOPPED
    assert (operation._as_patient_as_useful(subject).deadline <= now + operation.PATIENCE_STOPPED + 1) is shorter
