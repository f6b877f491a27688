"""Modules: the business domains of a system, compared; for systems whose requests have a domain label."""

from grafana_foundation_sdk.models import dashboard

from dashboards import state
from dashboards.common import Panel, graph, number, over_time
from dashboards.figures import figures_by
from dashboards.layout import Row, assemble
from dashboards.subject import Subject


def modules(subject: Subject) -> dashboard.Dashboard | None:
    """The dashboard; None where requests have no domain label."""
    requests, latency = subject.system.signals.http_requests, subject.system.signals.http_latency
    if requests is None or requests.domain is None:
        return None
    timed = latency is not None and latency.domain is not None
    return assemble(
        f"{subject.name}-modules",
        f"{subject.system.title}: Modules by Domain",
        "Traffic, response times and failures by domain.",
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
            Row("Metrics by Domain", figures_by(subject, requests.domain)),
        ],
        tags=subject.tags,
        links=subject.links,
        alerts=subject.alerts,
    )


def _slow_now(subject: Subject) -> Panel:
    return number(
        "Response Time Now (p95)",
        "95th percentile of the response time in the last five minutes, by domain.",
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
        "95th percentile of the response time, by domain.",
        "s",
        over_time(subject.of("app:http_latency_seconds_by_domain:quantile5m", quantile="0.95"), "{{domain}}"),
    )


def _half(subject: Subject) -> Panel:
    return graph(
        "Response Time by Domain (p50)",
        "50th percentile of the response time, by domain.",
        "s",
        over_time(subject.of("app:http_latency_seconds_by_domain:quantile5m", quantile="0.5"), "{{domain}}"),
    )


def _share(subject: Subject) -> Panel:
    by_domain, all_of_it = subject.of("app:http_requests_by_domain:rate5m"), subject.of("app:http_requests:rate5m")
    return graph(
        "Share of Requests by Domain",
        "Share of each domain in all requests.",
        "percentunit",
        over_time(f"{by_domain} / on (system) group_left () ({all_of_it} > 0)", "{{domain}}"),
    ).max(1)
