"""The demo without its dependencies: faults, logs, the breaker, and the HTTP port with a store for tests."""

import io
import json
import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest

from demo import api, faults, log
from demo.breaker import Breaker
from demo.conditions import Conditions
from demo.errors import UnavailableError
from demo.fault_server import fault_server
from demo.faults import Faults
from demo.health import Dependency, Health
from demo.metrics import Metrics
from demo.server import Server, Service
from demo.systems import FAULTS, SHOP
from demo.systems.profile import UNMATCHED
from demo.traffic import bad_order, random_request
from observability.core import http
from observability.systems.exposition import read


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Shop:
    """A store that has one product, and a database that can be down."""

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
        # Not at the top: `demo` must be the first to import this library.
        from prometheus_client.parser import text_string_to_metric_families

        text = self.client.get("/metrics").text
        return {family.name: family for family in text_string_to_metric_families(text)}


@pytest.fixture
def running() -> Iterator[Running]:
    lines = io.StringIO()
    handler = logging.StreamHandler(lines)
    handler.setFormatter(log.JsonFormatter("social-selling"))
    logger = logging.getLogger("http")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    shop, switches = Shop(), Faults(FAULTS)
    health = Health((Dependency(name="database", required=True, ping=shop.ping),))
    service = Service(
        store=cast("Any", shop),
        health=health,
        metrics=shop.metrics,
        how=lambda: switches.conditions(SHOP.name, SHOP.ordinary),
        work=0,
    )
    server = Server(0, service)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    with http.client(base_url=f"http://127.0.0.1:{server.server_port}", trust_env=False) as client:
        yield Running(client, shop, switches, lines)
    server.shutdown()
    server.server_close()
    logger.removeHandler(handler)


def test_the_route_is_the_template_and_never_the_path(running: Running) -> None:
    for path in ("/api/products/7", "/api/products/8", "/api/nonsense/9", f"/api/products/{'9' * 40}"):
        running.client.get(path)
    routes = {sample.labels.get("route") for sample in running.families()["http_requests"].samples}
    assert routes == {route.template for route in SHOP.routes} | {UNMATCHED}


def test_an_unknown_method_gets_no_separate_series(running: Running) -> None:
    assert running.client.request("BREW", "/api/products/7").status_code == 501
    assert "BREW" not in running.client.get("/metrics").text


def test_health_and_metrics_are_not_counted_as_requests(running: Running) -> None:
    running.client.get("/health")
    assert not [sample for sample in running.families()["http_requests"].samples if sample.value]


