"""What `obs why` reads from the running servers, and what it reports where one does not respond."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from observability.alerting.causes import Active, Lines, Server, Started
from observability.operations.evidence import Observer, depends
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


def answers(monkeypatch: pytest.MonkeyPatch, found: Mapping[str, Any]) -> list[dict[str, str]]:
    """Servers that respond to an instant query by its beginning, or to a path, with a value; the parameters sent."""
    asked: list[dict[str, str]] = []

    def get(url: str, *, params: dict[str, str], **_: object) -> httpx.Response:
        asked.append(params)
        path = httpx.URL(url).path
        result = next((value for key, value in found.items() if key in (params.get("query", ""), path)), None)
        result = result or next((v for key, v in found.items() if params.get("query", "").startswith(key)), [])
        if isinstance(result, Exception):
            raise result
        data: dict[str, Any] = {"alerts": result} if path.endswith("/alerts") else {"result": result}
        return httpx.Response(200, json={"data": data}, request=httpx.Request("GET", url))

    monkeypatch.setattr(httpx, "get", get)
    return asked


def sample(value: float, **labels: str) -> dict[str, Any]:
    return {"metric": labels, "value": [0, str(value)]}


def alert(system: str = SYSTEM) -> Active:
    return Active(labels={"alertname": "CriticalErrorRate", "system": system}, since=AT)


def test_alerts_are_those_of_prometheus_without_the_watchdog(
    monkeypatch: pytest.MonkeyPatch, config: StackConfig
) -> None:
    one = {
        "labels": {"alertname": "CriticalErrorRate", "system": SYSTEM},
        "annotations": {"summary": "many fail"},
        "state": "pending",
        "activeAt": "2026-01-05T03:00:00Z",
    }
    answers(monkeypatch, {"/api/v1/alerts": [one, {**one, "labels": {"alertname": "Watchdog"}}]})
    assert Observer(config=config, missing=[]).alerts() == [
        Active(labels=one["labels"], since=AT, firing=False, summary="many fail")  # type: ignore[arg-type]
    ]


def test_each_data_store_of_the_system_is_up_down_or_unknown(
    monkeypatch: pytest.MonkeyPatch, config: StackConfig
) -> None:
    answers(
        monkeypatch,
        {
            "min by (instance) (pg_up": [sample(0, instance="db.example.com:5432")],
            "min by (instance) (redis_up": [sample(1, instance="cache.example.com:6379")],
        },
    )
    found = Observer(config=config, missing=[]).observed(alert(), []).servers
    assert {(one.kind, one.instance, one.up) for one in found} == {
        ("postgres", "db.example.com:5432", False),
        ("postgres", "old.example.com:5432", None),
        ("redis", "cache.example.com:6379", True),
    }
    assert {one.system for one in found} == {SYSTEM}
    assert all(isinstance(one, Server) for one in found)


def test_what_was_started_in_the_hour_before_is_named_with_the_image_before(
    monkeypatch: pytest.MonkeyPatch, config: StackConfig
) -> None:
    start = (AT - timedelta(minutes=9)).timestamp()
    of = f"max by (system, name, image) (container_start_time_seconds{{system=~\"{SYSTEM}\",name!=''}}"
    answers(
        monkeypatch,
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
    found = Observer(config=config, missing=[]).observed(alert(), []).started
    at = AT - timedelta(minutes=9)
    assert list(found) == [
        Started(what="container web", at=at, image="web:2", before="web:1"),
        Started(what="container same", at=at, image="same:1"),
        Started(what="container new", at=at, image="new:1"),
        Started(what="backend erp:8080", at=at),
    ]


def test_error_lines_are_read_from_five_minutes_before_the_alert_on(
    monkeypatch: pytest.MonkeyPatch, config: StackConfig
) -> None:
    stream = {"stream": {"service": "web"}, "values": [["2", "order 2 failed"], ["3", "order 3 failed"]]}
    other = {"stream": {"service": "api"}, "values": [["1", json.dumps({"msg": "timeout"})]]}
    asked = answers(monkeypatch, {"/loki/api/v1/query_range": [stream, other]})
    assert Observer(config=config, missing=[]).lines((SYSTEM,), AT) == [
        Lines(service="web", count=2, text="order 3 failed"),
        Lines(service="api", count=1, text="timeout"),
    ]
    assert asked[-1]["query"] == f'{{system=~"{SYSTEM}",level=~"error|critical"}}'
    assert float(asked[-1]["start"]) == (AT - timedelta(minutes=5)).timestamp()


def test_a_server_that_does_not_respond_is_named_once_and_the_rest_is_shown(
    monkeypatch: pytest.MonkeyPatch, config: StackConfig
) -> None:
    answers(
        monkeypatch,
        {
            "/loki/api/v1/query_range": httpx.ConnectError("connection refused"),
            "min by (instance) (pg_up": [sample(0, instance="db.example.com:5432")],
        },
    )
    missing: list[str] = []
    observer = Observer(config=config, missing=missing)
    assert observer.observed(alert(), []).lines == ()
    assert any(one.up is False for one in observer.observed(alert(), []).servers)
    assert missing == ["loki does not answer: connection refused"]


def test_direct_and_indirect_dependencies_of_a_system_are_found_once(config: StackConfig) -> None:
    first, second, third, *_ = config.systems
    edges = {first: (second,), second: (third, first), third: ()}
    systems = {
        name: system.model_copy(update={"depends_on": edges.get(name, ())}) for name, system in config.systems.items()
    }
    linked = replace(config, systems=systems)
    assert depends(linked, first) == (second, third)
    assert depends(linked, third) == ()
