"""Thresholds of endpoints, scrapes and the stack's own servers."""

from collections.abc import Mapping
from typing import Final

from observability.systems.threshold_spec import DAY, HOUR, ThresholdSpec, spec

ENDPOINTS: Final[Mapping[str, ThresholdSpec]] = {
    "endpoint_time": spec(
        "Duration of a probe.",
        "seconds",
        warning=2,
        reason="Users notice a second and leave after a few.",
    ),
    "certificate_validity": spec(
        "Time until a certificate expires.",
        "seconds",
        breached="below",
        warning=14 * DAY,
        critical=3 * DAY,
        reason="ACME clients renew 30 days before the end; 16 days of failures need manual action.",
    ),
}

STACK: Final[Mapping[str, ThresholdSpec]] = {
    "flapping_ratio": spec(
        "Share of the last 15 minutes in which a target was down.",
        "ratio",
        warning=0.1,
        reason="90 seconds of 15 minutes; a restart takes less.",
    ),
    "flapping_changes": spec(
        "Changes between up and down in 15 minutes from which on a target flaps.",
        "count",
        warning=4,
        reason="One outage is two changes; four are two outages.",
    ),
    "scrape_time": spec(
        "Duration of a scrape, on average over 5 minutes.",
        "seconds",
        warning=2,
        reason="A fifth of the timeout of 10 s.",
    ),
    "target_series": spec(
        "Series that one target exposes.",
        "count",
        warning=20_000,
        reason="Large exporters expose some thousands; more usually means an unbounded label.",
    ),
    "rule_failures": spec(
        "Failed evaluations of a rule group in 5 minutes.",
        "count",
        platform=True,
        critical=0,
        reason="The alerts of a group that fails cannot fire.",
    ),
    "rejected_samples": spec(
        "Samples that Prometheus rejects in 5 minutes, of each reason.",
        "count",
        platform=True,
        warning=0,
        reason="Each is lost, and a series exposed twice or with a wrong time is lost at every scrape.",
    ),
    "missed_evaluations": spec(
        "Missed evaluations of a rule group in 5 minutes.",
        "count",
        platform=True,
        warning=0,
        reason="If a group takes longer than its interval, its alerts are delayed.",
    ),
    "dropped_notifications": spec(
        "Alerts for an Alertmanager that Prometheus dropped in 5 minutes.",
        "count",
        platform=True,
        critical=0,
        reason="Prometheus drops an alert only after its attempts have failed.",
    ),
    "storage_failures": spec(
        "Failed operations of Prometheus' storage in an hour.",
        "count",
        platform=True,
        warning=0,
        reason="On a healthy disk none fails.",
    ),
    "remote_write_lag": spec(
        "Lag of remote write.",
        "seconds",
        platform=True,
        warning=120,
        reason="After a restart of the receiver the queue catches up within a minute.",
    ),
    "remote_write_rejected_ratio": spec(
        "Share of the samples sent by remote write that the receiver rejected in 5 minutes.",
        "ratio",
        platform=True,
        warning=0.01,
        reason="Each is lost to the receiver; single late samples are rejected after a restart.",
    ),
    "notification_failure_ratio": spec(
        "Share of the notifications of an integration that failed in 5 minutes.",
        "ratio",
        platform=True,
        warning=0.05,
        critical=0.5,
        reason="Chats reject single notifications for their rate limit; half of them means that it does not work.",
    ),
    "loki_error_ratio": spec(
        "Share of the requests of a route that Loki failed.",
        "ratio",
        platform=True,
        warning=0.05,
        reason="Clients retry a failed push; a few percent delay lines.",
    ),
    "loki_discarded": spec(
        "Lines a second that Loki rejects.",
        "per_second",
        warning=0,
        reason="Each is lost.",
    ),
    "loki_flush_failure_ratio": spec(
        "Share of Loki's flushes that failed in 5 minutes.",
        "ratio",
        platform=True,
        critical=0.5,
        reason="A failed flush is retried; if most fail, the store does not work.",
    ),
    "loki_compaction_age": spec(
        "Time since Loki last compacted its index.",
        "seconds",
        platform=True,
        warning=3 * HOUR,
        reason="Loki compacts every 10 minutes.",
    ),
    "collector_dropped": spec(
        "Lines a second that the log collector drops.",
        "per_second",
        warning=0,
        reason="Each is lost.",
    ),
    "agent_queue_ratio": spec(
        "Used share of the collector's queue on disk.",
        "ratio",
        platform=True,
        warning=0.5,
        reason="The queue is empty while Loki answers; the other half is the time in which to repair it.",
    ),
    "traces_refused": spec(
        "Spans a second that the collector refuses or loses, of each reason.",
        "per_second",
        platform=True,
        warning=0,
        reason="Each leaves a gap in a trace.",
    ),
    "metrics_refused": spec(
        "Values a second that the collector refuses of metrics sent by OTLP.",
        "per_second",
        platform=True,
        warning=0,
        reason="Each is lost once the application's SDK gives up.",
    ),
    "traces_unstored": spec(
        "Spans a second that Jaeger cannot store.",
        "per_second",
        platform=True,
        warning=0,
        reason="Each waits in the collector's queue on disk, which fills.",
    ),
    "traces_read_error_ratio": spec(
        "Share of the reads of the trace store that failed in 5 minutes.",
        "ratio",
        platform=True,
        warning=0.05,
        reason="On a healthy store none fails.",
    ),
    "tempo_discarded": spec(
        "Spans a second that Tempo discards.",
        "per_second",
        warning=0,
        reason="Each leaves a gap in a trace.",
    ),
}
