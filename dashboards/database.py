"""Database: queries as measured by the system, then the data stores themselves."""

from collections.abc import Sequence
from typing import Final

from grafana_foundation_sdk.models import dashboard

from dashboards import application, process, state, traced
from dashboards.common import (
    GREEN,
    ORANGE,
    PERCENTILES,
    RED,
    SEVERITIES,
    UNMEASURED,
    Panel,
    graph,
    number,
    over_time,
    steps,
)
from dashboards.layout import Row, assemble, to
from dashboards.stores import answered, answers, databases, module, servers
from dashboards.subject import Subject
from observability.systems.signals import DbLatency

UNREACHABLE: Final = 0.5
"""Share of failed queries from which the database counts as not reachable for the application."""


def database(subject: Subject) -> dashboard.Dashboard | None:
    """The dashboard; None for a system without database metrics and without monitored data stores."""
    signals = subject.system.signals
    watched = databases(subject)
    memory = signals.process_memory
    own = (signals.db_latency, signals.db_queries, signals.db_timeouts, signals.db_pool)
    if not watched and not any(own):
        return None
    alerts = f'component="database",{subject.alerts}'
    return assemble(
        f"{subject.name}-database",
        f"{subject.system.title}: Database",
        "Queries as measured by the system, and its data stores.",
        [
            Row(
                "State",
                [
                    state.alerts_firing(alerts),
                    state.firing_since(alerts),
                    _servers_up(subject, watched) if watched else None,
                    _query_time_now(subject) if signals.db_latency else None,
                    _failures_now(subject) if signals.db_queries else None,
                    answered(subject, watched) if watched else None,
                ],
            ),
            Row(
                "Queries of the Application",
                [
                    application.query_duration(subject) if signals.db_latency else None,
                    _percentiles(subject, signals.db_latency) if signals.db_latency else None,
                    _queries(subject) if signals.db_queries else None,
                    _failures(subject) if signals.db_queries else None,
                    _timeouts(subject) if signals.db_timeouts else None,
                    application.pool(subject) if signals.db_pool else None,
                    _queries_per_request(subject) if signals.db_queries and signals.http_requests else None,
                    process.memory_share(subject) if memory and memory.limit else None,
                ],
            ),
            *(row for job in watched for found in module(job) for row in found.store_rows(subject)),
        ],
        tags=subject.tags,
        links=[
            *subject.links,
            *([to("Tables and Indexes", f"/d/{subject.name}-postgres")] if "postgres" in watched else []),
        ],
        variables=[servers(subject, watched)] if watched else [],
        alerts=alerts,
    )


def _servers_up(subject: Subject, watched: Sequence[str]) -> Panel:
    return number(
        "Databases Up",
        "Share of the databases that are up.",
        "percentunit",
        over_time(f"avg({answers(subject, watched)})"),
    ).thresholds(state.ALL_OR_NOTHING)


def _query_time_now(subject: Subject) -> Panel:
    quantile = subject.quantile("db_query_time")
    return number(
        f"Query Time Now ({PERCENTILES[quantile]})",
        "The percentile that the threshold uses, of all queries of the last five minutes.",
        "s",
        over_time(subject.of("app:db_latency_seconds:quantile5m", quantile=quantile)),
    ).thresholds(subject.colours("db_query_time"))


def _failures_now(subject: Subject) -> Panel:
    failures, queries = subject.of("app:db_query_failures:ratio_rate5m"), subject.of("app:db_queries:rate5m")
    panel = number(
        "Failed Queries Now",
        "Share of failed queries in the last five minutes; red where the application cannot reach its database.",
        "percentunit",
        over_time(f"{failures} and {queries} > 0 or 0 * {queries} - 1"),
    )
    silent = dashboard.ValueMap(options={"-1": dashboard.ValueMappingResult(text="No queries", color=ORANGE, index=0)})
    # Half of the queries failing is no slow or faulty query: the application does not reach its database.
    limits = [(one.value, SEVERITIES[one.severity]) for one in subject.thresholds.get("db_failure_ratio", ())]
    return panel.mappings([silent, UNMEASURED]).thresholds(steps((None, GREEN), *sorted(limits), (UNREACHABLE, RED)))


def _percentiles(subject: Subject, signal: DbLatency) -> Panel:
    title, words = "Query Time Percentiles", "50th, 95th and 99th percentile of the query duration."
    return traced.latency(subject, title, words, "app:db_latency_seconds:quantile5m", signal, "db_query_time")


def _queries(subject: Subject) -> Panel:
    return graph("Queries", "Queries a second.", "ops", over_time(subject.of("app:db_queries:rate5m"), "queries"))


def _failures(subject: Subject) -> Panel:
    return graph(
        "Failed Queries",
        "Share of failed queries.",
        "percentunit",
        over_time(subject.of("app:db_query_failures:ratio_rate5m"), "failed"),
        limits=subject.limits("db_failure_ratio"),
    )


def _queries_per_request(subject: Subject) -> Panel:
    usual = subject.of("app:db_queries_per_request:avg1w")
    growth = subject.of("app:threshold:queries_per_request_growth")
    return graph(
        "Database Queries per Request",
        "Queries of the last five minutes for each request, and the limit that follows from the last week.",
        "short",
        over_time(subject.of("app:db_queries_per_request:ratio_rate5m"), "queries"),
        over_time(usual, "mean of the last week", "B"),
        over_time(f"{usual} * on (system) {growth}", "limit by the last week", "C"),
        limits=subject.limits("queries_per_request"),
    )


def _timeouts(subject: Subject) -> Panel:
    return graph(
        "Query Timeouts",
        "Queries that timed out in five minutes.",
        "short",
        over_time(subject.of("app:db_timeouts:increase5m"), "timeouts"),
        limits=subject.limits("db_timeouts"),
    )