def test_in_open_metrics_a_bucket_names_the_trace_of_its_request(running: Running) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    headers = {"traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    running.client.get("/api/products/7", headers=headers)
    answer = running.client.get("/metrics", headers={"Accept": "application/openmetrics-text;version=1.0.0"})
    page = read(answer.content, answer.headers["Content-Type"])
    assert "http_requests_total" in {sample.series[0] for sample in page.samples}
    (line,) = [line for line in answer.text.splitlines() if " # " in line]
    assert line.startswith("http_request_duration_ms_bucket{")
    assert f'# {{trace_id="{trace}"}} ' in line
    assert trace not in running.client.get("/metrics").text


def test_a_correlation_id_is_accepted_returned_and_logged(running: Running) -> None:
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
def test_a_missing_or_invalid_correlation_id_is_generated(running: Running, given: str | None) -> None:
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


def test_readiness_is_503_with_the_reason_until_the_database_is_back(running: Running) -> None:
    running.shop.away = True
    answer = running.client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["dependencies"]["database"]["reason"] == "database: connection refused"
    assert running.client.get("/health/live").status_code == 200
    assert running.client.get("/api/products/7").status_code == 503
    running.shop.away = False
    assert running.client.get("/health/ready").status_code == 200
    assert '"status":"ok"' in running.client.get("/health").text


def test_a_failure_returns_500_and_logs_its_fingerprint_without_details(running: Running) -> None:
    running.shop.broken = True
    answers = [running.client.get("/api/products/7") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [500, 500]
    assert "secret detail" not in answers[0].text
    failures = [line for line in running.logged() if "fingerprint" in line]
    assert len({line["fingerprint"] for line in failures}) == 1
    assert "a secret detail" in failures[0]["stack"]


@pytest.mark.parametrize(("fault", "failed"), [("high-error-rate", 3), ("critical-error-rate", 40)])
def test_an_error_fault_fails_its_share_of_requests_evenly(running: Running, fault: str, failed: int) -> None:
    running.faults.start(SHOP.name, fault, 60)
    statuses = [running.client.get("/api/products/7").status_code for _ in range(120)]
    assert statuses.count(500) == pytest.approx(failed, abs=1)
    running.faults.stop(SHOP.name, fault)
    assert {running.client.get("/api/products/7").status_code for _ in range(20)} == {200}


def test_a_latency_fault_slows_its_share_of_requests(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("demo.server.time", SimpleNamespace(monotonic=time.monotonic, sleep=slept.append))
    running.faults.start(SHOP.name, "high-response-time", 60)
    for _ in range(8):
        assert running.client.get("/api/products/7").status_code == 200
    assert [0.55 <= seconds <= 0.75 for seconds in slept].count(True) == 2


def test_the_route_of_a_new_release_fails_under_a_new_name(running: Running) -> None:
    assert running.client.get(api.PREVIEW).status_code == 404
    running.faults.start(SHOP.name, "new-error-type", 60)
    assert running.client.get(api.PREVIEW).status_code == 500
    assert running.client.get("/api/products/7").status_code == 200
    routes = {sample.labels.get("route") for sample in running.families()["http_requests"].samples}
    assert len([route for route in routes if route and route.startswith("/api/unseen-")]) == 1


def test_every_route_is_exposed_without_errors_from_the_start(running: Running) -> None:
    samples = running.families()["http_requests"].samples
    errors = {sample.labels["route"]: sample.value for sample in samples if sample.labels["status_code"] == "500"}
    assert errors == {route.template: 0 for route in SHOP.routes}


@pytest.mark.parametrize(
    "body", [b"[1]", b"{", b'{"user_id": 1, "product_id": 1, "quantity": 0}', b'{"user_id": true}']
)
def test_a_bad_body_is_refused_with_400(running: Running, body: bytes) -> None:
    assert running.client.post("/api/orders", content=body).status_code == 400


def sent(how: Conditions, count: int = 3000) -> list[str]:
    """Method and route of the customers' requests."""
    requests = [random_request(how) for _ in range(count)]
    assert all((body is None) == (method == "GET") for method, _, body in requests)
    found = [(method, api.find(method, path)) for method, path, _ in requests]
    return [f"{method} {route[0].template if route else UNMATCHED}" for method, route in found]


def test_traffic_requests_each_route_in_proportion_to_its_weight() -> None:
    routes = sent(SHOP.ordinary)
    total = sum(route.weight for route in SHOP.routes)
    for route in SHOP.routes:
        share = routes.count(f"{route.method} {route.template}") / len(routes)
        assert share == pytest.approx(route.weight / total, abs=0.04)
    assert api.find(*bad_order()[:2])


def test_a_crawler_only_reads() -> None:
    routes = sent(Conditions(crawler=5))
    assert len([route for route in routes if route.startswith("POST")]) / len(routes) < 0.06


def test_a_fault_can_reduce_the_orders_and_the_users_of_the_traffic() -> None:
    assert sent(Conditions(orders=0.1)).count("POST /api/orders") < 60
    users = {body["user_id"] for _, path, body in (random_request(Conditions(users=0.03)) for _ in range(500)) if body
             and path == "/api/orders"}  # fmt: skip
    assert 1 < len(users) <= 6


def test_a_fault_ends_automatically() -> None:
    clock = Clock()
    switches = Faults(FAULTS, clock)
    switches.start("erpgo", "high-error-rate", 10)
    assert switches.active("erpgo") == {"high-error-rate": 1010.0}
    assert switches.active("alawael") == {}
    clock.now = 1009.9
    assert switches.conditions("erpgo", Conditions()).errors == 0.08
    clock.now = 1010
    assert switches.active("erpgo") == {}
    assert switches.conditions("erpgo", Conditions()) == Conditions()


def test_of_two_faults_that_change_the_same_value_the_later_one_applies() -> None:
    clock = Clock()
    switches = Faults(FAULTS, clock)
    switches.start("erpgo", "high-error-rate", 60)
    clock.now += 1
    switches.start("erpgo", "critical-error-rate", 60)
    switches.start("erpgo", "high-goroutine-count", 60)
    how = switches.conditions("erpgo", Conditions())
    assert (how.errors, how.goroutines) == (0.25, 14_000)


def test_a_new_error_type_has_a_new_name_each_time_and_keeps_it_while_on() -> None:
    clock = Clock()
    switches = Faults(FAULTS, clock)
    names = []
    for _ in range(2):
        switches.start("erpgo", "new-error-type", 60)
        clock.now += 30
        switches.start("erpgo", "new-error-type", 60)
        names.append(switches.conditions("erpgo", Conditions()).unseen)
        switches.stop("erpgo", "new-error-type")
    assert names == ["unseen-0101T001640", "unseen-0101T001710"]


@pytest.mark.parametrize(("text", "expected"), [("90s", 90), ("10m", 600), ("1h30m", 5400), ("500ms", 0.5)])
def test_durations_are_parsed(text: str, expected: float) -> None:
    assert faults.seconds(text) == expected


@pytest.mark.parametrize("text", ["", "10", "m", "-5m", "0s", "25h", "1m x"])
def test_an_invalid_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration|between"):
        faults.seconds(text)


def test_faults_are_switched_and_listed_over_http() -> None:
    server = fault_server(0, Faults(FAULTS))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    with http.client(base_url=f"http://127.0.0.1:{server.server_port}", trust_env=False) as client:
        listed = client.get("/faults").json()["faults"]
        assert {system: set(found) for system, found in listed.items()} == {
            system: set(found) for system, found in FAULTS.items()
        }
        on = client.post("/faults/erpgo/high-error-rate", params={"for": "1m"}).json()["faults"]
        assert on["erpgo"]["high-error-rate"]["until"].endswith("Z")
        assert on["alawael"]["high-error-rate"]["until"] is None
        off = client.delete("/faults/erpgo/high-error-rate").json()["faults"]
        assert off["erpgo"]["high-error-rate"]["until"] is None
        unknown = client.post("/faults/erpgo/nonsense")
        assert unknown.status_code == 404
        assert all(name in unknown.json()["error"] for name in FAULTS["erpgo"])
        assert client.post("/faults/nowhere/high-error-rate").status_code == 404
        assert client.post("/faults/erpgo/high-error-rate?for=never").status_code == 400
    server.shutdown()
    server.server_close()


def test_the_open_breaker_allows_one_attempt_per_pause() -> None:
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
