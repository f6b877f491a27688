"""`python -m tools.benchmarks.collector`: the collector under 5,000 lines a second for a minute.

The lines are written into log files as Docker writes them, for ten containers. The pinned collector, with the
configuration of a stack and its limit of memory, sends them to the pinned Loki. Printed are the lines that are missing
in Loki, how long after the last one was written all were there, and the collector's CPU seconds and memory. Takes two
minutes; `python -m tools.benchmarks.collector RATE SECONDS` is another load.
"""

import json
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from observability.core import http
from observability.settings.load import StackConfig, from_file
from tests.servers.collector_run import Container, Running, collector, loki_server, stamp, write

RATE: Final = 5000
SECONDS: Final = 60
CONTAINERS: Final = tuple(Container(name=f"bench-{number}") for number in range(10))
PATIENCE: Final = 120.0
"""Seconds after the last line within which all are expected in Loki."""

STEP: Final = 0.1
"""Seconds between two writes."""

MIB: Final = 1024 * 1024

KINDS: Final = (
    '{{"level":"info","message":"order {n} paid","request_id":"r-{n}","user_id":{n},"duration_ms":12}}',
    'ts=2026-11-29T12:00:00Z caller=main.go:17 level=warn msg="retrying" attempt={n} trace_id=4bf92f{n}',
    "2026-11-29 12:00:00,123 ERROR [worker-{n}] c.e.Shop : payment refused with password=hunter2",
    '172.18.0.5 - - [29/Nov/2026:12:00:00 +0000] "GET /api/orders/{n}?page=2 HTTP/1.1" 200 4711 "-" "curl/8"',
    "started job {n} of the night, which has no level",
)
"""What the lines look like, in turn."""


@dataclass
class Use:
    """What the collector used: CPU seconds, and the largest memory in bytes without the page cache."""

    cpu: float = 0
    memory: int = 0
    ended: threading.Event = field(default_factory=threading.Event)

    def watch(self, running: Running) -> None:
        """Read its statistics until `ended` is set."""
        while not self.ended.is_set():
            found: Any = running.program.stats(stream=False, one_shot=True)
            memory = found["memory_stats"]
            self.cpu = found["cpu_stats"]["cpu_usage"]["total_usage"] / 1e9
            self.memory = max(self.memory, memory["usage"] - memory.get("stats", {}).get("inactive_file", 0))
            self.ended.wait(1)


def written(root: Path, rate: int, seconds: int) -> tuple[int, float]:
    """Write the lines; their number, and the seconds that it took."""
    begin, number = time.monotonic(), 0
    while (elapsed := time.monotonic() - begin) < seconds:
        wanted = int(min(elapsed + STEP, seconds) * rate)
        parts: list[list[str]] = [[] for _ in CONTAINERS]
        at = stamp(time.time_ns())
        for one in range(number, wanted):
            text = KINDS[one % len(KINDS)].format(n=one)
            parts[one % len(CONTAINERS)].append(
                json.dumps({"log": f"{text}\n", "stream": "stdout", "time": at}) + "\n"
            )
        for container, lines in zip(CONTAINERS, parts, strict=True):
            write(root, container, "".join(lines))
        number = wanted
        time.sleep(max(0.0, begin + (elapsed // STEP + 1) * STEP - time.monotonic()))
    return number, time.monotonic() - begin


def in_loki(address: str) -> int:
    """The lines that Loki has."""
    query = 'sum(count_over_time({container=~"bench-.+"}[30m]))'
    parameters = {"query": query, "time": f"{time.time() + 60:.0f}"}
    found = http.get(f"{address}/loki/api/v1/query", params=parameters, timeout=60).json()["data"]["result"]
    return int(found[0]["value"][1]) if found else 0


def measured(config: StackConfig, root: Path, rate: int, seconds: int) -> dict[str, str]:
    """Run it; what is printed, by title."""
    for one in CONTAINERS:
        write(root, one, "")
    with loki_server(config, root) as address, collector(config, root, CONTAINERS, to=address) as running:
        use = Use()
        watching = threading.Thread(target=use.watch, args=(running,))
        watching.start()
        count, took = written(root, rate, seconds)
        end, found = time.monotonic(), 0
        while found < count and time.monotonic() - end < PATIENCE:
            found = in_loki(address)
            time.sleep(0.5)
        late = time.monotonic() - end
        use.ended.set()
        watching.join()
    return {
        "lines written": f"{count} in {took:.1f} s ({count / took:.0f}/s)",
        "missing in Loki": str(count - found),
        "all there after": f"{late:.1f} s",
        "CPU of the collector": f"{use.cpu:.1f} s ({100 * use.cpu / (took + late):.0f} % of a core)",
        "memory of the collector": f"{use.memory / MIB:.0f} MiB of {config.settings.collector.memory_mb} MiB",
    }


def main() -> int:
    """Print the figures; 1 where a line is missing."""
    given = [int(one) for one in sys.argv[1:3]]
    rate, seconds = (*given, *(RATE, SECONDS)[len(given) :])
    with tempfile.TemporaryDirectory(prefix="obs-bench-") as folder:
        rows = measured(from_file("dev", complete=False), Path(folder), rate, seconds)
    table = Table("The collector", "")
    for title, value in rows.items():
        table.add_row(title, value)
    Console().print(table)
    return 0 if rows["missing in Loki"] == "0" else 1


if __name__ == "__main__":
    sys.exit(main())
