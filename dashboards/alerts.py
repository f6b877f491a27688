"""Alerts: which fire, which fire most often, and whether notifications are delivered."""

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
from dashboards.summaries import Summaries
from observability.core.alert import NO_PROBLEM_PATTERN
from observability.settings.load import StackConfig

UID: Final = "obs-alerts"

USED: Final = (
    "and on (integration) "
    f'sum by (integration) (increase(alertmanager_notifications_total{{job="alertmanager"}}[{RANGE}])) > 0'
)
"""Excludes integrations without notifications: Alertmanager exposes counters of all integrations."""


def alerts(config: StackConfig) -> dashboard.Dashboard:
    """The dashboard."""
    return assemble(
        UID,
        "Alerts",
        "Firing alerts, the most frequent ones, and the delivery of notifications.",
        [
            Row(
                "Current State",
                [
                    state.critical_alerts(OF),
                    state.alerts_firing(OF),
                    _pending(),
                    state.firing_since(OF),
                    _silences(),
                    _failed(),
                    state.firing_alerts(OF, Summaries.of(config), config.settings.links.runbooks),
                ],
            ),
            Row("History", [state.alert_history(OF, "system"), _by_severity(), _noisiest(), _longest()]),
            Row(
                "Notifications",
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
        "Alerts whose condition is true, but not yet for their `for` duration.",
        "short",
        over_time(f'count(ALERTS{{alertstate="pending",{OF}}}) or vector(0)'),
    )


def _silences() -> Panel:
    return number(
        "Silences",
        "Active silences.",
        "short",
        over_time('sum(alertmanager_silences{job="alertmanager",state="active"})'),
    ).thresholds(steps((None, GREEN), (1, ORANGE)))


def _failed() -> Panel:
    return number(
        "Failed Notifications (1h)",
        "Notifications that failed in the last hour.",
        "short",
        over_time('sum(increase(alertmanager_notifications_failed_total{job="alertmanager"}[1h]))'),
    ).thresholds(steps((None, GREEN), (0.5, RED)))


def _by_severity() -> Panel:
    panel = graph(
        "Alerts by Severity",
        "Number of firing alerts.",
        "short",
        over_time(f"count by (severity) ({state.firing(OF)})", "{{severity}}"),
        width=12,
    )
    return coloured(panel, SEVERITIES)


def _noisiest() -> Panel:
    fired = f'max by (alertname, system) (ALERTS_FOR_STATE{{{OF},alertname!~"{NO_PROBLEM_PATTERN}"}})'
    return rows(
        "Most Frequent Alerts",
        "How often each alert started to fire in the time range; fix or tune those at the top first.",
        "short",
        now(f"topk(20, changes({fired}[{RANGE}:1m]) + 1)"),
    )


def _longest() -> Panel:
    return rows(
        "Longest-firing Alerts",
        "How long each alert fired in the time range.",
        "percentunit",
        now(
            f"topk(20, max by (alertname, system) (count_over_time({state.firing(OF)}[{RANGE}:1m]))"
            f" / scalar(count_over_time(vector(1)[{RANGE}:1m])))"
        ),
    )


def _held() -> Panel:
    return graph(
        "Alerts in Alertmanager",
        "Alerts in Alertmanager by state: active, or suppressed by a silence or an inhibition.",
        "short",
        over_time('sum by (state) (alertmanager_alerts{job="alertmanager"})', "{{state}}"),
    )


def _notifications() -> Panel:
    sent = f'rate(alertmanager_notifications_total{{job="alertmanager"}}[{RATE}])'
    return graph(
        "Notifications",
        "Notifications a minute that Alertmanager tried to send, by integration.",
        "cpm",
        over_time(f"60 * sum by (integration) ({sent}) {USED}", "{{integration}}"),
    )


def _failures() -> Panel:
    failed = 'increase(alertmanager_notifications_failed_total{job="alertmanager"}[5m])'
    return graph(
        "Failed Notifications",
        "Failed notifications in five minutes, by integration.",
        "short",
        over_time(f"sum by (integration) ({failed}) {USED}", "{{integration}}"),
    )


def _latency() -> Panel:
    buckets = f'rate(alertmanager_notification_latency_seconds_bucket{{job="alertmanager"}}[{RATE}])'
    return graph(
        "Time to Deliver (p99)",
        "99th percentile of the duration of a notification, by integration.",
        "s",
        over_time(f"histogram_quantile(0.99, sum by (integration, le) ({buckets})) {USED}", "{{integration}}"),
    )


def dropped() -> Panel:
    """Alerts that Prometheus could not send to Alertmanager."""
    return graph(
        "Dropped Alerts",
        "Alerts that Prometheus dropped in five minutes.",
        "short",
        over_time(
            'sum by (alertmanager) (increase(prometheus_notifications_dropped_total{job="prometheus"}[5m]))',
            "{{alertmanager}}",
        ),
    )


def _reload() -> Panel:
    return graph(
        "Configuration of Alertmanager",
        "1: the last reload succeeded; 0: the previous configuration is in use.",
        "short",
        over_time('alertmanager_config_last_reload_successful{job="alertmanager"}', "{{instance}}"),
    ).max(1)


def _members() -> Panel:
    return graph(
        "Members of the Cluster",
        "Cluster members that each Alertmanager sees, 0 without a cluster; where they differ, duplicates are sent.",
        "short",
        over_time(
            'alertmanager_cluster_members{job="alertmanager"}'
            ' or on (instance) alertmanager_cluster_enabled{job="alertmanager"}',
            "{{instance}}",
        ),
    )
