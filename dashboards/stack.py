"""The stack itself: targets, rules, storage, and the resources of its parts."""

from typing import Final

from grafana_foundation_sdk.models import dashboard

from dashboards import state
from dashboards.across import back
from dashboards.alerts import dropped
from dashboards.common import GREEN, ORANGE, RATE, RED, Panel, graph, number, over_time, states, steps
from dashboards.layout import Row, assemble
from dashboards.summaries import Summaries
from observability.core.naming import PLATFORM
from observability.parts.collector import NAME as COLLECTOR
from observability.parts.otlp_metrics import NAME as OTLP_METRICS
from observability.settings.load import StackConfig

UID: Final = "obs-stack"

OWN: Final = f'system="{PLATFORM}"'


def stack(config: StackConfig) -> dashboard.Dashboard:
    """The dashboard."""
    alerts = f'component=~"monitoring|logs",{OWN}'
    return assemble(
        UID,
        "The Stack Itself",
        "Health of the monitoring: targets, rules, storage, and the resources of its parts.",
        [
            Row(
                "State",
                [
                    state.heartbeat(),
                    state.alerts_firing(alerts),
                    state.firing_since(alerts),
                    _parts_up(),
                    _config(),
                    _rule_failures_now(),
                    _behind_now(),
                    state.firing_alerts(
                        alerts, Summaries.of(config).only("monitoring", "logs"), config.settings.links.runbooks
                    ),
                    _parts(),
                ],
            ),
            Row("Targets", [_scrape_time(), _targets(), _samples_by_target(), _rejected(), _empty_jobs()]),
            Row("Rules", [_rule_time(), _rule_failures(), _missed(), dropped()]),
            Row("Storage", [_samples(), _series(), _storage_failures(), _size(), _queries()]),
            Row("Remote Write", [_remote(), _rejected_remotely()]),
            Row("Metrics by OTLP", [_refused()] if config.runs(OTLP_METRICS) else []),
            Row("Resource Usage", [_cpu(), _memory(), _descriptors()]),
            Row("Backups", [_backups(), _backup_size(), _backup_duration()] if config.runs("backup") else []),
        ],
        links=[back()],
        alerts=alerts,
        period="6h",
    )


def _prometheus(series: str) -> str:
    return f'{series}{{job="prometheus"}}'


def _parts_up() -> Panel:
    return number(
        "Parts Up",
        "Share of the stack's own parts that are up.",
        "percentunit",
        over_time(f"avg(up{{{OWN}}})"),
    ).thresholds(state.ALL_OR_NOTHING)


def _config() -> Panel:
    loaded = " or ".join(
        f"{series}{{{OWN}}}"
        for series in ("prometheus_config_last_reload_successful", "alertmanager_config_last_reload_successful")
    )
    return number(
        "Configuration Loaded",
        "Share of the servers whose last configuration reload succeeded.",
        "percentunit",
        over_time(f"avg({loaded})"),
    ).thresholds(steps((None, RED), (1, GREEN)))


def _rule_failures_now() -> Panel:
    return number(
        "Failed Rules (1h)",
        "Failed rule evaluations in the last hour.",
        "short",
        over_time(f"sum(increase({_prometheus('prometheus_rule_evaluation_failures_total')}[1h]))"),
    ).thresholds(steps((None, GREEN), (0.5, RED)))


def _behind_now() -> Panel:
    """Highest duration of a group as a share of its interval."""
    spent = _prometheus("prometheus_rule_group_last_duration_seconds")
    return number(
        "Slowest Rule Group",
        "Evaluation time of the slowest rule group as a share of its interval; at 1 evaluations are missed.",
        "percentunit",
        over_time(f"max({spent} / {_prometheus('prometheus_rule_group_interval_seconds')})"),
    ).thresholds(steps((None, GREEN), (0.5, ORANGE), (1, RED)))


def _parts() -> Panel:
    return states(
        "Parts",
        "When each part of the stack was up.",
        over_time(f"min by (job) (up{{{OWN}}})", "{{job}}"),
        state.UP_OR_DOWN,
    )


def _scrape_time() -> Panel:
    return graph(
        "Duration of Scrapes",
        "Scrape duration of each job's slowest target, without probes.",
        "s",
        over_time('max by (job) (scrape_duration_seconds{job!="blackbox"})', "{{job}}"),
        limits="max by (severity) (app:threshold:scrape_time)",
        width=6,
    )


