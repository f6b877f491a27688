"""Spans as an application sends them, by OTLP over HTTP in JSON."""

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import httpx

KINDS: Final = {"internal": 1, "server": 2, "client": 3}


METHOD: Final[Mapping[str, str | int]] = {"http.request.method": "GET"}


@dataclass(frozen=True, kw_only=True)
class Span:
    """One span: how long it took, in seconds, and whether it failed."""

    name: str = "GET /berths/{id}"
    kind: Literal["internal", "server", "client"] = "server"
    attributes: Mapping[str, str | int] = field(default_factory=dict)
    seconds: float = 0.01
    failed: bool = False
    trace: str = field(default_factory=lambda: secrets.token_hex(16))
    parent: str = ""
    events: Sequence[Mapping[str, str]] = ()

    def document(self) -> dict[str, Any]:
        """As it is sent; it has just ended."""
        end = time.time_ns()
        return {
            "traceId": self.trace,
            "spanId": secrets.token_hex(8),
            **({"parentSpanId": self.parent} if self.parent else {}),
            "name": self.name,
            "kind": KINDS[self.kind],
            "startTimeUnixNano": str(end - int(self.seconds * 10**9)),
            "endTimeUnixNano": str(end),
            "attributes": attributes(self.attributes),
            "events": [
                {"name": "exception", "timeUnixNano": str(end), "attributes": attributes(event)}
                for event in self.events
            ],
            "status": {"code": 2, "message": "failed"} if self.failed else {},
        }


def request(status: int = 200, route: str | None = "/berths/{id}", **other: Any) -> Span:  # noqa: ANN401 - fields of Span
    """The span of a request that a server answered."""
    found: dict[str, str | int] = {**METHOD, "http.response.status_code": status}
    if route is not None:
        found["http.route"] = route
    return Span(attributes={**found, **other.pop("attributes", {})}, failed=status >= 500, **other)


def attributes(found: Mapping[str, str | int]) -> list[dict[str, Any]]:
    """Attributes in OTLP's JSON."""
    return [
        {"key": key, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}}
        for key, value in found.items()
    ]


def written(service: str, spans: Sequence[Span]) -> dict[str, Any]:
    """A request with spans of a service."""
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": attributes({"service.name": service, "telemetry.sdk.language": "python"})},
                "scopeSpans": [{"scope": {"name": "test"}, "spans": [span.document() for span in spans]}],
            }
        ]
    }


def send(port: int, service: str, spans: Sequence[Span], origin: str | None = None) -> int:
    """Send spans of a service to a port of this machine; returns the status of the answer."""
    headers = {"Origin": origin} if origin else {}
    address = f"http://127.0.0.1:{port}/v1/traces"
    return httpx.post(address, json=written(service, spans), headers=headers, timeout=30).status_code
