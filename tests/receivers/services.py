"""One web server that replaces every HTTP service: each with its own paths, responses and errors."""

import json
import re
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self
from urllib.parse import parse_qsl, urlsplit

from tests.receivers.checks import problem
from tests.waits import HANG_SECONDS

TIMEOUT: Final = 0
"""Instead of a status: no response."""

HOLD_SECONDS: Final = 120
"""How long a response is delayed at most."""

PATHS: Final = (
    ("slack", r"/slack/.+"),
    ("slack-bot", r"/api/chat\.postMessage"),
    ("pagerduty", r"/v2/enqueue"),
    ("msteams", r"/teams/.+"),
    ("discord", r"/discord/.+"),
    ("telegram", r"/bot[^/]+/sendMessage"),
    ("opsgenie", r"/v2/alerts(/[^/]+/close)?"),
    ("pushover", r"/1/messages\.json"),
    ("webhook", r"/webhook/.+"),
)
"""Each service and its paths."""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One request: `problem` is why it was invalid, `refused` the status it was refused with on purpose."""

    channel: str
    path: str
    payload: dict[str, Any]
    at: float = field(default_factory=time.time)
    """When it was received, in seconds since 1970."""
    problem: str | None = None
    refused: int | None = None

    @property
    def accepted(self) -> bool:
        """Whether the service accepted it."""
        return self.problem is None and self.refused is None


class HttpDoubles:
    """The services, at `url`; use it in a `with`.

    With `tls` it is also a proxy that serves every address as theirs, by HTTPS.
    """

    def __init__(self, address: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.tls = tls
        self.deliveries: list[Delivery] = []
        self.refusals: dict[str, int] = {}
        self.changed = threading.Condition()
        self.server = _Server((address, port), self)
        self.url = f"http://{address}:{self.server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.accept()
        self.server.shutdown()
        self.server.server_close()

    def refuse(self, channel: str, status: int) -> None:
        """From now on refuse every request for a channel with 500, 429, …; TIMEOUT: never respond."""
        with self.changed:
            self.refusals[channel] = status

    def accept(self, *channels: str) -> None:
        """Accept the messages of these channels again; of all channels if none is named."""
        with self.changed:
            for channel in channels or tuple(self.refusals):
                self.refusals.pop(channel, None)
            self.changed.notify_all()

    def taken(self, channel: str) -> list[Delivery]:
        """What a channel accepted, in order."""
        with self.changed:
            return [one for one in self.deliveries if one.channel == channel and one.accepted]

    @property
    def wrong(self) -> list[Delivery]:
        """What a real service would have refused as well."""
        with self.changed:
            return [one for one in self.deliveries if one.problem is not None]

    def wait(self, found: Callable[[], Any], seconds: float = HANG_SECONDS) -> Any:  # noqa: ANN401 - whatever `found` returns
        """The first true result of `found`; AssertionError after the seconds."""
        deadline = time.monotonic() + seconds
        with self.changed:
            while not (answer := found()):
                if time.monotonic() >= deadline:
                    raise AssertionError(f"not within {seconds} s; came: {self.deliveries}")
                # The expected message may arrive by mail instead.
                self.changed.wait(0.2)
            return answer

    def clear(self) -> None:
        """Delete what was received."""
        with self.changed:
            self.deliveries.clear()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], doubles: HttpDoubles) -> None:
        self.doubles = doubles
        super().__init__(address, _Handler)

    def handle_error(self, *_: object) -> None:
        """A client that timed out is not an error."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        doubles, url = self.server.doubles, urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        channel = next((name for name, form in PATHS if re.fullmatch(form, url.path)), "unknown")
        wrong, payload = self._read(channel, body, url.query)
        with doubles.changed:
            refused = doubles.refusals.get(channel)
            known = Delivery(channel=channel, path=self.path, payload=payload, problem=wrong, refused=refused)
            doubles.deliveries.append(known)
            doubles.changed.notify_all()
            if refused == TIMEOUT:
                doubles.changed.wait_for(lambda: channel not in doubles.refusals, HOLD_SECONDS)
                self.close_connection = True
                return
        self._answer(channel, wrong, refused)

    def do_CONNECT(self) -> None:
        """Respond in place of the requested server."""
        tls = self.server.doubles.tls
        if tls is None:
            self.send_error(405)
            return
        self.send_response(200)
        self.end_headers()
        self.connection = tls.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb", 0)
        self.close_connection = False

    def _read(self, channel: str, body: bytes, query: str) -> tuple[str | None, dict[str, Any]]:
        """Why the request is invalid, and its payload."""
        if channel == "unknown":
            return f"nobody is at {self.path}", {}
        if channel == "pushover":
            payload: Any = dict(parse_qsl(query or body.decode()))
        else:
            try:
                payload = json.loads(body)
            except ValueError as error:
                return f"no JSON: {error}", {}
            if not isinstance(payload, dict):
                return "no JSON object", {}
        if missing := self._unauthorised(channel):
            return missing, payload
        schema = "opsgenie-close" if urlsplit(self.path).path.endswith("/close") else channel
        return problem(schema, payload), payload

    def _unauthorised(self, channel: str) -> str | None:
        scheme = {"slack-bot": "Bearer", "opsgenie": "GenieKey"}.get(channel)
        given = self.headers.get("Authorization", "")
        return None if scheme is None or re.fullmatch(rf"{scheme} \S+", given) else "not authorised"

    def _answer(self, channel: str, wrong: str | None, refused: int | None) -> None:
        status, body = (refused, {"error": "refused on purpose"}) if refused else _answer(channel, wrong)
        text = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        if status == 429:
            self.send_header("Retry-After", "5")
        kind = "text/plain" if isinstance(body, str) else "application/json"
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Print nothing on standard error."""


def _answer(channel: str, wrong: str | None) -> tuple[int, str | dict[str, Any]]:
    """Status and body as documented by the service."""
    if channel == "unknown":
        return 404, "not found"
    accepted: dict[str, tuple[int, str | dict[str, Any]]] = {
        "slack": (200, "ok"),
        "slack-bot": (200, {"ok": True, "channel": "C0123456789", "ts": "1503435956.000247"}),
        "pagerduty": (202, {"status": "success", "message": "Event processed", "dedup_key": "known"}),
        "msteams": (202, ""),
        "discord": (204, ""),
        "telegram": (200, {"ok": True, "result": {"message_id": 1, "date": 1, "chat": {"id": -100, "type": "group"}}}),
        "opsgenie": (202, {"result": "Request will be processed", "took": 0.1, "requestId": "known"}),
        "pushover": (200, {"status": 1, "request": "known"}),
        "webhook": (200, ""),
    }
    if wrong is None:
        return accepted[channel]
    refused: dict[str, tuple[int, str | dict[str, Any]]] = {
        "slack": (400, "invalid_payload"),
        "slack-bot": (200, {"ok": False, "error": "invalid_attachments"}),
        "pagerduty": (400, {"status": "invalid event", "message": "Event object is invalid", "errors": [wrong]}),
        "telegram": (400, {"ok": False, "error_code": 400, "description": f"Bad Request: {wrong}"}),
        "discord": (400, {"code": 50035, "message": "Invalid Form Body", "errors": {"embeds": wrong}}),
        "opsgenie": (422, {"message": "Request body is not processable. Please check the errors.", "errors": wrong}),
        "pushover": (400, {"status": 0, "errors": [wrong], "request": "known"}),
    }
    return refused.get(channel, (400, wrong))
