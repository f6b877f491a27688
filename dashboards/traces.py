"""Traces: what arrives, what is kept, what is lost, and the store."""

from typing import Final

from grafana_foundation_sdk.models import dashboard

from dashboards import state
from dashboards.across import back
from dashboards.common import GREEN, ORANGE, RATE, RED, Panel, graph, number, over_time, percentiles, steps
from dashboards.layout import Row, assemble, to
from observability.parts.collector import NAME as COLLECTOR
from observability.parts.jaeger import NAME as JAEGER
from observability.parts.traces import JOB
from observability.settings.load import StackConfig
from observability.systems.spans import KINDS

UID: Final = "obs-traces"

LOST: Final = {
    "refused": "otelcol_receiver_refused_spans",
    "rejected": "otelcol_exporter_send_failed_spans",
    "queue": "otelcol_exporter_enqueue_failed_spans",
    "evicted": "otelcol_processor_tail_sampling_sampling_trace_dropped_too_early",
}
"""Series of what is lost, by the reason that TracesRefused gives."""

_TAKEN: Final = f'sum(rate(otelcol_receiver_accepted_spans{{job="{COLLECTOR}"}}[{RATE}]))'
_SENT: Final = f'sum(rate(otelcol_exporter_sent_spans{{job="{COLLECTOR}"}}[{RATE}]))'


def traces(config: StackConfig) -> dashboard.Dashboard:
    """The dashboard; omitted where no spans are taken."""
    alerts = 'alertname=~"TracesRefused|JaegerStorageFailing|AgentQueueFilling"'
    store = config.runs(JAEGER)
    return assemble(
        UID,
        "Traces",
        "Spans that arrive, traces that are kept, losses, and the store.",
        [
            Row(
                "State",
                [
                    state.alerts_firing(alerts),
                    state.firing_since(alerts),
                    _received_now(),
                    _kept_now(),
                    _lost_now(),
                    _queue_now(),
                ],
            ),
            Row("Requests by Spans", [_requests(), _errors(), _duration(), _database(), _external()]),
            Row("Sampling", [_received(), _decisions(), _sent(), _held()]),
            Row("Delivery", [_lost(), _queue(), _memory()]),
            Row("Jaeger", [_stored(), _failed(), _failed_reads(), _reads()] if store else []),
        ],
        links=[back(), to("Service Graph", "/d/obs-service-graph")],
        alerts=alerts,
        period="6h",
    )


def _received_now() -> Panel:
    return number("Spans Received", "Spans a second that the collectors took.", "cps", over_time(_TAKEN))


def _kept_now() -> Panel:
    return number(
        "Share of Spans Kept",
        "Spans a second sent to the store as a share of those received.",
        "percentunit",
        over_time(f"{_SENT} / ({_TAKEN} > 0) or 0 * {_TAKEN}"),
    )


def _lost_rate(reason: str) -> str:
    return f'sum(rate({LOST[reason]}{{job="{COLLECTOR}"}}[5m]))'


def _lost_now() -> Panel:
    found = " + ".join(f"({_lost_rate(reason)} or vector(0))" for reason in LOST)
    return number(
        "Spans Lost",
        "Spans a second that were refused or lost in the last five minutes.",
        "cps",
        over_time(found),
    ).thresholds(steps((None, GREEN), (0.001, RED)))


_SIZE, _CAPACITY = (
    f'otelcol_exporter_queue_{what}{{job="{COLLECTOR}",data_type="traces"}}' for what in ("size", "capacity")
)


def _queue_now() -> Panel:
    return number(
        "Queue Used",
        "Used share of the fullest queue on disk in which spans wait.",
        "percentunit",
        over_time(f"max({_SIZE} / ({_CAPACITY} > 0))"),
    ).thresholds(steps((None, GREEN), (0.1, ORANGE), (0.5, RED)))


def _count(kind: str, *matchers: str) -> str:
    own = ",".join((f'job="{JOB}"', *matchers))
    return f"rate({KINDS[kind].series}_count{{{own}}}[{RATE}])"


def _requests() -> Panel:
    return graph(
        "Requests by System",
        "Requests a second by the spans of servers, before sampling.",
        "reqps",
        over_time(f"sum by (system) ({_count('http')})", "{{system}}"),
    )


def _errors() -> Panel:
    failed = _count("http", 'status=~"5.."')
    return graph(
        "Failed Requests by System",
        "Share of requests with a 5xx status, by the spans of servers.",
        "percentunit",
        over_time(
            f"(sum by (system) ({failed}) or 0 * sum by (system) ({_count('http')})) "
            f"/ (sum by (system) ({_count('http')}) > 0)",
            "{{system}}",
        ),
    )


def _p95(kind: str, by: str) -> str:
    buckets = f'sum by ({by}, le) (rate({KINDS[kind].series}_bucket{{job="{JOB}"}}[{RATE}]))'
    return f"histogram_quantile(0.95, {buckets})"


def _duration() -> Panel:
    return graph(
        "Response Time by System (p95)",
        "95th percentile of the duration of requests, by the spans of servers.",
        "s",
        over_time(_p95("http", "system"), "{{system}}"),
    )


