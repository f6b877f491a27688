"""Spans of the demo's shop, as a collector gets them."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

import httpx
import pytest

from demo import spans
from demo.conditions import Conditions
from demo.health import Health
from demo.metrics import Metrics
from demo.server import Server, Service, called_at
from demo.spans import Spans
from demo.systems import SHOP
from observability.core import http
from tests.waits import until

TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = "b7ad6b7169203331"


@dataclass
class Collector:
    """Takes spans, or refuses them with a status."""

    status: int = 200
    taken: list[dict[str, Any]] = field(default_factory=list)
    address: str = ""

    def spans(self) -> list[dict[str, Any]]:
        """Every span, with the attributes of its resource."""
        return [
            {**span, "attributes": named(span["attributes"]), "resource": named(resource["resource"]["attributes"])}
            for document in self.taken
            for resource in document["resourceSpans"]
            for scope in resource["scopeSpans"]
            for span in scope["spans"]
        ]


def named(attributes: list[dict[str, Any]]) -> dict[str, str]:
    return {one["key"]: next(iter(one["value"].values())) for one in attributes}


@pytest.fixture
def collector() -> Iterator[Collector]:
    found = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if found.status == 200 and self.path == "/v1/traces":
                found.taken.append(json.loads(body))
            self.send_response(found.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    found.address = f"http://127.0.0.1:{server.server_port}"
    yield found
    server.shutdown()
    server.server_close()


class Store:
    """One product, for which a database is called."""

    def __init__(self, made: Spans) -> None:
        self._spans = made

    def product(self, number: int) -> dict[str, object]:
        with self._spans.call("get_product", {"db.system.name": "postgresql", "server.address": "db"}):
            if number == 13:
                raise RuntimeError("it broke")
        return {"id": number}


@pytest.fixture
def shop(collector: Collector) -> Iterator[tuple[httpx.Client, Spans]]:
    made = Spans(SHOP.name, collector.address, {"obs.system": SHOP.name})
    service = Service(
        store=cast("Any", Store(made)), health=Health(()), metrics=Metrics(), how=ordinary, spans=made, work=0
    )
    server = Server(0, service)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    with http.client(base_url=f"http://127.0.0.1:{server.server_port}", trust_env=False) as client:
        yield client, made
    server.shutdown()
    server.server_close()


def sent(made: Spans, collector: Collector, count: int) -> list[dict[str, Any]]:
    """The spans at the collector, once it has so many: the span of a request ends after its answer."""

    def there() -> list[dict[str, Any]]:
        made.send()
        found = collector.spans()
        return found if len(found) >= count else []

    return list(until(there, pause=0.01))


def ordinary() -> Conditions:
    return SHOP.ordinary


def parent(flags: str = "01") -> dict[str, str]:
    return {"traceparent": f"00-{TRACE}-{CALLER}-{flags}", "X-Correlation-ID": "try-1"}


def test_a_request_is_a_span_of_the_callers_trace_with_its_calls_below(
    collector: Collector, shop: tuple[httpx.Client, Spans]
) -> None:
    client, made = shop
    client.get("/api/products/7", headers={**parent(), "Host": "shop.example.com:8088"})
    query, request = sent(made, collector, 2)
    assert (request["traceId"], request["parentSpanId"], request["kind"]) == (TRACE, CALLER, 2)
    assert request["attributes"] == {
        "http.request.method": "GET",
        "http.route": "/api/products/{id}",
        "http.response.status_code": "200",
        "server.address": "shop.example.com",
        "server.port": "8088",
        "correlation_id": "try-1",
    }
    assert request["resource"] == {"service.name": SHOP.name, "obs.system": SHOP.name}
    assert (query["traceId"], query["parentSpanId"], query["kind"]) == (TRACE, request["spanId"], 3)
    assert int(request["startTimeUnixNano"]) <= int(query["startTimeUnixNano"]) < int(request["endTimeUnixNano"])
    assert request["status"] == {}


def test_a_failure_is_in_the_spans_that_it_passed(collector: Collector, shop: tuple[httpx.Client, Spans]) -> None:
    client, made = shop
    assert client.get("/api/products/13").status_code == 500
    for span in sent(made, collector, 2):
        assert span["status"] == {"code": 2, "message": "RuntimeError"}
        assert named(span["events"][0]["attributes"])["exception.message"] == "it broke"


def test_what_the_caller_samples_out_is_not_sent(collector: Collector, shop: tuple[httpx.Client, Spans]) -> None:
    client, made = shop
    client.get("/api/products/7", headers=parent("00"))
    client.get("/health")
    made.send()
    assert collector.spans() == []


@pytest.mark.parametrize(("sampled", "flags"), [(True, "01"), (False, "00")])
def test_what_is_called_is_told_whether_the_trace_is_sampled(sampled: bool, flags: str) -> None:
    with Spans("shop", "http://127.0.0.1:9").request("GET /", TRACE, CALLER, sampled=sampled) as span:
        assert span.traceparent == f"00-{TRACE}-{span.id}-{flags}"


def test_without_a_collector_nothing_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    made = Spans.of_environment("one")
    with made.call("get", {}):
        pass
    made.run(threading.Event())
    made.send()


def test_the_variables_of_opentelemetry_say_where_and_with_what(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"{collector.address}/")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "obs.system=shop, deployment.environment.name=dev")
    made = Spans.of_environment("one")
    with made.call("get", {}):
        pass
    made.send()
    (span,) = collector.spans()
    assert span["resource"] == {"obs.system": "shop", "deployment.environment.name": "dev", "service.name": "one"}


def test_spans_wait_while_the_collector_does_not_take_them_and_the_oldest_are_lost(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spans, "WAITING", 3)
    collector.status = 503
    made = Spans("one", collector.address)
    for number in range(5):
        with made.call(f"call {number}", {}):
            pass
        made.send()
    collector.status = 200
    made.send()
    assert [span["name"] for span in collector.spans()] == ["call 2", "call 3", "call 4"]


@pytest.mark.parametrize(
    ("host", "attributes"),
    [
        ("nginx", {"server.address": "nginx"}),
        ("a:80", {"server.address": "a", "server.port": 80}),
        (None, {}),
        ("a:x", {"server.address": "a"}),
    ],
)
def test_the_address_that_a_client_called_is_in_the_span(host: str | None, attributes: dict[str, object]) -> None:
    assert called_at(host) == attributes
