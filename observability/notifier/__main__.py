"""`python3 -m observability.notifier FILE`: run the notifier with this configuration, and again when it changes.

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

from observability.notifier.client import Client
from observability.notifier.evidence import Facts, Store
from observability.notifier.panels import NAME, Pictures
from observability.notifier.rounds import Counts, Rounds
from observability.notifier.updates import Updates
from observability.notifier.worse import Level

EVERY: Final = 1.0
"""Seconds between two rounds. Prometheus sends each alert again every 15 s, then without evidence; a message of that
second lacks it."""

TIDY: Final = 3600.0
"""Seconds between two removals of old pictures."""

STUCK: Final = 60.0
"""Seconds without a round after which `/healthz` fails."""


def facts(document: dict[str, Any]) -> Facts:
    """The facts of a configuration file."""
    return Facts(
        depends={name: tuple(others) for name, others in document["depends"].items()},
        jobs=document["jobs"],
        stores=tuple(
            Store(**{**store, "servers": tuple((system, instance) for system, instance in store["servers"])})
            for store in document["stores"]
        ),
        logs=document["logs"],
    )


def configured(document: dict[str, Any], counts: Counts) -> Rounds:
    """The state for a configuration file, with nothing known yet."""
    worse = document["worse"]
    levels = {name: Level(**level) for name, level in worse["levels"].items()}
    return Rounds(
        facts=facts(document["facts"]),
        client=Client(document["servers"]),
        updates=Updates(levels=levels, settle=worse["settle"], pause=worse["pause"]),
        pictures=pictures(document.get("pictures")),
        counts=counts,
    )


def pictures(document: dict[str, Any] | None) -> Pictures | None:
    """Where pictures are drawn to; None where none are."""
    if document is None:
        return None
    # It takes a second, and memory.
    from observability.pictures.panel import picture

    return Pictures(
        folder=Path(document["folder"]),
        url=document["url"],
        panels=document["panels"],
        scrape=document["scrape"],
        draw=picture,
    )


def metrics(counts: Counts, started: float) -> Iterator[str]:
    """The lines of `/metrics`."""
    values = {
        "notifier_rounds_total": ("counter", "Times that Alertmanager's alerts were read.", counts.rounds),
        "notifier_sent_alerts_total": ("counter", "Alerts that were sent with evidence.", counts.sent),
        "notifier_updates_total": ("counter", "Alerts that were sent again as they got worse.", counts.updates),
        "notifier_pictures_total": ("counter", "Panels that were drawn.", counts.pictures),
        "notifier_last_round_timestamp_seconds": ("gauge", "End of the last round.", counts.last),
        "process_start_time_seconds": ("gauge", "Start of the process.", started),
    }
    for name, (kind, words, value) in values.items():
        yield from (f"# HELP {name} {words}", f"# TYPE {name} {kind}", f"{name} {value}")
    name = "notifier_unanswered_requests_total"
    yield from (f"# HELP {name} Requests to a server that gave no usable answer in time.", f"# TYPE {name} counter")
    for service in ("alertmanager", "loki", "prometheus"):
        yield f'{name}{{service="{service}"}} {counts.failures.get(service, 0)}'


def serve(counts: Counts, port: int, folder: Path | None = None) -> ThreadingHTTPServer:
    """Serve the health, the metrics, and the pictures of a folder in the background."""
    started = time.time()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Answer a request."""
            if self.path == "/metrics":
                self._answer(200, "text/plain; version=0.0.4", "\n".join([*metrics(counts, started), ""]))
            elif self.path == "/healthz":
                healthy = time.time() - max(counts.last, started) < STUCK
                self._answer(200 if healthy else 503, "text/plain", "ok\n" if healthy else "no round for a minute\n")
            elif picture := self._picture():
                self._answer(200, "image/png", picture.read_bytes())
            else:
                self._answer(404, "text/plain", "not found\n")

        def _picture(self) -> Path | None:
            """The file of the picture that is asked for."""
            name = self.path.removeprefix("/pictures/")
            path = folder / name if folder and NAME.fullmatch(name) else None
            return path if path and path.is_file() else None

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            """Log no requests."""

        def _answer(self, status: int, kind: str, content: str | bytes) -> None:
            body = content.encode() if isinstance(content, str) else content
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
    state = configured(document, counts)
    if options == ["--check"]:
        return
    folder = state.pictures.folder if state.pictures else None
    serve(counts, document["port"], folder)
    tidied = 0.0
    while True:
        try:
            if state.pictures and time.monotonic() - tidied > TIDY:
                state.pictures.tidy()
                tidied = time.monotonic()
            # A new configuration is in another folder, behind a link.
            if path.resolve() != read:
                read, state = path.resolve(), configured(_read(path), counts)
            state.run()
        except Exception:  # noqa: BLE001 - one bad answer must not end it; messages go out without it meanwhile
            traceback.print_exc()
        time.sleep(EVERY)


def _read(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


if __name__ == "__main__":
    main(sys.argv[1:])
