"""The panels that come first everywhere: is it broken, since when, who is hurt."""

from typing import Final

from grafana_foundation_sdk.models import dashboard

from dashboards.common import BLUE, GREEN, ORANGE, RED, Panel, columns, link, number, over_time, states, steps
from observability.core.naming import runbook

ALL_OR_NOTHING: Final = steps((None, RED), (0.5, ORANGE), (1, GREEN))
"""Colours of a share of which all is well only at 1."""

UP_OR_DOWN: Final = {0: ("down", RED), 1: ("up", GREEN)}
"""Words for what answers or does not."""

ABOUT: Final = ("severity", "system", "alertname", "instance", "route", "operation")
"""What a reader wants to know of an alert, in this order: the first columns are all that a narrow table shows."""

FIRES: Final = 'alertstate="firing",'
RANKS: Final = ((3, 'severity="critical"'), (2, 'severity="warning"'), (1, 'severity="info"'))
"""How severe an alert is as a number, and the matcher for it."""

QUIET: Final = "None"
"""What a number says when there is nothing to be counted."""


def firing(*conditions: str) -> str:
    """Selector of firing alerts but the Watchdog, which fires always: it is what proves that alerts flow."""
    return "ALERTS{" + FIRES + ",".join(('alertname!="Watchdog"', *conditions)) + "}"


def began(*conditions: str) -> str:
    """When the condition of each firing alert was first met, in seconds since 1970."""
    alerts = firing(*conditions)
    return (
        f"({alerts.replace('ALERTS', 'ALERTS_FOR_STATE', 1).replace(FIRES, '', 1)} and ignoring (alertstate) {alerts})"
    )


def alerts_firing(where: str) -> Panel:
    """How many alerts fire."""
    return number(
        "Alerts Firing",
        "Alerts that fire now, whatever their severity.",
        "short",
        over_time(f"count({firing(where)}) or vector(0)"),
    ).thresholds(steps((None, GREEN), (1, ORANGE)))


def critical_alerts(where: str) -> Panel:
    """How many of them are critical."""
    critical = 'severity="critical"'
    return number(
        "Critical Alerts",
        "Alerts that fire now and want somebody at once.",
        "short",
        over_time(f"count({firing(critical, where)}) or vector(0)"),
    ).thresholds(steps((None, GREEN), (1, RED)))


def firing_since(where: str) -> Panel:
    """Since when something is wrong; 0, shown as a word, where nothing is."""
    none = dashboard.ValueMap(options={"0": dashboard.ValueMappingResult(text=QUIET, color=GREEN, index=0)})
    return (
        number(
            "Firing Since",
            "When the condition of the oldest alert that fires now was first met.",
            "dateTimeFromNow",
            over_time(f"1000 * min{began(where)} or vector(0)"),
        )
        .mappings([none])
        .thresholds(steps((None, ORANGE)))
    )


def firing_alerts(where: str, runbooks: str | None, width: int = 12) -> Panel:
    """Every alert that fires."""
    panel = columns(
        "Firing Alerts",
        "Every alert that fires now, the most severe first; an empty table means that nothing fires.",
        {"Age": (f"time() - {began(where)}", "s")},
        width=width,
        first=("severity", "Value #A", *ABOUT[1:]),
        order=" or ".join(f"0 * {began(severity, where)} + {level}" for level, severity in RANKS),
    )
    if runbooks is not None:
        panel.data_links([link("Runbook", runbook("${__data.fields.alertname}", runbooks)).target_blank(True)])
    return panel


def alert_history(where: str, by: str, width: int = 12) -> Panel:
    """When alerts fired, and how bad they were."""
    levels = " or ".join(f"{level} * group by ({by}) ({firing(severity, where)})" for level, severity in RANKS)
    return states(
        "Alert History",
        "When alerts fired: the gravest severity at each moment.",
        over_time(levels, "{{" + by + "}}"),
        {1: ("info", BLUE), 2: ("warning", ORANGE), 3: ("critical", RED)},
        width=width,
    )


def heartbeat() -> Panel:
    """Whether alerts flow at all."""
    words = dashboard.ValueMap(
        options={
            "0": dashboard.ValueMappingResult(text="silent", index=0),
            "1": dashboard.ValueMappingResult(text="beating", index=1),
        }
    )
    return (
        number(
            "Heartbeat",
            "Whether the Watchdog fires; silent means that no rule is evaluated and no alert can be trusted to come.",
            "short",
            over_time('count(ALERTS{alertname="Watchdog",alertstate="firing"}) or vector(0)'),
        )
        .mappings([words])
        .thresholds(steps((None, RED), (1, GREEN)))
    )
