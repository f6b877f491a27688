"""Logs: lines by level and service, the lines themselves, and losses."""

from typing import Final

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import dashboard

from dashboards import state
from dashboards.across import back
from dashboards.common import (
    BLUE,
    GREEN,
    GREY,
    LOGS,
    ORANGE,
    RATE,
    RED,
    Panel,
    coloured,
    counted,
    graph,
    log_lines,
    number,
    over_time,
    steps,
)
from dashboards.layout import Row, assemble, variable
from observability.parts.collector import NAME as COLLECTOR
from observability.settings.load import StackConfig

UID: Final = "obs-logs"

AUTO: Final = "$__auto"
"""Range of a count of lines: the interval between two points in Grafana."""

LEVELS: Final = {
    "critical": "dark-red",
    "error": RED,
    "warning": ORANGE,
    "info": GREEN,
    "debug": BLUE,
    "unknown": GREY,
}
"""Colour of each level."""

STREAMS: Final = 'system=~"$system",service=~"$service",level=~"$level"'
"""The selected streams."""

_COLLECTOR: Final = f'up{{job="{COLLECTOR}"}}'


def logs(config: StackConfig) -> dashboard.Dashboard:
    """The dashboard; requires Loki and the collector, and is omitted without them."""
    component = 'component="logs"'
    collector = config.runs(COLLECTOR)
    return assemble(
        UID,
        "Logs",
        "Lines by level and service, the lines themselves, and losses.",
        [
            Row(
                "State",
                [
                    state.alerts_firing(component),
                    state.firing_since(component),
                    _errors_now(),
                    _received_now(),
                    _refused_now(),
                    _unread_now() if collector else None,
                ],
            ),
            Row("Lines", [_by_level(), _by_service(), _errors_by_service(), _lines()]),
            Row(
                "Log Metrics",
                [_errors_counted(), _new_kinds(), _crashes(), _auth_failures(), _slow_queries(), _by_system()],
            ),
            Row(
                "Delivery to Loki",
                [
                    _received(),
                    _refused(),
                    _requests(),
                    _flushes(),
                    _compaction(),
                    _unread() if collector else None,
                    _dropped() if collector else None,
                    _queue() if collector else None,
                ],
            ),
        ],
        links=[back()],
        variables=[
            _choice("system", "System"),
            _choice("service", "Service"),
            _choice("level", "Level"),
            build.TextBoxVariable("search").label("Search").default_value(""),
        ],
        alerts=component,
    )


def _choice(label: str, title: str) -> build.QueryVariable:
    # Loki requires at least one matcher that does not match everything.
    return variable(label, title, f"label_values({label})").datasource(LOGS).all_value(".+")


def _loki(series: str, *matchers: str) -> str:
    own = ",".join(('job="loki"', *matchers))
    return f"{series}{{{own}}}"


def _errors_now() -> Panel:
    written = f'sum(count_over_time({{{STREAMS},level=~"error|critical"}}[5m]))'
    return (
        number(
            "Errors in Five Minutes",
            "Lines of the levels error and critical in the last five minutes.",
            "short",
            counted(written, "errors"),
        )
        .no_value("0")
        .thresholds(steps((None, GREEN), (1, ORANGE), (100, RED)))
    )


def _received_now() -> Panel:
    return number(
        "Lines Now",
        "Lines a second that Loki receives.",
        "cps",
        over_time(f"sum(rate({_loki('loki_distributor_lines_received_total')}[{RATE}]))"),
    )


def _refused_now() -> Panel:
    return number(
        "Rejected Lines (1h)",
        "Lines that Loki rejected in the last hour: rate limit, too old, too long.",
        "short",
        over_time(f"sum(increase({_loki('loki_discarded_samples_total')}[1h])) or 0 * sum({_loki('up')} == 1)"),
    ).thresholds(steps((None, GREEN), (1, RED)))


def _unread_now() -> Panel:
    return number(
        "Unparsed Lines (1h)",
        "Lines of the last hour that could not be parsed; they are stored.",
        "short",
        over_time(f"sum(increase(obs_collector_lines_unparsed_total[1h])) or 0 * sum({_COLLECTOR} == 1)"),
    ).thresholds(steps((None, GREEN), (1, ORANGE)))


def _by_level() -> Panel:
    panel = graph(
        "Lines by Level",
        "Lines by level.",
        "short",
        counted(f"sum by (level) (count_over_time({{{STREAMS}}} |~ `(?i)$search` [{AUTO}]))", "{{level}}"),
    )
    return coloured(panel, LEVELS)


def _by_service() -> Panel:
    return graph(
        "Lines by Service",
        "Lines by service; the ten with the most.",
        "short",
        counted(
            f"topk(10, sum by (service) (count_over_time({{{STREAMS}}} |~ `(?i)$search` [{AUTO}])))", "{{service}}"
        ),
    )


def _errors_by_service() -> Panel:
    written = f'count_over_time({{{STREAMS},level=~"error|critical"}} |~ `(?i)$search` [{AUTO}])'
    return graph(
        "Errors by Service",
        "Lines of the levels error and critical, by service.",
        "short",
        counted(f"sum by (service) ({written})", "{{service}}"),
    )


def _lines() -> Panel:
    return log_lines("Lines", "The selected lines that contain the search text.", f"{{{STREAMS}}} |~ `(?i)$search`")


def _counted_by(what: str, by: str, range_: str = "5m") -> str:
    """What Loki counted each minute, summed over a range."""
    return f'sum by ({by}) (sum_over_time({what}{{system=~"$system"}}[{range_}]))'


