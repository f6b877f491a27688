"""The application alerts that were asked for: of which figure, at which value for each system, and what they say."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from tests.rules import measures
from tests.rules.measures import Measure
from tests.rules.raw import STEP


@dataclass(frozen=True, kw_only=True)
class Row:
    """One alert: its labels, how long it waits (seconds), its limit for each system that has it."""

    alert: str
    severity: str
    wait: int
    limits: Mapping[str, float]
    summary: str
    description: str
    """What it says of the first of these systems, 2 % beyond its limit."""
    waits: Mapping[str, int] = field(default_factory=dict)
    """How long it waits for systems that have it otherwise (seconds)."""
    failures: int = 0
    """Failed events in 5 minutes without which it wakes nobody."""

    def wait_of(self, system: str) -> int:
        return self.waits.get(system, self.wait)


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One figure, and the alerts on it; `labels` are those that say what of the system it is about."""

    name: str
    component: str
    measure: Measure
    rows: tuple[Row, ...]
    labels: Mapping[str, str] = field(default_factory=dict)
    labels_of: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """More of them, of some systems."""
    below: bool = False
    floor: bool = True
    begin: int = STEP
    """Seconds until the series show the value: a share needs two samples of a counter."""
    quantile: Mapping[str, float] = field(default_factory=dict)
    percentile: bool = False

    def breached(self, row: Row, system: str, value: float) -> bool:
        limit = row.limits.get(system)
        return limit is not None and (value < limit if self.below else value > limit)


