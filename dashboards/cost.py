"""Cost: resources of the monitoring by part and by system: memory, CPU, disk, samples, log bytes, paid tokens."""

from typing import Final

from grafana_foundation_sdk.models import dashboard

from dashboards.across import OF, back, systems
from dashboards.common import RATE, Panel, counted, graph, number, over_time, rows
from dashboards.common import now as at_once
from dashboards.layout import Row, assemble
from observability.settings.load import StackConfig

UID: Final = "obs-cost"

OWN: Final = 'system="platform"'
DAY: Final = 86400


def cost(config: StackConfig) -> dashboard.Dashboard:
    """The dashboard."""
    logs = config.runs("loki")
    tokens = any(system.signals.api_tokens for system in config.systems.values())
    return assemble(
        UID,
        "Cost",
        "Resources used by the monitoring, by part and by system.",
        [
            Row(
                "The Stack",
                [
                    _memory_now(),
                    _cpu_now(),
                    _disk_now(),
                    _samples_now(),
                    _bytes_by_sample(),
                    _log_bytes_a_day() if logs else None,
                ],
            ),
            Row("By Part", [_memory(), _cpu(), _largest_jobs()]),
            Row(
                "By System",
                [_samples(), _series(), _log_bytes() if logs else None, _tokens() if tokens else None],
            ),
        ],
        links=[back()],
        variables=[systems()],
        period="24h",
    )


def _memory_now() -> Panel:
    return number(
        "Memory of the Stack",
        "Memory of all parts of the stack that expose it.",
        "bytes",
        over_time(f"sum(process_resident_memory_bytes{{{OWN}}})"),
    )


def _cpu_now() -> Panel:
    return number(
        "CPUs of the Stack",
        "CPUs used by all parts of the stack.",
        "short",
        over_time(f"sum(rate(process_cpu_seconds_total{{{OWN}}}[5m]))"),
    ).decimals(2)


def _disk_now() -> Panel:
    parts = "prometheus_tsdb_storage_blocks_bytes", "prometheus_tsdb_wal_storage_size_bytes"
    return number(
        "Disk of the Samples",
        "Disk space of Prometheus' blocks and write-ahead log.",
        "bytes",
        over_time(" + ".join(f'sum({series}{{job="prometheus"}})' for series in parts)),
    )


def _samples_now() -> Panel:
    return number(
        "Samples a Day",
        "Samples stored in a day at the rate of the last five minutes.",
        "short",
        over_time(f'{DAY} * sum(rate(prometheus_tsdb_head_samples_appended_total{{job="prometheus"}}[5m]))'),
    )


def _bytes_by_sample() -> Panel:
    size = 'rate(prometheus_tsdb_compaction_chunk_size_bytes_sum{job="prometheus"}[1d])'
    held = 'rate(prometheus_tsdb_compaction_chunk_samples_sum{job="prometheus"}[1d])'
    return (
        number(
            "Bytes per Sample",
            "Disk space of a sample, from the compactions of the last day; available some hours after the start.",
            "decbytes",
            over_time(f"sum({size}) / (sum({held}) > 0)"),
        )
        .no_value("Not known yet")
        .decimals(2)
    )


def _log_bytes_a_day() -> Panel:
    return number(
        "Log Bytes a Day",
        "Bytes of log lines received in a day at the rate of the last five minutes, before compression.",
        "bytes",
        over_time(f'{DAY} * sum(rate(loki_distributor_bytes_received_total{{job="loki"}}[5m]))'),
    )


def _memory() -> Panel:
    return graph(
        "Memory by Part",
        "Memory that each part of the stack uses.",
        "bytes",
        over_time(f"sum by (job) (process_resident_memory_bytes{{{OWN}}})", "{{job}}"),
    )


def _cpu() -> Panel:
    return graph(
        "CPUs by Part",
        "CPUs used by each part of the stack.",
        "short",
        over_time(f"sum by (job) (rate(process_cpu_seconds_total{{{OWN}}}[{RATE}]))", "{{job}}"),
    )


def _largest_jobs() -> Panel:
    return rows(
        "Samples by Job",
        "Series exposed by each job of a system; each is a sample in every scrape.",
        "short",
        at_once(f"sort_desc(sum by (system, scraped) ({_renamed()}))"),
        width=8,
    )


def _renamed() -> str:
    """The label `job` under a name that tables do not hide."""
    return f'label_replace(scrape_samples_post_metric_relabeling{{{OF}}}, "scraped", "$1", "job", "(.*)")'


def _samples() -> Panel:
    return graph(
        "Series by System",
        "Series exposed by the targets of each system.",
        "short",
        over_time(f"sum by (system) (scrape_samples_post_metric_relabeling{{{OF}}})", "{{system}}"),
        width=6,
    )


def _series() -> Panel:
    return graph(
        "New Series by System",
        "New series an hour; many mean a label with unbounded values.",
        "short",
        over_time(f"sum by (system) (sum_over_time(scrape_series_added{{{OF}}}[1h]))", "{{system}}"),
        width=6,
    )


def _log_bytes() -> Panel:
    return graph(
        "Log Bytes by System",
        "Bytes of log lines a second, by system.",
        "Bps",
        counted('sum by (system) (bytes_rate({system=~"$system",system=~".+"}[$__auto]))', "{{system}}"),
        width=6,
    )


def _tokens() -> Panel:
    return graph(
        "Tokens by System",
        "Tokens of paid APIs used in a day.",
        "short",
        over_time(f"app:api_tokens:increase1d{{{OF}}}", "{{system}}"),
        limits=f"app:threshold:tokens_per_day{{{OF}}}",
        width=6,
    )
