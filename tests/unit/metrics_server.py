"""A metrics server for tests: it responds to each request with the next page, and records the requests."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle


@dataclass
class Served:
    """Its address, and the headers and paths of the requests so far."""

    address: str
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)


@contextmanager
def serving(
    *pages: str | Callable[[dict[str, str]], tuple[str, str]],
    content_type: str | None = "text/plain; version=0.0.4",
    path: str | None = None,
    status: int = 200,
    encoding: str | None = None,
    listens: tuple[str, int] = ("127.0.0.1", 0),
) -> Iterator[Served]:
    """A server that responds with the pages in turn; 404 for paths other than `path`, if given.

    It listens on a free port of loopback unless `listens` gives an address and a port. A page may be a function of
    the request's headers that returns a body and a Content-Type.
    """
    turn = cycle(pages)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.headers.append(dict(self.headers))
            served.paths.append(self.path)
            page = next(turn)
            body, kind = page if isinstance(page, tuple) else (page, content_type)
            if callable(body):
                body, kind = body(dict(self.headers))
            self.send_response(status if path in (None, self.path) else 404)
            if kind is not None:
                self.send_header("Content-Type", kind)
            if encoding is not None:
                self.send_header("Content-Encoding", encoding)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(listens, Handler) as server:
        served = Served(f"http://{listens[0]}:{server.server_port}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield served
        finally:
            server.shutdown()
