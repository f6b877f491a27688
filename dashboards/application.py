"""Application: requests of a system, then its dependencies, then its process."""

from grafana_foundation_sdk.models import dashboard

from dashboards import external_apis, nginx, process, state, traced
from dashboards.common import (
    GREEN,
    ORANGE,
    PERCENTILES,
    RED,
    Panel,
    graph,
    now,
    number,
    over_time,
    rows,
    steps,
)
from dashboards.figures import figures
from dashboards.layout import Row, assemble
from dashboards.links import panel_id
from dashboards.slos import BUDGET, budget_left
from dashboards.stores import databases, module
from dashboards.subject import Subject
from observability.systems.signals import HttpLatency


def application(subject: Subject) -> dashboard.Dashboard | None:
    """The dashboard, with the panels of the signals that the system has; None where it exposes no metrics itself."""
    signals = subject.system.signals
    if not subject.system.measured and "nginx" not in subject.jobs:
        return None
    requests, latency = signals.http_requests is not None, signals.http_latency is not None
    parts = [
        Row(
            "State",
            [
                state.alerts_firing(subject.alerts),
                state.firing_since(subject.alerts),
                targets_up(subject),
                error_rate_now(subject) if requests else None,
                _response_time_now(subject) if latency else None,
                _failures_now(subject) if signals.failures else None,
                error_budget(subject) if subject.has_slos else None,
                state.firing_alerts(subject.alerts, subject.summaries, subject.runbooks),
                failing_routes(subject) if requests else None,
            ],
        ),
        Row(
            "Requests",
            [
                _request_rate(subject) if requests else None,
                error_rate(subject) if requests else None,
                _response_time_by_route(subject) if latency else None,
                _errors_by_route(subject) if requests else None,
                _route_failures(subject) if requests else None,
                _client_errors(subject) if requests else None,
                _percentiles(subject, signals.http_latency) if signals.http_latency else None,
                _failures(subject) if signals.failures else None,
                _usual_traffic(subject) if requests else None,
                _against_yesterday(subject) if latency else None,
                _new_errors(subject) if signals.error_types or signals.new_routes else None,
                _declared(subject) if subject.system.series else None,
            ],
        ),
        Row(
            "Dependencies",
            [
                query_duration(subject) if signals.db_latency else None,
                _connections(subject),
                pool(subject) if signals.db_pool else None,
                _cache_hit_rate(subject) if signals.cache else None,
                external_apis.failures(subject) if signals.external_apis else None,
                external_apis.latency(subject) if external_apis.timed(subject) else None,
                external_apis.event_failures(subject) if signals.integrations else None,
            ],
        ),
        process.row(subject),
        Row("More Metrics", figures(subject, "application")),
        *([nginx.row(subject)] if "nginx" in subject.jobs else []),
    ]
    return assemble(
        f"{subject.name}-application",
        f"{subject.system.title}: Application",
        "Requests, errors and response times, and their causes.",
        parts,
        tags=subject.tags,
        links=subject.links,
        alerts=subject.alerts,
    )


def targets_up(subject: Subject) -> Panel:
    """Share of the system's instances that are up."""
    up = subject.of("up", job=subject.system.job)
    return number(
        "Instances Up",
        "Share of the system's own targets that are up.",
        "percentunit",
        over_time(f"avg({up})"),
    ).thresholds(state.ALL_OR_NOTHING)


def error_rate_now(subject: Subject) -> Panel:
    """Current share of failed requests."""
    return number(
        "Errors Now",
        "Share of requests with a 5xx status in the last five minutes.",
        "percentunit",
        over_time(subject.of("app:http_errors:ratio_rate5m")),
    ).thresholds(subject.colours("error_ratio"))


def _response_time_now(subject: Subject) -> Panel:
    quantile = subject.quantile("response_time")
    return number(
        f"Response Time Now ({PERCENTILES[quantile]})",
        "The percentile that the thresholds use, of all requests of the last five minutes.",
        "s",
        over_time(subject.of("app:http_latency_seconds:quantile5m", quantile=quantile)),
    ).thresholds(subject.colours("response_time"))


