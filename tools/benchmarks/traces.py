"""`python -m tools.benchmarks.traces`: the collector and Jaeger under 500 spans a second for a minute.

Applications send traces of five spans by OTLP; all are kept. The pinned collector, with the configuration of a stack,
measures them and sends them to the pinned Jaeger. Printed are the spans missing in Jaeger, those refused or lost
on the way, how long after the last one was sent all were there, and the collector's CPU seconds and memory. Takes two
minutes; `python -m tools.benchmarks.traces RATE SECONDS` is another load, `500 300` five minutes.
"""

import re
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from observability.core import http
from observability.parts import traces
from observability.settings.load import StackConfig, validate
from tests.servers import jaeger_run
from tests.servers.collector_run import Running, collector
from tests.servers.spans import Span, request, send
from tools.benchmarks.collector import MIB, Use

RATE: Final = 500
SECONDS: Final = 60
PATIENCE: Final = 120.0
"""Seconds after the last span within which all are expected in Jaeger."""

STEP: Final = 0.2
"""Seconds between two requests."""

OF_A_TRACE: Final = 5
"""Spans of each trace."""

LOST: Final = ("receiver_refused_spans", "exporter_send_failed_spans", "exporter_enqueue_failed_spans", "too_early")
"""Ends of the names of the counters of what is lost."""


def trace(number: int) -> list[Span]:
    """The spans of one request: of the server, of its queries, and of a call."""
    whole = request(500 if number % 50 == 0 else 200, route=f"/orders/{{id}}/{number % 20}", seconds=0.08)
    query = {"db.system.name": "postgresql", "db.operation.name": "SELECT", "db.query.text": "SELECT * FROM orders"}
    call = {
        "http.request.method": "POST",
        "server.address": "api.example.com",
        "url.full": "https://api.example.com/v1",
    }
    return [
        whole,
        *(Span(name="SELECT orders", kind="client", attributes=query, trace=whole.trace) for _ in range(3)),
        Span(name="POST", kind="client", attributes=call, trace=whole.trace),
    ]


def sent(port: int, rate: int, seconds: int) -> tuple[int, int, float]:
    """Send the spans; their number, those that were refused, and the seconds that it took."""
    begin, number, refused = time.monotonic(), 0, 0
    while (elapsed := time.monotonic() - begin) < seconds:
        wanted = int(min(elapsed + STEP, seconds) * rate / OF_A_TRACE)
        found = [span for one in range(number, wanted) for span in trace(one)]
        if found and send(port, f"shop-{number % 3}", found) != 200:
            refused += len(found)
        number = wanted
        time.sleep(max(0.0, begin + (elapsed // STEP + 1) * STEP - time.monotonic()))
    return number * OF_A_TRACE, refused, time.monotonic() - begin


def total(text: str, name: str) -> int:
    """The sum of the counters whose names end so, with or without the ending of a counter."""
    rows = re.findall(rf"^\w*{name}(?:_total)?(?:{{[^}}]*}})? (\S+)$", text, re.MULTILINE)
    return int(sum(map(float, rows)))


def lost(running: Running) -> int:
    """Spans that the collector has counted as refused or lost."""
    text = http.get(running.metrics, timeout=30).text
    return sum(total(text, name) for name in LOST)


def measured(config: StackConfig, root: Path, rate: int, seconds: int) -> dict[str, str]:
    """Run it; what is printed, by title."""
    at = jaeger_run.address()
    for name in ("jaeger", "collector"):
        (root / name).mkdir()
    with (
        jaeger_run.running(config, root / "jaeger", at) as store,
        collector(config, root / "collector", store=at.otlp) as running,
    ):
        use = Use()
        watching = threading.Thread(target=use.watch, args=(running,))
        watching.start()
        count, refused, took = sent(running.spans[traces.HTTP], rate, seconds)
        end, found = time.monotonic(), 0
        while found < count and time.monotonic() - end < PATIENCE:
            found = total(store.metrics(), "exporter_sent_spans")
            time.sleep(0.5)
        late, gone = time.monotonic() - end, lost(running)
        use.ended.set()
        watching.join()
    return {
        "spans sent": f"{count} in {took:.1f} s ({count / took:.0f}/s)",
        "refused or lost": str(refused + gone),
        "missing in Jaeger": str(count - found),
        "all there after": f"{late:.1f} s",
        "CPU of the collector": f"{use.cpu:.1f} s ({100 * use.cpu / (took + late):.0f} % of a core)",
        "memory of the collector": f"{use.memory / MIB:.0f} MiB",
    }


def main() -> int:
    """Print the figures; 1 where a span is missing."""
    given = [int(one) for one in sys.argv[1:3]]
    rate, seconds = (*given, *(RATE, SECONDS)[len(given) :])
    with tempfile.TemporaryDirectory(prefix="obs-bench-") as folder:
        rows = measured(validate("dev", {"traces": {}}, frozenset()), Path(folder), rate, seconds)
    table = Table("Traces", "")
    for title, value in rows.items():
        table.add_row(title, value)
    Console().print(table)
    return 0 if rows["missing in Jaeger"] == rows["refused or lost"] == "0" else 1


if __name__ == "__main__":
    sys.exit(main())
