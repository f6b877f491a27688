"""The service's HTTP port: the API, its health and its metrics."""

import json
import logging
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from demo import api
from demo.chance import Picker
from demo.conditions import Conditions, How
from demo.errors import ApiError, BadRequestError, NotFoundError
from demo.health import Health
from demo.log import RequestIds, request_ids
from demo.metrics import Metrics
from demo.spans import Span, Spans
from demo.systems import SHOP
from demo.systems.profile import UNMATCHED

if TYPE_CHECKING:
    from demo.store import Store

CORRELATION_HEADER: Final = "X-Correlation-ID"
SLOW_MS: Final = 2000.0
"""A request that takes longer is logged as slow."""

LARGEST_BODY: Final = 65536

WORK_SECONDS: Final = {(route.method, route.template): route.median for route in SHOP.routes}
"""Average processing time that a larger shop would need for each route."""

_log = logging.getLogger("http")


class InjectedError(RuntimeError):
    """A failure that a fault injects."""


@dataclass(frozen=True, kw_only=True)
class Service:
    """What the handler uses; `work` is the factor by which `WORK_SECONDS` applies."""

    store: "Store"
    health: Health
    metrics: Metrics
    how: How
    spans: Spans = field(default_factory=lambda: Spans(SHOP.name))
    work: float = 1.0


class Server(ThreadingHTTPServer):
    """Serves on all addresses, one thread per connection."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, service: Service) -> None:
        self.service = service
        self.failing = Picker()
        self.slow = Picker()
        super().__init__(("", port), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "social-selling"
    sys_version = ""
    timeout = 15

    def do_GET(self) -> None:
        """Serve any request."""
        ids = RequestIds.of(self.headers.get(CORRELATION_HEADER), self.headers.get("traceparent"))
        with request_ids(ids):
            self._serve(ids)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = do_GET  # noqa: N815 - the base class' names

    def _serve(self, ids: RequestIds) -> None:
        service = self.server.service
        path = urlsplit(self.path).path
        if path == "/metrics":
            kind, body = service.metrics.page(self.headers.get("Accept"))
            self._send(HTTPStatus.OK, body, kind, ids)
        elif health := service.health.answer(path):
            self._send(health[0], _json(health[1]), "application/json", ids)
        else:
            how = service.how()
            found = api.find(self.command, path)
            route = found[0].template if found else UNMATCHED
            if how.unseen and path == api.PREVIEW:
                route = f"/api/{how.unseen}"
            name = f"{_method(self.command)} {route}"
            with service.spans.request(name, ids.trace_id, ids.parent_id, sampled=ids.sampled) as span:
                self._serve_api(found, route, how, ids, span)

    def _serve_api(
        self, found: tuple[api.Route, int] | None, route: str, how: Conditions, ids: RequestIds, span: Span
    ) -> None:
        """Serve, measure and log a request of the API, whatever its result."""
        start = time.monotonic()
        try:
            status, document = self._act(found, route, how)
        except ApiError as error:
            status, document = error.status, {"error": str(error), "correlation_id": ids.correlation_id}
            if not isinstance(error, NotFoundError):
                _log.error("%s refused: %s", route, error, extra={"route": route})
        except Exception as error:  # noqa: BLE001 - logged with its stack, answered with 500
            span.failed(error)
            status = HTTPStatus.INTERNAL_SERVER_ERROR
            document = {"error": "something went wrong", "correlation_id": ids.correlation_id}
            _log.exception("%s failed", route, extra={"route": route})
        milliseconds = (time.monotonic() - start) * 1000
        self.server.service.metrics.request(_method(self.command), route, int(status), milliseconds)
        span.attributes |= {
            "http.request.method": _method(self.command),
            "http.route": route,
            "http.response.status_code": int(status),
            "correlation_id": ids.correlation_id,
            **called_at(self.headers.get("Host")),
        }
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            span.error = span.error or str(int(status))
        self._log_request(route, int(status), milliseconds)
        self._send(status, _json(document), "application/json", ids)

    def _act(self, found: tuple[api.Route, int] | None, route: str, how: Conditions) -> tuple[HTTPStatus, object]:
        service = self.server.service
        body = self._body()
        work = WORK_SECONDS.get((self.command, route), 0.0) * random.lognormvariate(0, 0.35)
        time.sleep(work * service.work)
        if self.server.slow.pick(how.slow_share):
            time.sleep(random.uniform(*how.slow_seconds))  # noqa: S311 - no secret
        unseen = how.unseen and how.unseen in route
        if self.server.failing.pick(how.errors) or unseen or route == how.broken_route:
            raise InjectedError("a fault is on")
        if found is None:
            raise NotFoundError("there is no such route")
        action, number = found
        return action.status, action.action(service.store, number, body)

    def _body(self) -> Mapping[str, Any]:
        """The request's JSON object, empty if it has none; BadRequestError if it is not a JSON object."""
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > LARGEST_BODY or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            raise BadRequestError(f"the body must have a Content-Length of at most {LARGEST_BODY}")
        raw = self.rfile.read(int(length))
        try:
            document = json.loads(raw) if raw else {}
        except ValueError as error:
            raise BadRequestError("the body is not JSON") from error
        if not isinstance(document, dict):
            raise BadRequestError("the body is not a JSON object")
        return document

    def _log_request(self, route: str, status: int, milliseconds: float) -> None:
        slow = milliseconds > SLOW_MS
        level = logging.ERROR if status >= 500 else logging.WARNING if slow else logging.INFO
        _log.log(
            level,
            "slow request" if slow else "request",
            extra={
                "method": self.command,
                "route": route,
                "path": self.path,
                "status_code": status,
                "duration_ms": round(milliseconds, 1),
            },
        )

    def _send(self, status: HTTPStatus, body: bytes, content_type: str, ids: RequestIds) -> None:
        try:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.send_header(CORRELATION_HEADER, ids.correlation_id)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)
        except OSError:
            # The client has closed the connection.
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class' name
        """Log nothing here: requests are logged with their route and duration."""


def _method(command: str) -> str:
    """The method as a label: unknown methods share one value, so that a client cannot create series."""
    return command if command in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS") else "other"


def called_at(host: str | None) -> dict[str, str | int]:
    """The address at which the client called the service, as attributes of a span."""
    name, _, port = (host or "").partition(":")
    return {"server.address": name, **({"server.port": int(port)} if port.isdigit() else {})} if name else {}


def _json(document: object) -> bytes:
    """Compact JSON, so that a check for a keyword like `"status":"ok"` finds it."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
