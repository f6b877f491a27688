"""The stack itself: does it see, judge, tell and remember; its own load, by part."""

from typing import Final

from grafana_foundation_sdk.models import dashboard

from dashboards import state
from dashboards.across import back
from dashboards.alerts import dropped
from dashboards.common import GREEN, ORANGE, RATE, RED, Panel, graph, number, over_time, states, steps
from dashboards.layout import Row, assemble
from observability.core.naming import PLATFORM
from observability.settings.load import StackConfig

UID: Final = "obs-stack"

OWN: Final = f'system="{PLATFORM}"'


def stack(config: StackConfig) -> dashboard.Dashboard:
    """The dashboard."""
    alerts = f'component=~"monitoring|logs",{OWN}'
    return assemble(
        UID,
        "The Stack Itself",
        "Whether the monitoring can be trusted: does it see, judge, tell and remember.",
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
                    _parts(),
                    state.firing_alerts(alerts, config.settings.links.runbooks),
                ],
            ),
            Row("Sees: Targets", [_scrape_time(), _targets(), _samples_by_target(), _rejected(), _empty_jobs()]),
            Row("Judges and Tells: Rules", [_rule_time(), _rule_failures(), _missed(), dropped()]),
            Row("Remembers: Storage", [_samples(), _series(), _storage_failures(), _size(), _queries(), _remote()]),
            Row("Use of the Parts", [_cpu(), _memory(), _descriptors()]),
            Row("Backups", [_backups()] if config.runs("node-exporter") else []),
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
        "Share of the stack's own parts that Prometheus can read.",
        "percentunit",
        over_time(f"avg(up{{{OWN}}})"),
    ).thresholds(state.ALL_OR_NOTHING)


def _config() -> Panel:
    loaded = " or ".join(
        f"{series}{{{OWN}}}"
        for series in ("prometheus_config_last_reload_successful", "alertmanager_config_last_reload_successful")
    )
    return number(
        "Configuration in Force",
        "Share of the servers that took over their last configuration.",
        "percentunit",
        over_time(f"avg({loaded})"),
    ).thresholds(steps((None, RED), (1, GREEN)))


def _rule_failures_now() -> Panel:
    return number(
        "Rules Failed in an Hour",
        "Evaluations of rules that failed in the last hour.",
        "short",
        over_time(f"sum(increase({_prometheus('prometheus_rule_evaluation_failures_total')}[1h]))"),
    ).thresholds(steps((None, GREEN), (0.5, RED)))


def _behind_now() -> Panel:
    """The longest a group takes of the time it has."""
    spent = _prometheus("prometheus_rule_group_last_duration_seconds")
    return number(
        "Slowest Rule Group",
        "Share of its interval that the slowest group of rules takes; at 1 it begins to skip.",
        "percentunit",
        over_time(f"max({spent} / {_prometheus('prometheus_rule_group_interval_seconds')})"),
    ).thresholds(steps((None, GREEN), (0.5, ORANGE), (1, RED)))


def _parts() -> Panel:
    return states(
        "Parts",
        "When each part of the stack could be read.",
        over_time(f"min by (job) (up{{{OWN}}})", "{{job}}"),
        state.UP_OR_DOWN,
    )


def _scrape_time() -> Panel:
    return graph(
        "Duration of Scrapes",
        "How long reading each job's slowest target took; probes are left out.",
        "s",
        over_time('max by (job) (scrape_duration_seconds{job!="blackbox"})', "{{job}}"),
        limits="max by (severity) (app:threshold:scrape_time)",
        width=6,
    )


def _targets() -> Panel:
    return graph(
        "Targets Up",
        "Share of a job's targets that Prometheus can read.",
        "percentunit",
        over_time("avg by (job) (up)", "{{job}}"),
        width=6,
    ).max(1)


def _samples_by_target() -> Panel:
    return graph(
        "Series by Target",
        "Series that a target of each job exposes; a label with too many values shows here first.",
        "short",
        over_time("max by (job) (scrape_samples_post_metric_relabeling)", "{{job}}"),
        limits="max by (severity) (app:threshold:target_series)",
        width=6,
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
        "Targets that Prometheus knows in each job; a job without any has lost its discovery.",
        "short",
        over_time(f"sum by (scrape_job) ({_prometheus('prometheus_target_scrape_pool_targets')})", "{{scrape_job}}"),
        width=6,
    )


