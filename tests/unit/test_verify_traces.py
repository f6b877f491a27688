"""The rows of `verify` about spans."""

from collections.abc import Mapping
from typing import Any

import pytest

from observability.operations.traces import rows
from tests.unit.conftest import stack_config

TAKEN, REFUSED, SENT, WAITING = (
    "otelcol_receiver_accepted_spans",
    "otelcol_receiver_refused_spans",
    "otelcol_exporter_sent_spans_total",
    "otelcol_exporter_queue_size",
)


def shown(values: Mapping[str, float], settings: Mapping[str, Any] | None = None) -> list[tuple[str, str, str]]:
    """The rows where Prometheus has these values by series."""

    def get(service: str, _: str, query: str) -> Any:  # noqa: ANN401 - JSON
        assert service == "prometheus"
        found = [value for series, value in values.items() if f"{series}{{" in query]
        return {"data": {"result": [{"value": [0, str(value)]} for value in found]}}

    config = stack_config("dev", {"traces": {}, **(settings or {})})
    return list(rows(config, get, lambda condition: condition()))


def test_spans_that_arrive_and_are_stored_pass() -> None:
    assert shown({TAKEN: 120, SENT: 118}) == [
        ("spans", "passed", "120 in 5m, none lost"),
        ("spans in Jaeger", "passed", "118 in 5m"),
    ]


def test_a_stack_to_which_no_span_was_sent_yet_passes() -> None:
    assert {found for _, found, _ in shown({})} == {"passed"}


def test_spans_that_are_lost_fail_with_the_reason() -> None:
    (first, _) = shown({TAKEN: 120, REFUSED: 7, SENT: 100})
    assert first == ("spans", "failed", "120 in 5m, 7 refused lost")


def test_a_store_that_takes_nothing_while_spans_wait_fails() -> None:
    (_, second) = shown({TAKEN: 120, WAITING: 3})
    assert second == ("spans in Jaeger", "failed", "none in 5m, and 3 batches wait")


@pytest.mark.parametrize(("settings", "count"), [({"jaeger": {"enabled": False}}, 1), ({"traces": None}, 0)])
def test_there_are_rows_for_what_runs_alone(settings: dict[str, Any], count: int) -> None:
    assert len(shown({}, settings)) == count