def _database() -> Panel:
    return graph(
        "Database Calls by System (p95)",
        "95th percentile of the duration of database calls, by the spans of clients.",
        "s",
        over_time(_p95("database", "system"), "{{system}}"),
        width=12,
    )


def _external() -> Panel:
    return graph(
        "Calls of Other Services (p95)",
        "95th percentile of the duration of calls by HTTP; `other`: services that no system's file names.",
        "s",
        over_time(_p95("external", "system, peer"), "{{system}} {{peer}}"),
        width=12,
    )


def _received() -> Panel:
    rate = f'rate(otelcol_receiver_accepted_spans{{job="{COLLECTOR}"}}[{RATE}])'
    return graph(
        "Received Spans",
        "Spans a second that each collector took, by how they arrive.",
        "cps",
        over_time(f"sum by (instance, receiver, transport) ({rate})", "{{instance}} {{receiver}} {{transport}}"),
        width=6,
    )


def _decisions() -> Panel:
    rate = f'rate(otelcol_processor_tail_sampling_count_traces_sampled{{job="{COLLECTOR}",sampled="true"}}[{RATE}])'
    return graph(
        "Traces Kept by System",
        "Traces a second that the policies of each system keep.",
        "cps",
        over_time(f"sum by (policy) ({rate})", "{{policy}}"),
        width=6,
    )


def _sent() -> Panel:
    rate = f'rate(otelcol_exporter_sent_spans{{job="{COLLECTOR}"}}[{RATE}])'
    return graph(
        "Sent Spans",
        "Spans a second that each collector sent: that of the stack's own host to the store, others to the edge.",
        "cps",
        over_time(f"sum by (instance, exporter) ({rate})", "{{instance}} {{exporter}}"),
        width=6,
    )


def _held() -> Panel:
    held = f'otelcol_processor_tail_sampling_sampling_traces_on_memory{{job="{COLLECTOR}"}}'
    return graph(
        "Traces in Memory",
        "Traces that the collector holds: those it has not decided on, and some of the others.",
        "short",
        over_time(held, "{{instance}}"),
        width=6,
    )


def _lost() -> Panel:
    return graph(
        "Lost Spans",
        "Spans a second that were refused or lost, by reason; of evicted ones, traces.",
        "cps",
        # A collector counts what it lost from the first time on.
        *(
            over_time(f"{_lost_rate(reason)} or vector(0)", reason, ref)
            for ref, reason in zip("ABCD", LOST, strict=True)
        ),
        limits="max by (severity) (app:threshold:traces_refused)",
    )


def _queue() -> Panel:
    return graph(
        "Queue of Spans",
        "Used share of the queues on disk in which spans wait for the store or the edge.",
        "percentunit",
        over_time(f"max by (instance) ({_SIZE} / ({_CAPACITY} > 0))", "{{instance}}"),
        limits="max by (severity) (app:threshold:agent_queue_ratio)",
    )


def _memory() -> Panel:
    return graph(
        "Memory of the Collectors",
        "Resident memory of each collector.",
        "bytes",
        over_time(f'otelcol_process_memory_rss{{job="{COLLECTOR}"}}', "{{instance}}"),
    )


def _stored() -> Panel:
    return graph(
        "Stored Spans",
        "Spans a second that Jaeger has stored.",
        "cps",
        over_time(f'sum(rate(otelcol_exporter_sent_spans_total{{job="{JAEGER}"}}[{RATE}]))', "spans"),
        width=6,
    )


def _failed() -> Panel:
    return graph(
        "Spans That Jaeger Cannot Store",
        "Spans a second that Jaeger could not store; they wait in the collector's queue.",
        "cps",
        over_time(f'sum(rate(otelcol_exporter_send_failed_spans_total{{job="{JAEGER}"}}[5m]))', "failed"),
        limits="max by (severity) (app:threshold:traces_unstored)",
        width=6,
    )


def _reads() -> Panel:
    series = f'rate(jaeger_storage_latency_seconds_bucket{{job="{JAEGER}"}}[{RATE}])'
    quantiles = " or ".join(
        f'label_replace(histogram_quantile({one}, sum by (le) ({series})), "quantile", "{one}", "", "")'
        for one in ("0.5", "0.95")
    )
    return graph(
        "Duration of Queries",
        "Percentiles of the duration of reads of the store.",
        "s",
        percentiles(quantiles),
        width=6,
    )


def _failed_reads() -> Panel:
    """Without get_trace, which counts a trace that was not kept as an error."""
    every = f'jaeger_storage_requests_total{{job="{JAEGER}",operation!="get_trace"}}'
    failed = every.replace("}", ',result="err"}')
    return graph(
        "Failed Reads of the Store",
        "Share of the searches that Jaeger failed; a trace that is not there is none of them.",
        "percentunit",
        over_time(f"(sum(rate({failed}[5m])) or 0 * sum(rate({every}[5m]))) / (sum(rate({every}[5m])) > 0)", "failed"),
        limits="max by (severity) (app:threshold:traces_read_error_ratio)",
        width=6,
    )
