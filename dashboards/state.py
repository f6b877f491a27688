"""The first panels of every dashboard: firing alerts, their severity and start."""

from typing import Final

from grafana_foundation_sdk.models import dashboard

from dashboards.common import BLUE, GREEN, ORANGE, RED, Panel, columns, link, number, over_time, states, steps
from observability.core.naming import runbook

ALL_OR_NOTHING: Final = steps((None, RED), (0.5, ORANGE), (1, GREEN))
"""Colours of a share that should be 1."""

UP_OR_DOWN: Final = {0: ("down", RED), 1: ("up", GREEN)}
"""Value texts for up and down."""

ABOUT: Final = ("severity", "system", "alertname", "instance", "route", "operation")
"""Columns of an alert in order of importance: a narrow table shows only the first ones."""

FIRES: Final = 'alertstate="firing",'
RANKS: Final = ((3, 'severity="critical"'), (2, 'severity="warning"'), (1, 'severity="info"'))
"""The severity of an alert as a number, and the matcher for it."""

QUIET: Final = "None"
"""Text of a number where there is nothing to count."""


def firing(*conditions: str) -> str:
    """Selector of firing alerts except the Watchdog, which always fires."""
    return "ALERTS{" + FIRES + ",".join(('alertname!="Watchdog"', *conditions)) + "}"


def began(*conditions: str) -> str:
    """When each firing alert became active, in seconds since 1970."""
    alerts = firing(*conditions)
    return (
        f"({alerts.replace('ALERTS', 'ALERTS_FOR_STATE', 1).replace(FIRES, '', 1)} and ignoring (alertstate) {alerts})"
    )


def alerts_firing(where: str) -> Panel:
    """Number of firing alerts."""
    return number(
        "Alerts Firing",
        "Firing alerts of any severity.",
        "short",
        over_time(f"count({firing(where)}) or vector(0)"),
    ).thresholds(steps((None, GREEN), (1, ORANGE)))


def critical_alerts(where: str) -> Panel:
    """Number of firing critical alerts."""
    critical = 'severity="critical"'
    return number(
        "Critical Alerts",
        "Firing critical alerts.",
        "short",
        over_time(f"count({firing(critical, where)}) or vector(0)"),
    ).thresholds(steps((None, GREEN), (1, RED)))


def firing_since(where: str) -> Panel:
    """Start of the oldest firing alert; 0, shown as a text, without one."""
    none = dashboard.ValueMap(options={"0": dashboard.ValueMappingResult(text=QUIET, color=GREEN, index=0)})
    return (
        number(
            "Firing Since",
            "When the oldest firing alert became active.",
            "dateTimeFromNow",
            over_time(f"1000 * min{began(where)} or vector(0)"),
        )
        .mappings([none])
        .thresholds(steps((None, ORANGE)))
    )


def firing_alerts(where: str, runbooks: str | None, width: int = 12) -> Panel:
    """Every firing alert."""
    panel = columns(
        "Firing Alerts",
        "All firing alerts, the most severe first; an empty table means none.",
        {"Age": (f"time() - {began(where)}", "s")},
        width=width,
        first=("severity", "Value #A", *ABOUT[1:]),
        order=" or ".join(f"0 * {began(severity, where)} + {level}" for level, severity in RANKS),
    )
    if runbooks is not None:
        panel.data_links([link("Runbook", runbook("${__data.fields.alertname}", runbooks)).target_blank(True)])
    return panel


def alert_history(where: str, by: str, width: int = 12) -> Panel:
    """When alerts fired, by severity."""
    levels = " or ".join(f"{level} * group by ({by}) ({firing(severity, where)})" for level, severity in RANKS)
    return states(
        "Alert History",
        "Highest severity of firing alerts over time.",
        over_time(levels, "{{" + by + "}}"),
        {1: ("info", BLUE), 2: ("warning", ORANGE), 3: ("critical", RED)},
        width=width,
    )


def heartbeat() -> Panel:
    """Whether the Watchdog fires."""
    words = dashboard.ValueMap(
        options={
            "0": dashboard.ValueMappingResult(text="silent", index=0),
            "1": dashboard.ValueMappingResult(text="beating", index=1),
        }
    )
    return (
        number(
            "Heartbeat",
            "Whether the Watchdog fires; if not, no rule is evaluated and no alert can fire.",
            "short",
            over_time('count(ALERTS{alertname="Watchdog",alertstate="firing"}) or vector(0)'),
        )
        .mappings([words])
        .thresholds(steps((None, RED), (1, GREEN)))
    )
