"""From an application through the pinned collector into the pinned Jaeger, both with the stack's configuration."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import pytest

from observability.core import http
from observability.parts import traces
from tests.servers import jaeger_run
from tests.servers.collector_run import Running, collector
from tests.servers.jaeger_run import Address
from tests.servers.spans import Span, request, send
from tests.unit.conftest import SPANNED, stack_config
from tests.waits import until

CONFIG = stack_config("dev", {"traces": {}}, SPANNED)


def waiting(running: Running) -> float:
    """Bytes of spans in the collector's queue."""
    page = http.get(running.metrics, timeout=10).text
    (size,) = re.findall(r'^otelcol_exporter_queue_size{data_type="traces",.*} (\S+)$', page, re.MULTILINE)
    return float(size)


@dataclass(frozen=True, kw_only=True)
class Outage:
    """A Jaeger that was killed while spans arrived, and started again."""

    at: Address
    before: list[Span]
    during: list[Span]


WHOLE: Final = request(200, seconds=0.3)
QUERY: Final = Span(name="SELECT", kind="client", attributes={"db.system.name": "postgresql"}, trace=WHOLE.trace)


@pytest.fixture(scope="module")
def outage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outage]:
    """Each of the two waits for what the collector holds of a trace until it decides on it."""
    root, at = tmp_path_factory.mktemp("jaeger"), jaeger_run.address()
    before, during = [request(200) for _ in range(20)], [request(500) for _ in range(20)]
    with collector(CONFIG, tmp_path_factory.mktemp("collector"), store=at.otlp) as running:
        with jaeger_run.running(CONFIG, root, at):
            assert send(running.spans[traces.HTTP], "harbour-api", [WHOLE, QUERY, *before]) == 200
            until(lambda: all(at.trace(one.trace) for one in (WHOLE, *before)))
        assert send(running.spans[traces.HTTP], "harbour-api", during) == 200
        until(lambda: waiting(running) > 0)
        with jaeger_run.running(CONFIG, root, at):
            until(lambda: all(at.trace(one.trace) for one in during))
            yield Outage(at=at, before=before, during=during)


def test_kept_spans_wait_while_jaeger_is_down_and_none_is_lost(outage: Outage) -> None:
    assert all(outage.at.trace(one.trace) for one in outage.during)


def test_what_was_stored_when_jaeger_was_killed_is_on_its_volume(outage: Outage) -> None:
    assert all(outage.at.trace(one.trace) for one in outage.before)


def test_a_trace_is_found_by_its_id_with_all_of_its_spans(outage: Outage) -> None:
    found = outage.at.trace(WHOLE.trace)
    assert found is not None
    assert {one["operationName"] for one in found["spans"]} == {WHOLE.name, QUERY.name}
    (process,) = {one["processID"] for one in found["spans"]}
    tags = {tag["key"]: tag["value"] for tag in found["processes"][process]["tags"]}
    assert tags["system"] == "harbour"


def test_a_trace_is_found_by_its_service_and_its_duration(outage: Outage) -> None:
    assert "harbour-api" in outage.at.get("services")
    listed = outage.at.get("traces", service="harbour-api", lookback="1h", limit=50, minDuration="250ms")
    assert {one["traceID"] for one in listed} == {WHOLE.trace}
