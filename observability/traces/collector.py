"""What the collector does with spans, besides reading lines.

Spans arrive by OTLP at the collector of the host that an application runs on. That of another host passes them on to
the edge, from a queue on disk; that of the stack's own host has the spans of all hosts, so it sees whole traces. There
they take two ways: all of them are measured (`measured`), and the traces that are kept (`sampling`) are sent to the
store, from a queue on disk.

A trace is held in memory until it is decided on (`sampling.WAIT`): a collector that is killed loses that much. A full
queue drops spans instead of stopping the applications that send them; they are counted, and TracesRefused fires.

Secrets are removed from what is kept; what is measured has none of the attributes that could hold one.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from observability.core.naming import UNASSIGNED
from observability.logs import statements as s
from observability.logs.redaction import hint, secrets
from observability.parts import jaeger, otlp_metrics, traces
from observability.parts.otel_export import ANY, credential, edge, sending
from observability.settings.load import StackConfig
from observability.traces import measured, sampling

QUEUE: Final = 512 * 1024**2
"""Bytes of spans that wait on disk for the store."""

SYSTEM: Final = sampling.SYSTEM

STORE: Final = "otlp_http/traces"
"""The exporter to the store, or to the edge."""

TEXTS: Final = (
    *("url.full", "url.query", "http.url", "http.target"),
    *("db.query.text", "db.statement", "exception.message", "error.message"),
)
"""Attributes of spans in which a program may have written a secret."""

REMOVED: Final = (
    r"(?i)(^|[._-])(authorization|cookie|set-cookie|password|passwd|secret|api[._-]?key|access[._-]?token|"
    r"refresh[._-]?token|x-[a-z-]*(token|key|secret))$"
)
"""Names of attributes that are removed, such as http.request.header.authorization."""

_FORWARD: Final = "forward/spans"
_MOST_FROM_BROWSERS: Final = 1024**2


def document(config: StackConfig, host: str | None = None) -> dict[str, Any]:
    """Receivers, processors, connectors, exporters and pipelines of spans; empty where the stack takes none."""
    if not config.runs(traces.NAME):
        return {}
    return _agent(config, host) if host else _own(config)


def ports(config: StackConfig) -> tuple[tuple[int, int], ...]:
    """The ports of OTLP, in the container and on the host; none where the stack takes neither spans nor metrics."""
    if not config.runs(traces.NAME) and not config.runs(otlp_metrics.NAME):
        return ()
    own = config.settings.traces or traces.TracesSettings()
    return (traces.GRPC, own.grpc_port), (traces.HTTP, own.http_port)


def stored(config: StackConfig) -> str | None:
    """Address of the store, for OTLP by HTTP; None where there is none."""
    own = config.settings.traces
    if own is not None and own.tempo is not None:
        return own.tempo.otlp.rstrip("/")
    return f"http://{jaeger.NAME}:{jaeger.OTLP}" if config.runs(jaeger.NAME) else None


def receiver() -> dict[str, Any]:
    """The receiver of OTLP, by gRPC and by HTTP."""
    return {
        "protocols": {
            "grpc": {"endpoint": f"{ANY}:{traces.GRPC}"},
            "http": {"endpoint": f"{ANY}:{traces.HTTP}"},
        }
    }


def _agent(config: StackConfig, host: str) -> dict[str, Any]:
    """On another host: all spans, to the edge."""
    name = s.label("host.name")
    return {
        "receivers": {"otlp": receiver()},
        "processors": {
            "transform/host": {
                "error_mode": "silent",
                "trace_statements": [
                    {"context": "resource", "statements": [f"set({name}, {s.text(host)}) where {name} == nil"]}
                ],
            }
        },
        "exporters": {STORE: {**edge(config.settings.edge), **sending(QUEUE, consumers=2, wait=False)}},
        "extensions": credential(),
        "pipelines": {
            "traces/sent": {
                "receivers": ["otlp"],
                "processors": ["memory_limiter", "transform/host"],
                "exporters": [STORE],
            }
        },
    }


def _own(config: StackConfig) -> dict[str, Any]:
    """On the stack's own host."""
    store, found = stored(config), measured.document(config)
    own = config.settings.traces
    browsers = own.browsers if own else None
    ways = {"receivers": ["otlp"], "processors": ["memory_limiter", "transform/system"]}
    pipelines: dict[str, Any] = {
        "traces/taken": {**ways, "exporters": [*measured.CONNECTORS, *([_FORWARD] if store else [])]},
        **found.pop("pipelines"),
    }
    if store:
        pipelines["traces/kept"] = {
            "receivers": [_FORWARD],
            "processors": ["tail_sampling", "transform/spans"],
            "exporters": [STORE],
        }
    if store and browsers:
        # Anyone can send these, under any name: they are stored, and not measured.
        pipelines["traces/browsers"] = {**ways, "receivers": ["otlp/browsers"], "exporters": [_FORWARD]}
    return {
        "receivers": {
            "otlp": receiver(),
            **({"otlp/browsers": _of_browsers(browsers.origins)} if store and browsers else {}),
        },
        "processors": {
            "transform/system": {
                "error_mode": "silent",
                "trace_statements": [{"context": "resource", "statements": [*system_of(config, config.systems)]}],
            },
            **({"tail_sampling": sampling.policies(config), "transform/spans": _redacting(config)} if store else {}),
            **found["processors"],
        },
        "connectors": {**({_FORWARD: {}} if store else {}), **found["connectors"]},
        "exporters": {
            **({STORE: {"endpoint": store, **sending(QUEUE, consumers=2, wait=False)}} if store else {}),
            **found["exporters"],
        },
        "pipelines": pipelines,
    }


