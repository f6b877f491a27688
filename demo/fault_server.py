"""The HTTP port that switches faults: POST and DELETE /faults/<system>/<name>, GET /faults."""

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import parse_qs, urlsplit

from demo.faults import Faults, UnknownFaultError, seconds

DEFAULT_DURATION: Final = "10m"
"""How long a fault lasts by default."""

_log = logging.getLogger("faults")


def fault_server(port: int, faults: Faults) -> ThreadingHTTPServer:
    """A server that switches these faults; not started yet."""

    class Handler(_Handler):
        """Requests about these faults."""

    Handler.faults = faults
    server = ThreadingHTTPServer(("", port), Handler)
    server.daemon_threads = True
    return server


class _Handler(BaseHTTPRequestHandler):
    faults: Faults
    protocol_version = "HTTP/1.1"
    timeout = 10

    def do_GET(self) -> None:
        """List every fault of every system: what it does, and when it ends if it is on."""
        if urlsplit(self.path).path.rstrip("/") == "/faults":
            self._answer(HTTPStatus.OK)
        else:
            self._refuse(HTTPStatus.NOT_FOUND, "there is /faults and /faults/<system>/<name>")

    def do_POST(self) -> None:
        """Switch a fault on: /faults/<system>/<name>?for=10m."""
        duration = parse_qs(urlsplit(self.path).query).get("for", [DEFAULT_DURATION])[0]

        def start(system: str, name: str) -> None:
            self.faults.start(system, name, seconds(duration))
            _log.warning("fault %s of %s switched on for %s", name, system, duration, extra={"system": system})

        self._switch(start)

    def do_DELETE(self) -> None:
        """Switch a fault off; no error if it is already off."""

        def stop(system: str, name: str) -> None:
            if self.faults.stop(system, name):
                _log.warning("fault %s of %s switched off", name, system, extra={"system": system})

        self._switch(stop)

    def _switch(self, action: Callable[[str, str], None]) -> None:
        system, _, name = urlsplit(self.path).path.removeprefix("/faults/").strip("/").partition("/")
        try:
            action(system, name)
        except UnknownFaultError as error:
            self._refuse(HTTPStatus.NOT_FOUND, str(error))
        except ValueError as error:
            self._refuse(HTTPStatus.BAD_REQUEST, str(error))
        else:
            self._answer(HTTPStatus.OK)

    def _answer(self, status: HTTPStatus) -> None:
        listed = {}
        for system, known in self.faults.registry.items():
            active = self.faults.active(system)
            listed[system] = {
                name: {"does": fault.does, "until": _moment(active[name]) if name in active else None}
                for name, fault in known.items()
            }
        self._send(status, {"faults": listed})

    def _refuse(self, status: HTTPStatus, reason: str) -> None:
        self._send(status, {"error": reason})

    def _send(self, status: HTTPStatus, document: object) -> None:
        # A body, if any, has not been read: the connection cannot be reused.
        self.close_connection = True
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class' name
        """Log nothing: relevant events are logged elsewhere."""


def _moment(stamp: float) -> str:
    return datetime.fromtimestamp(stamp, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
