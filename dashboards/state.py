"""The first panels of every dashboard: firing alerts, their severity and start."""

from typing import Final

from grafana_foundation_sdk.models import common, dashboard

from dashboards.common import (
    BLUE,
    GREEN,
    ORANGE,
    RED,
    SEVERITIES,
    UNMEASURED,
    Panel,
    coloured,
    link,
    now,
    number,
    over_time,
    rows,
    states,
    steps,
    worded,
)
from dashboards.summaries import KEYS, SEPARATOR, UNKNOWN, Summaries
from observability.core.alert import NO_PROBLEM_PATTERN
from observability.core.naming import runbook

ALL_OR_NOTHING: Final = steps((None, RED), (0.5, ORANGE), (1, GREEN))
"""Colours of a share that should be 1."""

UP_OR_DOWN: Final = {0: ("down", RED), 1: ("up", GREEN)}
"""Value texts for up and down."""

ALERTS_HEIGHT: Final = 6
TIMELINE_HEIGHT: Final = 5
"""Heights in Grafana's grid units: with them, alerts, stores and the first graphs fit on one screen."""

COLUMNS: Final = {"severity": 80, "since": 120, "system": 120, "alertname": 200}
"""Widths of the columns of firing alerts in pixels; the summary has the rest."""

FIRES: Final = 'alertstate="firing",'
RANKS: Final = ((3, 'severity="critical"'), (2, 'severity="warning"'), (1, 'severity="info"'))
"""The severity of an alert as a number, and the matcher for it."""

QUIET: Final = "None"
"""Text of a number where there is nothing to count."""


def firing(*conditions: str) -> str:
    """Selector of firing alerts that report a problem."""
    return "ALERTS{" + FIRES + ",".join((f'alertname!~"{NO_PROBLEM_PATTERN}"', *conditions)) + "}"


def began(*conditions: str) -> str:
    """When each firing alert became active, in seconds since 1970."""
    alerts = firing(*conditions)
    return (
        f"({alerts.replace('ALERTS', 'ALERTS_FOR_STATE', 1).replace(FIRES, '', 1)} and ignoring (alertstate) {alerts})"
    )


def alerts_firing(where: str) -> Panel:
    """Number of firing alerts, by severity in its colour; 0 without one."""
    alerts = firing(where)
    panel = number(
        "Alerts Firing",
        "Firing alerts by severity.",
        "short",
        over_time(f"count by (severity) ({alerts}) or vector(0) unless on () {alerts}", "{{severity}}"),
    ).thresholds(steps((None, GREEN), (1, ORANGE)))
    return coloured(panel, SEVERITIES)


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
    """Name and start of the oldest firing alert; a text without one."""
    none = dashboard.ValueMap(options={"0": dashboard.ValueMappingResult(text=QUIET, color=GREEN, index=0)})
    nothing = f'label_replace(vector(0), "alertname", "no alert", "", "") unless on () {firing(where)}'
    return (
        number(
            "Firing Since",
            "The oldest firing alert, and when it became active.",
            "dateTimeFromNow",
            over_time(f"bottomk(1, 1000 * {began(where)}) or {nothing}", "{{alertname}}"),
        )
        .text_mode(common.BigValueTextMode.VALUE_AND_NAME)
        # The wide layout shrinks both to one line.
        .wide_layout(False)
        .mappings([none, UNMEASURED])
        .thresholds(steps((None, ORANGE)))
    )


def firing_alerts(where: str, summaries: Summaries, runbooks: str | None) -> Panel:
    """Every firing alert with its summary; `runbooks` is the address of the runbooks, which the rows link to."""
    panel = rows(
        "Firing Alerts",
        f"All firing alerts, the most severe first. Values are the present ones; {UNKNOWN} stands for one that is not "
        "recorded.",
        "dateTimeFromNow",
        now(_told(where, summaries)),
        width=24,
        first=("severity", "Value", "system", "alertname", "summary"),
        names={"Value": "since"},
        order="rank",
    )
    panel.no_value("No alert fires").height(ALERTS_HEIGHT)
    for column, room in COLUMNS.items():
        panel.override_by_name(column, [dashboard.DynamicConfigValue(id_val="custom.width", value=room)])
    worded(panel, "severity", {name: (name, color) for name, color in SEVERITIES.items()})
    panel.override_by_name("summary", [dashboard.DynamicConfigValue(id_val="mappings", value=summaries.mappings)])
    if runbooks is not None:
        panel.data_links([link("Runbook", runbook("${__data.fields.alertname}", runbooks)).target_blank(True)])
    return panel


def _told(where: str, summaries: Summaries) -> str:
    """When each alert became active in ms since 1970, with what its summary needs in the label `summary`."""
    keys = ", ".join((*KEYS, *summaries.identity))
    told = found = f"min by ({keys}) (1000 * {began(where)})"
    if values := summaries.values():
        same = ", ".join((*KEYS, *summaries.measured))
        told = f"{found} * on ({same}) group_left (value) topk by ({same}) (1, {values}) or on ({keys}) {found}"
    fields = ", ".join(f'"{label}"' for label in (*KEYS, *summaries.identity, "value"))
    told = f'label_join({told}, "summary", "{SEPARATOR}", {fields})'
    for rank, (_, severity) in enumerate(RANKS, 1):
        name = severity.partition("=")[2].strip('"')
        told = f'label_replace({told}, "rank", "{rank}", "severity", "{name}")'
    return f"sort(min by (rank, severity, system, alertname, summary) ({told}))"


def alert_history(where: str, by: str, width: int = 12) -> Panel:
    """When alerts fired, by severity."""
    levels = " or ".join(f"{level} * group by ({by}) ({firing(severity, where)})" for level, severity in RANKS)
    return states(
        "Alert History",
        "Highest severity of firing alerts over time.",
        over_time(levels, "{{" + by + "}}"),
        {1: ("info", BLUE), 2: ("warning", ORANGE), 3: ("critical", RED)},
        width=width,
    ).height(TIMELINE_HEIGHT)


def heartbeat() -> Panel:
    """Whether the Watchdog fires."""
    words = dashboard.ValueMap(
        options={
            "0": dashboard.ValueMappingResult(text="missing", index=0),
            "1": dashboard.ValueMappingResult(text="OK", index=1),
        }
    )
    return (
        number(
            "Heartbeat",
            "Whether the Watchdog fires; if not, no rule is evaluated and no alert can fire.",
            "short",
            over_time('count(ALERTS{alertname="Watchdog",alertstate="firing"}) or vector(0)'),
        )
        .mappings([words, UNMEASURED])
        .thresholds(steps((None, RED), (1, GREEN)))
    )