def _targets() -> Panel:
    return graph(
        "Targets Up",
        "Share of a job's targets that are up.",
        "percentunit",
        over_time("avg by (job) (up)", "{{job}}"),
        width=6,
    ).max(1)


def _samples_by_target() -> Panel:
    return graph(
        "Series by Target",
        "Series exposed by a target of each job; a label with unbounded values shows here first.",
        "short",
        over_time("max by (job) (scrape_samples_post_metric_relabeling)", "{{job}}"),
        limits="max by (severity) (app:threshold:target_series)",
        width=6,
    )


def _refused() -> Panel:
    rate = f'rate(otelcol_receiver_refused_metric_points{{job="{COLLECTOR}"}}[5m])'
    return graph(
        "Refused Metrics",
        "Values a second that each collector refused because its memory was full.",
        "cps",
        over_time(f"sum by (instance) ({rate})", "{{instance}}"),
        limits="max by (severity) (app:threshold:metrics_refused)",
    )


def _rejected() -> Panel:
    series = {
        "duplicate": "prometheus_target_scrapes_sample_duplicate_timestamp_total",
        "out of bounds": "prometheus_target_scrapes_sample_out_of_bounds_total",
        "out of order": "prometheus_tsdb_out_of_order_samples_total",
        "too old": "prometheus_tsdb_too_old_samples_total",
    }
    queries = (
        over_time(f"sum(increase({_prometheus(name)}[5m]))", reason, chr(ord("A") + index))
        for index, (reason, name) in enumerate(series.items())
    )
    return graph(
        "Rejected Samples",
        "Samples of the five minutes before each moment that Prometheus rejected, by reason.",
        "short",
        *queries,
        limits="max by (severity) (app:threshold:rejected_samples)",
    )


def _empty_jobs() -> Panel:
    return graph(
        "Targets by Job",
        "Discovered targets of each job.",
        "short",
        over_time(f"sum by (scrape_job) ({_prometheus('prometheus_target_scrape_pool_targets')})", "{{scrape_job}}"),
        width=6,
    )


def _rule_time() -> Panel:
    spent = f"max by (rule_group) ({_prometheus('prometheus_rule_group_last_duration_seconds')})"
    allowed = f"max by (rule_group) ({_prometheus('prometheus_rule_group_interval_seconds')})"
    return graph(
        "Duration of Rule Groups",
        "Evaluation time of each group as a share of its interval; the ten slowest. At 1, evaluations are missed.",
        "percentunit",
        over_time(f"topk(10, {spent} / {allowed})", "{{rule_group}}"),
    )


def _rule_failures() -> Panel:
    failed = _prometheus("prometheus_rule_evaluation_failures_total")
    return graph(
        "Failed Rule Evaluations",
        "Failed evaluations in five minutes.",
        "short",
        over_time(f"sum by (instance) (increase({failed}[5m]))", "{{instance}}"),
    )


def _missed() -> Panel:
    missed = _prometheus("prometheus_rule_group_iterations_missed_total")
    return graph(
        "Skipped Rule Evaluations",
        "Missed evaluations in five minutes.",
        "short",
        over_time(f"sum by (instance) (increase({missed}[5m]))", "{{instance}}"),
    )


def _samples() -> Panel:
    return graph(
        "Samples Ingested",
        "Samples a second that Prometheus stores.",
        "cps",
        over_time(f"sum(rate({_prometheus('prometheus_tsdb_head_samples_appended_total')}[{RATE}]))", "samples"),
    )


def _series() -> Panel:
    return graph(
        "Series",
        "Series in Prometheus' memory; its memory grows with them.",
        "short",
        over_time(_prometheus("prometheus_tsdb_head_series"), "{{instance}}"),
    )


def _storage_failures() -> Panel:
    failing = {
        "log writes": "wal_writes_failed",
        "log truncations": "wal_truncations_failed",
        "log corruptions": "wal_corruptions",
        "checkpoints": "checkpoint_creations_failed",
        "head truncations": "head_truncations_failed",
        "compactions": "compactions_failed",
        "reloads": "reloads_failures",
    }
    return graph(
        "Failed Storage Operations",
        "Failed storage operations of Prometheus in an hour.",
        "short",
        *(
            over_time(f"sum(increase({_prometheus(f'prometheus_tsdb_{series}_total')}[1h]))", what, ref)
            for ref, (what, series) in zip("ABCDEFG", failing.items(), strict=True)
        ),
    )