def _failures_now(subject: Subject) -> Panel:
    return number(
        "Failures Now",
        "Failures a second over the last five minutes, as counted by the system.",
        "cps",
        over_time(subject.of("app:failures:rate5m")),
    ).thresholds(subject.colours("failure_rate"))


def error_budget(subject: Subject) -> Panel:
    """Remaining error budgets."""
    return number(
        "Error Budget",
        f"Remaining error budget of the objectives over 30 days. {BUDGET}",
        "percentunit",
        over_time(budget_left(subject.of("slo:period_error_budget_remaining:ratio")), "{{slo}}"),
    ).thresholds(steps((None, RED), (0, ORANGE), (0.25, GREEN)))


def failing_routes(subject: Subject) -> Panel:
    """Failing routes."""
    panel = rows(
        "Failing Routes",
        "The routes with the most 5xx responses in the last five minutes.",
        "reqps",
        now(f"topk(10, sum by (route) ({subject.of('app:http_errors_by_route:rate5m')}) > 0)"),
        names={"Value": "5xx a second"},
    )
    return panel.no_value("No route fails").height(state.TIMELINE_HEIGHT)


def _request_rate(subject: Subject) -> Panel:
    return graph(
        "Request Rate",
        "Requests a second by route; the ten busiest.",
        "reqps",
        over_time(f"topk(10, {subject.of('app:http_requests_by_route:rate5m')})", "{{route}}"),
    )


def error_rate(subject: Subject) -> Panel:
    """Share of failed requests over time."""
    return graph(
        "Error Rate",
        "Share of requests with a 5xx status.",
        "percentunit",
        over_time(subject.of("app:http_errors:ratio_rate5m"), "errors"),
        limits=subject.limits("error_ratio"),
    )


def _response_time_by_route(subject: Subject) -> Panel:
    quantile = subject.quantile("response_time")
    return graph(
        f"Response Time ({PERCENTILES[quantile]})",
        "The percentile that the thresholds use, by route; the ten slowest.",
        "s",
        over_time(
            f"topk(10, {subject.of('app:http_latency_seconds_by_route:quantile5m', quantile=quantile)})", "{{route}}"
        ),
        limits=subject.limits("response_time"),
    ).id(panel_id("Response Time"))


def _errors_by_route(subject: Subject) -> Panel:
    return graph(
        "Errors by Route",
        "5xx responses a second by route; the ten highest.",
        "reqps",
        over_time(f"topk(10, {subject.of('app:http_errors_by_route:rate5m')})", "{{route}}"),
    )


def _route_failures(subject: Subject) -> Panel:
    errors, requests = subject.of("app:http_errors_by_route:rate5m"), subject.of("app:http_requests_by_route:rate5m")
    return graph(
        "Error Rate by Route",
        "Share of each route's requests with a 5xx status; the ten highest. Above the threshold a route is broken.",
        "percentunit",
        over_time(f"topk(10, {errors} / ({requests} > 0))", "{{route}}"),
        limits=subject.limits("route_failure_ratio"),
    )


def _client_errors(subject: Subject) -> Panel:
    usual = subject.of("app:http_client_errors:ratio_avg1d")
    growth = subject.of("app:threshold:client_error_growth")
    return graph(
        "Client Errors",
        "Share of requests with a 4xx status, and its threshold relative to the average of the last day.",
        "percentunit",
        over_time(subject.of("app:http_client_errors:ratio_rate5m"), "4xx"),
        over_time(usual, "mean of the last day", "B"),
        limits=f"{usual} * on (system) group_right () {growth}",
    )


def _declared(subject: Subject) -> Panel:
    return graph(
        "Declared Series",
        "Whether a target is up, and whether any series that the system's file declares exists.",
        "short",
        over_time(subject.of("app:system:up"), "answers"),
        over_time(f"{subject.of('app:system:declared')} or 0 * {subject.of('app:system:up')}", "series", "B"),
    )


