"""Capacity: forecasts of disks, memory, connections and series by their current trend."""

from typing import Final

from grafana_foundation_sdk.models import dashboard

from dashboards.across import OF, back, systems
from dashboards.common import GREEN, ORANGE, RED, Panel, graph, number, over_time, steps
from dashboards.host_series import NO_DISK
from dashboards.hosts import full_in
from dashboards.layout import Row, assemble
from observability.settings.load import StackConfig

UID: Final = "obs-capacity"

DAY: Final = 86400
WEEK: Final = 7 * DAY

FREE: Final = f'node_filesystem_avail_bytes{{job="node",{OF},fstype!~"{NO_DISK}"}}'
SERIES: Final = 'prometheus_tsdb_head_series{job="prometheus"}'
BLOCKS: Final = 'prometheus_tsdb_storage_blocks_bytes{job="prometheus"}'
MEMORY: Final = 'process_resident_memory_bytes{system="platform"}'


def capacity(config: StackConfig) -> dashboard.Dashboard:
    """The dashboard, with the rows of the parts that the stack runs."""
    hosts = config.runs("node-exporter")
    postgres, redis = config.runs("postgres-exporter"), config.runs("redis-exporter")
    return assemble(
        UID,
        "Capacity",
        "Forecasts of disks, memory, connections and series by the trend of the last day.",
        [
            Row(
                "Forecast",
                [
                    _disk_days() if hosts else None,
                    _memory_left() if hosts else None,
                    _series_in_a_week(),
                    _storage_in_a_week(),
                    _connections_left() if postgres else None,
                ],
            ),
            Row(
                "Hosts",
                [_disk_forecast(), _disk_left(), _memory_forecast(), _cpu_peak()] if hosts else [],
            ),
            Row("Systems", [_traffic_growth(), _busiest_hour()]),
            Row(
                "Data Stores",
                [
                    *([_database_growth(), _connections()] if postgres else []),
                    _redis_memory() if redis else None,
                ],
            ),
            Row("The Stack Itself", [_series(), _storage(), _parts_memory(), _retention()]),
        ],
        links=[back()],
        variables=[systems()],
        alerts='condition=~"disk_.*|memory_usage|db_connections|cardinality"',
        period="7d",
    )


def _disk_days() -> Panel:
    return full_in(
        "First Disk Full In",
        "Time until the first filesystem is full, by the trend of the last day.",
        FREE,
        "1d",
        steps((None, RED), (WEEK, ORANGE), (4 * WEEK, GREEN)),
    )


def _memory_left() -> Panel:
    return number(
        "Highest Memory of a Day",
        "Highest memory usage of a host in the last day.",
        "percentunit",
        over_time(f"max(max_over_time(instance:node_memory_used:ratio{{{OF}}}[1d]))"),
    ).thresholds(steps((None, GREEN), (0.8, ORANGE), (0.95, RED)))


def _series_in_a_week() -> Panel:
    return number(
        "Series in a Week",
        "Series in Prometheus' memory in a week, by the trend of the last day.",
        "short",
        over_time(f"sum(predict_linear({SERIES}[1d], {WEEK}))"),
    )


def _storage_in_a_week() -> Panel:
    return number(
        "Storage in a Week",
        "Disk space of Prometheus in a week, by the trend of the last day.",
        "bytes",
        over_time(f"sum(predict_linear({BLOCKS}[1d], {WEEK}))"),
    )


def _connections_left() -> Panel:
    used = f"sum by (instance) (pg_stat_database_numbackends{{{OF}}})"
    return number(
        "Highest Database Connections",
        "Open connections of a PostgreSQL server as a share of max_connections.",
        "percentunit",
        over_time(f"max({used} / min by (instance) (pg_settings_max_connections{{{OF}}}))"),
    ).thresholds(steps((None, GREEN), (0.6, ORANGE), (0.8, RED)))


def _disk_forecast() -> Panel:
    size = f'node_filesystem_size_bytes{{job="node",{OF},fstype!~"{NO_DISK}"}}'
    return graph(
        "Disk Use in a Week",
        "Used share of each filesystem a week later, by the trend of the day before; 1 is full.",
        "percentunit",
        over_time(
            f"1 - min by (instance, device) (clamp_min(predict_linear({FREE}[1d], {WEEK}), 0) / {size})",
            "{{instance}} {{device}}",
        ),
        width=6,
    ).max(1)


