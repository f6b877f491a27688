"""Thresholds of endpoints, scrapes and the stack's own servers."""

from collections.abc import Mapping
from typing import Final

from observability.systems.threshold_spec import DAY, HOUR, ThresholdSpec, spec

ENDPOINTS: Final[Mapping[str, ThresholdSpec]] = {
    "endpoint_time": spec(
        "Time that a probe takes.",
        "seconds",
        warning=2,
        reason="Users of a page notice a second and leave after a few.",
    ),
    "certificate_validity": spec(
        "Time for which a certificate is still valid.",
        "seconds",
        breached="below",
        warning=14 * DAY,
        critical=3 * DAY,
        reason="ACME clients renew 30 days ahead; after 16 days of failures a person has to look.",
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
        reason="One outage makes two; four are two outages.",
    ),
    "scrape_time": spec(
        "Time that a scrape takes on the average of 5 minutes.",
        "seconds",
        warning=2,
        reason="A fifth of the time-out of 10 s.",
    ),
    "target_series": spec(
        "Series that one target exposes.",
        "count",
        warning=20_000,
        reason="Large exporters expose some thousand; more is mostly a label without bounds.",
    ),
    "rule_failures": spec(
        "Failed evaluations of a rule group in 5 minutes.",
        "count",
        platform=True,
        critical=0,
        reason="The alerts of a group that fails do not fire.",
    ),
    "rejected_samples": spec(
        "Samples that Prometheus rejects in 5 minutes, of each reason.",
        "count",
        platform=True,
        warning=0,
        reason="Each is lost, and a series exposed twice or with a wrong time is lost at every scrape.",
    ),
    "missed_evaluations": spec(
        "Evaluations of a rule group left out in 5 minutes.",
        "count",
        platform=True,
        warning=0,
        reason="A group that takes longer than its interval delays its alerts.",
    ),
    "dropped_notifications": spec(
        "Alerts that Prometheus did not get to an Alertmanager in 5 minutes.",
        "count",
        platform=True,
        critical=0,
        reason="Prometheus drops one only after its attempts have failed.",
    ),
    "storage_failures": spec(
        "Failed operations of Prometheus' storage in an hour.",
        "count",
        platform=True,
        warning=0,
        reason="None fails on a healthy disk.",
    ),
    "remote_write_lag": spec(
        "How far a remote write is behind.",
        "seconds",
        platform=True,
        warning=120,
        reason="Queues catch up within a minute after a restart of the receiver.",
    ),
    "notification_failure_ratio": spec(
        "Share of the messages of an integration that failed in 5 minutes.",
        "ratio",
        platform=True,
        warning=0.05,
        critical=0.5,
        reason="A chat refuses a message now and then for its rate limit; half of them means that it is broken.",
    ),
    "loki_error_ratio": spec(
        "Share of the requests of a route that Loki answered with an error.",
        "ratio",
        platform=True,
        warning=0.05,
        reason="Clients repeat a failed push; several in a hundred delay lines.",
    ),
    "loki_discarded": spec(
        "Lines a second that Loki refuses.",
        "per_second",
        warning=0,
        reason="Each is lost.",
    ),
    "loki_flush_failure_ratio": spec(
        "Share of Loki's flushes that failed in 5 minutes.",
        "ratio",
        platform=True,
        critical=0.5,
        reason="A flush that fails is repeated; when most fail, the store is broken.",
    ),
    "loki_compaction_age": spec(
        "Time since Loki last compacted its index.",
        "seconds",
        platform=True,
        warning=3 * HOUR,
        reason="It does so every 10 minutes.",
    ),
    "collector_dropped": spec(
        "Lines a second that the log collector gives up.",
        "per_second",
        warning=0,
        reason="Each is lost.",
    ),
    "tempo_discarded": spec(
        "Spans a second that Tempo refuses.",
        "per_second",
        warning=0,
        reason="Each leaves a hole in a trace.",
    ),
}
