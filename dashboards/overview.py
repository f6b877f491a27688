"""Overview: is the stack well, what is alerting, and how is the host it runs on."""

from typing import Final

from grafana_foundation_sdk.builders import prometheus
from grafana_foundation_sdk.models import dashboard

from config.load import StackConfig
from dashboards.common import GREEN, RATE, RED, Panel, Row, assemble, graph, now, number, over_time, rows, steps

UID: Final = "obs-overview"

_CRITICAL: Final = 'severity="critical"'


def overview(config: StackConfig) -> dashboard.Dashboard:
    """The dashboard, with the rows of the parts that the stack runs."""
    parts = [Row(title="State", panels=[_targets_down(), _firing(), _critical(), _heartbeat(), _alerts(), _targets()])]
    if config.runs("node-exporter"):
        parts.append(Row(title="Host", panels=[_cpu(), _memory(), _disk(), _network()]))
    parts.append(Row(title="Prometheus", panels=[_samples(), _series(), _scrapes(), _rules()]))
    parts.append(Row(title="Alertmanager", panels=[_held(), _notifications()]))
    return assemble(UID, "Overview", "Whether the stack is well, what is alerting, and how its host is.", parts)


def _alerts_where(*conditions: str) -> str:
    """Selector of firing alerts but the Watchdog, which fires always: it is what proves that alerts flow."""
    matchers = ('alertstate="firing"', 'alertname!="Watchdog"', *conditions)
    return f"ALERTS{{{', '.join(matchers)}}}"


def _targets_down() -> Panel:
    return number(
        "Targets down",
        "Addresses that Prometheus cannot read.",
        "short",
        over_time("count(up == 0) or vector(0)"),
    ).thresholds(steps((None, GREEN), (1, RED)))


def _firing() -> Panel:
    return number(
        "Alerts firing",
        "Alerts that fire now, without the Watchdog, which always does.",
        "short",
        over_time(f"count({_alerts_where()}) or vector(0)"),
    ).thresholds(steps((None, GREEN), (1, "orange")))


def _critical() -> Panel:
    return number(
        "Critical alerts",
        "Alerts that fire now and want somebody at once.",
        "short",
        over_time(f"count({_alerts_where(_CRITICAL)}) or vector(0)"),
    ).thresholds(steps((None, GREEN), (1, RED)))


def _heartbeat() -> Panel:
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
            over_time('count(ALERTS{alertname="Watchdog", alertstate="firing"}) or vector(0)'),
        )
        .mappings([words])
        .thresholds(steps((None, RED), (1, GREEN)))
    )


def _alerts() -> Panel:
    columns = {"Time": True, "Value": True, "__name__": True, "alertstate": True}
    return rows(
        "Firing alerts",
        "Every alert that fires now, without the Watchdog.",
        "short",
        now(_alerts_where()),
        width=12,
    ).transformations([dashboard.DataTransformerConfig(id_val="organize", options={"excludeByName": columns})])


def _targets() -> Panel:
    return graph(
        "Targets that answer",
        "Share of a job's targets that Prometheus can read.",
        "percentunit",
        over_time("avg by (job) (up)", "{{job}}"),
    ).max(1)


def _cpu() -> Panel:
    return graph(
        "CPU in use",
        "Share of all cores that was not idle.",
        "percentunit",
        over_time(f'1 - avg by (instance) (rate(node_cpu_seconds_total{{mode="idle"}}[{RATE}]))', "{{instance}}"),
    ).max(1)


def _memory() -> Panel:
    return graph(
        "Memory in use",
        "Share of memory that programs could not get any more.",
        "percentunit",
        over_time("1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes", "{{instance}}"),
    ).max(1)


def _disk() -> Panel:
    kinds = 'fstype!~"tmpfs|overlay|squashfs|ramfs"'
    expr = f"1 - node_filesystem_avail_bytes{{{kinds}}} / node_filesystem_size_bytes{{{kinds}}}"
    return graph(
        "Disk in use",
        "Share of each file system that is taken; those in memory are left out.",
        "percentunit",
        over_time(f"max by (instance, mountpoint) ({expr})", "{{instance}} {{mountpoint}}"),
    ).max(1)


def _network() -> Panel:
    def traffic(direction: str, ref: str) -> prometheus.Dataquery:
        expr = f'sum by (instance) (rate(node_network_{direction}_bytes_total{{device!~"lo|veth.*|br-.*"}}[{RATE}]))'
        return over_time(expr, f"{{{{instance}}}} {direction}", ref)

    return graph(
        "Network",
        "Bytes a second through the host's own interfaces, containers' left out.",
        "Bps",
        traffic("receive", "A"),
        traffic("transmit", "B"),
    )


def _samples() -> Panel:
    return graph(
        "Samples taken in",
        "Samples a second that Prometheus stores.",
        "short",
        over_time(f"sum(rate(prometheus_tsdb_head_samples_appended_total[{RATE}]))", "samples/s"),
    )


def _series() -> Panel:
    return graph(
        "Series",
        "Time series in Prometheus' memory; its memory grows with them.",
        "short",
        over_time("prometheus_tsdb_head_series", "series"),
    )


def _scrapes() -> Panel:
    return graph(
        "Duration of scrapes",
        "Seconds that reading a job's slowest target took.",
        "s",
        over_time("max by (job) (scrape_duration_seconds)", "{{job}}"),
    )


def _rules() -> Panel:
    return graph(
        "Duration of rule groups",
        "Seconds that the last evaluation of each group took; longer than its interval means rules are skipped.",
        "s",
        over_time("max by (rule_group) (prometheus_rule_group_last_duration_seconds)", "{{rule_group}}"),
    )


def _held() -> Panel:
    return graph(
        "Alerts held",
        "Alerts that Alertmanager knows of, by state.",
        "short",
        over_time("sum by (state) (alertmanager_alerts)", "{{state}}"),
    )


def _notifications() -> Panel:
    return graph(
        "Notifications",
        "Messages a minute that Alertmanager tried to send, and of these the ones that failed.",
        "short",
        over_time(f"60 * sum(rate(alertmanager_notifications_total[{RATE}]))", "tried"),
        over_time(f"60 * sum(rate(alertmanager_notifications_failed_total[{RATE}]))", "failed", "B"),
    )