def _rule_time() -> Panel:
    spent = f"max by (rule_group) ({_prometheus('prometheus_rule_group_last_duration_seconds')})"
    allowed = f"max by (rule_group) ({_prometheus('prometheus_rule_group_interval_seconds')})"
    return graph(
        "Duration of Rule Groups",
        "Share of its interval that each group takes; the ten slowest. At 1, evaluations are skipped.",
        "percentunit",
        over_time(f"topk(10, {spent} / {allowed})", "{{rule_group}}"),
    )


def _rule_failures() -> Panel:
    failed = _prometheus("prometheus_rule_evaluation_failures_total")
    return graph(
        "Failed Rule Evaluations",
        "Evaluations that failed in the five minutes before each moment.",
        "short",
        over_time(f"sum by (instance) (increase({failed}[5m]))", "{{instance}}"),
    )


def _missed() -> Panel:
    missed = _prometheus("prometheus_rule_group_iterations_missed_total")
    return graph(
        "Skipped Rule Evaluations",
        "Evaluations in the five minutes before each moment that were due while the one before still ran.",
        "short",
        over_time(f"sum by (instance) (increase({missed}[5m]))", "{{instance}}"),
    )


def _samples() -> Panel:
    return graph(
        "Samples Taken In",
        "Samples a second that Prometheus stores.",
        "cps",
        over_time(f"sum(rate({_prometheus('prometheus_tsdb_head_samples_appended_total')}[{RATE}]))", "samples"),
    )


def _series() -> Panel:
    return graph(
        "Series",
        "Time series in Prometheus' memory; its memory grows with them.",
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
        "What Prometheus could not do with its files in the hour before each moment.",
        "short",
        *(
            over_time(f"sum(increase({_prometheus(f'prometheus_tsdb_{series}_total')}[1h]))", what, ref)
            for ref, (what, series) in zip("ABCDEFG", failing.items(), strict=True)
        ),
    )


def _size() -> Panel:
    return graph(
        "Storage of Prometheus",
        "Disk space of the stored blocks, and of the log of what came since.",
        "bytes",
        over_time(_prometheus("prometheus_tsdb_storage_blocks_bytes"), "blocks"),
        over_time(_prometheus("prometheus_tsdb_wal_storage_size_bytes"), "log", "B"),
    )


def _queries() -> Panel:
    times = 'prometheus_engine_query_duration_seconds{job="prometheus",slice="inner_eval",quantile="0.99"}'
    return graph(
        "Query Time (p99)",
        "All but the slowest of 100 queries of the last minutes took no longer.",
        "s",
        over_time(times, "{{instance}}"),
    )


def _remote() -> Panel:
    sent = _prometheus("prometheus_remote_storage_queue_highest_sent_timestamp_seconds")
    last = _prometheus("prometheus_remote_storage_queue_highest_timestamp_seconds")
    return graph(
        "Remote Write Behind",
        "How old the newest sample is that a remote receiver has; 0 where there is none.",
        "s",
        over_time(
            f"max by (remote_name) ({last} - {sent})"
            f' or label_replace(0 * {_prometheus("up")}, "remote_name", "none", "", "")',
            "{{remote_name}}",
        ),
        limits="max by (severity) (app:threshold:remote_write_lag)",
    )


def _cpu() -> Panel:
    return graph(
        "CPU of the Parts",
        "Processors that each part keeps busy.",
        "short",
        over_time(f"sum by (job) (rate(process_cpu_seconds_total{{{OWN}}}[{RATE}]))", "{{job}}"),
    )


def _memory() -> Panel:
    return graph(
        "Memory of the Parts",
        "Memory that each part uses.",
        "bytes",
        over_time(f"sum by (job) (process_resident_memory_bytes{{{OWN}}})", "{{job}}"),
    )


def _descriptors() -> Panel:
    return graph(
        "Open Files of the Parts",
        "Share of the files and connections it may hold open that each part holds.",
        "percentunit",
        over_time(f"max by (job) (process_open_fds{{{OWN}}} / process_max_fds{{{OWN}}})", "{{job}}"),
    ).max(1)


def _backups() -> Panel:
    last = 'obs_backup_last_success_timestamp_seconds{job="node"}'
    return graph(
        "Age of Backups",
        "Time since the last backup that ended well; nothing before the first.",
        "s",
        over_time(f"time() - max by (instance, backup) ({last})", "{{instance}} {{backup}}"),
    )
