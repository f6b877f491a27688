"""What `obs why` reads from the running servers, and what it reports where one does not respond."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from observability.alerting.calls import Call
from observability.alerting.causes import Active, Lines, Server, Started
from observability.core import http
from observability.notifier.evidence import NoAnswerError, Observer
from observability.notifier.facts import depends, facts
from observability.operations.evidence import observer as of_a_running_stack
from observability.settings.load import StackConfig
from tests.unit.conftest import stack_config

AT = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)

SYSTEM = next(iter(stack_config("dev").systems))

STORES: dict[str, Any] = {
    "systems": {
        SYSTEM: {
            "postgres": [{"address": "db.example.com:5432"}, {"name": "archive", "address": "old.example.com:5432"}],
            "redis": [{"address": "cache.example.com:6379"}],
        }
    }
}


@pytest.fixture
def config() -> StackConfig:
    return stack_config("dev", STORES)


class Servers:
    """Servers that respond to an instant query by its beginning, or to a path, with a value; the parameters sent."""

    def __init__(self, found: Mapping[str, Any]) -> None:
        self.found = found
        self.asked: list[Mapping[str, str]] = []

    def __call__(self, _: str, path: str, params: Mapping[str, str]) -> Any:  # noqa: ANN401 - any JSON
        self.asked.append(params)
        query = params.get("query", "")
        result = next((value for key, value in self.found.items() if key in (query, path)), None)
        result = result or next((value for key, value in self.found.items() if query.startswith(key)), [])
        if isinstance(result, Exception):
            raise result
        return {"data": {"alerts": result} if path.endswith("/alerts") else {"result": result}}


def observer(config: StackConfig, servers: Servers) -> Observer:
    return Observer(facts=facts(config), ask=servers, missing=[])


def sample(value: float, **labels: str) -> dict[str, Any]:
    return {"metric": labels, "value": [0, str(value)]}


def alert(system: str = SYSTEM) -> Active:
    return Active(labels={"alertname": "CriticalErrorRate", "system": system}, since=AT)


def test_alerts_are_those_of_prometheus_without_the_watchdog(config: StackConfig) -> None:
    one = {
        "labels": {"alertname": "CriticalErrorRate", "system": SYSTEM},
        "annotations": {"summary": "many fail"},
        "state": "pending",
        "activeAt": "2026-01-05T03:00:00Z",
    }
    servers = Servers({"/api/v1/alerts": [one, {**one, "labels": {"alertname": "Watchdog"}}]})
    assert observer(config, servers).alerts() == [
        Active(labels=one["labels"], since=AT, firing=False, summary="many fail")  # type: ignore[arg-type]
    ]


def test_each_data_store_of_the_system_is_up_down_or_unknown(config: StackConfig) -> None:
    servers = Servers(
        {
            "min by (instance) (pg_up": [sample(0, instance="db.example.com:5432")],
            "min by (instance) (redis_up": [sample(1, instance="cache.example.com:6379")],
        },
    )
    found = observer(config, servers).observed(alert(), []).servers
    assert {(one.kind, one.instance, one.up) for one in found} == {
        ("postgres", "db.example.com:5432", False),
        ("postgres", "old.example.com:5432", None),
        ("redis", "cache.example.com:6379", True),
    }
    assert {one.system for one in found} == {SYSTEM}
    assert all(isinstance(one, Server) for one in found)


def test_what_was_started_in_the_hour_before_is_named_with_the_image_before(config: StackConfig) -> None:
    start = (AT - timedelta(minutes=9)).timestamp()
    of = f"max by (system, name, image) (container_start_time_seconds{{system=~\"{SYSTEM}\",name!=''}}"
    servers = Servers(
        {
            f"{of} offset 3600s)": [
                sample(1, name="web", image="web:1"),
                sample(1, name="same", image="same:1"),
            ],
            f"{of}) >": [
                sample(start, name="web", image="web:2"),
                sample(start, name="same", image="same:1"),
                sample(start, name="new", image="new:1"),
            ],
            "max by (system, job, instance)": [sample(start, job="backend", instance="erp:8080")],
        },
    )
    found = observer(config, servers).observed(alert(), []).started
    at = AT - timedelta(minutes=9)
    assert list(found) == [
        Started(what="container web", at=at, image="web:2", before="web:1"),
        Started(what="container same", at=at, image="same:1"),
        Started(what="container new", at=at, image="new:1"),
        Started(what="backend erp:8080", at=at),
    ]


def test_error_lines_are_read_from_five_minutes_before_the_alert_on(config: StackConfig) -> None:
    stream = {"stream": {"service": "web"}, "values": [["2", "order 2 failed"], ["3", "order 3 failed"]]}
    other = {"stream": {"service": "api"}, "values": [["1", json.dumps({"msg": "timeout"})]]}
    servers = Servers({"/loki/api/v1/query_range": [stream, other]})
    assert observer(config, servers).lines((SYSTEM,), AT) == [
        Lines(service="web", count=2, text="order 3 failed"),
        Lines(service="api", count=1, text="timeout"),
    ]
    assert servers.asked[-1]["query"] == f'{{system=~"{SYSTEM}",level=~"error|critical"}}'
    assert float(servers.asked[-1]["start"]) == (AT - timedelta(minutes=5)).timestamp()


def test_a_server_that_does_not_respond_is_named_once_and_the_rest_is_shown(config: StackConfig) -> None:
    servers = Servers(
        {
            "/loki/api/v1/query_range": NoAnswerError("connection refused"),
            "min by (instance) (pg_up": [sample(0, instance="db.example.com:5432")],
        },
    )
    found = observer(config, servers)
    assert found.observed(alert(), []).lines == ()
    assert any(one.up is False for one in found.observed(alert(), []).servers)
    assert found.missing == ["loki does not answer: connection refused"]


def test_calls_are_read_from_spans_where_there_are_any(config: StackConfig) -> None:
    edge = {"system": SYSTEM, "client": "orders", "server": "stock", "server_system": "other", "kind": "service"}
    start = "max by (system, client, server, server_system, kind) ("
    quantile = 'app:service_graph_latency_seconds:quantile5m{quantile="0.95"}'
    servers = Servers(
        {
            f"{start}max_over_time(app:service_graph_requests": [sample(4, **edge)],
            f"{start}max_over_time(app:service_graph_errors": [sample(0.5, **edge)],
            f"{start}max_over_time({quantile}": [sample(2, **edge)],
            f"{start}{quantile} offset 1h": [sample(0.2, **edge)],
        }
    )
    assert observer(config, servers).observed(alert(), []).calls == ()
    traced = stack_config("dev", {**STORES, "traces": {}})
    found = observer(traced, servers).observed(alert(), [])
    assert found.calls == (Call(**edge, rate=4, failed=0.5, slowest=2, before=0.2),)
    lines = next(one["query"] for one in reversed(servers.asked) if "level" in one.get("query", ""))
    assert lines.startswith(f'{{system=~"{SYSTEM}|other"')


def test_direct_and_indirect_dependencies_of_a_system_are_found_once(config: StackConfig) -> None:
    first, second, third, *_ = config.systems
    edges = {first: (second,), second: (third, first), third: ()}
    systems = {
        name: system.model_copy(update={"depends_on": edges.get(name, ())}) for name, system in config.systems.items()
    }
    linked = replace(config, systems=systems)
    assert depends(linked, first) == (second, third)
    assert depends(linked, third) == ()


def test_a_running_stack_is_asked_at_its_published_addresses(
    monkeypatch: pytest.MonkeyPatch, config: StackConfig
) -> None:
    def get(url: str, **_: object) -> httpx.Response:
        assert url == "http://127.0.0.1:9090/api/v1/alerts"
        return httpx.Response(503, text="no", request=httpx.Request("GET", url))

    monkeypatch.setattr(http, "get", get)
    with pytest.raises(NoAnswerError, match="503"):
        of_a_running_stack(config).alerts()
