"""`python -m demo.heartbeat`: the receiver of a dev stack's dead-man's switch.

It replaces Healthchecks.io and uses its protocol: a GET, HEAD or POST of /ping/<anything> is a ping. It expects one in
every period, and after a grace time logs that none came. GET / returns the status.
"""

import argparse
import json
import logging
import signal
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from demo import log

PORT: Final = 8000

LOOKS_SECONDS: Final = 1.0
"""How often it checks whether a ping is missing."""

LONGEST_BYTES: Final = 1_000_000
"""How much of a ping's body is read and discarded."""

State = Literal["new", "up", "grace", "down"]
"""No ping yet; in time; late, but within the grace; missing. As Healthchecks.io calls them."""

_log = logging.getLogger("heartbeat")


class Heartbeat:
    """The pings so far; times are in seconds, the clock is a function like `time.time`."""

    def __init__(self, period: float, grace: float, clock: Callable[[], float] = time.time) -> None:
        self.period = period
        self.grace = grace
        self._clock = clock
        self._lock = threading.Lock()
        self._last = clock()
        self._pings = 0
        self._said: State = "new"

    def ping(self) -> None:
        """Record a ping."""
        with self._lock:
            silent = self._clock() - self._last
            self._last += silent
            self._pings += 1
            if self._said == "down":
                _log.warning("pings arrive again after %.0f s without", silent)
                self._said = "up"

    def look(self) -> None:
        """Log, once, that pings are missing."""
        with self._lock:
            if self._state() == "down" and self._said != "down":
                _log.error("no ping for %.0f s: alerts do not flow", self._clock() - self._last)
                self._said = "down"

    def status(self) -> dict[str, Any]:
        """The status; `silent_seconds` is since the last ping, or since the start if none came."""
        with self._lock:
            return {
                "state": self._state(),
                "pings": self._pings,
                "last_ping": _moment(self._last) if self._pings else None,
                "silent_seconds": round(self._clock() - self._last, 1),
                "period_seconds": self.period,
                "grace_seconds": self.grace,
            }

    def _state(self) -> State:
        silent = self._clock() - self._last
        if silent > self.period + self.grace:
            return "down"
        if not self._pings:
            return "new"
        return "grace" if silent > self.period else "up"


def server(address: tuple[str, int], heartbeat: Heartbeat) -> ThreadingHTTPServer:
    """A server that takes these pings; not started yet."""

    class Handler(_Handler):
        """Requests about this heartbeat."""

    Handler.heartbeat = heartbeat
    made = ThreadingHTTPServer(address, Handler)
    made.daemon_threads = True
    return made


class _Handler(BaseHTTPRequestHandler):
    heartbeat: Heartbeat
    protocol_version = "HTTP/1.1"
    timeout = 10

    def do_GET(self) -> None:
        """A ping, or a request for the status."""
        if urlsplit(self.path).path == "/":
            self._answer(HTTPStatus.OK, "application/json", json.dumps(self.heartbeat.status()) + "\n")
        else:
            self._ping()

    def do_HEAD(self) -> None:
        """A ping."""
        self._ping()

    def do_POST(self) -> None:
        """A ping; its body is ignored."""
        self._ping()

    def _ping(self) -> None:
        # If the body is not read, the connection breaks before the sender receives the response.
        self.rfile.read(min(int(self.headers.get("Content-Length") or 0), LONGEST_BYTES))
        self.close_connection = True
        if urlsplit(self.path).path.startswith("/ping/"):
            self.heartbeat.ping()
            self._answer(HTTPStatus.OK, "text/plain", "OK")
        else:
            self._answer(HTTPStatus.NOT_FOUND, "text/plain", "there is / and /ping/<name>\n")

    def _answer(self, status: HTTPStatus, kind: str, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class' name
        """Log nothing for a ping that arrives."""


def _moment(stamp: float) -> str:
    return datetime.fromtimestamp(stamp, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def main() -> None:
    """Listen until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="demo.heartbeat", description="Says when pings stop.")
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--period", type=float, required=True, help="seconds between two pings")
    parser.add_argument("--grace", type=float, required=True, help="seconds by which one may be late")
    settings = parser.parse_args()
    log.configure("platform")
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    heartbeat = Heartbeat(settings.period, settings.grace)
    threading.Thread(target=server(("", settings.port), heartbeat).serve_forever, daemon=True).start()
    _log.info("expecting a ping every %g s on port %d", heartbeat.period, settings.port)
    while not ended.wait(LOOKS_SECONDS):
        heartbeat.look()


if __name__ == "__main__":
    main()
