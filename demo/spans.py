"""Spans, sent by OTLP over HTTP in JSON, with what the variables of OpenTelemetry say.

An application of one's own uses an SDK for this, as examples/python does; Debian, which the demo's image is made from,
has none for Python. Without OTEL_EXPORTER_OTLP_ENDPOINT nothing is recorded.
"""

import http.client
import json
import logging
import os
import secrets
import threading
import time
import urllib.request
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Value = str | int

KINDS: Final = {"server": 2, "client": 3}

WAITING: Final = 2000
"""Spans that wait to be sent; further ones take the place of the oldest."""

EVERY: Final = 1.0
"""Seconds between two requests to the collector."""

ANSWER_SECONDS: Final = 2.0

_log = logging.getLogger("spans")


@dataclass(kw_only=True)
class Span:
    """A piece of work: what is done for a request, or a call of something else."""

    name: str
    kind: Literal["server", "client"]
    trace_id: str
    parent_id: str = ""
    sampled: bool = True
    attributes: dict[str, Value] = field(default_factory=dict)
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    start: int = field(default_factory=time.time_ns)
    end: int = 0
    error: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)

    @property
    def traceparent(self) -> str:
        """The header that makes what is called with it a part of this trace (W3C Trace Context)."""
        return f"00-{self.trace_id}-{self.id}-{int(self.sampled):02}"

    def failed(self, error: BaseException) -> None:
        """Mark it as failed by an exception."""
        self.error = type(error).__name__
        told = {"exception.type": type(error).__name__, "exception.message": str(error)}
        self.events.append({"name": "exception", "timeUnixNano": str(time.time_ns()), "attributes": _listed(told)})

    def document(self) -> dict[str, Any]:
        """As OTLP writes it."""
        return {
            "traceId": self.trace_id,
            "spanId": self.id,
            **({"parentSpanId": self.parent_id} if self.parent_id else {}),
            "name": self.name,
            "kind": KINDS[self.kind],
            "startTimeUnixNano": str(self.start),
            "endTimeUnixNano": str(self.end),
            "attributes": _listed(self.attributes),
            **({"events": self.events} if self.events else {}),
            "status": {"code": 2, "message": self.error} if self.error else {},
        }


_current: ContextVar[Span | None] = ContextVar("span", default=None)


class Spans:
    """The spans of one service. `endpoint` is the collector's address without a path; empty: none are recorded."""

    def __init__(self, service: str, endpoint: str = "", attributes: Mapping[str, str] | None = None) -> None:
        self._resource = {**(attributes or {}), "service.name": service}
        self._endpoint = endpoint.rstrip("/")
        self._ended: deque[Span] = deque(maxlen=WAITING)
        self._lost = False

    @classmethod
    def of_environment(cls, service: str) -> "Spans":
        """As the variables say, but for the name: several services are in this process."""
        said = (pair.partition("=") for pair in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "").split(",") if pair)
        attributes = {name.strip(): value.strip() for name, _, value in said}
        return cls(service, os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", ""), attributes)

    @contextmanager
    def request(self, name: str, trace_id: str, parent_id: str, *, sampled: bool = True) -> Iterator[Span]:
        """The span of a request that is answered, in the caller's trace; sent unless the caller samples it out."""
        span = Span(name=name, kind="server", trace_id=trace_id, parent_id=parent_id, sampled=sampled)
        yield from self._around(span)

    @contextmanager
    def call(self, name: str, attributes: Mapping[str, Value]) -> Iterator[Span]:
        """The span of a call, within the span that this thread is in; outside of one, a trace of its own."""
        outer = _current.get()
        span = Span(
            name=name,
            kind="client",
            trace_id=outer.trace_id if outer else secrets.token_hex(16),
            parent_id=outer.id if outer else "",
            sampled=outer is None or outer.sampled,
            attributes=dict(attributes),
        )
        yield from self._around(span)

    def _around(self, span: Span) -> Iterator[Span]:
        token = _current.set(span)
        try:
            yield span
        except BaseException as error:
            span.failed(error)
            raise
        finally:
            _current.reset(token)
            span.end = time.time_ns()
            if span.sampled and self._endpoint:
                self._ended.append(span)

    def run(self, ended: threading.Event) -> None:
        """Send what was recorded, until the end; it is sent then too."""
        while self._endpoint and not ended.wait(EVERY):
            self.send()
        self.send()

    def send(self) -> None:
        """Send what was recorded. What the collector does not take waits for the next time."""
        batch: list[Span] = []
        while self._ended:
            batch.append(self._ended.popleft())
        if not batch:
            return
        scope = {"scope": {"name": "demo"}, "spans": [span.document() for span in batch]}
        document = {"resourceSpans": [{"resource": {"attributes": _listed(self._resource)}, "scopeSpans": [scope]}]}
        asked = urllib.request.Request(  # noqa: S310 - the address is that of the settings
            f"{self._endpoint}/v1/traces", json.dumps(document).encode(), {"Content-Type": "application/json"}
        )
        try:
            with _DIRECT.open(asked, timeout=ANSWER_SECONDS) as answer:
                answer.read()
        except (OSError, http.client.HTTPException) as error:
            room = WAITING - len(self._ended)
            self._ended.extendleft(reversed(batch[len(batch) - min(room, len(batch)) :]))
            if not self._lost:
                _log.warning("the collector does not take spans: %s", error)
            self._lost = True
        else:
            if self._lost:
                _log.warning("the collector takes spans again")
            self._lost = False


_DIRECT: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Without a proxy of the environment: the collector is near."""


def _listed(attributes: Mapping[str, Value]) -> list[dict[str, Any]]:
    return [
        {"key": name, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}}
        for name, value in attributes.items()
    ]
