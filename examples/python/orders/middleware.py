"""Around every request: its ids, its span, its metrics and its line in the log."""

import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from opentelemetry import propagate
from opentelemetry.trace import SpanKind

from . import reports, telemetry
from .logs import CORRELATION_HEADER, Request, correlation_id, current
from .settings import SLOW_REQUEST

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Callable[[], Awaitable[Message]], Send], Awaitable[None]]

UNMATCHED: Final = "unmatched"
METHODS: Final = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})

_log = logging.getLogger("http")


class Instrumented:
    """An ASGI application, instrumented. Probes and scrapes are served, and not counted as requests."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http" or scope["path"] == "/metrics" or scope["path"].startswith("/health"):
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        request = Request(correlation_id(headers.get(CORRELATION_HEADER)), headers.get("x-user-id"))
        token = current.set(request)
        reports.about(request.user)
        telemetry.IN_FLIGHT.inc()
        try:
            with telemetry.tracer.start_as_current_span(
                scope["method"], context=propagate.extract(headers), kind=SpanKind.SERVER
            ) as span:
                await self._serve(scope, receive, send, request, span)
        finally:
            telemetry.IN_FLIGHT.dec()
            current.reset(token)

    async def _serve(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Send,
        request: Request,
        span: Any,  # noqa: ANN401 - the library's own class
    ) -> None:
        status = 500
        start = time.perf_counter()

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message.get("headers", ()),
                    (CORRELATION_HEADER.encode(), request.correlation_id.encode()),
                ]
            await send(message)

        try:
            await self._app(scope, receive, answer)
        except Exception as error:  # noqa: BLE001 - was answered with 500
            telemetry.failed(error)
        seconds = time.perf_counter() - start
        # The route's template. Paths without a route share one label: else a client could create series.
        route = getattr(scope.get("route"), "path", UNMATCHED)
        method = scope["method"] if scope["method"] in METHODS else "other"
        telemetry.REQUESTS.labels(method, route, str(status)).inc()
        telemetry.DURATION.labels(method, route, str(status)).observe(seconds, telemetry.exemplar())
        telemetry.QUERIES_PER_REQUEST.labels(route).observe(request.queries)
        span.update_name(f"{method} {route}")
        span.set_attributes({"http.request.method": method, "http.route": route, "http.response.status_code": status})
        slow = seconds > SLOW_REQUEST
        _log.log(
            logging.ERROR if status >= 500 else logging.WARNING if slow else logging.INFO,
            "slow request" if slow else "request",
            extra={
                "method": method,
                "route": route,
                "path": scope["path"],
                "status_code": status,
                "duration_ms": round(seconds * 1000, 1),
                "db_queries": request.queries,
            },
        )
