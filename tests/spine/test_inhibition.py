"""The real Alertmanager mutes the effects of an outage and sends its cause."""

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

import pytest

from observability.core import http
from tests.spine.conftest import ALERTMANAGER, Project, until

pytestmark = pytest.mark.usefixtures("spine")

ALERTS = f"{ALERTMANAGER}/api/v2/alerts"
SILENCES = f"{ALERTMANAGER}/api/v2/silences"

Labels = Mapping[str, str]

ERRORS = {"system": "depot", "component": "application", "condition": "error_rate"}
SLOW = {"system": "depot", "component": "application", "condition": "response_time"}
GOROUTINES = {"system": "depot", "component": "application", "condition": "goroutines"}
DISK = {"system": "depot", "component": "host", "condition": "disk_usage", "instance": "depot-1:9100"}
QUERIES = {"system": "depot", "component": "database", "condition": "db_query_time"}


def alert(name: str, severity: str, labels: Labels, **more: str) -> Labels:
    return {"alertname": name, "severity": severity, **labels, **more}


CRITICAL = alert("CriticalErrorRate", "critical", ERRORS)
HOST = alert("HostDown", "critical", {"component": "host", "condition": "down", "system": "depot"}, host="depot-1")
DATABASE = alert("DatabaseDown", "critical", {"component": "database", "system": "depot"}, instance="db-1:5432")
REDIS = alert("RedisDown", "critical", {"component": "cache", "system": "depot"}, instance="cache-1:6379")
COLLECTOR = alert(
    "ServiceDown", "critical", {"component": "monitoring", "system": "platform", "cluster": "spine"}, job="collector"
)
SILENT = alert(
    "LogsSilent", "warning", {"component": "logs", "condition": "logs_silent", "system": "depot", "cluster": "spine"}
)

ENDPOINT = alert("EndpointDown", "critical", {"component": "endpoint", "condition": "down", "system": "depot"})
BUDGET = {"system": "depot", "component": "application", "condition": "error_budget"}

ON_HOST = alert("RedisDown", "critical", {"system": "depot"}, host="depot-1")

MUTED: list[tuple[str, Labels, Labels]] = [
    ("the warning of a critical", CRITICAL, alert("HighErrorRate", "warning", ERRORS)),
    ("a slow route's warning", alert("A", "critical", SLOW, route="/a"), alert("B", "warning", SLOW, route="/a")),
    ("what runs on a host that is down", HOST, ON_HOST),
    (
        "a target of a server that is down",
        REDIS,
        alert("ServiceDown", "critical", {"system": "depot"}, instance="cache-1:6379"),
    ),
    ("the queries of a database that is down", DATABASE, alert("SlowDatabaseQueries", "warning", QUERIES)),
    ("errors for want of a database", DATABASE, alert("HighErrorRate", "warning", ERRORS)),
    ("critical errors for want of a database", DATABASE, CRITICAL),
    ("an endpoint of a system that fails", CRITICAL, ENDPOINT),
    ("the error budget of a system that fails", CRITICAL, alert("A", "critical", BUDGET, slo="availability")),
    ("misses for want of a cache", REDIS, alert("A", "critical", {"system": "depot", "condition": "cache_hit_rate"})),
    ("silent logs for want of a collector", COLLECTOR, SILENT),
]
"""The case, the alert that mutes, and the muted alert."""

SENT: list[tuple[str, Labels, Labels]] = [
    ("another system's warning", CRITICAL, alert("HighErrorRate", "warning", ERRORS | {"system": "studio"})),
    ("another condition's warning", CRITICAL, alert("HighGoroutineCount", "warning", GOROUTINES)),
    ("another route's warning", alert("A", "critical", SLOW, route="/a"), alert("B", "warning", SLOW, route="/b")),
    ("another disk's warning", alert("A", "critical", DISK, device="sda"), alert("B", "warning", DISK, device="sdb")),
    ("what runs on another host", HOST, alert("RedisDown", "critical", {"system": "depot"}, host="depot-2")),
    ("what is on no host", HOST, CRITICAL),
    ("an endpoint on a host that is down", HOST, {**ENDPOINT, "host": "depot-1"}),
    ("critical errors for want of a cache", REDIS, CRITICAL),
    ("a certificate of a system that fails", CRITICAL, {**ENDPOINT, "condition": "certificate"}),
    ("what lacks the label that is compared", {"alertname": "HostDown", "severity": "critical"}, {"alertname": "A"}),
    ("silent logs for want of another service", {**COLLECTOR, "job": "loki"}, SILENT),
    ("the warning of a mere test", {**CRITICAL, "obs_test": "true"}, alert("HighErrorRate", "warning", ERRORS)),
    ("another system's queries", DATABASE, alert("SlowDatabaseQueries", "warning", QUERIES | {"system": "studio"})),
]


