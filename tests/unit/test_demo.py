"""The demo without its dependencies: faults, logs, the breaker, and the HTTP port over a store of ours."""

import io
import json
import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

import httpx
import pytest

from demo import api, faults, log
from demo.breaker import Breaker
from demo.errors import UnavailableError
from demo.fault_server import fault_server
from demo.faults import FAULTS, Faults
from demo.health import Dependency, Health
from demo.metrics import Metrics
from demo.server import Server, Service
from demo.traffic import bad_order, random_request

CONTRACT = {
    "http_requests": {"method", "route", "status_code"},
    "http_request_duration_ms": {"method", "route", "status_code"},
    "db_query_duration_ms": {"operation"},
    "cache_requests": {"result"},
    "user_registrations": set(),
    "orders_created": set(),
    "order_amount_usd": set(),
    "products_created": set(),
    "messages_sent": set(),
    "active_users": set(),
}
"""Requirements 1, social-selling; counters without their `_total`."""


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Shop:
    """A store that knows one product, and a database that can be away."""

    away: bool = False
    broken: bool = False
    metrics: Metrics = field(default_factory=Metrics)

    def ping(self) -> None:
        if self.away:
            raise UnavailableError("database: connection refused")

    def product(self, number: int) -> dict[str, object]:
        self.ping()
        if self.broken:
            raise RuntimeError("a secret detail")
        return {"id": number}


@dataclass(frozen=True)
class Running:
    client: httpx.Client
    shop: Shop
    faults: Faults
    lines: io.StringIO

    def logged(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines.getvalue().splitlines()]

    def families(self) -> dict[str, Any]:
        # Not above: `demo` has to be the first that imports this library.
        from prometheus_client.parser import text_string_to_metric_families

        text = self.client.get("/metrics").text
        return {family.name: family for family in text_string_to_metric_families(text)}


@pytest.fixture
def running() -> Iterator[Running]:
    lines = io.StringIO()
    handler = logging.StreamHandler(lines)
    handler.setFormatter(log.JsonFormatter())
    logger = logging.getLogger("http")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    shop, switches = Shop(), Faults()
    health = Health((Dependency(name="database", required=True, ping=shop.ping),))
    service = Service(store=cast("Any", shop), health=health, metrics=shop.metrics, faults=switches)
    server = Server(0, service)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    with httpx.Client(base_url=f"http://127.0.0.1:{server.server_port}", trust_env=False) as client:
        yield Running(client, shop, switches, lines)
    server.shutdown()
    server.server_close()
    logger.removeHandler(handler)


def test_it_exposes_the_contract_and_nothing_else(running: Running) -> None:
    with running.shop.metrics.query("get_product"):
        running.client.get("/api/products/7")
    found = running.families()
    assert found.keys() == CONTRACT.keys()
    for name, family in found.items():
        assert {label for sample in family.samples for label in sample.labels} - {"le"} == CONTRACT[name], name


def test_its_buckets_are_those_of_the_contract(running: Running) -> None:
    with running.shop.metrics.query("get_product"):
        running.client.get("/api/products/7")
    found = running.families()

    def buckets(name: str) -> list[float]:
        return [float(sample.labels["le"]) for sample in found[name].samples if "le" in sample.labels]

    rest = [25, 50, 100, 250, 500, 1000, 2500, 5000, 10000]
    assert buckets("http_request_duration_ms") == [10, *rest, 30000, float("inf")]
    assert buckets("db_query_duration_ms") == [5, 10, *rest, float("inf")]


def test_the_route_is_the_template_and_never_the_path(running: Running) -> None:
    for path in ("/api/products/7", "/api/products/8", "/api/nonsense/9", f"/api/products/{'9' * 40}"):
        running.client.get(path)
    routes = {sample.labels.get("route") for sample in running.families()["http_requests"].samples}
    assert routes == {"/api/products/{id}", api.UNMATCHED}


def test_a_method_nobody_knows_makes_no_series_of_its_own(running: Running) -> None:
    assert running.client.request("BREW", "/api/products/7").status_code == 501
    assert "BREW" not in running.client.get("/metrics").text


def test_health_and_metrics_are_not_counted_as_requests(running: Running) -> None:
    running.client.get("/health")
    assert not running.families()["http_requests"].samples


def test_a_correlation_id_is_taken_answered_and_logged(running: Running) -> None:
    answer = running.client.get("/api/products/7", headers={"X-Correlation-ID": "try-1"})
    assert answer.headers["X-Correlation-ID"] == "try-1"
    line = running.logged()[-1]
    assert line["correlation_id"] == "try-1"
    assert (line["route"], line["status_code"], line["level"], line["context"]) == (
        "/api/products/{id}",
        200,
        "info",
        "http",
    )


@pytest.mark.parametrize("given", [None, "with space", "x" * 129, 'quote"'])
def test_a_correlation_id_that_is_missing_or_unusable_is_made(running: Running, given: str | None) -> None:
    headers = {} if given is None else {"X-Correlation-ID": given}
    made = running.client.get("/api/products/7", headers=headers).headers["X-Correlation-ID"]
    assert len(made) == 32
    assert running.logged()[-1]["correlation_id"] == made


def test_the_trace_id_is_that_of_the_caller(running: Running) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    running.client.get("/api/products/7", headers={"traceparent": f"00-{trace}-b7ad6b7169203331-01"})
    assert running.logged()[-1]["trace_id"] == trace


