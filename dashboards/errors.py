"""Errors: those that applications log with a fingerprint, by group: how many, when first and last, and their lines."""

from typing import Final

from grafana_foundation_sdk.models import dashboard

from dashboards import state
from dashboards.across import back
from dashboards.common import Panel, columns, graph, log_lines, number, over_time
from dashboards.layout import Row, assemble, variable

UID: Final = "obs-errors"

_COUNTED: Final = 'app:errors_by_fingerprint:count1m{system=~"$system",error_kind=~"$group"}'
_BY: Final = "system, service, error_kind"
_FIRING: Final = 'component="logs"'


def errors() -> dashboard.Dashboard:
    """The dashboard; requires Loki, which counts the lines."""
    return assemble(
        UID,
        "Errors",
        "Errors that applications log with a fingerprint: groups, how many, first and last seen, their lines.",
        [
            Row("State", [state.alerts_firing(_FIRING), state.firing_since(_FIRING), _groups(), _lines_counted()]),
            Row("Groups", [_table(), _over_time(), _by_system(), _examples()]),
        ],
        links=[back()],
        variables=[
            variable("system", "System", "label_values(app:errors_by_fingerprint:count1m, system)"),
            variable("group", "Group", "label_values(app:errors_by_fingerprint:count1m, error_kind)"),
        ],
        alerts=_FIRING,
    )


def _sum(by: str, range_: str) -> str:
    return f"sum by ({by}) (sum_over_time({_COUNTED}[{range_}]))"


def _groups() -> Panel:
    return number(
        "Groups", "Groups of errors in the range.", "short", over_time(f"count({_sum(_BY, '1h')})")
    ).no_value("0")


def _lines_counted() -> Panel:
    return number(
        "Errors in an Hour", "Lines in the last hour.", "short", over_time(f"sum({_sum(_BY, '1h')})")
    ).no_value("0")


def _table() -> Panel:
    # Each group has a sample in the minutes with lines of it: their times are those of its lines.
    seen = f"timestamp({_COUNTED})[$__range:1m]"
    return columns(
        "Groups of Errors",
        "Each group with its lines, and the minutes of the first and the last one in the range. A group has the "
        "errors of a service with the same fingerprint.",
        {
            "lines": (_sum(_BY, "$__range"), "short"),
            "first seen": (f"1000 * min by ({_BY}) (min_over_time({seen}))", "dateTimeFromNow"),
            "last seen": (f"1000 * max by ({_BY}) (max_over_time({seen}))", "dateTimeFromNow"),
        },
        links={
            "error_kind": (
                "Example lines of this group",
                f"/d/{UID}?var-group=${{__data.fields.error_kind}}&${{__url_time_range}}",
            )
        },
        width=24,
        first=("lines", "system", "service", "error_kind", "first seen", "last seen"),
    ).no_value("No error with a fingerprint")


def _over_time() -> Panel:
    return graph(
        "Errors by Group",
        "Lines in five minutes by group; the ten with the most.",
        "short",
        over_time(f"topk(10, {_sum(_BY, '5m')})", "{{system}} {{service}} {{error_kind}}"),
    ).no_value("No error with a fingerprint")


def _by_system() -> Panel:
    return graph(
        "Errors by System", "Lines in five minutes by system.", "short", over_time(_sum("system", "5m"), "{{system}}")
    ).no_value("No error with a fingerprint")


def _examples() -> Panel:
    # Such a line is an object of JSON, with its stack; the dashboard of logs shows all of it.
    form = "{{.error_kind}} {{.trace_id}} {{.said}}: {{.failure}}"
    return log_lines(
        "Example Lines",
        "The newest lines: group, trace, message and error.",
        f'{{system=~"$system",level=~"error|critical"}} | fingerprint != "" | error_kind=~"$group" '
        f'| json said="message", failure="error" | line_format `{form}`',
    )
