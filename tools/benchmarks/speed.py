"""`python -m tools.benchmarks.speed`: durations of the commands, and the cost of rendering and rules.

For work in this process: its CPU seconds. For commands that start containers: seconds, and the ratio to a baseline
from the same run, the start of one container of the stack's smallest server. Takes about ten minutes.
"""

import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import docker
import httpx
import yaml
from rich.console import Console
from rich.table import Table

from dashboards.linked_rules import files as rule_files
from dashboards.registry import files as dashboard_files
from demo.engine import Engine, simulations
from demo.faults import Faults
from demo.systems import FAULTS
from observability.parts.images import PINS
from observability.settings.load import ROOT, from_file, validate
from observability.synth.write import write
from tools.benchmarks.stack import GATEWAY, STACK, Stack, stack, values

FEW, MANY = 5, 200
"""Numbers of systems for which everything is rendered."""

ROUNDS: Final = 5
"""How often a command or the baseline is measured; the result is the median."""

PING_SECONDS: Final = 20
PINGS: Final = 6
PORT: Final = 17096

SHARE: Final = "sum(quantile_over_time(0.5, prometheus_rule_group_last_duration_seconds[2m])) / 15"
"""Share of a core that evaluating every group once in 15 s takes."""

SETTLED_SECONDS: Final = 180
"""How long the stack runs before the rules' share is read, so that every group was evaluated several times."""


def cpu(work: Callable[[], object]) -> float:
    """CPU seconds that this process uses for the work."""
    start = time.process_time()
    work()
    return time.process_time() - start


def wall(work: Callable[[], object]) -> float:
    """Wall-clock seconds until the work is done."""
    start = time.monotonic()
    work()
    return time.monotonic() - start


def synth(count: int, folder: Path) -> float:
    """CPU seconds to read `count` systems and write all files that are generated from them."""
    texts = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "systems").glob("*.yaml"))]
    systems = folder / str(count) / "systems"
    systems.mkdir(parents=True)
    names = [f"system-{index}" for index in range(count)]
    for index, name in enumerate(names):
        (systems / f"{name}.yaml").write_text(texts[index % len(texts)], encoding="utf-8")

    def work() -> None:
        config = validate("dev", {"systems": {name: {} for name in names}}, frozenset(), systems.parent)
        write(config, rule_files(config), folder / f"out-{count}")

    return cpu(work)


def tick() -> float:
    """CPU seconds to simulate one second of all simulated systems."""
    made = simulations(lambda _, __: None, seed=7)
    engine = Engine([simulation for simulation, _ in made.values()], Faults(FAULTS))
    now, seconds = time.time(), 200

    def work() -> None:
        for second in range(1, seconds + 1):
            engine.tick(now + second)

    return cpu(work) / seconds


def floor() -> float:
    """Seconds to create a container of the smallest server, print its version, and remove the container."""
    client = docker.from_env()

    def work() -> None:
        client.containers.run(PINS["node-exporter"], ["--version"], remove=True)

    return statistics.median(wall(work) for _ in range(ROUNDS))


def configure(one: Stack, **sections: dict[str, Any]) -> None:
    """Write the stack file: the benchmark's default values, overridden by these sections, key by key."""
    found = values()
    for name, section in sections.items():
        key = f"observability:{name}"
        found[key] = {**found.get(key, {}), **section}
    (one.root / f"Pulumi.{STACK}.yaml").write_text(yaml.safe_dump({"config": found}), encoding="utf-8")


def interval_live(one: Stack, interval: str) -> float:
    """Seconds from the start of `obs up` until Prometheus has a changed scrape interval."""
    configure(one, prometheus={"scrapeInterval": interval})
    up = threading.Thread(target=one.obs, args=("up", STACK))
    start = time.monotonic()
    up.start()
    while f"scrape_interval: {interval}" not in one.prometheus("status/config")["yaml"]:
        time.sleep(0.05)
    seconds = time.monotonic() - start
    up.join()
    return seconds


@contextmanager
def pinged() -> Iterator[list[float]]:
    """Arrival time of each heartbeat ping, by the monotonic clock, until the end of the block."""
    moments: list[float] = []

    class Handler(BaseHTTPRequestHandler):
        """Receives pings."""

        def do_POST(self) -> None:
            """Record one ping."""
            moments.append(time.monotonic())
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer((GATEWAY, PORT), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield moments
    finally:
        server.shutdown()
        server.server_close()


def ping_error(one: Stack) -> float:
    """The largest deviation, in seconds, of the time between two pings."""
    one.obs("secret", "set", "heartbeatUrl", STACK, stdin=f"http://{GATEWAY}:{PORT}/ping\n")
    configure(one, notifications={"heartbeat": {"interval": f"{PING_SECONDS}s"}})
    with pinged() as moments:
        one.obs("up", STACK)
        while len(moments) < PINGS:
            time.sleep(0.2)
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    return max(abs(gap - PING_SECONDS) for gap in gaps)


def rendering(table: Table) -> None:
    """Measure the work of this process alone."""
    config = from_file("dev")
    with tempfile.TemporaryDirectory() as name:
        few, many = (synth(count, Path(name)) for count in (FEW, MANY))
    table.add_row(f"synth of {FEW} systems", f"{few:.2f} s CPU", "")
    ratio = f"{many / few:.1f} times that of {FEW}, for {MANY / FEW:.0f} times as many"
    table.add_row(f"synth of {MANY} systems", f"{many:.2f} s CPU", ratio)
    dashboard_files(config)
    table.add_row("all dashboards of dev", f"{cpu(lambda: dashboard_files(config)):.2f} s CPU", "")
    each = tick()
    table.add_row("a second of all simulated systems", f"{1000 * each:.1f} ms CPU", f"{each:.2%} of a core")


def commands(table: Table) -> None:
    """Measure commands on a separate stack."""
    least = floor()
    table.add_row("floor: one container from creation to removal", f"{least:.2f} s", "1.0")

    def row(what: str, seconds: float) -> None:
        table.add_row(what, f"{seconds:.1f} s", f"{seconds / least:.1f}")

    start = time.monotonic()
    with stack({}) as one:
        row("first up, images there", time.monotonic() - start)
        row("up again, nothing changed", statistics.median(wall(lambda: one.obs("up", STACK)) for _ in range(ROUNDS)))
        row("preview", statistics.median(wall(lambda: one.obs("preview", STACK)) for _ in range(ROUNDS)))
        live = [interval_live(one, f"{16 + number}s") for number in range(ROUNDS)]
        row("a changed scrape interval, live", statistics.median(live))
        configure(one)
        one.obs("up", STACK)
        time.sleep(SETTLED_SECONDS)
        share = float(one.prometheus("query", query=SHARE)["result"][0]["value"][1])
        table.add_row("evaluating all rules every 15 s", f"{share:.2%} of a core", "")
        off = ping_error(one)
        table.add_row(f"heartbeat every {PING_SECONDS} s, {PINGS} pings", f"at most {off:.1f} s off", "")


def main() -> int:
    """Measure and print; returns 1 if a command failed."""
    out = Console(highlight=False, width=118)
    table = Table("what", "measured", "ratio to the floor", title="Speed", box=None)
    try:
        rendering(table)
        commands(table)
    except (RuntimeError, httpx.HTTPError, docker.errors.DockerException) as error:
        out.print(str(error), markup=False)
        return 1
    finally:
        out.print(table)
        out.print(f"{os.cpu_count()} cores; load {os.getloadavg()[0]:.1f}; kernel {os.uname().release}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
