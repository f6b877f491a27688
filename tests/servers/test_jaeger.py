"""From an application through the pinned collector into the pinned Jaeger, both with the stack's configuration."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from observability.parts import traces
from tests.servers import jaeger_run
from tests.servers.collector_run import Running, collector
from tests.servers.jaeger_run import Address
from tests.servers.spans import Span, request, send
from tests.unit.conftest import SPANNED, stack_config
from tests.waits import until

CONFIG = stack_config("dev", {"traces": {}}, SPANNED)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Address, Path]]:
    """A collector that sends to a Jaeger, which each test starts."""
    root, at = tmp_path_factory.mktemp("jaeger"), jaeger_run.address()
    with collector(CONFIG, tmp_path_factory.mktemp("collector"), store=at.otlp) as running:
        yield running, at, root


def test_a_trace_is_found_by_its_id_and_by_its_service(place: tuple[Running, Address, Path]) -> None:
    running, at, root = place
    whole = request(200, seconds=0.3)
    inner = Span(name="SELECT", kind="client", attributes={"db.system.name": "postgresql"}, trace=whole.trace)
    with jaeger_run.running(CONFIG, root, at):
        assert send(running.spans[traces.HTTP], "harbour-api", [whole, inner]) == 200
        until(lambda: at.trace(whole.trace) is not None)
        found = at.trace(whole.trace)
        assert found is not None
        assert {one["operationName"] for one in found["spans"]} == {whole.name, "SELECT"}
        (process,) = {one["processID"] for one in found["spans"]}
        tags = {tag["key"]: tag["value"] for tag in found["processes"][process]["tags"]}
        assert tags["system"] == "harbour"
        assert "harbour-api" in at.get("services")
        listed = at.get("traces", service="harbour-api", lookback="1h", limit=20, minDuration="250ms")
        assert whole.trace in {one["traceID"] for one in listed}


def test_kept_spans_wait_while_jaeger_is_stopped_and_none_is_lost(place: tuple[Running, Address, Path]) -> None:
    running, at, root = place
    before, during = [request(200) for _ in range(20)], [request(500) for _ in range(20)]
    with jaeger_run.running(CONFIG, root, at):
        assert send(running.spans[traces.HTTP], "harbour-api", before) == 200
        until(lambda: all(at.trace(one.trace) for one in before))
    assert send(running.spans[traces.HTTP], "harbour-api", during) == 200
    # The collector has decided on them when it tries to send.
    until(lambda: b"otlp_http/traces" in running.program.logs())
    with jaeger_run.running(CONFIG, root, at):
        until(lambda: all(at.trace(one.trace) for one in during))
        # What was stored before the restart is on the volume.
        assert all(at.trace(one.trace) for one in before)


def test_its_metrics_are_those_that_rules_and_panels_read(place: tuple[Running, Address, Path]) -> None:
    running, at, root = place
    with jaeger_run.running(CONFIG, root, at):
        one = request(200)
        assert send(running.spans[traces.HTTP], "harbour-api", [one]) == 200
        until(lambda: at.trace(one.trace) is not None)
        text = at.metrics()
        print(text)