def _percentiles(subject: Subject, signal: HttpLatency) -> Panel:
    title, words = "Response Time Percentiles", "50th, 95th and 99th percentile of the response time."
    return traced.latency(subject, title, words, "app:http_latency_seconds:quantile5m", signal, "response_time")


def _failures(subject: Subject) -> Panel:
    return graph(
        "Failures",
        "Failures a second, as counted by the system.",
        "cps",
        over_time(subject.of("app:failures:rate5m"), "failures"),
        limits=subject.limits("failure_rate"),
    )


def _usual_traffic(subject: Subject) -> Panel:
    usual, deviation = subject.of("app:http_requests:usual_mean"), subject.of("app:http_requests:usual_stddev")
    allowed = f"on (system) {subject.of('app:threshold:traffic_deviations')} * on (system) {deviation}"
    return graph(
        "Traffic Against the Usual",
        "Requests a second, and the usual range of this hour of day in the last seven days; none with fewer days.",
        "reqps",
        over_time(subject.of("app:http_requests:rate5m"), "now"),
        over_time(f"{usual} + {allowed}", "usual, at most", "B"),
        over_time(f"clamp_min({usual} - {allowed}, 0)", "usual, at least", "C"),
        over_time(subject.of("app:threshold:steady_traffic"), "always some above", "D"),
    )


def _against_yesterday(subject: Subject) -> Panel:
    average = subject.of("app:http_latency_seconds:p95_avg1d")
    return graph(
        "Response Time Against the Last Day",
        "95th percentile, its average of the last day, and the threshold relative to it.",
        "s",
        over_time(subject.of("app:http_latency_seconds:quantile5m", quantile="0.95"), "p95"),
        over_time(average, "mean of the last day", "B"),
        over_time(f"{average} * on (system) {subject.of('app:threshold:latency_growth')}", "info threshold", "C"),
    )


def _new_errors(subject: Subject) -> Panel:
    seen = subject.of("app:error_series:count")
    return graph(
        "Error Types",
        "Number of error types, and of routes with 5xx responses, since the start; a step means a new one.",
        "short",
        over_time(f"sum by (kind) ({seen} > bool 0)", "{{kind}}"),
    )


def query_duration(subject: Subject) -> Panel:
    """Duration of queries, as measured by the system."""
    quantile = subject.quantile("db_query_time")
    series = subject.of("app:db_latency_seconds_by_operation:quantile5m", quantile=quantile)
    return graph(
        f"Database Query Duration ({PERCENTILES[quantile]})",
        "The percentile that the threshold uses, by operation, as measured by the system.",
        "s",
        over_time(f"topk(10, {series})", "{{operation}}"),
        limits=subject.limits("db_query_time"),
    ).id(panel_id("Database Query Duration"))


def _connections(subject: Subject) -> Panel | None:
    found = [made.connections(subject) for job in databases(subject) for made in module(job)]
    if not found:
        return None
    return graph(
        "Active Database Connections",
        "Connections to each database that has any, or to each server.",
        "short",
        *(over_time(query, legend, chr(ord("A") + index)) for index, (query, legend) in enumerate(found)),
        limits=subject.limits("db_connections"),
    )


def pool(subject: Subject) -> Panel:
    """Usage of the connection pool."""
    return graph(
        "Database Pool Usage",
        "Share of the connection pool in use, by instance.",
        "percentunit",
        over_time(subject.of("app:db_pool:ratio"), "{{instance}}"),
        limits=subject.limits("db_pool_ratio"),
    ).max(1)


def _cache_hit_rate(subject: Subject) -> Panel:
    return graph(
        "Cache Hit Rate",
        "Share of look-ups that hit the cache.",
        "percentunit",
        over_time(subject.of("app:cache_hits:ratio_rate5m"), "hits"),
        limits=subject.limits("cache_hit_ratio"),
    ).max(1)
