"""Thresholds: what may be demanded of a system, in which unit, and what holds where its file says nothing.

Each becomes one series for each severity, `app:threshold:<name>{system, team, severity}`, with `quantile` besides
where it is about a percentile; the alerts compare with it.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from observability.systems.infrastructure import INFRASTRUCTURE
from observability.systems.threshold_spec import SEVERITIES as SEVERITIES
from observability.systems.threshold_spec import Severity as Severity
from observability.systems.threshold_spec import ThresholdSpec as ThresholdSpec
from observability.systems.threshold_spec import Unit as Unit
from observability.systems.threshold_spec import spec as _spec

THRESHOLDS: Final[Mapping[str, ThresholdSpec]] = MappingProxyType(
    {
        # Applications
        "error_ratio": _spec("Share of requests answered 5xx.", "ratio", "warning", "critical", signal="httpRequests"),
        "failure_rate": _spec("Failures a second.", "per_second", "critical", signal="failures"),
        "response_time": _spec(
            "Time to answer, by route.", "seconds", "warning", "critical", signal="httpLatency", percentile=True
        ),
        "db_query_time": _spec(
            "Time of a query, by operation.", "seconds", "warning", signal="dbLatency", percentile=True
        ),
        "db_pool_ratio": _spec("Share of the pool in use.", "ratio", "warning", "critical", signal="dbPool"),
        "db_failure_ratio": _spec("Share of queries that failed.", "ratio", "warning", signal="dbQueries"),
        "db_timeouts": _spec("Queries out of time in 5 minutes.", "count", "warning", signal="dbTimeouts"),
        "cache_hit_ratio": _spec(
            "Share of look-ups found.", "ratio", "warning", "critical", signal="cache", breached="below"
        ),
        "process_memory_ratio": _spec(
            "Share of its limit a process uses.", "ratio", "warning", "critical", signal="processMemory.limit"
        ),
        "goroutines": _spec("Goroutines of a process.", "count", "warning", signal="goroutines"),
        "external_api_time": _spec(
            "Time of a call of another's API.", "seconds", "warning", signal="externalApis.latency", percentile=True
        ),
        "external_api_failure_ratio": _spec("Share of failed calls.", "ratio", "warning", signal="externalApis"),
        "integration_failure_ratio": _spec("Share of failed events.", "ratio", "info", signal="integrations"),
        "traffic_deviations": _spec(
            "How far traffic may be from the usual.", "deviations", "info", signal="httpRequests", info=3
        ),
        "latency_growth": _spec(
            "95th percentile against that of the last day.", "factor", "info", signal="httpLatency", info=1.5
        ),
        # Business and security
        "orders_week_ratio": _spec(
            "Orders an hour against a week ago.", "factor", "warning", signal="orders", breached="below"
        ),
        "cancellation_ratio": _spec("Orders cancelled to orders placed.", "ratio", "warning", signal="cancellations"),
        "revenue_week_ratio": _spec(
            "Revenue of an hour against a week ago.", "factor", "warning", signal="revenue", breached="below"
        ),
        "users_week_ratio": _spec(
            "Active users against a week ago.", "factor", "info", signal="activeUsers", breached="below"
        ),
        "stock": _spec("Stock of an item.", "count", "warning", signal="inventory", breached="below"),
        "meeting_failure_ratio": _spec("Share of failed meetings.", "ratio", "warning", signal="meetings"),
        "tokens_per_day": _spec("Paid tokens used in a day.", "count", "info", signal="apiTokens"),
        "auth_failure_rate": _spec(
            "Failed sign-ins a second.", "per_second", "warning", "critical", signal="authAttempts"
        ),
        "rate_limited_rate": _spec("Requests refused a second.", "per_second", "warning", signal="rateLimited"),
        "suspicious_activity": _spec(
            "Suspicious events in 5 minutes.", "count", "critical", signal="suspiciousActivity"
        ),
        **INFRASTRUCTURE,
    }
)
"""Every threshold by its name; in YAML the names are in camelCase."""
