"""`python3 -m observability.status_page FILE`: write the page by this configuration, and again when it changes.

`--check FILE` only reads it. `/healthz` and `/metrics` are served on the file's `port`.
"""

import json
import sys
import time
import traceback
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Final

from observability.status_page.client import asker
from observability.status_page.model import STALE, Settings
from observability.status_page.writer import Counts, Writer, filled

STUCK: Final = STALE.total_seconds()
"""Seconds without a published page after which `/healthz` fails: by then it is stale."""


def configured(path: Path, document: dict[str, Any], counts: Counts) -> Writer:
    """The writer for a configuration file; its folder has the files that the command may name."""
    folder = Path(document["folder"])
    pages = Path(document["pages"])
    places = {"folder": str(pages), **{name: str(path.parent / file) for name, file in document["files"].items()}}
    return Writer(
        settings=Settings.read(document),
        ask=asker(document["prometheus"]),
        folder=folder,
        pages=pages,
        command=filled(document["command"], places),
        counts=counts,
    )


def healthy(counts: Counts, started: float, now: float) -> bool:
    """Whether the page was checked and published a short while ago, or the process has just started."""
    return now - max(min(counts.last_checked, counts.last_published), started) < STUCK


def metrics(counts: Counts, started: float) -> Iterator[str]:
    """The lines of `/metrics`."""
    name = "status_page_"
    values = {
        f"{name}rounds_total": ("counter", "Times that the page was written.", counts.rounds),
        f"{name}unanswered_rounds_total": ("counter", "Rounds without an answer of Prometheus.", counts.unanswered),
        f"{name}published_total": ("counter", "Runs of the command that succeeded.", counts.published),
        f"{name}unpublished_total": ("counter", "Runs of the command that failed.", counts.unpublished),
        f"{name}last_check_timestamp_seconds": ("gauge", "Last answer of Prometheus.", counts.last_checked),
        f"{name}last_publication_timestamp_seconds": ("gauge", "Last publication.", counts.last_published),
        "process_start_time_seconds": ("gauge", "Start of the process.", started),
    }
    for series, (kind, words, value) in values.items():
        yield from (f"# HELP {series} {words}", f"# TYPE {series} {kind}", f"{series} {value}")


def serve(counts: Counts, port: int) -> ThreadingHTTPServer:
    """Serve the health and the metrics in the background."""
    started = time.time()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Answer a request."""
            if self.path == "/metrics":
                self._answer(200, "text/plain; version=0.0.4", "\n".join([*metrics(counts, started), ""]))
            elif self.path == "/healthz":
                well = healthy(counts, started, time.time())
                self._answer(200 if well else 503, "text/plain", "ok\n" if well else "not checked or not published\n")
            else:
                self._answer(404, "text/plain", "not found\n")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            """Log no requests."""

        def _answer(self, status: int, kind: str, content: str) -> None:
            body = content.encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("", port), Handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    return server


def main(arguments: list[str]) -> None:
    """Run until the process is ended."""
    *options, file = arguments
    path, counts = Path(file), Counts()
    read, document = path.resolve(), _read(path)
    writer = configured(path, document, counts)
    if options == ["--check"]:
        return
    serve(counts, document["port"])
    while True:
        try:
            # A new configuration is in another folder, behind a link.
            if path.resolve() != read:
                read, document = path.resolve(), _read(path)
                writer = configured(path, document, counts)
            writer.round()
        except Exception:  # noqa: BLE001 - the page goes stale visibly; the next round may succeed
            traceback.print_exc()
        time.sleep(document["every"])


def _read(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


if __name__ == "__main__":
    main(sys.argv[1:])
