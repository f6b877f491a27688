"""Service graph: which service calls which service, database or external API, as spans show it."""

from typing import Final

from grafana_foundation_sdk.models import dashboard

from dashboards import state
from dashboards.across import back
from dashboards.common import GREEN, RED, Panel, columns, connections, graph, number, over_time, steps
from dashboards.layout import Row, assemble, to, variable

UID: Final = "obs-service-graph"

_OF: Final = 'system=~"$system"'
_EDGE: Final = "system, client, server, server_system, kind"
_REQUESTS: Final = f"app:service_graph_requests:rate5m{{{_OF}}}"
_ERRORS: Final = f"app:service_graph_errors:rate5m{{{_OF}}}"
_SHARE: Final = f"app:service_graph_errors:ratio_rate5m{{{_OF}}}"
_LEGEND: Final = "{{client}} → {{server}}"
_NONE: Final = "No calls in spans"

_FIRING: Final = f'component=~"application|database",{_OF}'


def service_graph() -> dashboard.Dashboard:
    """The dashboard; requires series made from spans."""
    return assemble(
        UID,
        "Service Graph",
        "Which service calls which service, database or external API, by spans: rates, failures, durations.",
        [
            Row(
                "State",
                [
                    state.alerts_firing(_FIRING),
                    state.firing_since(_FIRING),
                    _edges(),
                    _calls(),
                    _failing(),
                    _slowest(),
                ],
            ),
            Row("Graph", [_drawn(), _table()]),
            Row("Edges", [_requests(), _errors(), _durations()]),
        ],
        links=[back(), to("Traces", "/d/obs-traces")],
        variables=[variable("system", "System", "label_values(app:service_graph_requests:rate5m, system)")],
        alerts=_FIRING,
    )


def _p95(matchers: str = _OF) -> str:
    return f'app:service_graph_latency_seconds:quantile5m{{{matchers},quantile="0.95"}}'


def _edges() -> Panel:
    found = over_time(f"count(max by ({_EDGE}) ({_REQUESTS}) > 0)")
    return number("Edges", "Pairs of a caller and what it calls, in five minutes.", "short", found).no_value("0")


def _calls() -> Panel:
    return number("Calls", "Calls a second over all edges.", "cps", over_time(f"sum({_REQUESTS})")).no_value("0")


def _failing() -> Panel:
    failing = over_time(f"count({_SHARE} >= 0.05) or 0 * count({_SHARE})")
    return (
        number("Failing Edges", "Edges of which 5 % of the calls or more fail.", "short", failing)
        .thresholds(steps((None, GREEN), (1, RED)))
        .no_value("0")
    )


def _slowest() -> Panel:
    return number(
        "Slowest Edge", "Highest 95th percentile of the duration of calls.", "s", over_time(f"max({_p95()})")
    ).no_value(_NONE)


def _drawn() -> Panel:
    return connections(
        "Service Graph",
        "Services with the calls that they get and make, a second, and those that fail. A service is shown with its "
        "system, a database with its kind and address.",
        {"calls/s": _ends(f"{_REQUESTS} > 0"), "failed/s": _ends(f"{_ERRORS} and {_REQUESTS} > 0")},
    ).no_value(_NONE)


def _ends(expr: str) -> str:
    """The edges with the labels that the graph is drawn by: both ends by name and system, and one for both."""
    found = f'label_join(sum by ({_EDGE}) ({expr}), "source", "/", "system", "client")'
    found = f'label_join({found}, "named", "/", "server_system", "server")'
    found = f'label_replace({found}, "target", "$1", "named", "/?(.*)")'
    found = f'label_join({found}, "id", " → ", "source", "target")'
    return f"sum by (id, source, target) ({found})"


def _table() -> Panel:
    return columns(
        "Calls by Edge",
        "Each pair of a caller and what it calls, in five minutes: calls, share that fails, 95th percentile.",
        {
            "calls": (f"sum by ({_EDGE}) ({_REQUESTS}) > 0", "cps"),
            "failed": (f"max by ({_EDGE}) ({_SHARE} and {_REQUESTS} > 0)", "percentunit"),
            "p95": (f"max by ({_EDGE}) ({_p95()} and ignoring (quantile) {_REQUESTS} > 0)", "s"),
        },
        width=24,
        first=("system", "client", "server", "server_system", "kind", "calls", "failed", "p95"),
    ).no_value(_NONE)


def _top(expr: str) -> str:
    return f"topk(10, max by ({_EDGE}) ({expr}))"


def _requests() -> Panel:
    return graph(
        "Calls over Time", "Calls a second by edge; the ten with the most.", "cps", over_time(_top(_REQUESTS), _LEGEND)
    ).no_value(_NONE)


def _errors() -> Panel:
    return graph(
        "Failed Calls",
        "Share of the calls that fail by edge; the ten with the highest.",
        "percentunit",
        over_time(_top(_SHARE), _LEGEND),
    ).no_value(_NONE)


def _durations() -> Panel:
    return graph(
        "Duration of Calls (p95)",
        "95th percentile of the duration by edge; the ten with the highest.",
        "s",
        over_time(_top(_p95()), _LEGEND),
    ).no_value(_NONE)
