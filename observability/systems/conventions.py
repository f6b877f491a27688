"""A system's file for a program that sends metrics by OTLP, from OpenTelemetry's semantic conventions.

Names are those under which Prometheus has the series: dots as underscores, with the unit and `_total`. A conventional
metric is declared with the labels that are required, or that a signal reads; a program may send more of them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from observability.core.documents import nearest
from observability.core.errors import ConfigError
from observability.systems.draft import WIDTH

SOURCE: Final = "otlp"
"""What `obs system new --from` names for such a file; a runtime may follow after a colon."""


@dataclass(frozen=True, kw_only=True)
class Convention:
    """Conventional metrics of one kind: entries of `series`, `signals` and `thresholds`, by name, as text of YAML."""

    title: str
    series: Mapping[str, str]
    signals: Mapping[str, str]
    thresholds: Mapping[str, str]


_HTTP_SERVER: Final = "http_server_request_duration_seconds"
_HTTP_CLIENT: Final = "http_client_request_duration_seconds"
_DATABASE: Final = "db_client_operation_duration_seconds"
_HTTP_BOUNDS: Final = "[0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]"

ALWAYS: Final = (
    Convention(
        title="Requests answered, by HTTP",
        series={
            _HTTP_SERVER: "{kind: histogram, labels: [http_request_method, http_response_status_code, http_route], "
            f"buckets: {_HTTP_BOUNDS}, help: Duration of requests answered.}}"
        },
        signals={
            "httpRequests": f"{{series: {_HTTP_SERVER}, route: http_route, status: http_response_status_code}}",
            "httpLatency": f"{{series: {_HTTP_SERVER}, route: http_route}}",
            "newRoutes": "true",
        },
        thresholds={
            "errorRatio": "{warning: 1%, critical: 5%}",
            "responseTime": "{quantile: p95, warning: 1s, critical: 2500ms}",
        },
    ),
    Convention(
        title="Database calls, and the pool of connections",
        series={
            _DATABASE: "{kind: histogram, labels: [db_system_name, db_operation_name, error_type], "
            "buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10], help: Duration of database calls.}",
            "db_client_connection_count": "{kind: gauge, labels: [db_client_connection_pool_name, "
            "db_client_connection_state], help: Connections of the pool by state.}",
            "db_client_connection_max": "{kind: gauge, labels: [db_client_connection_pool_name], "
            "help: Connections that the pool may have.}",
        },
        signals={
            "dbLatency": f"{{series: {_DATABASE}, operation: db_operation_name}}",
            # A call that succeeds has no error.type.
            "dbQueries": f'{{series: {_DATABASE}, ok: {{error_type: ""}}}}',
            "dbPool": "{size: {series: db_client_connection_max}, "
            "used: {series: db_client_connection_count, where: {db_client_connection_state: used}}}",
        },
        thresholds={
            "dbQueryTime": "{quantile: p95, warning: 500ms}",
            "dbFailureRatio": "{warning: 1%}",
            "dbPoolRatio": "{warning: 80%, critical: 95%}",
        },
    ),
    Convention(
        title="Calls of other services, by HTTP",
        series={
            _HTTP_CLIENT: "{kind: histogram, labels: [http_request_method, http_response_status_code, "
            f"server_address, error_type], buckets: {_HTTP_BOUNDS}, help: Duration of calls.}}"
        },
        signals={},
        thresholds={},
    ),
)
"""What every such file has."""

RUNTIMES: Final[Mapping[str, Convention]] = {
    "jvm": Convention(
        title="Runtime: JVM",
        series={
            "jvm_memory_used_bytes": "{kind: gauge, labels: [jvm_memory_type, jvm_memory_pool_name], "
            "help: Memory used.}",
            "jvm_memory_limit_bytes": "{kind: gauge, labels: [jvm_memory_type, jvm_memory_pool_name], "
            "help: Memory that the pool may use.}",
            "jvm_thread_count": "{kind: gauge, labels: [jvm_thread_daemon, jvm_thread_state], help: Threads.}",
            "jvm_gc_duration_seconds": "{kind: histogram, labels: [jvm_gc_name, jvm_gc_action], "
            "buckets: [0.01, 0.1, 1, 10], help: Duration of garbage collections.}",
        },
        signals={
            "processMemory": "{used: {series: jvm_memory_used_bytes, where: {jvm_memory_type: heap}}, "
            "limit: {series: jvm_memory_limit_bytes, where: {jvm_memory_type: heap}}}",
        },
        thresholds={"processMemoryRatio": "{warning: 80%, critical: 95%}"},
    ),
    "node": Convention(
        title="Runtime: Node.js",
        series={
            "nodejs_eventloop_delay_p99_seconds": "{kind: gauge, help: Delay of the event loop; 99th percentile.}",
            "nodejs_eventloop_utilization_ratio": "{kind: gauge, help: Share of the time in which the loop is busy.}",
            "v8js_memory_heap_used_bytes": "{kind: gauge, labels: [v8js_heap_space_name], help: Heap in use.}",
        },
        signals={
            "eventLoopLag": "{series: nodejs_eventloop_delay_p99_seconds}",
            # v8js.memory.heap.limit is what V8 has reserved so far, not the size at which it ends the process.
            "heap": "{used: {series: v8js_memory_heap_used_bytes}}",
        },
        thresholds={},
    ),
    "go": Convention(
        title="Runtime: Go",
        series={
            "go_goroutine_count": "{kind: gauge, help: Goroutines.}",
            "go_memory_used_bytes": "{kind: gauge, labels: [go_memory_type], help: Memory used by the runtime.}",
            "go_memory_limit_bytes": "{kind: gauge, help: Limit of memory by GOMEMLIMIT.}",
        },
        signals={
            "goroutines": "{series: go_goroutine_count}",
            "processMemory": "{used: {series: go_memory_used_bytes}, limit: {series: go_memory_limit_bytes}}",
        },
        thresholds={
            "goroutines": "{warning: 10000}",
            "processMemoryRatio": "{warning: 80%, critical: 95%}",
        },
    ),
    "python": Convention(
        title="Runtime: Python's process",
        series={
            "process_memory_usage_bytes": "{kind: gauge, help: Resident memory.}",
            "process_cpu_time_seconds_total": "{kind: counter, labels: [cpu_mode], help: CPU time.}",
            "process_thread_count": "{kind: gauge, help: Threads.}",
        },
        signals={"processMemory": "{used: {series: process_memory_usage_bytes}}"},
        thresholds={},
    ),
}
"""Conventions of runtimes, by the name after the colon."""


def is_source(source: str) -> bool:
    """Whether `--from` names the conventions, not an address or a file."""
    return source == SOURCE or source.startswith(f"{SOURCE}:")


def draft(name: str, source: str) -> str:
    """The text of `systems/<name>.yaml`; ConfigError where the runtime is not known.

    Without a runtime, those of all are examples in comments.
    """
    _, _, runtime = source.partition(":")
    if runtime and runtime not in RUNTIMES:
        raise ConfigError(
            f"--from {source}: {runtime!r} is no runtime that is known here",
            f"{nearest(runtime, RUNTIMES)}write {SOURCE} or {', '.join(f'{SOURCE}:{one}' for one in RUNTIMES)}",
        )
    chosen = [(one, "") for one in ALWAYS]
    chosen += [(one, "" if runtime else "#") for key, one in RUNTIMES.items() if runtime in ("", key)]
    return "\n".join(_lines(name, chosen)) + "\n"


def _lines(name: str, chosen: list[tuple[Convention, str]]) -> Iterator[str]:
    yield "# yaml-language-server: $schema=schema.json"
    yield f"# {name.replace('-', ' ').title()}, from OpenTelemetry's semantic conventions: remove what is not sent."
    yield "# Lines that begin with # and no space are examples of a runtime: take the # away of one."
    yield f"# Which services it is, by service.name: systems.{name}.traces.services in Pulumi.<stack>.yaml."
    yield f"title: {name.replace('-', ' ').title()}"
    yield 'description: ""'
    yield "# guess: who owns it. Alerts carry it in the label `team`."
    yield f"team: {name}"
    yield "otlp: true"
    yield ""
    yield "series:"
    for one, mark in chosen:
        yield f"  # {one.title}."
        for key, text in one.series.items():
            yield from _entry(key, text, mark)
    yield ""
    yield "signals:"
    for one, mark in chosen:
        yield from (line for key, text in one.signals.items() for line in _entry(key, text, mark))
    yield "  # Services that it calls by HTTP: an entry for each, with the name of its server."
    calls = f'{{series: {_HTTP_CLIENT}, where: {{server_address: maps.example.com}}, ok: {{error_type: ""}}}}'
    yield from _entry("externalApis", f"{{maps: {{calls: {calls}}}}}", "#")
    yield ""
    yield "# guess: thresholds to start from; set them to what this system must hold."
    yield "thresholds:"
    for one, mark in chosen:
        yield from (f"  {mark}{key}: {text}" for key, text in one.thresholds.items())
    yield ""
    yield "# guess: slos to start from; set them to what this system must hold."
    yield "slos:"
    yield "  availability: {objective: 99.9%}"
    yield "  latency: {objective: 99%, target: 1s}"


def _entry(key: str, text: str, mark: str = "") -> Iterator[str]:
    """An entry, over several lines where one would be too long."""
    line = f"  {mark}{key}:"
    for word in text.split(" "):
        if len(line) + len(word) >= WIDTH:
            yield line
            line = f"  {mark}  "
        line += f"{'' if line.endswith(' ') else ' '}{word}"
    yield line
