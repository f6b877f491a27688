"""The panels that the owners of the systems asked for, and what the first screen of a dashboard shows."""

import pytest

from dashboards.layout import FOLD
from tests.unit.test_dashboards import DEV, documents, titles

SEEDS: dict[str, tuple[str, ...]] = {
    # According to the titles of its document.
    "print-shop-system": ("CPU Usage", "Memory Usage", "Disk Usage", "Network Traffic"),
    "print-shop-application": (
        "Request Rate",
        "Response Time (p95)",
        "Error Rate",
        "Active Database Connections",
        "Cache Hit Rate",
        "Database Query Duration (p95)",
    ),
    "print-shop-business": (
        "Active Users (Last 24h)",
        "New User Registrations",
        "Orders Created",
        "Revenue (Last 24h)",
        "Products Listed",
        "Messages Sent",
    ),
    "print-shop-database": (
        "Transactions Per Second",
        "Cache Hit Ratio",
        "Table Size",
        "Slow Queries",
        "Connection Pool",
        "Deadlocks",
    ),
    # According to the lists of the other documents.
    "hospital-application": (
        "Response Time (p95)",
        "Database Query Duration (p95)",
        "Failures",
        "Memory of the Process",
        "Uptime",
    ),
    "hospital-modules": ("Request Rate by Domain", "Response Time by Domain (p95)", "Transactions by Domain"),
    "depot-application": (
        "Request Rate",
        "Response Time (p95)",
        "Memory of the Process",
        "Goroutines",
        "Database Pool Usage",
        "Error Rate",
        "Cache Hit Rate",
    ),
    "depot-database": (
        "Database Pool Usage",
        "Query Time Percentiles",
        "Database Query Duration (p95)",
        "Failed Queries",
        "Query Timeouts",
        "Memory of the Process Against Its Limit",
    ),
    "depot-business": ("Orders Created", "Revenue", "Active Users", "Product Views", "Order Value"),
    "depot-security": (
        "Failed Sign-ins",
        "Rejected Requests",
        "Suspicious Events",
        "Tokens Issued",
        "Tokens Revoked",
        "Security Events",
    ),
    "academy-application": (
        "Request Rate",
        "Error Rate",
        "Response Time (p95)",
        "Response Time Percentiles",
        "Database Query Duration (p95)",
        "Cache Hit Rate",
    ),
    "academy-business": ("Transactions Processed", "Users Online", "Revenue (Last Hour)", "API Calls Made"),
    "academy-system": ("Memory Usage", "CPU Usage", "Disk I/O", "Network Traffic"),
    "obs-containers": ("Containers", "Container Restarts", "Disk Use by Container"),
    "studio-overview": (
        "Alerts Firing",
        "Error Rate",
        "Response Time (p50 and p99)",
        "Active Users",
        "Top Errors",
    ),
    "studio-database": ("Query Time Percentiles", "Database Pool Usage"),
    "studio-business": (
        "Meetings Processed (Last 24h)",
        "Chat Questions by Model",
        "Slack Events by Type",
        "Active Users",
    ),
    "studio-system": ("CPU Usage", "Memory Usage", "Disk Usage", "Network Traffic"),
    "studio-external-apis": ("External API Call Time (p95)", "External API Failures", "Integration Failures"),
}


@pytest.mark.parametrize("uid", SEEDS)
def test_the_panels_that_the_systems_owners_requested_exist(uid: str) -> None:
    assert set(SEEDS[uid]) - set(titles(documents()[uid])) == set()


FIRST_SCREEN: dict[str, set[str]] = {
    # Is it broken, since when, who is affected.
    "obs-overview": {"Critical Alerts", "Alerts Firing", "Firing Since", "Firing Alerts", "Alert History", "Systems"},
    **{
        f"{name}-overview": {"Alerts Firing", "Firing Since", "Firing Alerts", "Alert History", "Error Rate"}
        for name in DEV.systems
    },
}


@pytest.mark.parametrize("uid", FIRST_SCREEN)
def test_the_first_screen_shows_whether_since_when_and_for_whom_it_is_broken(uid: str) -> None:
    shown = [one for one in documents()[uid]["panels"] if one["type"] != "row"]
    first = {one["title"] for one in shown if one["gridPos"]["y"] + one["gridPos"]["h"] <= FOLD // 2}
    assert FIRST_SCREEN[uid] - first == set()
