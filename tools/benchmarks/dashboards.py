"""`python -m tools.benchmarks.dashboards`: how long the overview's queries take over a month of twenty systems.

A Prometheus of its own is given 30 days of canonical series at 5 minutes, then asked on two cores what Grafana asks to
show 30 days on a wide screen. Each query once with nothing in memory, once to warm up, and five times more.
"""

import argparse
import os
import statistics
import sys
import tarfile
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import docker
import httpx
from rich.console import Console
from rich.table import Table

from dashboards.overview import UID
from dashboards.queries import Query, queries
from observability.core import http
from observability.pictures.series import fill
from observability.settings.load import StackConfig, from_file
from tools.benchmarks.history import series, text

DAYS: Final = 30
PIECE_SECONDS: Final = 3 * 86400
"""The longest block that Prometheus itself makes of what it keeps for 30 days."""

LIMIT_SECONDS: Final = 0.3
CORES: Final = 2
ROUNDS: Final = 5

STEP: Final = 1800
"""Grafana's step for 30 days on a panel of 1000 points: 43 minutes, rounded to one of its intervals."""

MACROS: Final = {
    "$__rate_interval": f"{STEP + 15}s",
    "$__interval": f"{STEP}s",
    "$__range": f"{DAYS * 86400}s",
}

IMAGE_FOLDER: Final = "/prometheus"
"""The data folder of the image, owned by its user."""

console = Console(highlight=False)


@dataclass(frozen=True, kw_only=True)
class Server:
    """Its address and its container."""

    address: str
    container: Any

    def processor_seconds(self) -> float:
        """CPU seconds that it has used since it started."""
        stats = self.container.client.api.stats(self.container.id, stream=False, one_shot=True)
        return float(stats["cpu_stats"]["cpu_usage"]["total_usage"]) / 1e9


@contextmanager
def server(client: docker.DockerClient, image: str, config: StackConfig, start: int, end: int) -> Iterator["Server"]:
    """A Prometheus with that history; removed with its data at the end of the block."""
    name = f"obs-bench-{uuid.uuid4().hex[:8]}"
    volume = client.volumes.create(name)
    data = {name: {"bind": IMAGE_FOLDER, "mode": "rw"}}
    try:
        for first in range(start, end, PIECE_SECONDS):
            _write(client, image, data, text(config, first, min(first + PIECE_SECONDS, end)))
            console.print(f"written until {time.strftime('%Y-%m-%d', time.gmtime(first + PIECE_SECONDS))}")
        # A free port; docker's types do not allow None.
        ports: Any = {"9090/tcp": ("127.0.0.1", None)}
        container: Any = client.containers.run(
            image,
            [
                "--config.file=/etc/prometheus/prometheus.yml",
                f"--storage.tsdb.path={IMAGE_FOLDER}",
                "--storage.tsdb.retention.time=60d",
                "--web.listen-address=:9090",
            ],
            name=name,
            volumes=data,
            ports=ports,
            nano_cpus=CORES * 10**9,
            detach=True,
        )
        try:
            container.reload()
            address = f"http://127.0.0.1:{container.ports['9090/tcp'][0]['HostPort']}"
            _until_ready(address)
            yield Server(address=address, container=container)
        finally:
            container.remove(force=True, v=True)
    finally:
        volume.remove(force=True)


def _write(client: docker.DockerClient, image: str, data: dict[str, dict[str, str]], past: Iterator[str]) -> None:
    """Create blocks from it with promtool."""
    promtool: Any = client.containers.create(
        image,
        ["tsdb", "create-blocks-from", "--max-block-duration=192h", "openmetrics", "/tmp/past.om", IMAGE_FOLDER],  # noqa: S108 - in the container
        entrypoint="/bin/promtool",
        volumes=data,
        network_disabled=True,
    )
    try:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "past.om"
            with file.open("w", encoding="utf-8") as out:
                out.writelines(past)
            archive = Path(folder) / "past.tar"
            with tarfile.open(archive, "w") as tar:
                tar.add(file, "past.om")
            file.unlink()
            with archive.open("rb") as packed:
                promtool.put_archive("/tmp", packed)  # noqa: S108 - in the container
        promtool.start()
        if promtool.wait(timeout=900)["StatusCode"] != 0:
            raise RuntimeError(promtool.logs().decode())
    finally:
        promtool.remove(force=True, v=True)


def _until_ready(address: str) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            if http.get(f"{address}/-/ready", timeout=5, trust_env=False).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    raise RuntimeError("Prometheus is not ready after two minutes")


def ask(server: Server, query: Query, end: int) -> tuple[float, int]:
    """Duration of the query in seconds, and the number of series in the result."""
    expr = fill(query.expr, MACROS, lambda _: ".*")
    path, when = "query", {"time": end}
    if not query.instant:
        path, when = "query_range", {"start": end - DAYS * 86400, "end": end, "step": STEP}
    begun = time.perf_counter()
    answer = http.post(f"{server.address}/api/v1/{path}", data={"query": expr, **when}, timeout=60, trust_env=False)
    taken = time.perf_counter() - begun
    answer.raise_for_status()
    return taken, len(answer.json()["data"]["result"])


def measure(asked: Server, wanted: Sequence[Query], end: int) -> Table:
    """Run every query and print the durations; rows of queries that are too slow or return nothing are red.

    The CPU time of a query is its duration on an idle machine.
    """
    heads = ("Panel", "Series", "Cold ms", "Median ms", "Worst ms", "Processor ms")
    table = Table(*heads, title=f"{UID} over {DAYS} days")
    for query in wanted:
        cold, found = ask(asked, query, end)
        ask(asked, query, end)
        before = asked.processor_seconds()
        times = [ask(asked, query, end)[0] for _ in range(ROUNDS)]
        used = (asked.processor_seconds() - before) / ROUNDS
        bad = not found or max(cold, *times) > LIMIT_SECONDS
        figures = [f"{1000 * seconds:.0f}" for seconds in (cold, statistics.median(times), max(times), used)]
        table.add_row(query.owner, str(found), *figures, style="red" if bad else "")
    return table


def main() -> int:
    """Measure and print; returns 1 if a query exceeded the limit or returned nothing."""
    parser = argparse.ArgumentParser(prog="python -m tools.benchmarks.dashboards", description=__doc__)
    parser.add_argument("--stack", default="dev", help="whose dashboards and rules (dev)")
    config = from_file(parser.parse_args().stack)
    end = int(time.time()) // 3600 * 3600
    wanted = [query for query in queries(config) if query.dashboard == UID]
    console.print(f"{DAYS} days of {len(list(series(config)))} series are written; it takes some minutes")
    client = docker.from_env()
    with server(client, config.settings.image("prometheus"), config, end - DAYS * 86400, end + 300) as asked:
        table = measure(asked, wanted, end)
    console.print(table)
    console.print(
        f"limit {LIMIT_SECONDS * 1000:.0f} ms; {CORES} of {os.cpu_count()} cores; load {os.getloadavg()[0]:.1f}"
    )
    return 1 if any(row.style for row in table.rows) else 0


if __name__ == "__main__":
    sys.exit(main())