CONDITIONS: Final = (
    Condition(
        name="error_rate",
        component="application",
        measure=measures.error_share,
        rows=(
            Row(
                alert="HighErrorRate",
                severity="warning",
                wait=300,
                limits={"depot": 0.05, "academy": 0.05, "studio": 0.01, "print-shop": 0.01},
                summary="depot: 5.1% of requests fail",
                description=(
                    "depot answered 5.1% of its requests with 5xx in the last 5 minutes; 5% is accepted. Most"
                    " errors come from /orders (0.51 a second)."
                ),
            ),
            Row(
                alert="CriticalErrorRate",
                severity="critical",
                wait=120,
                waits={"studio": 60},
                failures=10,
                limits={"depot": 0.1, "academy": 0.1, "studio": 0.05, "print-shop": 0.05},
                summary="depot: 10.2% of requests fail",
                description=(
                    "depot answered 10.2% of its requests with 5xx in the last 5 minutes; above 10% it is "
                    "critical. Most errors come from /orders (0.51 a second)."
                ),
            ),
        ),
    ),
    Condition(
        name="failure_rate",
        component="application",
        measure=measures.failures,
        floor=False,
        # A rate is that of the whole window.
        begin=300,
        rows=(
            Row(
                alert="HighFailureRate",
                severity="critical",
                wait=120,
                waits={"studio": 300},
                limits={"hospital": 0.1, "studio": 0.05},
                summary="hospital: 0.102 failures a second",
                description=(
                    "hospital counted 0.102 failures a second over the last 5 minutes; above 0.1 a second it "
                    "is critical."
                ),
            ),
        ),
    ),
    Condition(
        name="response_time",
        component="application",
        measure=measures.response_time,
        labels={"route": "/orders"},
        quantile={"studio": 0.99},
        percentile=True,
        rows=(
            Row(
                alert="HighResponseTime",
                severity="warning",
                wait=300,
                limits={"depot": 1, "academy": 2, "studio": 2, "print-shop": 0.5},
                summary="depot: 5.102% of requests to /orders are slow",
                description=(
                    "5.102% of the requests to /orders of depot took longer than 1s in the last 5 minutes; 5% is "
                    "accepted. The 95% point is about 1.02s."
                ),
            ),
            Row(
                alert="CriticalResponseTime",
                severity="critical",
                wait=120,
                waits={"studio": 300},
                limits={"depot": 2, "academy": 5, "studio": 3, "print-shop": 1},
                summary="depot: 5.435% of requests to /orders are slow",
                description=(
                    "5.435% of the requests to /orders of depot took longer than 2s in the last 5 minutes; above 5% "
                    "it is critical. The 95% point is about 2.04s."
                ),
            ),
        ),
    ),
    Condition(
        name="db_query_time",
        component="database",
        measure=measures.query_time,
        labels={"operation": "select"},
        labels_of={"academy": {"table": "orders"}, "studio": {"table": "orders"}},
        quantile={"studio": 0.99},
        percentile=True,
        rows=(
            Row(
                alert="SlowDatabaseQueries",
                severity="warning",
                wait=300,
                limits={"hospital": 1, "depot": 1, "academy": 1, "studio": 1, "print-shop": 0.1},
                summary="hospital: 5.068% of database select queries are slow",
                description=(
                    "5.068% of the database queries (select) of hospital took longer than 1s in the last 5 minutes; "
                    "5% is accepted. The 95% point is about 1.02s."
                ),
            ),
        ),
    ),
    Condition(
        name="db_pool",
        component="database",
        measure=measures.pool,
        labels={"instance": "{system}-1:3000"},
        floor=False,
        begin=0,
        rows=(
            Row(
                alert="DatabasePoolUsage",
                severity="warning",
                wait=300,
                limits={"depot": 0.8, "studio": 0.8},
                summary="depot: 81.6% of the database connections are in use",
                description=(
                    "depot-1:3000 of depot uses 81.6% of its pool of database connections; 80% is accepted. "
                    "Once all are in use, requests wait."
                ),
            ),
            Row(
                alert="DatabasePoolExhausted",
                severity="critical",
                wait=120,
                limits={"depot": 0.95, "studio": 0.95},
                summary="depot: the pool of database connections is exhausted",
                description=(
                    "depot-1:3000 of depot uses 96.9% of its pool of database connections; above 95% it is "
                    "critical: requests wait for a connection, or fail."
                ),
            ),
        ),
    ),
    Condition(
        name="db_errors",
        component="database",
        measure=measures.failed_queries,
        rows=(
            Row(
                alert="DatabaseErrors",
                severity="warning",
                wait=300,
                limits={"depot": 0.01, "studio": 0.01},
                summary="depot: 1.02% of database queries fail",
                description=("1.02% of the database queries of depot failed in the last 5 minutes; 1% is accepted."),
            ),
        ),
    ),
    Condition(
        name="queries_per_request",
        component="database",
        measure=measures.queries_per_request,
        rows=(
            Row(
                alert="QueriesPerRequest",
                severity="info",
                wait=900,
                limits={"depot": 20, "studio": 20},
                summary="depot: 20.4 database queries a request",
                description=(
                    "depot made 20.4 database queries a request over the last 5 minutes; 20 are accepted. A query for "
                    "each row of a list is the usual cause."
                ),
            ),
        ),
    ),
    Condition(
        name="cache_hit_rate",
        component="cache",
        measure=measures.cache_hits,
        below=True,
        rows=(
            Row(
                alert="LowCacheHitRate",
                severity="warning",
                wait=600,
                limits={"depot": 0.8, "academy": 0.8, "print-shop": 0.7},
                summary="depot: the cache hit ratio is only 78.4%",
                description=(
                    "The cache of depot answered 78.4% of the look-ups of the last 5 minutes; 80% is expected. Misses"
                    " are served by the database."
                ),
            ),
            Row(
                alert="CriticalCacheHitRate",
                severity="critical",
                wait=600,
                limits={"depot": 0.5},
                summary="depot: the cache hit ratio is only 49%",
                description=(
                    "The cache of depot answered 49% of the look-ups of the last 5 minutes; below 50% it is critical:"
                    " the database serves the load of the cache."
                ),
            ),
        ),
    ),
    Condition(
        name="memory_usage",
        component="application",
        measure=measures.memory,
        labels={"instance": "{system}-1:3000"},
        floor=False,
        begin=0,
        rows=(
            Row(
                alert="HighMemoryUsage",
                severity="warning",
                wait=300,
                limits={"depot": 0.8},
                summary="depot: a process uses 81.6% of its memory",
                description=(
                    "The process depot-1:3000 of depot uses 81.6% of the memory it may use; 80% is accepted. "
                    "At 100% the kernel kills it."
                ),
            ),
            Row(
                alert="CriticalMemoryUsage",
                severity="critical",
                wait=120,
                limits={"depot": 0.95},
                summary="depot: a process uses 96.9% of its memory",
                description=(
                    "The process depot-1:3000 of depot uses 96.9% of the memory it may use; above 95% it is "
                    "critical. At 100% the kernel kills it."
                ),
            ),
        ),
    ),
    Condition(
        name="goroutines",
        component="application",
        measure=measures.goroutines,
        labels={"instance": "{system}-1:3000"},
        floor=False,
        begin=0,
        rows=(
            Row(
                alert="HighGoroutineCount",
                severity="warning",
                wait=300,
                limits={"depot": 10_000},
                summary="depot: 10200 goroutines",
                description=(
                    "The process depot-1:3000 of depot has 10200 goroutines; 10000 are accepted. A number that only "
                    "grows is a leak."
                ),
            ),
        ),
    ),
    Condition(
        name="event_loop_lag",
        component="application",
        measure=measures.event_loop_lag,
        labels={"instance": "{system}-1:3000"},
        floor=False,
        begin=0,
        rows=(
            Row(
                alert="EventLoopBlocked",
                severity="warning",
                wait=300,
                limits={"academy": 0.5, "studio": 0.5, "print-shop": 0.5},
                summary="academy: the event loop of a process is 510ms late",
                description=(
                    "The event loop of academy-1:3000 of academy is 510ms late; 500ms is accepted. While code runs in "
                    "the loop, the process answers no request."
                ),
            ),
        ),
    ),
    Condition(
        name="heap_usage",
        component="application",
        measure=measures.heap,
        labels={"instance": "{system}-1:3000"},
        floor=False,
        begin=0,
        rows=(
            Row(
                alert="HeapNearLimit",
                severity="warning",
                wait=600,
                limits={"academy": 0.9, "studio": 0.9, "print-shop": 0.9},
                summary="academy: the heap of a process is 91.8% full",
                description=(
                    "The heap of academy-1:3000 of academy uses 91.8% of its limit of 512MiB; 90% is accepted. At the "
                    "limit the runtime ends the process."
                ),
            ),
        ),
    ),
    Condition(
        name="external_api_rate_limit",
        component="application",
        measure=measures.api_rate,
        labels={"api": "openai"},
        floor=False,
        # A rate is that of the whole window.
        begin=300,
        rows=(
            Row(
                alert="ApiRateLimitNear",
                severity="warning",
                wait=300,
                limits={"studio": 0.8},
                summary="studio uses 81.6% of the rate limit of openai",
                description=(
                    "studio called openai 408 times a minute over the last 5 minutes, which is 81.6% of its rate "
                    "limit of 500; 80% is accepted. Calls beyond the limit are refused."
                ),
            ),
        ),
    ),
    Condition(
        name="external_api_time",
        component="application",
        measure=measures.api_time,
        labels={"api": "openai"},
        percentile=True,
        rows=(
            Row(
                alert="ExternalApiSlow",
                severity="warning",
                wait=300,
                limits={"studio": 5},
                summary="studio: 5.102% of calls to openai are slow",
                description=(
                    "5.102% of the calls to openai of studio took longer than 5s in the last 5 minutes; 5% is "
                    "accepted. The 95% point is about 5.1s."
                ),
            ),
        ),
    ),
    Condition(
        name="external_api_errors",
        component="application",
        measure=measures.api_failures,
        labels={"api": "openai"},
        rows=(
            Row(
                alert="ExternalApiErrors",
                severity="warning",
                wait=300,
                limits={"studio": 0.05},
                summary="studio: 5.1% of calls to openai fail",
                description=(
                    "5.1% of the calls that studio made to openai in the last 5 minutes failed; 5% is accepted."
                ),
            ),
        ),
    ),
    Condition(
        name="integration_errors",
        component="application",
        measure=measures.slack_failures,
        labels={"integration": "slack"},
        rows=(
            Row(
                alert="IntegrationIssues",
                severity="info",
                wait=600,
                limits={"studio": 0.05},
                summary="studio: 5.1% of slack events fail",
                description=(
                    "5.1% of the events that studio exchanged with slack in the last 5 minutes failed; 5% is accepted."
                ),
            ),
        ),
    ),
)
"""All but DatabaseTimeouts, which is about a single event."""
