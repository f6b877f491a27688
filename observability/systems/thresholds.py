"""Thresholds: what may be demanded of a system, in which unit, and what holds where its file says nothing.

Each becomes one series for each severity, `app:threshold:<name>{system, team, severity}`, with `quantile` besides
where it is about a percentile; the alerts compare with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

Severity = Literal["critical", "warning", "info"]
SEVERITIES: Final[tuple[Severity, ...]] = ("info", "warning", "critical")
"""From the mildest on."""

Unit = Literal["ratio", "seconds", "per_second", "count", "factor", "deviations"]
"""ratio: 0 to 1, or written 5%; seconds: written 500ms, 2s, 14d; factor: times the usual, 0.5 or written 50%;
deviations: standard ones."""


@dataclass(frozen=True, kw_only=True)
class ThresholdSpec:
    """One threshold: what it is of, in which unit, at which severities, and on which signal it stands.

    `breached` says on which side trouble lies. `signal` is the path of the signal in a system's file without which it
    means nothing (none: any system has it); `default` holds where the file says nothing and the signal is there.
    """

    description: str
    unit: Unit
    severities: tuple[Severity, ...]
    breached: Literal["above", "below"] = "above"
    signal: str | None = None
    percentile: bool = False
    default: Mapping[Severity, float] = field(default_factory=dict)


def _spec(
    description: str,
    unit: Unit,
    *severities: Severity,
    signal: str | None = None,
    breached: Literal["above", "below"] = "above",
    percentile: bool = False,
    **default: float,
) -> ThresholdSpec:
    return ThresholdSpec(
        description=description,
        unit=unit,
        severities=severities,
        breached=breached,
        signal=signal,
        percentile=percentile,
        default=MappingProxyType({severity: default[severity] for severity in severities if severity in default}),
    )


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
        # Hosts and what runs beside the system: these hold for any system
        "cpu_ratio": _spec("Busy share of a host.", "ratio", "warning", "critical", warning=0.8, critical=0.95),
        "memory_ratio": _spec("Used memory of a host.", "ratio", "warning", "critical", warning=0.8, critical=0.95),
        "disk_ratio": _spec("Used share of a filesystem.", "ratio", "warning", "critical", warning=0.8, critical=0.9),
        "db_connections": _spec("Connections of a PostgreSQL or MongoDB server.", "count", "warning"),
        "db_connections_ratio": _spec(
            "Connections of a server against the most it allows.", "ratio", "warning", warning=0.8
        ),
        "endpoint_time": _spec("Time a probe takes.", "seconds", "warning", warning=2),
        "certificate_validity": _spec(
            "Time a certificate is still valid.",
            "seconds",
            "warning",
            "critical",
            breached="below",
            warning=14 * 86400,
            critical=3 * 86400,
        ),
    }
)
"""Every threshold by its name; in YAML the names are in camelCase."""
