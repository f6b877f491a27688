"""Of the alerts of one trouble, the real Alertmanager lets those through that say what it is."""

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.live.conftest import Project, until

pytestmark = pytest.mark.usefixtures("spine")

ALERTS = "http://127.0.0.1:19093/api/v2/alerts"

Labels = Mapping[str, str]

ERRORS = {"system": "erpgo", "component": "application", "condition": "error_rate"}
SLOW = {"system": "erpgo", "component": "application", "condition": "response_time"}
DISK = {"system": "erpgo", "component": "host", "condition": "disk_usage", "instance": "erp-1:9100"}
QUERIES = {"system": "erpgo", "component": "database", "condition": "db_query_time"}


def alert(name: str, severity: str, labels: Labels, **more: str) -> Labels:
    return {"alertname": name, "severity": severity, **labels, **more}


CRITICAL = alert("CriticalErrorRate", "critical", ERRORS)
HOST = alert("HostDown", "critical", {"component": "host", "condition": "down", "system": "erpgo"}, host="erp-1")
DATABASE = alert("DatabaseDown", "critical", {"component": "database", "system": "erpgo"}, instance="db-1:5432")
REDIS = alert("RedisDown", "critical", {"component": "cache", "system": "erpgo"}, instance="cache-1:6379")
COLLECTOR = alert("ServiceDown", "critical", {"component": "monitoring", "system": "platform"}, job="promtail")
SILENT = alert("LogsSilent", "warning", {"component": "logs", "condition": "logs_silent", "system": "erpgo"})

QUIET: list[tuple[str, Labels, Labels]] = [
    ("the warning of a critical", CRITICAL, alert("HighErrorRate", "warning", ERRORS)),
    ("a slow route's warning", alert("A", "critical", SLOW, route="/a"), alert("B", "warning", SLOW, route="/a")),
    ("what runs on a host that is down", HOST, alert("RedisDown", "critical", {"system": "erpgo"}, host="erp-1")),
    (
        "a target of a server that is down",
        REDIS,
        alert("ServiceDown", "critical", {"system": "erpgo"}, instance="cache-1:6379"),
    ),
    ("the queries of a database that is down", DATABASE, alert("SlowDatabaseQueries", "warning", QUERIES)),
    ("errors for want of a database", DATABASE, alert("HighErrorRate", "warning", ERRORS)),
    ("misses for want of a cache", REDIS, alert("A", "critical", {"system": "erpgo", "condition": "cache_hit_rate"})),
    ("silent logs for want of a collector", COLLECTOR, SILENT),
]
"""What it is, the alert that keeps quiet, and the one that is kept quiet."""

HEARD: list[tuple[str, Labels, Labels]] = [
    ("another system's warning", CRITICAL, alert("HighErrorRate", "warning", ERRORS | {"system": "syncup"})),
    ("another condition's warning", CRITICAL, alert("HighResponseTime", "warning", SLOW, route="/a")),
    ("another route's warning", alert("A", "critical", SLOW, route="/a"), alert("B", "warning", SLOW, route="/b")),
    ("another disk's warning", alert("A", "critical", DISK, device="sda"), alert("B", "warning", DISK, device="sdb")),
    ("what runs on another host", HOST, alert("RedisDown", "critical", {"system": "erpgo"}, host="erp-2")),
    ("what is on no host", HOST, CRITICAL),
    ("critical errors for want of a database", DATABASE, CRITICAL),
    ("silent logs for want of another service", {**COLLECTOR, "job": "loki"}, SILENT),
    ("the warning of a mere test", {**CRITICAL, "obs_test": "true"}, alert("HighErrorRate", "warning", ERRORS)),
    ("another system's queries", DATABASE, alert("SlowDatabaseQueries", "warning", QUERIES | {"system": "syncup"})),
]


@pytest.fixture
def run() -> Iterator[str]:
    """A mark for the alerts of one test, which are over when it ends."""
    mark = str(time.time_ns())
    yield mark
    for found in of_run(mark):
        post([found["labels"]], over=True)


def post(alerts: list[Labels], *, over: bool = False) -> None:
    now = datetime.now(UTC)
    ends = now if over else now + timedelta(minutes=30)
    times = {"startsAt": (now - timedelta(minutes=1)).isoformat(), "endsAt": ends.isoformat()}
    httpx.post(ALERTS, json=[{"labels": labels, **times} for labels in alerts], timeout=60).raise_for_status()


def of_run(run: str) -> list[dict[str, dict[str, str]]]:
    found: list[dict[str, dict[str, str]]] = httpx.get(ALERTS, params={"filter": f'run="{run}"'}, timeout=60).json()
    return found


def state(run: str, labels: Labels) -> str:
    """What Alertmanager makes of an alert: `active` is heard, `suppressed` is kept quiet."""

    def judged() -> str | None:
        found = [one for one in of_run(run) if labels.items() <= one["labels"].items()]
        return found[0]["status"]["state"] if found and found[0]["status"]["state"] != "unprocessed" else None

    return str(until(judged))


@pytest.mark.parametrize(("loud", "quiet"), [case[1:] for case in QUIET], ids=[case[0] for case in QUIET])
def test_it_is_kept_quiet(run: str, loud: Labels, quiet: Labels) -> None:
    post([{**loud, "run": run}])
    assert state(run, loud) == "active"
    post([{**quiet, "run": run}])
    assert state(run, quiet) == "suppressed"


@pytest.mark.parametrize(("loud", "other"), [case[1:] for case in HEARD], ids=[case[0] for case in HEARD])
def test_it_is_heard(run: str, loud: Labels, other: Labels) -> None:
    post([{**loud, "run": run}])
    assert state(run, loud) == "active"
    post([{**other, "run": run}])
    assert state(run, other) == "active"


def test_an_alert_says_on_which_host_its_instance_is(spine: Project) -> None:
    config = spine.prometheus("status/config")["yaml"]
    assert "alert_relabel_configs" in config
    assert "target_label: host" in config
