"""The required application alerts: of which figure, at which value for each system, and their text."""

from typing import Final

from tests.rules import measures
from tests.rules.condition import Condition, Row
from tests.rules.conditions_processes import PROCESSES

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
        # A rate is that over the whole window.
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
    *PROCESSES,
)
"""All but DatabaseTimeouts, which fires for a single event."""