@pytest.fixture
def run() -> Iterator[str]:
    """A label for the alerts of one test, which are resolved when it ends."""
    mark = str(time.time_ns())
    yield mark
    for found in of_run(mark):
        post([found["labels"]], over=True)


def of(run: str, labels: Labels) -> Labels:
    """The alert in one test, with systems of its own: Alertmanager may mute by an alert just after its end."""
    systems = {"system": f"{labels['system']}-{run}"} if labels.get("system") in ("depot", "studio") else {}
    return {**labels, **systems, "run": run}


def post(alerts: list[Labels], *, over: bool = False) -> None:
    now = datetime.now(UTC)
    ends = now if over else now + timedelta(minutes=30)
    times = {"startsAt": (now - timedelta(minutes=1)).isoformat(), "endsAt": ends.isoformat()}
    http.post(ALERTS, json=[{"labels": labels, **times} for labels in alerts], timeout=60).raise_for_status()


def of_run(run: str) -> list[dict[str, dict[str, str]]]:
    found: list[dict[str, dict[str, str]]] = http.get(ALERTS, params={"filter": f'run="{run}"'}, timeout=60).json()
    return found


def state(run: str, labels: Labels) -> str:
    """The state of an alert in Alertmanager: `active` is sent, `suppressed` is muted."""

    def judged() -> str | None:
        found = [one for one in of_run(run) if labels.items() <= one["labels"].items()]
        return found[0]["status"]["state"] if found and found[0]["status"]["state"] != "unprocessed" else None

    return str(until(judged))


@pytest.mark.parametrize(("source", "target"), [case[1:] for case in MUTED], ids=[case[0] for case in MUTED])
def test_it_is_muted(run: str, source: Labels, target: Labels) -> None:
    source, target = of(run, source), of(run, target)
    post([source])
    assert state(run, source) == "active"
    post([target])
    assert state(run, target) == "suppressed"


@pytest.mark.parametrize(("source", "other"), [case[1:] for case in SENT], ids=[case[0] for case in SENT])
def test_it_is_sent(run: str, source: Labels, other: Labels) -> None:
    source, other = of(run, source), of(run, other)
    post([source])
    assert state(run, source) == "active"
    post([other])
    assert state(run, other) == "active"


def test_an_alert_has_the_host_of_its_instance(spine: Project) -> None:
    config = spine.prometheus("status/config")["yaml"]
    assert "alert_relabel_configs" in config
    assert "target_label: host" in config


def test_a_silenced_alert_no_longer_mutes_others(run: str) -> None:
    redis, host = of(run, ON_HOST), of(run, HOST)
    post([host])
    assert state(run, host) == "active"
    post([redis])
    assert state(run, redis) == "suppressed"
    ends = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
    matchers = [
        {"name": name, "value": value, "isRegex": False, "isEqual": True}
        for name, value in (("alertname", "HostDown"), ("run", run))
    ]
    silence = {"matchers": matchers, "startsAt": datetime.now(UTC).isoformat(), "endsAt": ends}
    made = http.post(SILENCES, json={**silence, "createdBy": "test", "comment": "test"}, timeout=5)
    made.raise_for_status()
    try:
        marked = {**redis, "cause_silenced": "HostDown"}
        until(lambda: [one for one in of_run(run) if marked.items() <= one["labels"].items()])
        assert state(run, marked) == "active"
    finally:
        http.delete(f"{SILENCES.removesuffix('s')}/{made.json()['silenceID']}", timeout=5).raise_for_status()
    # Once the silence has expired, it is resolved: the cause is sent, and mutes again.
    until(lambda: not [one for one in of_run(run) if marked.items() <= one["labels"].items()])
