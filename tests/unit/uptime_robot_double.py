"""UptimeRobot's API, version 2, as far as it is used here; it refuses what the service refuses."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

Node = dict[str, Any]

KEY, READ_ONLY = "u1234567-0123456789abcdef01234567", "ur1234567-0123456789abcdef01234567"

NUMBERS = ("type", "sub_type", "port", "interval", "timeout", "keyword_type", "keyword_case_type", "http_method")
KNOWN = {
    *(*NUMBERS, "api_key", "format", "id", "friendly_name", "url", "keyword_value", "alert_contacts"),
    *("custom_http_headers", "ignore_ssl_errors"),
}
REQUIRED = {1: (), 2: ("keyword_type", "keyword_value"), 3: (), 4: ("sub_type", "port")}
"""Parameters that a type of monitor needs besides name, address and type."""


class RefusedError(Exception):
    """A response with `stat: fail`."""

    def __init__(self, kind: str, message: str, **more: str) -> None:
        super().__init__(message)
        self.error = {"type": kind, "message": message, **more}


@dataclass
class Double:
    """An account with its monitors, and the methods that were called, with their fields but the key."""

    shortest: int = 300
    most: int = 500
    monitors: dict[int, Node] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    limited: list[str | None] = field(default_factory=list)
    """The Retry-After of the next responses, each of which is 429."""
    broken: bool = False
    numbers: int = 777_000_000
    address: str = ""

    @property
    def changes(self) -> list[tuple[str, str]]:
        """The methods that change something, with the name or id of the monitor."""
        return [(name, form.get("friendly_name", form.get("id", ""))) for name, form in self.calls if name != GET]

    def add(self, name: str, **more: Any) -> int:  # noqa: ANN401 - fields as the API shows them
        """A monitor that a person made."""
        self.numbers += 1
        shown = {"id": self.numbers, "friendly_name": name, "url": "https://a.example.com", "type": 1, "status": 2}
        self.monitors[self.numbers] = {**shown, "interval": 300, **more}
        return self.numbers

    def named(self, name: str) -> Node:
        """The only monitor of this name."""
        (found,) = (one for one in self.monitors.values() if one["friendly_name"] == name)
        return found

    def answer(self, method: str, form: dict[str, str]) -> Node:
        """The body of a response."""
        key = form.pop("api_key", "")
        self.calls.append((method, form))
        if key not in (KEY, READ_ONLY):
            raise RefusedError("invalid_parameter", "api_key not found.", parameter_name="api_key", passed_value=key)
        if method == GET:
            return self._page(form)
        if key == READ_ONLY:
            raise RefusedError("not_authorized", "api_key is read-only.")
        if set(form) - KNOWN:
            raise RefusedError("invalid_parameter", f"unknown: {', '.join(sorted(set(form) - KNOWN))}")
        number = {"newMonitor": self._new, "editMonitor": self._edit, "deleteMonitor": self._delete}[method](form)
        return {"stat": "ok", "monitor": {"id": number, "status": 1}}

    def _page(self, form: dict[str, str]) -> Node:
        offset, limit = int(form.get("offset", "0")), min(int(form.get("limit", "50")), 50)
        everything = list(self.monitors.values())
        page = {"offset": offset, "limit": limit, "total": len(everything)}
        return {"stat": "ok", "pagination": page, "monitors": everything[offset : offset + limit]}

    def _new(self, form: dict[str, str]) -> int:
        for name in ("friendly_name", "url", "type"):
            _demand(form, name)
        if len(self.monitors) >= self.most:
            raise RefusedError("limit_reached", "You have reached the monitor limit of your plan.")
        for name in REQUIRED[int(form["type"])]:
            _demand(form, name)
        if any(one["url"] == form["url"] and one["friendly_name"] == form["friendly_name"] for one in self._all()):
            raise RefusedError("already_exists", "monitor already exists.")
        shown = self._shown(form)
        self.numbers += 1
        self.monitors[self.numbers] = {"id": self.numbers, "status": 2, **shown}
        return self.numbers

    def _edit(self, form: dict[str, str]) -> int:
        number = self._number(form)
        if "type" in form:
            raise RefusedError("invalid_parameter", "type cannot be changed.", parameter_name="type")
        self.monitors[number] |= self._shown(form)
        return number

    def _delete(self, form: dict[str, str]) -> int:
        number = self._number(form)
        del self.monitors[number]
        return number

    def _all(self) -> list[Node]:
        return list(self.monitors.values())

    def _number(self, form: dict[str, str]) -> int:
        _demand(form, "id")
        if int(form["id"]) not in self.monitors:
            raise RefusedError("not_found", "monitor not found.")
        return int(form["id"])

    def _shown(self, form: dict[str, str]) -> Node:
        """The fields of a form in the form in which getMonitors shows them."""
        if int(form.get("interval", self.shortest)) < self.shortest:
            raise RefusedError(
                "invalid_parameter", "interval is not available in your plan.", parameter_name="interval"
            )
        if not 1 <= int(form.get("timeout", "30")) <= 60:
            raise RefusedError("invalid_parameter", "timeout is not valid.", parameter_name="timeout")
        shown: Node = {name: int(form[name]) for name in NUMBERS if name in form}
        shown |= {name: form[name] for name in ("friendly_name", "url", "keyword_value") if name in form}
        if "custom_http_headers" in form:
            shown["custom_http_headers"] = json.loads(form["custom_http_headers"])
        if "ignore_ssl_errors" in form:
            shown["ssl"] = {"ignore_errors": int(form["ignore_ssl_errors"])}
        if "alert_contacts" in form:
            parts = [one.split("_") for one in form["alert_contacts"].split("-") if one]
            shown["alert_contacts"] = [{"id": a, "threshold": int(b), "recurrence": int(c)} for a, b, c in parts]
        return shown


GET = "getMonitors"


def _demand(form: dict[str, str], name: str) -> None:
    if not form.get(name):
        raise RefusedError("missing_parameter", f"{name} is required.", parameter_name=name)


@contextmanager
def serving(double: Double) -> Iterator[Double]:
    """Serve it at `double.address`."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            if double.limited:
                after = double.limited.pop(0)
                self._respond(429, {"stat": "fail"}, {} if after is None else {"Retry-After": after})
                return
            if double.broken:
                self._respond(502, "<html>Bad Gateway</html>", {})
                return
            assert self.headers["Content-Type"] == "application/x-www-form-urlencoded"
            form = dict(parse_qsl(text, keep_blank_values=True))
            try:
                body = double.answer(self.path.rpartition("/")[2], form)
            except RefusedError as error:
                body = {"stat": "fail", "error": error.error}
            self._respond(200, body, {})

        def _respond(self, status: int, body: object, headers: dict[str, str]) -> None:
            data = (body if isinstance(body, str) else json.dumps(body)).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    double.address = f"http://127.0.0.1:{server.server_port}/v2"
    try:
        yield double
    finally:
        server.shutdown()
        server.server_close()
