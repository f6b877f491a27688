"""Security: failed sign-ins, rate limits, suspicious events."""

from grafana_foundation_sdk.models import dashboard

from dashboards import state
from dashboards.common import GREEN, ORANGE, Panel, graph, number, over_time, steps
from dashboards.figures import figures
from dashboards.layout import Row, assemble
from dashboards.subject import Subject

COMPONENT = 'component="security"'


def security(subject: Subject) -> dashboard.Dashboard | None:
    """The dashboard; None for a system without security metrics."""
    signals = subject.system.signals
    own = figures(subject, "security")
    watched = [
        _failed_sign_ins(subject) if signals.auth_attempts else None,
        _rate_limited(subject) if signals.rate_limited else None,
        _suspicious(subject) if signals.suspicious_activity else None,
    ]
    if not own and not any(watched):
        return None
    alerts = f"{COMPONENT},{subject.alerts}"
    return assemble(
        f"{subject.name}-security",
        f"{subject.system.title}: Security",
        "Failed sign-ins, rate limits, suspicious events.",
        [
            Row(
                "State",
                [
                    state.alerts_firing(alerts),
                    state.firing_since(alerts),
                    _failed_sign_ins_now(subject) if signals.auth_attempts else None,
                    _share_of_failed_sign_ins(subject) if signals.auth_attempts else None,
                    _rate_limited_now(subject) if signals.rate_limited else None,
                    _suspicious_now(subject) if signals.suspicious_activity else None,
                ],
            ),
            Row("Threats", watched),
            Row("Metrics", own),
        ],
        tags=subject.tags,
        links=subject.links,
        alerts=alerts,
        period="6h",
    )


def _failed_sign_ins_now(subject: Subject) -> Panel:
    return number(
        "Failed Sign-ins Now",
        "Failed sign-ins a second over the last five minutes.",
        "cps",
        over_time(subject.of("app:auth_failures:rate5m")),
    ).thresholds(subject.colours("auth_failure_rate"))


def _share_of_failed_sign_ins(subject: Subject) -> Panel:
    return number(
        "Share of Failed Sign-ins",
        "Share of failed attempts in the last five minutes.",
        "percentunit",
        over_time(f"{subject.of('app:auth_failures:rate5m')} / ({subject.of('app:auth_attempts:rate5m')} > 0)"),
    ).no_value(state.QUIET)


def _rate_limited_now(subject: Subject) -> Panel:
    return number(
        "Rejected Requests Now",
        "Requests a second rejected by a rate limit, over the last five minutes.",
        "reqps",
        over_time(subject.of("app:rate_limited:rate5m")),
    ).thresholds(subject.colours("rate_limited_rate"))


def _suspicious_now(subject: Subject) -> Panel:
    # A kind of event has no series before its first event.
    answering = subject.of("up", job=subject.system.job)
    return number(
        "Suspicious Events Now",
        "Suspicious events in the last five minutes.",
        "short",
        over_time(f"sum({subject.of('app:suspicious_activity:increase5m')}) or 0 * sum({answering} == 1)"),
    ).thresholds(steps((None, GREEN), (0.5, ORANGE)))


def _failed_sign_ins(subject: Subject) -> Panel:
    return graph(
        "Failed Sign-ins",
        "Sign-in attempts a second, and those that failed.",
        "cps",
        over_time(subject.of("app:auth_failures:rate5m"), "failed"),
        over_time(subject.of("app:auth_attempts:rate5m"), "all attempts", "B"),
        limits=subject.limits("auth_failure_rate"),
    )


def _rate_limited(subject: Subject) -> Panel:
    return graph(
        "Rejected Requests",
        "Requests a second rejected by a rate limit.",
        "reqps",
        over_time(subject.of("app:rate_limited:rate5m"), "refused"),
        limits=subject.limits("rate_limited_rate"),
    )


def _suspicious(subject: Subject) -> Panel:
    return graph(
        "Suspicious Events",
        "Suspicious events in five minutes.",
        "short",
        over_time(subject.of("app:suspicious_activity:increase5m"), "{{kind}}"),
        limits=subject.limits("suspicious_activity"),
    )
