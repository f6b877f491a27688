"""Alerts: which fire, which fire most, and whether their messages leave."""

from typing import Final

from grafana_foundation_sdk.models import dashboard

from dashboards import state
from dashboards.across import OF, back, systems
from dashboards.common import (
    GREEN,
    ORANGE,
    RANGE,
    RATE,
    RED,
    SEVERITIES,
    Panel,
    coloured,
    graph,
    now,
    number,
    over_time,
    rows,
    steps,
)
from dashboards.layout import Row, assemble
from observability.settings.load import StackConfig

UID: Final = "obs-alerts"

USED: Final = (
    "and on (integration) "
    f'sum by (integration) (increase(alertmanager_notifications_total{{job="alertmanager"}}[{RANGE}])) > 0'
)
"""Leaves out the channels by which nothing was sent: Alertmanager counts all that it knows."""


def alerts(config: StackConfig) -> dashboard.Dashboard:
    """The dashboard."""
    return assemble(
        UID,
        "Alerts",
        "Which alerts fire, which fire most, and whether their messages leave.",
        [
            Row(
                "Now",
                [
                    state.critical_alerts(OF),
                    state.alerts_firing(OF),
                    _pending(),
                    state.firing_since(OF),
                    _silences(),
                    _failed(),
                    state.firing_alerts(OF, config.settings.links.runbooks, width=24),
                ],
            ),
            Row("Over Time", [state.alert_history(OF, "system"), _by_severity(), _noisiest(), _longest()]),
            Row(
                "Messages",
                [_held(), _notifications(), _failures(), _latency(), dropped(), _reload(), _members()],
            ),
        ],
        links=[back()],
        variables=[systems()],
        alerts=OF,
        period="24h",
    )


def _pending() -> Panel:
    return number(
        "Alerts Pending",
        "Alerts whose condition is met, but not yet for long enough.",
        "short",
        over_time(f'count(ALERTS{{alertstate="pending",{OF}}}) or vector(0)'),
    )


def _silences() -> Panel:
    return number(
        "Silences",
        "Silences that somebody has set and that hold now.",
        "short",
        over_time('sum(alertmanager_silences{job="alertmanager",state="active"})'),
    ).thresholds(steps((None, GREEN), (1, ORANGE)))


def _failed() -> Panel:
    return number(
        "Messages Failed in an Hour",
        "Attempts to deliver a message that failed in the last hour.",
        "short",
        over_time('sum(increase(alertmanager_notifications_failed_total{job="alertmanager"}[1h]))'),
    ).thresholds(steps((None, GREEN), (0.5, RED)))


def _by_severity() -> Panel:
    panel = graph(
        "Alerts by Severity",
        "How many alerts fired.",
        "short",
        over_time(f"count by (severity) ({state.firing(OF)})", "{{severity}}"),
        width=12,
    )
    return coloured(panel, SEVERITIES)


def _noisiest() -> Panel:
    fired = f'max by (alertname, system) (ALERTS_FOR_STATE{{{OF},alertname!="Watchdog"}})'
    return rows(
        "Most Frequent Alerts",
        "How often each alert began in the time shown; those at the top are the first to be repaired or tuned.",
        "short",
        now(f"topk(20, changes({fired}[{RANGE}:1m]) + 1)"),
    )


def _longest() -> Panel:
    return rows(
        "Longest Alerts",
        "For how much of the time shown each alert fired.",
        "percentunit",
        now(
            f"topk(20, max by (alertname, system) (count_over_time({state.firing(OF)}[{RANGE}:1m]))"
            f" / scalar(count_over_time(vector(1)[{RANGE}:1m])))"
        ),
    )


def _held() -> Panel:
    return graph(
        "Alerts Held",
        "Alerts that Alertmanager knows of, by state: active, or suppressed by a silence or a graver alert.",
        "short",
        over_time('sum by (state) (alertmanager_alerts{job="alertmanager"})', "{{state}}"),
    )


def _notifications() -> Panel:
    sent = f'rate(alertmanager_notifications_total{{job="alertmanager"}}[{RATE}])'
    return graph(
        "Messages",
        "Messages a minute that Alertmanager tried to send, by channel.",
        "cpm",
        over_time(f"60 * sum by (integration) ({sent}) {USED}", "{{integration}}"),
    )


def _failures() -> Panel:
    failed = 'increase(alertmanager_notifications_failed_total{job="alertmanager"}[5m])'
    return graph(
        "Failed Messages",
        "Attempts that failed in the five minutes before each moment, by channel.",
        "short",
        over_time(f"sum by (integration) ({failed}) {USED}", "{{integration}}"),
    )


def _latency() -> Panel:
    buckets = f'rate(alertmanager_notification_latency_seconds_bucket{{job="alertmanager"}}[{RATE}])'
    return graph(
        "Time to Deliver (p99)",
        "All but the slowest of 100 messages were delivered within this time, by channel.",
        "s",
        over_time(f"histogram_quantile(0.99, sum by (integration, le) ({buckets})) {USED}", "{{integration}}"),
    )


def dropped() -> Panel:
    """What Prometheus could not tell Alertmanager."""
    return graph(
        "Alerts That Did Not Reach Alertmanager",
        "Alerts that Prometheus gave up sending in the five minutes before each moment.",
        "short",
        over_time(
            'sum by (alertmanager) (increase(prometheus_notifications_dropped_total{job="prometheus"}[5m]))',
            "{{alertmanager}}",
        ),
    )


def _reload() -> Panel:
    return graph(
        "Configuration of Alertmanager",
        "1 while the last configuration was taken over; 0 means that an older one is in force.",
        "short",
        over_time('alertmanager_config_last_reload_successful{job="alertmanager"}', "{{instance}}"),
    ).max(1)


def _members() -> Panel:
    return graph(
        "Members of the Cluster",
        "How many Alertmanagers each sees, 0 for one that stands alone; where they differ, messages come twice.",
        "short",
        over_time(
            'alertmanager_cluster_members{job="alertmanager"}'
            ' or on (instance) alertmanager_cluster_enabled{job="alertmanager"}',
            "{{instance}}",
        ),
    )
