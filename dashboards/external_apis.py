"""External APIs: calls of a system to other services, their failures, durations and tokens."""

from grafana_foundation_sdk.models import dashboard

from dashboards import state
from dashboards.common import GREEN, PERCENTILES, RED, Panel, graph, number, over_time, percentiles, steps
from dashboards.layout import Row, assemble
from dashboards.links import panel_id
from dashboards.subject import Subject


def external_apis(subject: Subject) -> dashboard.Dashboard | None:
    """The dashboard; None for a system without external APIs or integrations."""
    signals = subject.system.signals
    if not signals.external_apis and not signals.integrations:
        return None
    condition = 'condition=~"external_api.*|integration.*|token.*"'
    alerts = f"{condition},{subject.alerts}"
    return assemble(
        f"{subject.name}-external-apis",
        f"{subject.system.title}: External APIs",
        "Availability and response time of the external services that the system uses.",
        [
            Row(
                "State",
                [
                    state.alerts_firing(alerts),
                    state.firing_since(alerts),
                    _failures_now(subject) if signals.external_apis else None,
                    _slowest_now(subject) if timed(subject) else None,
                    _events_failing_now(subject) if signals.integrations else None,
                ],
            ),
            Row(
                "APIs",
                [
                    failures(subject) if signals.external_apis else None,
                    latency(subject) if timed(subject) else None,
                    _percentiles(subject) if timed(subject) else None,
                    _rate_limit(subject) if subject.limits("external_api_rate_limit") else None,
                    _calls(subject) if signals.external_apis else None,
                    _tokens(subject) if signals.api_tokens else None,
                ],
            ),
            Row(
                "Integrations",
                [event_failures(subject), _events(subject)] if signals.integrations else [],
            ),
        ],
        tags=subject.tags,
        links=subject.links,
        alerts=alerts,
        period="6h",
    )


def timed(subject: Subject) -> bool:
    """Whether the system measures the duration of calls."""
    return any(api.latency for api in subject.system.signals.external_apis.values())


def _failures_now(subject: Subject) -> Panel:
    return number(
        "Failed Calls Now",
        "Share of failed calls in the last five minutes, by API.",
        "percentunit",
        over_time(subject.of("app:external_api_failures:ratio_rate5m"), "{{api}}"),
    ).thresholds(subject.colours("external_api_failure_ratio"))


def _slowest_now(subject: Subject) -> Panel:
    quantile = subject.quantile("external_api_time")
    return number(
        f"Call Time Now ({PERCENTILES[quantile]})",
        "The percentile that the threshold uses, over the last five minutes, by API.",
        "s",
        over_time(subject.of("app:external_api_latency_seconds:quantile5m", quantile=quantile), "{{api}}"),
    ).thresholds(subject.colours("external_api_time"))


def _events_failing_now(subject: Subject) -> Panel:
    return number(
        "Failed Events Now",
        "Share of failed events in the last five minutes, by integration.",
        "percentunit",
        over_time(subject.of("app:integration_failures:ratio_rate5m"), "{{integration}}"),
    ).thresholds(
        subject.colours("integration_failure_ratio")
        if subject.limits("integration_failure_ratio")
        else steps((None, GREEN), (1, RED))
    )


def failures(subject: Subject) -> Panel:
    """Share of failed calls."""
    return graph(
        "External API Failures",
        "Share of failed calls, by API.",
        "percentunit",
        over_time(subject.of("app:external_api_failures:ratio_rate5m"), "{{api}}"),
        limits=subject.limits("external_api_failure_ratio"),
    )


def latency(subject: Subject) -> Panel:
    """Duration of calls."""
    quantile = subject.quantile("external_api_time")
    return graph(
        f"External API Call Time ({PERCENTILES[quantile]})",
        "The percentile that the threshold uses, by API.",
        "s",
        over_time(subject.of("app:external_api_latency_seconds:quantile5m", quantile=quantile), "{{api}}"),
        limits=subject.limits("external_api_time"),
    ).id(panel_id("External API Call Time"))


def _rate_limit(subject: Subject) -> Panel:
    limit = subject.of("app:threshold:external_api_rate_limit")
    return graph(
        "External API Rate Limit",
        "Share of the provider's rate limit that the calls use, by API; beyond the whole, calls are refused.",
        "percentunit",
        over_time(
            f"60 * {subject.of('app:external_api_calls:rate5m')} / on (system, api) group_left () {limit}", "{{api}}"
        ),
        limits=subject.limits("external_api_rate_limit_ratio"),
    )


def _percentiles(subject: Subject) -> Panel:
    return graph(
        "External API Percentiles",
        "50th, 95th and 99th percentile of the duration of a call.",
        "s",
        percentiles(subject.of("app:external_api_latency_seconds:quantile5m"), "{{api}} "),
    )


def _calls(subject: Subject) -> Panel:
    return graph(
        "External API Calls",
        "Calls a second, by API.",
        "reqps",
        over_time(subject.of("app:external_api_calls:rate5m"), "{{api}}"),
    )


def _tokens(subject: Subject) -> Panel:
    return graph(
        "Tokens",
        "Paid tokens a second.",
        "cps",
        over_time(subject.of("app:api_tokens:rate5m"), "tokens"),
    )


def event_failures(subject: Subject) -> Panel:
    """Share of failed events."""
    return graph(
        "Integration Failures",
        "Share of failed events, by integration.",
        "percentunit",
        over_time(subject.of("app:integration_failures:ratio_rate5m"), "{{integration}}"),
        limits=subject.limits("integration_failure_ratio"),
    )


def _events(subject: Subject) -> Panel:
    return graph(
        "Integration Events",
        "Events a second, by integration.",
        "cps",
        over_time(subject.of("app:integration_events:rate5m"), "{{integration}}"),
    )
