"""What `obs up` does after an update: its checks, repairs, rotations, output."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from observability.cli.app import app
from observability.operations.engine import Outcome
from observability.operations.rotation import Progress
from observability.operations.rows import Row
from tests.unit.operation_double import completed, run


@pytest.fixture
def operation(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:  # noqa: ANN401 - as much of one as is used
    return completed(monkeypatch, tmp_path)


@pytest.mark.usefixtures("operation")
def test_up_names_what_is_declared_and_not_placed() -> None:
    said = run("up", "dev")
    assert "not watched: postgres of shop: declared in systems/shop.yaml and placed nowhere\n" in said
    assert "not watched: redis of shop: shared\n" in said
    assert "dev: 7 changes, 1 resources unchanged\n" in said


@pytest.mark.usefixtures("operation")
def test_up_as_json_has_counts_addresses_and_what_is_not_watched() -> None:
    found = json.loads(run("up", "dev", "--json"))
    opened = {"prometheus": "http://127.0.0.1:9090", "beside": "http://127.0.0.1:8088"}
    assert (found["changed"], found["addresses"]) == (7, opened)
    assert [one["what"] for one in found["not_watched"]] == ["postgres", "redis"]


def up_after(operation: Any, *checks: list[Row]) -> tuple[int, str, list[dict[str, Any]]]:  # noqa: ANN401 - the double
    """Exit code and output of `up` whose checks end like this, one after the other; and how the updates were run."""
    answers, ran = list(checks), []

    def update(*_: object, **options: Any) -> Outcome:  # noqa: ANN401 - of the operation
        ran.append(options)
        return Outcome()

    operation.run, operation.verified = update, lambda: answers.pop(0)
    done = CliRunner().invoke(app, ["up", "dev", "--skip-check"], catch_exceptions=False)
    return done.exit_code, done.output, ran


def test_up_fails_and_shows_what_is_not_as_declared(operation: Any) -> None:  # noqa: ANN401 - the double
    wide = Row.of("silence 1a2b", "severity=~.+ until 2030", ok=False, fix="./obs silence expire 1a2b")
    code, said, ran = up_after(operation, [wide])
    assert (code, ran) == (1, [{}])
    assert "severity=~.+ until 2030: ./obs silence expire 1a2b" in said


def test_up_shows_what_needs_time_to_pass_and_does_not_fail(operation: Any) -> None:  # noqa: ANN401 - the double
    past = Row(check="messages to ops", verdict="failed", detail="refused", passing=True)
    code, said, _ = up_after(operation, [past])
    assert code == 0
    assert "messages to ops" in said


def test_up_repairs_what_is_found_in_use_and_checks_again(operation: Any) -> None:  # noqa: ANN401 - the double
    other = Row.of("rules in use", "A differs", ok=False, repair=("loader", "server"))
    code, _, ran = up_after(operation, [other], [])
    assert (code, ran) == (0, [{}, {"also": ["loader", "server"]}])


def test_up_runs_again_for_a_secret_that_is_being_replaced(operation: Any) -> None:  # noqa: ANN401 - the double
    progress = [Progress(again=True), Progress(ended=("hostWebEdgeToken",)), Progress(again=True)]
    operation.advance_rotations = lambda: progress.pop(0)
    code, said, ran = up_after(operation, [], [])
    assert (code, ran, len(progress)) == (0, [{}, {}], 1)
    assert "hostWebEdgeToken: the new value is in use" in said


def test_up_checks_again_after_the_update_of_a_rotation(operation: Any) -> None:  # noqa: ANN401 - the double
    operation.advance_rotations = lambda: Progress(again=True)
    code, said, ran = up_after(operation, [], [Row.of("rules in use", "A differs", ok=False, fix="run it again")])
    assert (code, ran) == (1, [{}, {}])
    assert "A differs: run it again" in said


def test_up_names_the_hosts_that_a_new_secret_waits_for(operation: Any) -> None:  # noqa: ANN401 - the double
    operation.advance_rotations = lambda: Progress(waiting={"hostWebEdgeToken": ("web",)})
    code, said, _ = up_after(operation, [])
    assert code == 0
    assert "hostWebEdgeToken: web has not sent with the new value yet" in said


def test_a_stack_that_is_not_well_keeps_the_secret_before(operation: Any) -> None:  # noqa: ANN401 - the double
    operation.advance_rotations = lambda: pytest.fail("asked")
    assert up_after(operation, [Row.of("rules in use", "A differs", ok=False)])[0] == 1
