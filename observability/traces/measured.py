"""Series made from spans, before any is dropped: requests answered, database calls, and calls of other services.

Their names, labels and bounds are those of `observability.systems.spans`, by which a system's file maps them to
signals. A label has few values, whatever a program writes: the route is the template that the framework states, never
a path; of the services that are called, only those that a system's file names have a value of their own.
"""

from collections.abc import Iterator
from typing import Any, Final

from observability.logs import statements as s
from observability.parts.otel_export import ANY
from observability.parts.traces import JOB, MEASURED
from observability.settings.load import StackConfig
from observability.systems import spans
from observability.traces.sampling import SYSTEM

LIMIT: Final = 1000
"""Sets of labels of a kind of series for each system; what comes later is counted without labels."""

CONNECTORS: Final = tuple(f"forward/{kind}" for kind in spans.KINDS)
"""Connectors that take spans to be measured, each of one kind."""

_METHODS: Final = "GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|CONNECT|TRACE|QUERY"

_SERIES: Final = "prometheus/spans"

_REQUEST: Final = ("http.request.method", "http.method")
"""Attributes of a request by HTTP: that of the present conventions, and that of earlier ones."""

_STORE: Final = ("db.system.name", "db.system")


def document(config: StackConfig) -> dict[str, Any]:
    """Processors, connectors, exporters and pipelines."""
    kept = {
        "http": ("SPAN_KIND_SERVER", _REQUEST, _http()),
        "database": ("SPAN_KIND_CLIENT", _STORE, _database()),
        "external": ("SPAN_KIND_CLIENT", _REQUEST, _external(config)),
    }
    found: dict[str, Any] = {
        "processors": {"filter/series": {"metric_conditions": ['IsMatch(metric.name, "[.]calls$")']}},
        "connectors": {name: {} for name in CONNECTORS},
        "exporters": {
            _SERIES: {
                "endpoint": f"{ANY}:{MEASURED}",
                "metric_expiration": "720h",
                "translation_strategy": "UnderscoreEscapingWithSuffixes",
                "without_scope_info": True,
                "enable_open_metrics": True,
            }
        },
        "pipelines": {},
    }
    for kind, (role, attributes, statements) in kept.items():
        spec = spans.KINDS[kind]
        absent = " and ".join(f"span.attributes[{s.text(name)}] == nil" for name in attributes)
        found["processors"][f"filter/{kind}"] = {
            "error_mode": "silent",
            "trace_conditions": [f"span.kind != {role}", absent],
        }
        found["processors"][f"transform/{kind}"] = {
            "error_mode": "silent",
            "trace_statements": [
                # All services of a system are one resource, or each would have its own series of the same labels.
                {
                    "context": "resource",
                    "statements": [
                        f'keep_keys(resource.attributes, ["{SYSTEM}"])',
                        f'set(resource.attributes["service.name"], "{JOB}")',
                    ],
                },
                {"context": "span", "statements": [*statements]},
            ],
        }
        found["connectors"][f"span_metrics/{kind}"] = _connector(spec)
        found["pipelines"][f"traces/{kind}"] = {
            "receivers": [f"forward/{kind}"],
            "processors": [f"filter/{kind}", f"transform/{kind}"],
            "exporters": [f"span_metrics/{kind}"],
        }
    found["pipelines"]["metrics/spans"] = {
        "receivers": [f"span_metrics/{kind}" for kind in kept],
        "processors": ["filter/series"],
        "exporters": [_SERIES],
    }
    return found


def _connector(spec: spans.Kind) -> dict[str, Any]:
    return {
        "namespace": spec.namespace,
        "histogram": {"unit": "s", "explicit": {"buckets": [f"{bound:g}s" for bound in spec.bounds]}},
        "dimensions": [{"name": SYSTEM}, *({"name": label} for label in spec.labels)],
        "exclude_dimensions": ["service.name", "span.name", "span.kind", "status.code", "collector.instance.id"],
        "exemplars": {"enabled": True, "max_per_data_point": 1},
        "metrics_flush_interval": "5s",
        "aggregation_cardinality_limit": LIMIT,
    }


def _first(label: str, attributes: tuple[str, ...]) -> Iterator[str]:
    """The label from the first of these attributes that the span has."""
    path = _path(label)
    for name in attributes:
        yield f"set({path}, String({_path(name)})) where {path} == nil and {_path(name)} != nil"


def _path(name: str) -> str:
    return f"span.attributes[{s.text(name)}]"


def _http() -> Iterator[str]:
    route, method, status = map(_path, ("route", "method", "status"))
    # What a program wrote under these names is none of the labels.
    yield from _cleared("route", "method", "status")
    yield from _first("route", ("http.route",))
    yield f'set({route}, "{spans.UNMATCHED}") where {route} == nil or {route} == ""'
    yield from _first("method", _REQUEST)
    yield f'set({method}, "other") where not {s.matches(method, f"^({_METHODS})$")}'
    yield from _first("status", ("http.response.status_code", "http.status_code"))
    # An exception that no handler caught has no status yet.
    yield f'set({status}, "500") where {status} == nil and span.status.code == STATUS_CODE_ERROR'
    yield f'set({status}, "unknown") where {status} == nil or not {s.matches(status, "^[1-5][0-9][0-9]$")}'


def _database() -> Iterator[str]:
    operation = _path("operation")
    yield from _cleared("operation", "outcome")
    yield from _first("operation", ("db.operation.name", "db.operation"))
    yield f'set({operation}, "other") where not {s.matches(operation, "^[A-Za-z][A-Za-z_ ]{0,30}$")}'
    yield from _outcome()


def _external(config: StackConfig) -> Iterator[str]:
    peer = _path("peer")
    known = sorted({host for system in config.systems.values() for host in system.called.values()})
    yield from _cleared("peer", "outcome")
    yield from _first("peer", ("server.address", "net.peer.name", "http.host"))
    mine = " or ".join(f"{peer} == {s.text(host)}" for host in known)
    yield f'set({peer}, "{spans.OTHER}")' + (f" where {peer} == nil or not ({mine})" if mine else "")
    yield from _outcome()


def _cleared(*labels: str) -> Iterator[str]:
    yield from (f"delete_key(span.attributes, {s.text(label)})" for label in labels)


def _outcome() -> Iterator[str]:
    outcome = _path("outcome")
    yield f'set({outcome}, "{spans.OK}")'
    yield f'set({outcome}, "failed") where span.status.code == STATUS_CODE_ERROR'
