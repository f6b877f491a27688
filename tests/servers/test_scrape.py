"""`observability/systems/exposition.py` against the pinned Prometheus: what each stores of the same pages."""

import io
import json
import tarfile
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import docker
import pytest
import yaml

from observability.parts.images import PINS
from observability.scrape.systems import ROBUST
from observability.systems.exposition import RefusedError, read
from observability.systems.fetch import ACCEPT, fetch
from observability.systems.scrapes import AHEAD, BEHIND
from tests.ports import free_port
from tests.unit.metrics_server import Served, serving
from tests.unit.test_check_scrapes import DOTS, OPEN_METRICS, PAGE, negotiated, stamped
from tests.waits import until

TEXT = "text/plain; version=0.0.4"
OM = "application/openmetrics-text; version=1.0.0; charset=utf-8"
AGAIN = 'http_requests_total{status="500",method="GET",route="/orders/:id"} 4\n'
"""Seconds within which Prometheus has scraped every target once, even on a busy machine."""

Body = str | Callable[[dict[str, str]], tuple[str, str]]


def at(seconds: float) -> str:
    """The page with this timestamp, relative to now, on each sample."""
    return stamped(PAGE, int((time.time() + seconds) * 1000))


PAGES: dict[str, tuple[Callable[[], Body], str | None]] = {
    "plain": (lambda: PAGE, TEXT),
    "without-content-type": (lambda: PAGE, None),
    "html": (lambda: PAGE, "text/html; charset=utf-8"),
    "open-metrics": (lambda: OPEN_METRICS, OM),
    "open-metrics-as-text": (lambda: OPEN_METRICS, TEXT),
    "text-as-open-metrics": (lambda: PAGE, OM),
    "no-last-newline": (lambda: PAGE.rstrip("\n"), TEXT),
    "carriage-returns": (lambda: PAGE.replace("\n", "\r\n"), TEXT),
    "seconds": (lambda: stamped(PAGE, int(time.time())), TEXT),
    "too-old": (lambda: at(-7 * BEHIND / 1000), TEXT),
    "too-far-ahead": (lambda: at(7 * AHEAD / 1000), TEXT),
    "now": (lambda: at(0), TEXT),
    "sent-twice": (lambda: PAGE + AGAIN, TEXT),
    "dots-for-everybody": (lambda: DOTS, "text/plain; version=1.0.0; escaping=allow-utf-8"),
    "dots-negotiated": (lambda: negotiated, TEXT),
    "dots-without-quotes": (lambda: f"{PAGE}http.server.requests 1\n", TEXT),
    "label-twice": (lambda: 'a{b="1",b="2"} 1\n', TEXT),
    "indented": (lambda: "  a 1\n", TEXT),
    "own-target-labels": (lambda: 'a{job="x",instance="y",system="z"} 1\n', TEXT),
    "empty-label": (lambda: 'a{b=""} 1\n', TEXT),
    "histogram-without-type": (lambda: PAGE.replace("# TYPE http_request_duration_seconds histogram\n", ""), TEXT),
    "web-page": (lambda: "<html>hello</html>", TEXT),
}
DROPPED = frozenset({"seconds", "too-old", "too-far-ahead"})
"""Pages that are parsed but not stored, because of the timestamps of their samples."""

Series = tuple[str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True, kw_only=True)
class Stored:
    """Prometheus' result for a page: whether the target is up, and each series with its value."""

    up: bool
    series: dict[Series, float]


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, Served]]:
    with ExitStack() as stack:
        yield {name: stack.enter_context(serving(page(), content_type=kind)) for name, (page, kind) in PAGES.items()}


@pytest.fixture(scope="module")
def stored(servers: dict[str, Served]) -> Iterator[dict[str, Stored]]:
    """What the pinned Prometheus stores of every page, scraped by jobs configured as a system's job."""
    port = free_port()
    jobs = [
        {
            "job_name": name,
            "scrape_interval": "30s",
            "scrape_timeout": "29s",
            **ROBUST,
            "static_configs": [
                {"targets": [one.address.removeprefix("http://")], "labels": {"instance": name, "system": "shop"}}
            ],
        }
        for name, one in servers.items()
    ]
    container = docker.from_env().containers.create(
        PINS["prometheus"],
        ["--config.file=/tmp/p.yaml", "--storage.tsdb.path=/tmp/data", f"--web.listen-address=127.0.0.1:{port}"],
        network_mode="host",
        user="65534",
    )
    try:
        container.put_archive("/tmp", _archive("p.yaml", yaml.safe_dump({"scrape_configs": jobs})))  # noqa: S108
        container.start()
        targets = _targets(port, len(servers))
        yield {
            name: Stored(up=targets[name]["health"] == "up", series=dict(_series(port, name, targets[name])))
            for name in servers
        }
    finally:
        container.remove(force=True, v=True)


def _archive(name: str, text: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        info = tarfile.TarInfo(name)
        info.size, info.mode = len(text.encode()), 0o644
        archive.addfile(info, io.BytesIO(text.encode()))
    return buffer.getvalue()


def _api(port: int, path: str) -> Any:  # noqa: ANN401 - JSON
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/{path}", timeout=30) as answer:
        return json.load(answer)["data"]


def _targets(port: int, count: int) -> dict[str, dict[str, Any]]:
    """Every target, once it was scraped."""

    def scraped() -> dict[str, dict[str, Any]]:
        try:
            found = {one["scrapePool"]: one for one in _api(port, "targets")["activeTargets"]}
        except OSError:
            return {}
        return found if len(found) == count and all(one["health"] != "unknown" for one in found.values()) else {}

    targets: dict[str, dict[str, Any]] = until(scraped)
    return targets


def _series(port: int, job: str, target: dict[str, Any]) -> Iterator[tuple[Series, float]]:
    query = urllib.parse.quote(f'{{instance="{job}",__name__!~"up|scrape_.*"}}')
    for one in _api(port, f"query?query={query}")["result"] if target["health"] == "up" else ():
        labels = one["metric"]
        own = sorted((label, value) for label, value in labels.items() if label not in ("__name__", *_OF_THE_TARGET))
        yield (labels["__name__"], tuple(own)), float(one["value"][1])


_OF_THE_TARGET = ("job", "instance", "system")


@pytest.mark.parametrize("name", PAGES)
def test_the_pinned_prometheus_stores_the_same_series_as_the_reader(
    name: str, servers: dict[str, Served], stored: dict[str, Stored]
) -> None:
    (answer,) = fetch(f"{servers[name].address}/metrics", 1)
    try:
        page = read(answer.body, answer.content_type)
    except RefusedError:
        assert stored[name] == Stored(up=False, series={})
        return
    expected: dict[Series, float] = {}
    for sample in page.samples:
        expected.setdefault(sample.series, sample.value)
    assert stored[name] == Stored(up=True, series={} if name in DROPPED else expected)


def test_the_pinned_prometheus_sends_the_same_request_headers(
    servers: dict[str, Served], stored: dict[str, Stored]
) -> None:
    assert stored["plain"].up
    for headers in servers["plain"].headers:
        assert headers["Accept"] == ACCEPT
        assert headers["Accept-Encoding"] == "gzip"
        assert headers["User-Agent"] == f"Prometheus/{PINS['prometheus'].rpartition(':v')[2]}"
