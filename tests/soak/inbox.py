"""A web server on the host's address in the stack's network: it accepts what is posted to it, or refuses it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from tests.live.conftest import GATEWAY

PORT: Final = 19097
URL: Final = f"http://{GATEWAY}:{PORT}"

HANGS: Final = 0
"""In the place of a status: no answer at all."""

LONGEST_WAIT: Final = 60.0
"""Seconds after which a hanging request is dropped."""


@dataclass(frozen=True, kw_only=True)
class Message:
    """What was posted and accepted: when (seconds since 1970), to which path, and its text."""

    at: float
    path: str
    text: str


@dataclass
class Inbox:
    """The messages accepted so far, and the refusals: by path the status, or HANGS."""

    messages: list[Message] = field(default_factory=list)
    refuses: dict[str, int] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    """Number of refused messages, by path."""

    def of(self, path: str, *words: str) -> list[Message]:
        """The messages to a path that contain all these words."""
        return [one for one in list(self.messages) if one.path == path and all(word in one.text for word in words)]

    def take(self, path: str, text: str) -> int:
        """Keep a message, or count it as refused; return the response's status."""
        status = self.refuses.get(path)
        if status is None:
            self.messages.append(Message(at=time.time(), path=path, text=text))
            return 202
        self.refused[path] = self.refused.get(path, 0) + 1
        return status


@contextmanager
def inbox() -> Iterator[Inbox]:
    """An inbox that is open until the end of the block; the stack's network must be there."""
    found, closed = Inbox(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status = found.take(self.path, self.rfile.read(int(self.headers["Content-Length"])).decode())
            if status == HANGS:
                closed.wait(LONGEST_WAIT)
                self.close_connection = True
                return
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer((GATEWAY, PORT), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield found
    finally:
        closed.set()
        server.shutdown()
        server.server_close()
