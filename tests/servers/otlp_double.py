"""A receiver of lines and spans by OTLP over HTTP in JSON, as Loki and Jaeger are, that remembers what it got."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A line as Loki would store it: attributes of the resource, those of the line, its time and its text."""

    resource: Mapping[str, str]
    attributes: Mapping[str, str]
    nanoseconds: int
    observed: int
    body: str


@dataclass(frozen=True, kw_only=True)
class Span:
    """A span as a store would have it: attributes of the resource, its own, and those of its events."""

    trace: str
    name: str
    resource: Mapping[str, str]
    attributes: Mapping[str, str]
    events: tuple[Mapping[str, str], ...] = ()


@dataclass
class Received:
    """Everything that was received; `answer` is the status of the next requests."""

    address: str = ""
    entries: list[Entry] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    answer: int = 200
    refused: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def by_container(self) -> dict[str, list[Entry]]:
        """The lines of each container, in the order of their time."""
        found: dict[str, list[Entry]] = {}
        with self.lock:
            for one in sorted(self.entries, key=lambda entry: entry.nanoseconds):
                found.setdefault(one.resource.get("container", ""), []).append(one)
        return found


def _attributes(found: list[dict[str, Any]]) -> dict[str, str]:
    values = {}
    for one in found:
        value = one["value"]
        values[one["key"]] = value["stringValue"] if "stringValue" in value else json.dumps(value)
    return values


def _entries(document: dict[str, Any]) -> list[Entry]:
    return [
        Entry(
            resource=_attributes(logs["resource"].get("attributes", [])),
            attributes=_attributes(record.get("attributes", [])),
            nanoseconds=int(record.get("timeUnixNano", 0)),
            observed=int(record.get("observedTimeUnixNano", 0)),
            body=record["body"].get("stringValue", record["body"]),
        )
        for logs in document.get("resourceLogs", [])
        for scope in logs["scopeLogs"]
        for record in scope["logRecords"]
    ]


def _spans(document: dict[str, Any]) -> list[Span]:
    return [
        Span(
            trace=one["traceId"],
            name=one["name"],
            resource=_attributes(found["resource"].get("attributes", [])),
            attributes=_attributes(one.get("attributes", [])),
            events=tuple(_attributes(event.get("attributes", [])) for event in one.get("events", [])),
        )
        for found in document.get("resourceSpans", [])
        for scope in found["scopeSpans"]
        for one in scope["spans"]
    ]


@contextmanager
def receiver() -> Iterator[Received]:
    """A receiver on a port of the loopback interface."""
    received = Received()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with received.lock:
                if received.answer == 200:
                    received.entries += _entries(document)
                    received.spans += _spans(document)
                else:
                    received.refused += 1
            self.send_response(received.answer)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    received.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield received
    finally:
        server.shutdown()
        server.server_close()