def _errors_counted() -> Panel:
    return graph(
        "Errors in 5 Minutes",
        "Lines of the levels error and critical in five minutes, by service, and their average of the last day.",
        "short",
        over_time('app:log_errors:sum5m{system=~"$system"}', "{{system}} {{service}}"),
        over_time('app:log_errors:avg1d{system=~"$system"}', "{{system}} {{service}} on average", "B"),
        limits='max by (severity) (app:threshold:log_errors{system=~"$system"})',
    )


def _new_kinds() -> Panel:
    return graph(
        "New Kinds of Errors",
        "Lines in an hour of kinds of errors that the service did not log in the day before; the ten with the most.",
        "short",
        over_time('topk(10, app:log_error_kinds:new1h{system=~"$system"})', "{{system}} {{service}} {{error_kind}}"),
        limits='max by (severity) (app:threshold:log_new_error_lines{system=~"$system"})',
    )


def _crashes() -> Panel:
    return graph(
        "Crashes in Logs",
        "Lines in five minutes that report a panic, an unhandled exception or another crash, by service.",
        "short",
        over_time(_counted_by("app:log_crashes:count1m", "system, service"), "{{system}} {{service}}"),
    ).no_value("No crash")


def _auth_failures() -> Panel:
    return graph(
        "Failed Sign-ins in Logs",
        "Lines a second that report a failed sign-in, by system.",
        "cps",
        over_time(f"{_counted_by('app:log_auth_failures:count1m', 'system')} / 300", "{{system}}"),
        limits='max by (severity) (app:threshold:log_auth_failures{system=~"$system"})',
    )


def _slow_queries() -> Panel:
    return graph(
        "Slow Queries in Logs",
        "Lines a second that report a query of a second or more, by service.",
        "cps",
        over_time(f"{_counted_by('app:log_slow_queries:count1m', 'system, service')} / 300", "{{system}} {{service}}"),
        limits='max by (severity) (app:threshold:log_slow_queries{system=~"$system"})',
    )


def _by_system() -> Panel:
    return graph(
        "Lines by System",
        "Lines in 15 minutes, by system; a system without lines has no value.",
        "short",
        over_time(_counted_by("app:log_lines:count1m", "system", "15m"), "{{system}}"),
    )


def _received() -> Panel:
    return graph(
        "Received by Loki",
        "Bytes a second that Loki receives.",
        "Bps",
        over_time(f"sum(rate({_loki('loki_distributor_bytes_received_total')}[{RATE}]))", "received"),
    )


def _refused() -> Panel:
    refused = f"sum by (reason) (rate({_loki('loki_discarded_samples_total')}[5m]))"
    received = f"sum(rate({_loki('loki_distributor_lines_received_total')}[5m]))"
    nothing = f'label_replace(0 * {received}, "reason", "any", "", "")'
    return graph(
        "Rejected by Loki",
        "Lines a second that Loki rejected, by reason.",
        "cps",
        over_time(f"{refused} or {nothing}", "{{reason}}"),
    )


def _requests() -> Panel:
    failed = _loki("loki_request_duration_seconds_count", 'route!="ready"', 'status_code=~"5.."')
    everything = _loki("loki_request_duration_seconds_count", 'route!="ready"')
    rate = f"sum by (route) (rate({everything}[5m]))"
    return graph(
        "Failed Requests to Loki",
        "Share of Loki's requests with a 5xx status, by route.",
        "percentunit",
        over_time(f"(sum by (route) (rate({failed}[5m])) or 0 * {rate}) / ({rate} > 0)", "{{route}}"),
        limits="max by (severity) (app:threshold:loki_error_ratio)",
    )


def _flushes() -> Panel:
    return graph(
        "Failed Writes of Loki",
        "Failed flushes of chunks, and writes to the write-ahead log that found the disk full, in five minutes.",
        "short",
        over_time(f"sum(increase({_loki('loki_ingester_chunks_flush_failures_total')}[5m]))", "chunks"),
        over_time(f"sum(increase({_loki('loki_ingester_wal_disk_full_failures_total')}[5m]))", "disk full", "B"),
    )


def _compaction() -> Panel:
    last = "loki_boltdb_shipper_compact_tables_operation_last_successful_run_timestamp_seconds"
    return graph(
        "Age of the Last Compaction",
        "Time since Loki last compacted its index, or started; compaction also deletes expired lines.",
        "s",
        over_time(
            f"time() - ({_loki(last)} > 0 or on (instance) {_loki('process_start_time_seconds')})", "{{instance}}"
        ),
        limits="max by (severity) (app:threshold:loki_compaction_age)",
    )


def _unread() -> Panel:
    return graph(
        "Unparsed Lines",
        "Lines in five minutes that could not be parsed, by service; they are stored.",
        "short",
        over_time(
            "sum by (service) (increase(obs_collector_lines_unparsed_total[5m]))"
            f' or label_replace(0 * sum({_COLLECTOR} == 1), "service", "any", "", "")',
            "{{service}}",
        ),
    )


def _queue() -> Panel:
    size, capacity = (f'otelcol_exporter_queue_{what}{{job="{COLLECTOR}"}}' for what in ("size", "capacity"))
    return graph(
        "Queue of the Collector",
        "Used share of each queue on disk: of lines that wait for Loki, and of spans.",
        "percentunit",
        over_time(f"max by (instance, data_type) ({size} / ({capacity} > 0))", "{{instance}} {{data_type}}"),
        limits="max by (severity) (app:threshold:agent_queue_ratio)",
    )


def _dropped() -> Panel:
    return graph(
        "Dropped by the Collector",
        "Lines a second that the collector dropped, as the receiving server rejected them, by exporter.",
        "cps",
        over_time(
            f'sum by (exporter) (rate(otelcol_exporter_send_failed_log_records{{job="{COLLECTOR}"}}[5m]))',
            "{{exporter}}",
        ),
    )