def _of_browsers(origins: tuple[str, ...]) -> dict[str, Any]:
    return {
        "protocols": {
            "http": {
                "endpoint": f"{ANY}:{traces.BROWSERS}",
                "cors": {"allowed_origins": list(origins), "allowed_headers": ["*"], "max_age": 7200},
                "max_request_body_size": _MOST_FROM_BROWSERS,
            }
        }
    }


def system_of(config: StackConfig, names: Iterable[str]) -> Iterator[str]:
    """The system of a resource, one of these, in the order of what counts least: namespace, service, `obs.system`."""
    system = s.label(SYSTEM)
    yield f"set({system}, {s.text(UNASSIGNED)})"
    known = {name: (name, *config.system_settings(name).traces.services) for name in names}
    for attribute in ("service.namespace", "service.name", "obs.system"):
        for name, services in known.items():
            mine = services if attribute == "service.name" else (name,)
            found = " or ".join(f"{s.label(attribute)} == {s.text(one)}" for one in mine)
            yield f"set({system}, {s.text(name)}) where {found}"


def _redacting(config: StackConfig) -> dict[str, Any]:
    email = config.settings.collector.redact_email
    of_span = [f"span.attributes[{s.text(name)}]" for name in TEXTS]
    of_event = [f"spanevent.attributes[{s.text(name)}]" for name in ("exception.message", "exception.stacktrace")]

    def replaced(context: str, paths: list[str]) -> dict[str, Any]:
        return {
            "context": context,
            "conditions": [s.matches(path, hint(email=email)) for path in paths],
            "statements": [
                f"replace_pattern({path}, {s.text(one.expression)}, {s.text(one.replacement)})"
                for one in secrets(email=email)
                for path in paths
            ],
        }

    removed = f"delete_matching_keys(span.attributes, {s.text(REMOVED)})"
    return {
        "error_mode": "silent",
        "trace_statements": [
            {"context": "span", "statements": [removed]},
            replaced("span", [*of_span, "span.name", "span.status.message"]),
            replaced("spanevent", of_event),
        ],
    }
