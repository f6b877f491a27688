"""Doubles of Alertmanager, Prometheus and Loki for the notifier, on one port of the loopback interface."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlparse

Document = dict[str, Any]


def later(seconds: float) -> str:
    """A time so many seconds from now, as Alertmanager writes it."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


@dataclass
class Doubles:
    """The servers' contents, and what was sent. A server of `slow` takes that many seconds for each response."""

    alerts: list[Document] = field(default_factory=list)
    rules: list[Document] = field(default_factory=list)
    results: Mapping[str, Sequence[Document]] = field(default_factory=dict)
    """Results of instant queries, by their beginning; of several the first."""
    documents: Mapping[str, object] = field(default_factory=dict)
    """Answers to other paths, or instead of those below. None: 404."""
    streams: Sequence[Document] = ()
    slow: Mapping[str, float] = field(default_factory=dict)
    sent: list[Document] = field(default_factory=list)
    port: int = 0

    def fire(
        self, labels: Mapping[str, str], *, ends: float = 60, annotations: Mapping[str, str] | None = None
    ) -> Document:
        """An alert that Prometheus has sent to Alertmanager."""
        one = {
            "labels": dict(labels),
            "annotations": dict(annotations or {}),
            "startsAt": later(-5),
            "endsAt": later(ends),
            "generatorURL": "http://prometheus:9090/graph",
            "fingerprint": str(hash(frozenset(labels.items()))),
        }
        self.alerts = [*(other for other in self.alerts if other["labels"] != labels), one]
        return one

    def evaluate(self, labels: Mapping[str, str], value: float = 1.0, *, state: str = "firing") -> None:
        """An alert of Prometheus' own list, instead of an earlier one with these labels."""
        one = {
            "labels": dict(labels),
            "annotations": {"summary": f"{labels['alertname']} said"},
            "state": state,
            "activeAt": later(-120),
            "value": f"{value:e}",
        }
        self.rules = [*(other for other in self.rules if other["labels"] != labels), one]

    def answer(self, path: str, query: Mapping[str, str]) -> object:
        """The JSON for a path."""
        if path in self.documents:
            return self.documents[path]
        if path == "/api/v2/alerts":
            return self.alerts
        if path == "/api/v1/alerts":
            return {"data": {"alerts": self.rules}}
        if path == "/loki/api/v1/query_range":
            return {"data": {"result": list(self.streams)}}
        found = [results for begin, results in self.results.items() if query["query"].startswith(begin)]
        return {"data": {"result": list(found[0]) if found else []}}


@contextmanager
def serving(doubles: Doubles) -> Iterator[dict[str, list[str]]]:
    """Serve them; yields the addresses by kind of server."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlparse(self.path)
            time.sleep(doubles.slow.get(url.path, 0))
            query = {name: values[0] for name, values in parse_qs(url.query).items()}
            self._respond(doubles.answer(url.path, query))

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            doubles.sent += body
            self._respond({})

        def _respond(self, document: object) -> None:
            text = json.dumps(document).encode()
            self.send_response(404 if document is None else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    doubles.port = server.server_port
    try:
        yield {kind: [address] for kind in ("alertmanager", "prometheus", "loki")}
    finally:
        server.shutdown()
        server.server_close()
