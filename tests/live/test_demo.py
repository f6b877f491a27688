"""The demo next to a running stack: its requests, its faults, and what happens when its database stops."""

import re
import uuid
from typing import Any

import httpx
import pytest
from docker.models.containers import Container

from demo.tenant.containers import LABEL_PROJECT
from observability.core.naming import LABEL_SERVICE, LABEL_STACK
from tests.http import HTTP
from tests.live.conftest import DEMO, STACK, Project, until

pytestmark = pytest.mark.usefixtures("stack")

REQUESTS = 'sum(rate(http_requests_total{system="social-selling"}[10s]))'
FAILED = 'sum(rate(http_requests_total{system="social-selling",status_code=~"5.."}[10s])) or vector(0)'
REFUSED = 'sum(rate(http_requests_total{system="social-selling",status_code="400"}[10s])) or vector(0)'
MEAN_MS = (
    'sum(rate(http_request_duration_ms_sum{system="social-selling"}[10s]))'
    ' / sum(rate(http_request_duration_ms_count{system="social-selling"}[10s]))'
)
HITS = (
    'sum(rate(cache_requests_total{system="social-selling",result="hit"}[10s]))'
    ' / sum(rate(cache_requests_total{system="social-selling"}[10s]))'
)
SIGNS = {
    "critical-error-rate": f"({FAILED}) / ({REQUESTS}) > 0.1",
    "critical-response-time": f"{MEAN_MS} > 400",
    "database-gone": f"({FAILED}) / ({REQUESTS}) > 0.1",
    "low-cache-hit-rate": f"{HITS} < 0.75",
    "log-burst": f"({REFUSED}) > 5",
}
"""The query by which each fault is visible in Prometheus."""


@pytest.fixture(scope="module")
def shop() -> httpx.Client:
    """The demo's API, through its proxy."""
    client = httpx.Client(base_url=DEMO.shop_address, timeout=20, trust_env=False)
    until(lambda: client.get("/health/ready").status_code == 200)
    return client


def seen(stack: Project, query: str) -> bool:
    return bool(stack.prometheus("query", query=query)["result"])


def test_it_generates_traffic(stack: Project, shop: httpx.Client) -> None:
    assert shop.get("/health").json()["status"] == "ok"
    until(lambda: seen(stack, f"{REQUESTS} > 0.4"))


def test_a_request_is_found_in_the_log_by_its_correlation_id(stack: Project, shop: httpx.Client) -> None:
    mine = uuid.uuid4().hex
    assert shop.get("/api/products/1", headers={"X-Correlation-ID": mine}).headers["X-Correlation-ID"] == mine
    container = stack.client.containers.get(f"{DEMO.name}-app")
    until(lambda: mine.encode() in container.logs(tail=200))


@pytest.mark.parametrize("fault", SIGNS)
def test_a_fault_is_visible_in_prometheus_until_it_is_switched_off(stack: Project, fault: str) -> None:
    until(lambda: not seen(stack, SIGNS[fault]))
    done = stack.obs("fault", "social-selling", fault, "--for", "30m", STACK)
    assert done.returncode == 0, done.stderr
    assert re.search(rf"^{fault} +on until ", done.stdout)
    until(lambda: seen(stack, SIGNS[fault]))
    done = stack.obs("fault", "social-selling", fault, "--off", STACK)
    assert re.search(rf"^{fault} +off ", done.stdout)
    until(lambda: not seen(stack, SIGNS[fault]))


def test_without_its_database_it_is_not_ready_and_recovers_automatically(stack: Project, shop: httpx.Client) -> None:
    service = stack.client.containers.get(f"{DEMO.name}-app")
    started = service.attrs["State"]["StartedAt"]
    database = stack.client.containers.get(f"{DEMO.name}-postgres")
    database.stop(timeout=30)
    try:
        answer = shop.get("/health/ready")
        assert answer.status_code == 503
        assert answer.json()["dependencies"]["database"]["status"] == "down"
        assert shop.get("/api/orders/1").status_code == 503
        assert shop.get("/health/live").status_code == 200
        until(lambda: seen(stack, 'pg_up{system="social-selling"} == 0'))
    finally:
        database.start()
    until(lambda: shop.get("/health/ready").status_code == 200)
    assert shop.get("/api/products").status_code == 200
    service.reload()
    assert service.attrs["State"]["StartedAt"] == started


def test_without_its_cache_every_request_still_succeeds(stack: Project, shop: httpx.Client) -> None:
    cache = stack.client.containers.get(f"{DEMO.name}-redis")
    cache.stop(timeout=30)
    try:
        assert shop.get("/health").json()["status"] == "degraded"
        assert shop.get("/health/ready").status_code == 200
        assert [shop.get(f"/api/products/{number}").status_code for number in range(1, 6)] == [200] * 5
    finally:
        cache.start()
    until(lambda: shop.get("/health").json()["status"] == "ok")


def test_a_second_up_does_not_touch_the_demo(stack: Project) -> None:
    before = {one.name: one.id for one in tenants(stack)}
    assert len(before) == 6
    done = stack.obs("demo", "up", STACK)
    assert done.returncode == 0, done.stderr
    assert "demo: 0 changes, 6 containers healthy" in done.stderr
    assert {one.name: one.id for one in tenants(stack)} == before


def test_a_container_stopped_by_hand_is_started_again(stack: Project) -> None:
    stack.client.containers.get(f"{DEMO.name}-redis-alawael").stop(timeout=10)
    status = stack.obs("demo", "status", STACK)
    assert status.returncode == 1
    assert re.search(r"redis-alawael +\S+ +exited", status.stdout)
    assert stack.obs("demo", "up", STACK).returncode == 0
    assert stack.obs("demo", "status", STACK).returncode == 0


def test_the_demo_has_no_label_or_network_of_the_stack(stack: Project) -> None:
    for container in tenants(stack):
        assert not container.labels.keys() & {LABEL_STACK, LABEL_SERVICE}
        assert list(container.attrs["NetworkSettings"]["Networks"]) == [DEMO.name]


def test_the_heartbeat_of_the_stack_arrives_at_the_demo() -> None:
    def status() -> Any:  # noqa: ANN401 - JSON
        return HTTP.get(f"http://{DEMO.gateway}:8000/", timeout=5).json()

    until(lambda: status()["state"] == "up")


def tenants(stack: Project) -> list[Container]:
    """The demo's containers."""
    return stack.client.containers.list(
        all=True, filters={"label": f"{LABEL_PROJECT}={DEMO.name}"}, ignore_removed=True
    )
