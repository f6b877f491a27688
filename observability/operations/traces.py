"""Whether spans arrive, whether some are lost, and whether the store takes them; each result is a row of `verify`."""

from collections.abc import Iterator
from typing import Final

from observability.operations.parts import Answer, Get, Retry
from observability.operations.rows import verdict
from observability.parts import collector, jaeger, traces
from observability.settings.load import StackConfig

OVER: Final = "5m"
"""Range in which spans are counted."""


def rows(config: StackConfig, get: Get, retry: Retry) -> Iterator[Answer]:
    """A row for what arrives, and one for the store of the stack's own."""
    if not config.runs(traces.NAME):
        return
    from dashboards.traces import LOST

    lost: dict[str, float] = {}

    def none_lost() -> bool:
        lost.clear()
        lost.update({reason: _grown(get, f'{series}{{job="{collector.NAME}"}}') for reason, series in LOST.items()})
        return not any(lost.values())

    ok = retry(none_lost)
    taken = _grown(get, f'otelcol_receiver_accepted_spans{{job="{collector.NAME}"}}')
    gone = ", ".join(f"{count:.0f} {reason}" for reason, count in lost.items() if count)
    yield "spans", verdict(ok), f"{taken:.0f} in {OVER}, {gone or 'none'} lost"
    if config.runs(jaeger.NAME):
        yield _stored(get, retry)


def _stored(get: Get, retry: Retry) -> Answer:
    waiting = f'sum(otelcol_exporter_queue_size{{job="{collector.NAME}",data_type="traces"}})'
    found: dict[str, float] = {}

    def moves() -> bool:
        found["stored"] = _grown(get, f'otelcol_exporter_sent_spans_total{{job="{jaeger.NAME}"}}')
        found["waiting"] = _value(get, waiting)
        return found["stored"] > 0 or not found["waiting"]

    ok = retry(moves)
    detail = f"{found['stored']:.0f} in {OVER}" if ok else f"none in {OVER}, and {found['waiting']:.0f} batches wait"
    return "spans in Jaeger", verdict(ok), detail


def _grown(get: Get, counter: str) -> float:
    return _value(get, f"sum(increase({counter}[{OVER}]))")


def _value(get: Get, query: str) -> float:
    """The value of a query with one result; 0 where there is none."""
    result = get("prometheus", "/api/v1/query", query=query)["data"]["result"]
    return float(result[0]["value"][1]) if result else 0.0