def _size() -> Panel:
    return graph(
        "Storage of Prometheus",
        "Disk space of the blocks and of the write-ahead log.",
        "bytes",
        over_time(_prometheus("prometheus_tsdb_storage_blocks_bytes"), "blocks"),
        over_time(_prometheus("prometheus_tsdb_wal_storage_size_bytes"), "log", "B"),
    )


def _queries() -> Panel:
    times = 'prometheus_engine_query_duration_seconds{job="prometheus",slice="inner_eval",quantile="0.99"}'
    return graph(
        "Query Time (p99)",
        "99th percentile of the query duration.",
        "s",
        over_time(times, "{{instance}}"),
    )


NO_REMOTE: Final = f'label_replace(0 * up{{job="prometheus",{OWN}}}, "remote_name", "none", "", "")'
"""Zero, where a Prometheus has no remote write."""


def _remote() -> Panel:
    sent = _prometheus("prometheus_remote_storage_queue_highest_sent_timestamp_seconds")
    last = _prometheus("prometheus_remote_storage_highest_timestamp_in_seconds")
    samples = _prometheus("prometheus_remote_storage_samples_pending")
    histograms = _prometheus("prometheus_remote_storage_histograms_pending")
    lag = f"({last} - ignoring (remote_name, url) group_right () {sent}) * ({samples} + {histograms} > bool 0)"
    return graph(
        "Remote Write Behind",
        "Age of the newest sample that was sent by remote write while samples wait; 0 without remote write.",
        "s",
        over_time(f"max by (remote_name) ({lag}) or {NO_REMOTE}", "{{remote_name}}"),
        limits="max by (severity) (app:threshold:remote_write_lag)",
    )


def _rejected_remotely() -> Panel:
    def rate(what: str) -> str:
        series = (f"prometheus_remote_storage_{kind}_{what}" for kind in ("samples", "histograms"))
        return f"sum by (remote_name) ({' + '.join(f'rate({_prometheus(name)}[5m])' for name in series)})"

    return graph(
        "Rejected by Remote Write",
        "Share of the samples sent by remote write that the receiver rejected in 5 minutes; they are lost to it.",
        "percentunit",
        over_time(f"{rate('failed_total')} / ({rate('total')} > 0) or {NO_REMOTE}", "{{remote_name}}"),
        limits="max by (severity) (app:threshold:remote_write_rejected_ratio)",
    )


def _cpu() -> Panel:
    return graph(
        "CPU of the Parts",
        "CPUs used by each part.",
        "short",
        over_time(f"sum by (job) (rate(process_cpu_seconds_total{{{OWN}}}[{RATE}]))", "{{job}}"),
    )


def _memory() -> Panel:
    return graph(
        "Memory of the Parts",
        "Memory of each part.",
        "bytes",
        over_time(f"sum by (job) (process_resident_memory_bytes{{{OWN}}})", "{{job}}"),
    )


def _descriptors() -> Panel:
    return graph(
        "Open Files of the Parts",
        "Open file descriptors of each part as a share of its limit.",
        "percentunit",
        over_time(f"max by (job) (process_open_fds{{{OWN}}} / process_max_fds{{{OWN}}})", "{{job}}"),
    ).max(1)


def _backups() -> Panel:
    last = 'obs_backup_last_success_timestamp_seconds{job="node"}'
    return graph(
        "Age of Backups",
        "Time since the last successful backup; none before the first.",
        "s",
        over_time(f"time() - max by (instance, backup) ({last})", "{{instance}} {{backup}}"),
    )


def _backup_size() -> Panel:
    return graph(
        "Size of Backups",
        "Size of the repository, of the data in the newest snapshot, and of what it added.",
        "bytes",
        over_time('max by (backup) (obs_backup_repository_bytes{job="node"})', "repository"),
        over_time('max by (backup) (obs_backup_data_bytes{job="node"})', "data", "B"),
        over_time('max by (backup) (obs_backup_added_bytes{job="node"})', "added", "C"),
    )


def _backup_duration() -> Panel:
    return graph(
        "Duration of Backups",
        "Time that the last run took, with its verification.",
        "s",
        over_time('max by (backup) (obs_backup_duration_seconds{job="node"})', "{{backup}}"),
    )
