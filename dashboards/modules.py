"""Modules: the parts of the business that one system serves, side by side; for a system whose requests name theirs."""

from grafana_foundation_sdk.models import dashboard

from dashboards import state
from dashboards.common import Panel, graph, number, over_time
from dashboards.figures import figures_by
from dashboards.layout import Row, assemble
from dashboards.subject import Subject


def modules(subject: Subject) -> dashboard.Dashboard | None:
    """The dashboard; None where requests do not tell domains apart."""
    requests, latency = subject.system.signals.http_requests, subject.system.signals.http_latency
    if requests is None or requests.domain is None:
        return None
    timed = latency is not None and latency.domain is not None
    return assemble(
        f"{subject.name}-modules",
        f"{subject.system.title}: Modules by Domain",
        "Which part of the business is busy, slow or failing.",
        [
            Row(
                "State",
                [
                    state.alerts_firing(subject.alerts),
                    state.firing_since(subject.alerts),
                    _slow_now(subject) if timed else None,
                    _busy_now(subject),
                ],
            ),
            Row(
                "Requests",
                [
                    _requests(subject),
                    _latency(subject) if timed else None,
                    _half(subject) if timed else None,
                    _share(subject),
                ],
            ),
            Row("Work", figures_by(subject, requests.domain)),
        ],
        tags=subject.tags,
        links=subject.links,
        alerts=subject.alerts,
    )


def _slow_now(subject: Subject) -> Panel:
    return number(
        "Response Time Now (p95)",
        "95 of 100 requests of the last five minutes were answered within this time, by domain.",
        "s",
        over_time(subject.of("app:http_latency_seconds_by_domain:quantile5m", quantile="0.95"), "{{domain}}"),
        width=6,
    )


def _busy_now(subject: Subject) -> Panel:
    return number(
        "Requests Now",
        "Requests a second over the last five minutes, by domain.",
        "reqps",
        over_time(subject.of("app:http_requests_by_domain:rate5m"), "{{domain}}"),
        width=6,
    )


def _requests(subject: Subject) -> Panel:
    return graph(
        "Request Rate by Domain",
        "Requests a second, by domain.",
        "reqps",
        over_time(subject.of("app:http_requests_by_domain:rate5m"), "{{domain}}"),
    )


def _latency(subject: Subject) -> Panel:
    return graph(
        "Response Time by Domain (p95)",
        "95 of 100 requests were answered within this time, by domain.",
        "s",
        over_time(subject.of("app:http_latency_seconds_by_domain:quantile5m", quantile="0.95"), "{{domain}}"),
    )


def _half(subject: Subject) -> Panel:
    return graph(
        "Response Time by Domain (p50)",
        "Half of the requests were answered within this time, by domain.",
        "s",
        over_time(subject.of("app:http_latency_seconds_by_domain:quantile5m", quantile="0.5"), "{{domain}}"),
    )


def _share(subject: Subject) -> Panel:
    by_domain, all_of_it = subject.of("app:http_requests_by_domain:rate5m"), subject.of("app:http_requests:rate5m")
    return graph(
        "Share of Requests by Domain",
        "Which part of all requests each domain gets.",
        "percentunit",
        over_time(f"{by_domain} / on (system) group_left () ({all_of_it} > 0)", "{{domain}}"),
    ).max(1)
