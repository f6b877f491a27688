"""Status: the state of each system as its users see it, without technical detail; it can be made public.

Grafana shows no variables on a public dashboard, so it has none. It contains no host, route or error message.
"""

from typing import Final

from grafana_foundation_sdk.models import dashboard

from dashboards import state
from dashboards.common import GREEN, ORANGE, RED, UNMEASURED, Panel, graph, number, over_time, states, steps
from dashboards.layout import Row, assemble
from observability.core.naming import OF_NO_FILE

UID: Final = "obs-status"

WATCHED: Final = f'system!~"{"|".join(OF_NO_FILE)}"'

WORDS: Final = {0: ("operational", GREEN), 1: ("degraded", ORANGE), 2: ("down or failing", RED)}


def status() -> dashboard.Dashboard:
    """The dashboard."""
    return assemble(
        UID,
        "Status",
        "Current state of each system, its history, and its availability.",
        [
            Row("Current State", [_now(), _history()]),
            Row("Service Levels", [_availability(), _error_rate(), _response_time()]),
        ],
        alerts=WATCHED,
        period="24h",
    )


def _state() -> str:
    """2 for a system with a critical alert, 1 with a warning, else 0."""
    critical, warning = (state.firing(f'severity="{severity}"', WATCHED) for severity in ("critical", "warning"))
    return (
        f"2 * group by (system) ({critical}) or 1 * group by (system) ({warning})"
        f" or 0 * group by (system) (app:system:info{{{WATCHED}}})"
    )


def _now() -> Panel:
    mapping = dashboard.ValueMap(
        options={
            str(value): dashboard.ValueMappingResult(text=text, color=color, index=index)
            for index, (value, (text, color)) in enumerate(WORDS.items())
        }
    )
    return number(
        "Systems Now",
        "Current state of each system.",
        "short",
        over_time(_state(), "{{system}}"),
        width=24,
    ).mappings([mapping, UNMEASURED])


def _history() -> Panel:
    return states(
        "Systems Over Time",
        "State of each system in the time range.",
        over_time(_state(), "{{system}}"),
        WORDS,
        width=24,
    )


def _availability() -> Panel:
    return number(
        "Availability Over 30 Days",
        "Share of requests without a 5xx status.",
        "percentunit",
        over_time(f'1 - slo:sli_error:ratio_rate30d{{slo="availability",{WATCHED}}}', "{{system}}"),
        width=24,
    ).thresholds(steps((None, RED), (0.99, ORANGE), (0.999, GREEN)))


def _error_rate() -> Panel:
    return graph(
        "Share of Failed Requests",
        "Share of requests with a 5xx status, over five minutes.",
        "percentunit",
        over_time(f"app:http_errors:ratio_rate5m{{{WATCHED}}}", "{{system}}"),
        width=12,
    )


def _response_time() -> Panel:
    return graph(
        "Response Time (p95)",
        "95th percentile of the response time.",
        "s",
        over_time(f'app:http_latency_seconds:quantile5m{{quantile="0.95",{WATCHED}}}', "{{system}}"),
        width=12,
    )
