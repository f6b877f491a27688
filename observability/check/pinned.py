"""The pinned Prometheus, where its program is available: what it stores of a scrape's response."""

import math
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import httpx
import yaml

from observability.core import http
from observability.parts.images import PINS
from observability.parts.registry import images
from observability.scrape.systems import ROBUST
from observability.systems.compare import PAGE, Finding
from observability.systems.exposition import TARGET_LABELS, Page, Sample
from observability.systems.scrapes import AHEAD, BEHIND

LIMIT: Final = 60.0
"""Seconds within which Prometheus must have started and scraped once."""

_POLL: Final = 0.1

_OWN: Final = frozenset(
    {
        "up",
        "scrape_duration_seconds",
        "scrape_samples_scraped",
        "scrape_samples_post_metric_relabeling",
        "scrape_series_added",
    }
)
"""Series that Prometheus adds to every target."""

_LAST: Final = "scrape_series_added"
"""The one of them that it stores last."""

_LATE: Final = "context deadline exceeded"
"""The error of a scrape that timed out."""

_SHOWN: Final = 300
"""Maximum characters of its error that are shown."""

Series = tuple[str, tuple[tuple[str, str], ...]]
"""Name and labels, without those of the target."""


class SilentError(Exception):
    """Prometheus did not start, or did not scrape in time; the message says which."""


@dataclass(frozen=True, kw_only=True)
class Stored:
    """How Prometheus reads a response: why it refuses it, None where it does not, and each series with its value."""

    version: str
    refusal: str | None
    series: dict[Series, float]


def version() -> str:
    """The pinned version, like 3.15.0."""
    return PINS["prometheus"].rpartition(":v")[2]


def find() -> Path | None:
    """The program of the pinned version that this repository built; None where there is none."""
    recipe = images()["prometheus"].recipe
    build = recipe.build if recipe is not None else None
    built = build.folder / "bin" / "prometheus" if build is not None else None
    return built if built is not None and built.is_file() else None


def scrape(program: Path, body: bytes, content_type: str | None) -> Stored:
    """Let the program scrape this response once, with the job settings of a system; its data folder is removed.

    It listens on loopback only. SilentError where it has not scraped within a minute.
    """
    with tempfile.TemporaryDirectory(prefix="obs-prometheus-") as folder, _serving(body, content_type) as address:
        port = _free_port()
        job = {
            "job_name": "page",
            # The first scrape begins at any time within the first interval; its samples are used.
            "scrape_interval": "2s",
            "scrape_timeout": "2s",
            **ROBUST,
            "static_configs": [{"targets": [address], "labels": dict.fromkeys(TARGET_LABELS, "page")}],
        }
        config = Path(folder) / "prometheus.yaml"
        config.write_text(yaml.safe_dump({"scrape_configs": [job]}), encoding="utf-8")
        command = [
            str(program),
            f"--config.file={config}",
            f"--storage.tsdb.path={folder}/data",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=error",
        ]
        with (Path(folder) / "log").open("w+b") as log:
            process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
            try:
                return _result(process, f"http://127.0.0.1:{port}/api/v1", log)
            finally:
                process.terminate()
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def findings(page: Page | None, stored: Stored, at: int | None) -> Iterator[Finding]:
    """The differences between Prometheus' result and the one computed here; empty where they agree.

    `page` is None where it was refused here; `at` is when the response was received, in milliseconds since 1970.
    """
    name = f"Prometheus {stored.version}"
    if page is None:
        detail = f"{name} takes it and stores {len(stored.series)} series, although this check rejects it"
        yield Finding(series=PAGE, verdict="doubtful", detail=detail)
        return
    expected = _expected(page.samples, at)
    missing = sorted(expected.keys() - stored.series.keys())
    if missing:
        detail = f"{name} does not store {_some(missing)}"
        yield Finding(series=PAGE, verdict="differs", detail=detail)
    known = {sample.series for sample in page.samples}
    others = sorted(stored.series.keys() - known)
    if others:
        yield Finding(
            series=PAGE, verdict="doubtful", detail=f"{name} stores {_some(others)}, which was not read here"
        )
    wrong = [one for one in expected.keys() & stored.series.keys() if not _equal(expected[one], stored.series[one])]
    if wrong:
        yield Finding(series=PAGE, verdict="doubtful", detail=f"{name} stores another value of {_some(sorted(wrong))}")


def _expected(samples: Sequence[Sample], at: int | None) -> dict[Series, float]:
    """The stored samples, the first of each series; without those whose timestamps may make Prometheus drop them."""
    found: dict[Series, float] = {}
    now = at if at is not None else int(time.time() * 1000)
    for sample in samples:
        if sample.time is None or now - 0.9 * BEHIND < sample.time < now + 0.9 * AHEAD:
            found.setdefault(sample.series, sample.value)
    return found


def _equal(one: float, other: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))


def _some(series: Sequence[Series]) -> str:
    name, labels = series[0]
    shown = name + ("{" + ",".join(f'{label}="{value}"' for label, value in labels) + "}" if labels else "")
    return f"{len(series)} series, like {shown}" if len(series) > 1 else shown


def _result(process: "subprocess.Popen[bytes]", api: str, log: Any) -> Stored:  # noqa: ANN401 - a binary file
    """The result of the running program once it has scraped."""
    end = time.monotonic() + LIMIT
    with http.client(timeout=5, trust_env=False) as client:
        while time.monotonic() < end:
            if process.poll() is not None:
                log.seek(0)
                said = log.read().decode(errors="replace").strip().splitlines()
                raise SilentError(f"it exited with code {process.returncode}: {(said or ['no output'])[-1][:_SHOWN]}")
            try:
                targets = client.get(f"{api}/targets", params={"state": "active"}).json()["data"]["activeTargets"]
            except (httpx.HTTPError, ValueError, KeyError):
                targets = []
            # On a busy machine a response may come too late, which says nothing about the response.
            if targets and targets[0]["health"] != "unknown" and _LATE not in targets[0]["lastError"]:
                refusal = None if targets[0]["health"] == "up" else str(targets[0]["lastError"])[:_SHOWN]
                series = {} if refusal else _series(client, api)
                if series is not None:
                    return Stored(version=version(), refusal=refusal, series=series)
            time.sleep(_POLL)
    raise SilentError(f"it has not scraped within {LIMIT:.0f} s")


def _series(client: httpx.Client, api: str) -> dict[Series, float] | None:
    """Every series of the target with its first value, whatever its timestamp; None while they are being stored.

    A target is up before its samples are stored, one after the other.
    """
    query = f'{{job="page"}}[{(BEHIND + 2 * AHEAD) // 1000}s]'
    moment = time.time() + AHEAD / 1000
    answer = client.get(f"{api}/query", params={"query": query, "time": f"{moment:.3f}"})
    found: dict[Series, float] = {}
    stored = answer.raise_for_status().json()["data"]["result"]
    if all(one["metric"].get("__name__") != _LAST for one in stored):
        return None
    for one in stored:
        labels = one["metric"]
        name = labels.get("__name__", "")
        own = tuple(
            sorted((label, value) for label, value in labels.items() if label not in ("__name__", *TARGET_LABELS))
        )
        if own or name not in _OWN:
            found[name, own] = float(one["values"][0][1])
    return found


@contextmanager
def _serving(body: bytes, content_type: str | None) -> Iterator[str]:
    """host:port on loopback, where every request gets this response."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            if content_type is not None:
                self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
