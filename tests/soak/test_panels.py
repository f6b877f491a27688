"""Alerts are marked in the graphs of every dashboard, once each kind of fault is present.

The faults of all systems at once, some servers stopped, and lines that Loki refuses. About 25 minutes.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Final

from dashboards.queries import Query, queries
from observability.core import http
from tests.live import past
from tests.live.conftest import DEMO, STACK, Project
from tests.soak.panels import answered, live_config, switch

FAULTS: Final[Mapping[str, Sequence[str]]] = {
    "alawael": ("critical-error-rate", "slow-database-queries", "transactions-stalled"),
    "erpgo": ("critical-error-rate", "slow-database-queries", "suspicious-activity", "low-inventory"),
    "neuroerp": ("high-failure-rate", "slow-database-queries", "transactions-stalled"),
    "social-selling": ("critical-error-rate", "slow-database-queries"),
    "syncup": ("critical-error-rate", "slow-database-queries", "external-api-errors", "meetings-failing"),
}

MEMORY: Final = ("erpgo", "critical-memory-usage")
"""The alerts that a dashboard about capacity marks."""

SILENT: Final = (
    *(f"{DEMO.name}-redis", f"{DEMO.name}-redis-alawael"),
    *(f"obs-{STACK}-node-exporter", f"obs-{STACK}-alertmanager"),
)
LAST_SILENT: Final = f"{DEMO.name}-app"
"""Without it every address is down, and no other fault is visible: so it is stopped after all others are marked."""

UNMARKED: Final[Mapping[str, str]] = {
    "social-selling-business": "its alerts compare an hour with the one a week ago, which takes most of one",
}
"""Dashboards on which no alert is marked in that time, and why."""

FIRES_SECONDS: Final = 22 * 60
DOWN_SECONDS: Final = 3 * 60


def refused_line() -> None:
    """Send Loki a line that is older than it accepts."""
    old = f"{time.time_ns() - 200 * 3600 * 10**9}"
    body = {"streams": [{"stream": {"service": "soak", "system": "platform"}, "values": [[old, "too old"]]}]}
    assert http.post("http://127.0.0.1:13100/loki/api/v1/push", json=body, timeout=10).status_code == 400


def test_alerts_are_marked_on_every_dashboard(stack: Project) -> None:
    past.give(stack)
    left = {query for query in queries(live_config(stack)) if query.owner == "annotation All Alerts"}
    wanted = {query for query in left if query.dashboard not in UNMARKED}
    order = [*((system, name) for system, names in FAULTS.items() for name in names), MEMORY]
    containers = {part: stack.client.containers.get(part) for part in (*SILENT, LAST_SILENT)}
    for system, name in order:
        switch(system, name, on=True)
    try:
        for part in SILENT:
            containers[part].pause()
        left = _until_marked(stack, left, wanted - _of_addresses(wanted), FIRES_SECONDS)
        containers[LAST_SILENT].pause()
        left = _until_marked(stack, left, wanted, DOWN_SECONDS)
    finally:
        for container in containers.values():
            container.reload()
            if container.status == "paused":
                container.unpause()
        for system, name in order:
            switch(system, name, on=False)
    assert {query.dashboard for query in left} == set(UNMARKED)


def _of_addresses(wanted: set[Query]) -> set[Query]:
    return {query for query in wanted if query.dashboard == "obs-endpoints"}


def _until_marked(stack: Project, left: set[Query], wanted: set[Query], seconds: float) -> set[Query]:
    """What is still not marked when all required alerts are marked, or the time is over."""
    deadline = time.monotonic() + seconds
    while left & wanted and time.monotonic() < deadline:
        refused_line()
        time.sleep(10)
        left = left - answered(stack, left)
    return left
