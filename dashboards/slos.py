"""SLOs: the objectives of each system, the remaining error budget, and the burn rate."""

from typing import Final

from grafana_foundation_sdk.models import dashboard

from dashboards import state
from dashboards.across import OF, back, systems
from dashboards.common import (
    GREEN,
    ORANGE,
    RED,
    Panel,
    columns,
    graph,
    line_at,
    number,
    over_time,
    states,
    steps,
)
from dashboards.layout import Row, assemble

UID: Final = "obs-slos"

BUDGET: Final = "100 % is unused, 0 % used up; below 0 % the objective is missed; -100 % stands for all below it."
"""Explains a remaining error budget."""

BURN: Final = {"1h": (14.4, RED), "6h": (6.0, RED), "1d": (3.0, ORANGE), "3d": (1.0, ORANGE)}
"""Burn rate from which an alert fires, by window."""


def budget_left(expr: str) -> str:
    """A remaining error budget, at least -1: one outage can use up a hundred budgets, and would flatten all others."""
    return f"clamp_min({expr}, -1)"


def slos() -> dashboard.Dashboard:
    """The dashboard."""
    condition = 'condition="error_budget"'
    return assemble(
        UID,
        "Service Level Objectives",
        "Objectives of each system over 30 days, and the remaining error budget.",
        [
            Row(
                "State",
                [
                    state.alerts_firing(f"{condition},{OF}"),
                    state.firing_since(f"{condition},{OF}"),
                    _missed(),
                    _least_left(),
                    _fastest(),
                    _objectives(),
                ],
            ),
            Row("Error Budget", [_left(), _kept(), _bad_now()]),
            Row("Burn Rate", [_burn(window) for window in BURN]),
        ],
        links=[back()],
        variables=[systems()],
        alerts=f"{condition},{OF}",
        period="7d",
    )


def _missed() -> Panel:
    return number(
        "SLOs Missed",
        "Objectives whose error budget of 30 days is used up.",
        "short",
        over_time(f"sum(slo:period_error_budget_remaining:ratio{{{OF}}} < bool 0)"),
    ).thresholds(steps((None, GREEN), (1, RED)))


def _least_left() -> Panel:
    return number(
        "Lowest Error Budget",
        f"Lowest remaining error budget. {BUDGET}",
        "percentunit",
        over_time(budget_left(f"min(slo:period_error_budget_remaining:ratio{{{OF}}})")),
    ).thresholds(steps((None, RED), (0, ORANGE), (0.25, GREEN)))


def _fastest() -> Panel:
    return number(
        "Highest Burn Rate Now",
        "Highest burn rate over the last five minutes; 1 uses up the error budget in 30 days.",
        "short",
        over_time(f"max(slo:current_burn_rate:ratio{{{OF}}})"),
    ).thresholds(steps((None, GREEN), (1, ORANGE), (14.4, RED)))


def _objectives() -> Panel:
    def by_slo(series: str) -> str:
        return f"sum by (system, slo) ({series}{{{OF}}})"

    return columns(
        "Objectives",
        f"Each objective: target, actual value over 30 days, remaining error budget, and current burn rate. {BUDGET}",
        {
            "Objective": (by_slo("slo:objective:ratio"), "percentunit"),
            "Actual": (f"1 - {by_slo('slo:sli_error:ratio_rate30d')}", "percentunit"),
            "Budget Left": (budget_left(by_slo("slo:period_error_budget_remaining:ratio")), "percentunit"),
            "Burn Rate": (by_slo("slo:current_burn_rate:ratio"), "short"),
        },
        first=("system", "slo"),
        links={"system": ("Application", "/d/${__data.fields.system}-application?${__url_time_range}")},
        width=24,
    )


def _left() -> Panel:
    panel = graph(
        "Error Budget Left",
        f"Remaining share of the error budget of 30 days. {BUDGET}",
        "percentunit",
        over_time(budget_left(f"slo:period_error_budget_remaining:ratio{{{OF}}}"), "{{system}} {{slo}}"),
    )
    return line_at(panel, 0, RED).min(-1)


def _kept() -> Panel:
    return states(
        "Objective Met",
        "Whether the objective was met over the 30 days before.",
        over_time(f"slo:period_error_budget_remaining:ratio{{{OF}}} >= bool 0", "{{system}} {{slo}}"),
        {0: ("missed", RED), 1: ("met", GREEN)},
        width=8,
    )


def _bad_now() -> Panel:
    return graph(
        "Bad Requests",
        "Share of requests that failed or took longer than the target, over five minutes.",
        "percentunit",
        over_time(f"slo:sli_error:ratio_rate5m{{{OF}}}", "{{system}} {{slo}}"),
    )


def _burn(window: str) -> Panel:
    limit, color = BURN[window]
    pace = f"slo:sli_error:ratio_rate{window}{{{OF}}} / on (system, slo) group_left () slo:error_budget:ratio{{{OF}}}"
    panel = graph(
        f"Burn Rate over {window}",
        f"Burn rate over {window}: 1 uses up the error budget in 30 days; above {limit:g} an alert fires.",
        "short",
        over_time(pace, "{{system}} {{slo}}"),
        width=6,
    )
    return line_at(panel, limit, color)
