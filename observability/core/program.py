"""A program of this project that runs in a container: its configuration file, its rounds, its health and metrics.

It imports the standard library only, as the images have nothing else.
"""

import json
import time
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar


@dataclass(frozen=True, kw_only=True)
class Page:
    """What is served at a path."""

    content: str | bytes
    kind: str = "text/plain"
    status: int = 200


class Program(ABC):
    """What it does with one configuration, again and again. `every`: seconds between two rounds."""

    every: float

    @abstractmethod
    def round(self) -> object:
        """One round. It may fail: the next one may succeed."""

    @abstractmethod
    def trouble(self) -> str | None:
        """Why `/healthz` fails; None where all is well."""

    @abstractmethod
    def metrics(self) -> Iterable[str]:
        """The lines of `/metrics`."""

    def page(self, path: str) -> Page | None:  # noqa: ARG002 - for those that serve more
        """What else is served, None where nothing is at the path."""
        return None


def exposition(values: Mapping[str, tuple[str, str, float]]) -> Iterator[str]:
    """Lines in Prometheus' text format, of kind, help text and value by name."""
    for name, (kind, words, value) in values.items():
        yield from (f"# HELP {name} {words}", f"# TYPE {name} {kind}", f"{name} {value}")


def answer(program: Program, path: str) -> Page:
    """The response to a request."""
    if path == "/metrics":
        return Page(content="\n".join([*program.metrics(), ""]), kind="text/plain; version=0.0.4")
    if path == "/healthz":
        trouble = program.trouble()
        return Page(content=f"{trouble or 'ok'}\n", status=503 if trouble else 200)
    return program.page(path) or Page(content="not found\n", status=404)


def serve(port: int, page: Callable[[str], Page]) -> ThreadingHTTPServer:
    """Serve pages by their paths, in the background."""

    class Handler(_Handler):
        """Requests to this server."""

    Handler.page = staticmethod(page)
    server = ThreadingHTTPServer(("", port), Handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    return server


def main(arguments: list[str], configured: Callable[[Path, dict[str, Any]], Program]) -> None:
    """Run with a configuration file, and with it again when it changes; `--check FILE` only reads it.

    The health and the metrics are served on the file's `port`.
    """
    *options, file = arguments
    path = Path(file)
    read, document = path.resolve(), _read(path)
    program = configured(path, document)
    if options == ["--check"]:
        return
    serve(document["port"], lambda asked: answer(program, asked))
    while True:
        try:
            # A new configuration is in another folder, behind a link.
            if path.resolve() != read:
                read, program = path.resolve(), configured(path, _read(path))
            program.round()
        except Exception:  # noqa: BLE001 - the health tells of it; the next round may succeed
            traceback.print_exc()
        time.sleep(program.every)


def _read(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


class _Handler(BaseHTTPRequestHandler):
    page: ClassVar[Callable[[str], Page]]

    def do_GET(self) -> None:
        """Answer a request."""
        found = type(self).page(self.path)
        body = found.content.encode() if isinstance(found.content, str) else found.content
        self.send_response(found.status)
        self.send_header("Content-Type", found.kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Log no requests."""
