"""Overview of one system: health, errors, response times, users, top errors."""

from grafana_foundation_sdk.models import dashboard

from dashboards import application, state
from dashboards.common import RANGE, Panel, graph, now, number, over_time, rows
from dashboards.layout import Row, assemble
from dashboards.stores import dependencies
from dashboards.subject import Subject
from observability.parts.probe import present
from rules.promql import matchers


def main_page(subject: Subject) -> dashboard.Dashboard | None:
    """The dashboard, with the panels of the signals that the system has; None where it exposes no metrics itself."""
    if not subject.system.measured:
        return None
    signals = subject.system.signals
    requests, latency = signals.http_requests is not None, signals.http_latency is not None
    return assemble(
        f"{subject.name}-overview",
        f"{subject.system.title}: Overview",
        subject.system.description or "Health of the system and the impact on users.",
        [
            Row(
                "Health",
                [
                    state.alerts_firing(subject.alerts),
                    state.critical_alerts(subject.alerts),
                    state.firing_since(subject.alerts),
                    application.targets_up(subject),
                    _endpoints_up(subject) if "blackbox" in subject.jobs else None,
                    application.error_rate_now(subject) if requests else None,
                    application.error_budget(subject) if subject.has_slos else None,
                    _users_now(subject) if signals.active_users else None,
                    state.firing_alerts(subject.alerts, subject.summaries, subject.runbooks),
                    state.alert_history(subject.alerts, "component"),
                    dependencies(subject),
                ],
            ),
            Row(
                "Users",
                [
                    application.error_rate(subject) if requests else None,
                    _speed(subject) if latency else None,
                    _users(subject) if signals.active_users else None,
                    _traffic(subject) if requests else None,
                ],
            ),
            Row(
                "Top Errors",
                [
                    _top_errors(subject) if signals.error_types or signals.new_routes else None,
                    application.failing_routes(subject) if requests else None,
                ],
            ),
        ],
        tags=subject.tags,
        links=subject.links,
        alerts=subject.alerts,
        period="6h",
    )


def _endpoints_up(subject: Subject) -> Panel:
    own = matchers({"system": subject.name, "job": "blackbox"}).strip("{}")
    return number(
        "Endpoints Up",
        "Share of the system's addresses whose probe succeeds.",
        "percentunit",
        over_time(f"avg({present('probe_success', own)})"),
    ).thresholds(state.ALL_OR_NOTHING)


def _users_now(subject: Subject) -> Panel:
    return number("Users Now", "Active users.", "short", over_time(subject.of("app:active_users:count")))


def _speed(subject: Subject) -> Panel:
    return graph(
        "Response Time (p50 and p99)",
        "50th and 99th percentile of the response time.",
        "s",
        over_time(subject.of("app:http_latency_seconds:quantile5m", quantile="0.5"), "p50"),
        over_time(subject.of("app:http_latency_seconds:quantile5m", quantile="0.99"), "p99", "B"),
    )


def _users(subject: Subject) -> Panel:
    return graph("Active Users", "Active users.", "short", over_time(subject.of("app:active_users:count"), "users"))


def _traffic(subject: Subject) -> Panel:
    return graph(
        "Requests", "Requests a second.", "reqps", over_time(subject.of("app:http_requests:rate5m"), "requests")
    )


def _top_errors(subject: Subject) -> Panel:
    # The recorded series is a sum of counters: `increase` would count the restart of one instance as a burst. So the
    # growth is measured from its minimum; where the series did not exist before, from zero.
    seen = subject.of("app:error_series:count")
    counted = f"sum by (kind, name) ({seen} - min_over_time({seen}[{RANGE}]) and {seen} offset {RANGE} or {seen})"
    return rows(
        "Top Errors",
        "The most frequent error types and routes with 5xx responses in the time range.",
        "short",
        now(f"topk(10, {counted} > 0)"),
    ).no_value("No errors")
