"""Overview: firing alerts, then the impact on users of each system, then the hosts."""

from typing import Final

from grafana_foundation_sdk.models import dashboard

from dashboards import state
from dashboards.across import OF, systems
from dashboards.common import GREEN, ORANGE, RED, Panel, columns, graph, now, number, over_time, rows, steps
from dashboards.layout import Row, assemble, tagged, to
from dashboards.slos import BUDGET, budget_left
from dashboards.stores import all_stores
from dashboards.summaries import Summaries
from observability.core.naming import PLATFORM
from observability.parts.probe import present
from observability.scrape.jobs import jobs
from observability.settings.load import StackConfig

UID: Final = "obs-overview"


def overview(config: StackConfig) -> dashboard.Dashboard:
    """The dashboard, with the rows of the parts that the stack runs."""
    hosts, probes = config.runs("node-exporter"), config.runs("blackbox-exporter")
    return assemble(
        UID,
        "Overview",
        "Firing alerts, the impact on users, and the hosts. Start here.",
        [
            Row(
                "Current State",
                [
                    state.critical_alerts(OF),
                    state.alerts_firing(OF),
                    state.firing_since(OF),
                    _targets_down(),
                    _endpoints_down() if probes else None,
                    _over_budget(),
                    state.heartbeat(),
                    state.firing_alerts(OF, Summaries.of(config), config.settings.links.runbooks),
                    state.alert_history(OF, "system"),
                    all_stores(OF, {job.name for job in jobs(config)}),
                ],
            ),
            Row("User Impact", [_systems(), _error_rate(), _response_time(), _traffic(), _failing_routes()]),
            Row(
                "Infrastructure",
                [
                    _targets(),
                    _cpu() if hosts else None,
                    _memory() if hosts else None,
                    _disk() if hosts else None,
                ],
            ),
        ],
        links=[
            tagged("All Dashboards", "observability"),
            to("Alerts", "/d/obs-alerts"),
            to("SLOs", "/d/obs-slos"),
            *([to("Logs", "/d/obs-logs")] if config.runs("loki") else []),
            *([to("Traces", "/d/obs-traces")] if config.runs("traces") else []),
            *([to("Service Graph", "/d/obs-service-graph")] if config.runs("traces") else []),
        ],
        variables=[systems()],
        alerts=OF,
    )


def _targets_down() -> Panel:
    return number(
        "Targets Down",
        "Targets that are down.",
        "short",
        over_time(f"sum(up{{{OF}}} == bool 0)"),
    ).thresholds(steps((None, GREEN), (1, RED)))


def _endpoints_down() -> Panel:
    return number(
        "Endpoints Down",
        "Addresses whose probe fails.",
        "short",
        over_time(f"sum({present('probe_success', OF)} == bool 0)"),
    ).thresholds(steps((None, GREEN), (1, RED)))


def _over_budget() -> Panel:
    return number(
        "SLOs Missed",
        "Objectives whose error budget of 30 days is used up.",
        "short",
        over_time(f"sum(slo:period_error_budget_remaining:ratio{{{OF}}} < bool 0)"),
    ).thresholds(steps((None, GREEN), (1, ORANGE)))


def _systems() -> Panel:
    watched = f'{OF},system!="{PLATFORM}"'
    known = f"0 * group by (system) (app:system:info{{{watched}}})"
    quantile = f'app:http_latency_seconds:quantile5m{{{OF},quantile="0.95"}}'
    left = f"min by (system) (slo:period_error_budget_remaining:ratio{{{OF}}})"
    return columns(
        "Systems",
        f"Each system: firing alerts, errors and response times, and its lowest remaining error budget. {BUDGET}",
        {
            "Alerts": (f"count by (system) ({state.firing(watched)}) or {known}", "short"),
            "Requests": (f"sum by (system) (app:http_requests:rate5m{{{OF}}})", "reqps"),
            "Errors": (f"sum by (system) (app:http_errors:ratio_rate5m{{{OF}}})", "percentunit"),
            "Time (p95)": (f"sum by (system) ({quantile})", "s"),
            "Budget Left": (budget_left(left), "percentunit"),
        },
        links={"system": ("Overview", "/d/${__data.fields.system}-overview?${__url_time_range}")},
        width=24,
    )


def _error_rate() -> Panel:
    return graph(
        "Error Rate by System",
        "Share of requests with a 5xx status.",
        "percentunit",
        over_time(f"app:http_errors:ratio_rate5m{{{OF}}}", "{{system}}"),
    )


def _response_time() -> Panel:
    return graph(
        "Response Time by System (p95)",
        "95th percentile of the response time.",
        "s",
        over_time(f'app:http_latency_seconds:quantile5m{{{OF},quantile="0.95"}}', "{{system}}"),
    )


def _traffic() -> Panel:
    return graph(
        "Requests by System",
        "Requests a second.",
        "reqps",
        over_time(f"app:http_requests:rate5m{{{OF}}}", "{{system}}"),
    )


def _failing_routes() -> Panel:
    panel = rows(
        "Failing Routes",
        "The routes with the most 5xx responses in the last five minutes.",
        "reqps",
        now(f"topk(10, app:http_errors_by_route:rate5m{{{OF}}} > 0)"),
        width=24,
        names={"Value": "5xx a second"},
        first=("system", "route", "Value"),
    )
    return panel.no_value("No route fails").height(state.TIMELINE_HEIGHT)


def _targets() -> Panel:
    return graph(
        "Targets Up",
        "Share of a system's targets that are up.",
        "percentunit",
        over_time(f"system:up:avg{{{OF}}}", "{{system}}"),
        width=6,
    ).max(1)


def _cpu() -> Panel:
    return graph(
        "CPU by Host",
        "Busy share of each host's CPUs.",
        "percentunit",
        over_time(f"instance:node_cpu_busy:ratio_rate5m{{{OF}}}", "{{instance}}"),
        width=6,
    ).max(1)


def _memory() -> Panel:
    return graph(
        "Memory by Host",
        "Share of each host's memory that is not available to processes.",
        "percentunit",
        over_time(f"instance:node_memory_used:ratio{{{OF}}}", "{{instance}}"),
        width=6,
    ).max(1)


def _disk() -> Panel:
    return graph(
        "Fullest Disk by Host",
        "Used share of each host's fullest filesystem.",
        "percentunit",
        over_time(f"instance:node_filesystem_used:max{{{OF}}}", "{{instance}}"),
        width=6,
    ).max(1)