def _disk_left() -> Panel:
    return graph(
        "Free Disk Space",
        "Free space of each filesystem.",
        "bytes",
        over_time(f"min by (instance, device) ({FREE})", "{{instance}} {{device}}"),
        width=6,
    )


def _memory_forecast() -> Panel:
    free = f'node_memory_MemAvailable_bytes{{job="node",{OF}}}'
    return graph(
        "Memory in a Week",
        "Free memory of each host a week later, by the trend of the day before.",
        "bytes",
        over_time(f"clamp_min(min by (instance) (predict_linear({free}[1d], {WEEK})), 0)", "{{instance}}"),
        width=6,
    )


def _cpu_peak() -> Panel:
    return graph(
        "Highest CPU Usage of the Day",
        "Highest CPU usage of each host within a day.",
        "percentunit",
        over_time(f"max_over_time(instance:node_cpu_busy:ratio_rate5m{{{OF}}}[1d])", "{{instance}}"),
        width=6,
    ).max(1)


def _traffic_growth() -> Panel:
    mean = f"avg_over_time(app:http_requests:rate5m{{{OF}}}[1d]"
    return graph(
        "Growth of Traffic",
        "Requests of a day divided by those of the same day a week before; 1 is no change. Needs eight days.",
        "percentunit",
        over_time(f"{mean}) / ({mean} offset 1w) > 0)", "{{system}}"),
        width=12,
    )


def _busiest_hour() -> Panel:
    return graph(
        "Highest Traffic of the Day",
        "Highest requests a second within a day.",
        "reqps",
        over_time(f"max_over_time(app:http_requests:rate5m{{{OF}}}[1d])", "{{system}}"),
        width=12,
    )


def _database_growth() -> Panel:
    size = f'pg_database_size_bytes{{{OF},datname!~"template[0-9]+|"}}'
    return graph(
        "Databases in a Week",
        "Size of each PostgreSQL database a week later, by the trend of the day before.",
        "bytes",
        over_time(f"sum by (system, datname) (predict_linear({size}[1d], {WEEK}))", "{{system}} {{datname}}"),
    )


def _connections() -> Panel:
    used = f"sum by (system, instance) (pg_stat_database_numbackends{{{OF}}})"
    allowed = f"min by (system, instance) (pg_settings_max_connections{{{OF}}})"
    return graph(
        "Database Connections",
        "Open connections of each PostgreSQL server as a share of max_connections.",
        "percentunit",
        over_time(f"{used} / {allowed}", "{{system}} {{instance}}"),
    ).max(1)


def _redis_memory() -> Panel:
    used = f"redis_memory_used_bytes{{{OF}}}"
    return graph(
        "Redis Memory in a Week",
        "Memory of each Redis server a week later, by the trend of the day before.",
        "bytes",
        over_time(f"predict_linear({used}[1d], {WEEK})", "{{system}} {{instance}}"),
    )


def _series() -> Panel:
    return graph(
        "Series of Prometheus",
        "Series in Prometheus' memory, now and a week later by the trend of the day before.",
        "short",
        over_time(f"sum({SERIES})", "now"),
        over_time(f"sum(predict_linear({SERIES}[1d], {WEEK}))", "in a week", "B"),
        width=6,
    )


def _storage() -> Panel:
    return graph(
        "Storage of Prometheus",
        "Disk space of the samples, now and a week later by the trend of the day before.",
        "bytes",
        over_time(f"sum({BLOCKS})", "now"),
        over_time(f"sum(predict_linear({BLOCKS}[1d], {WEEK}))", "in a week", "B"),
        width=6,
    )


def _parts_memory() -> Panel:
    return graph(
        "Memory of the Parts in a Week",
        "Memory of each part of the stack a week later, by the trend of the day before.",
        "bytes",
        over_time(f"sum by (job) (predict_linear({MEMORY}[1d], {WEEK}))", "{{job}}"),
        width=6,
    )


def _retention() -> Panel:
    oldest = 'prometheus_tsdb_lowest_timestamp_seconds{job="prometheus"}'
    return graph(
        "Retention",
        "Age of the oldest sample, and the configured retention.",
        "s",
        over_time(f"time() - {oldest}", "kept"),
        over_time('prometheus_tsdb_retention_limit_seconds{job="prometheus"}', "to be kept", "B"),
        width=6,
    )