def test_a_log_line_has_an_rfc_3339_time_in_utc(running: Running) -> None:
    running.client.get("/api/products/7")
    stamp = running.logged()[-1]["timestamp"]
    assert stamp.endswith("Z")
    assert datetime.fromisoformat(stamp).tzinfo is not None


def test_a_request_over_two_seconds_is_logged_as_slow(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("demo.server.SLOW_MS", -1.0)
    running.client.get("/api/products/7")
    assert (running.logged()[-1]["message"], running.logged()[-1]["level"]) == ("slow request", "warning")


def test_readiness_says_503_and_why_while_the_database_is_away_and_200_when_it_is_back(running: Running) -> None:
    running.shop.away = True
    answer = running.client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["dependencies"]["database"]["reason"] == "database: connection refused"
    assert running.client.get("/health/live").status_code == 200
    assert running.client.get("/api/products/7").status_code == 503
    running.shop.away = False
    assert running.client.get("/health/ready").status_code == 200
    assert '"status":"ok"' in running.client.get("/health").text


def test_a_failure_is_answered_with_500_and_logged_with_its_fingerprint_but_not_told(running: Running) -> None:
    running.shop.broken = True
    answers = [running.client.get("/api/products/7") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [500, 500]
    assert "secret detail" not in answers[0].text
    failures = [line for line in running.logged() if "fingerprint" in line]
    assert len({line["fingerprint"] for line in failures}) == 1
    assert "a secret detail" in failures[0]["stack"]


def test_the_fault_errors_fails_about_a_third(running: Running) -> None:
    running.faults.start("errors", 60)
    statuses = [running.client.get("/api/products/7").status_code for _ in range(150)]
    assert 20 < statuses.count(500) < 85
    running.faults.stop("errors")
    assert {running.client.get("/api/products/7").status_code for _ in range(20)} == {200}


def test_the_fault_latency_slows_every_request(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("demo.server.DELAY_SECONDS", (0.2, 0.3))
    running.faults.start("latency", 60)
    assert running.client.get("/api/products/7").elapsed.total_seconds() > 0.2


@pytest.mark.parametrize(
    "body", [b"[1]", b"{", b'{"user_id": 1, "product_id": 1, "quantity": 0}', b'{"user_id": true}']
)
def test_a_bad_body_is_refused_with_400(running: Running, body: bytes) -> None:
    assert running.client.post("/api/orders", content=body).status_code == 400


def test_the_traffic_asks_only_for_routes_that_exist_but_for_one_dead_link() -> None:
    unmatched = 0
    for _ in range(2000):
        method, path, body = random_request()
        found = api.find(method, path)
        unmatched += found is None
        assert (body is None) == (method == "GET")
    assert 0 < unmatched < 100
    assert api.find(*bad_order()[:2])


def test_a_fault_ends_by_itself() -> None:
    clock = Clock()
    switches = Faults(clock)
    switches.start("latency", 10)
    assert switches.active() == {"latency": 1010.0}
    clock.now = 1009.9
    assert switches.on("latency")
    clock.now = 1010
    assert not switches.on("latency")
    assert switches.active() == {}


@pytest.mark.parametrize(("text", "expected"), [("90s", 90), ("10m", 600), ("1h30m", 5400), ("500ms", 0.5)])
def test_durations_are_read(text: str, expected: float) -> None:
    assert faults.seconds(text) == expected


@pytest.mark.parametrize("text", ["", "10", "m", "-5m", "0s", "25h", "1m x"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration|between"):
        faults.seconds(text)


def test_faults_are_switched_and_listed_over_http() -> None:
    server = fault_server(0, Faults())
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    with httpx.Client(base_url=f"http://127.0.0.1:{server.server_port}", trust_env=False) as client:
        assert client.get("/faults").json()["faults"].keys() == FAULTS.keys()
        on = client.post("/faults/errors", params={"for": "1m"}).json()["faults"]
        assert on["errors"]["on"]
        assert on["errors"]["until"].endswith("Z")
        assert not client.delete("/faults/errors").json()["faults"]["errors"]["on"]
        unknown = client.post("/faults/nonsense")
        assert unknown.status_code == 404
        assert all(name in unknown.json()["error"] for name in FAULTS)
        assert client.post("/faults/errors?for=never").status_code == 400
    server.shutdown()
    server.server_close()


def test_the_breaker_lets_one_attempt_a_pause_through_while_something_is_away() -> None:
    clock = Clock()
    breaker = Breaker("database", (OSError,), pause=1.0, clock=clock)
    tries: list[int] = []

    def refuse() -> None:
        tries.append(1)
        raise OSError("refused")

    for _ in range(5):
        with pytest.raises(UnavailableError, match="database: refused"):
            breaker.attempt(refuse)
    assert len(tries) == 1
    clock.now += 1
    assert breaker.attempt(lambda: "back") == "back"
    assert breaker.attempt(lambda: "still") == "still"


def test_a_user_is_active_for_five_minutes() -> None:
    clock = Clock()
    metrics = Metrics(clock)
    metrics.saw_user(1)
    clock.now += 200
    metrics.saw_user(2)
    assert metrics.active_users() == 2
    clock.now += 101
    assert metrics.active_users() == 1
