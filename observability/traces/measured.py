"""Series made from spans, before any is dropped: requests answered, database calls, and calls of other services.

The service graph is made by rules from two more: who calls which address, and which service answers at which.

Their names, labels and bounds are those of `observability.systems.spans`, by which a system's file maps them to
signals. A label has few values, whatever a program writes: the route is the template that the framework states, never
a path; of the services that are called, only those that a system's file names have a value of their own.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from observability.logs import statements as s
from observability.parts.otel_export import ANY
from observability.parts.traces import JOB, MEASURED
from observability.settings.load import StackConfig
from observability.systems import spans
from observability.traces.sampling import SYSTEM

LIMIT: Final = 1000
"""Sets of labels of a kind of series for each system; what comes later is counted without labels."""

EDGES: Final = 200
"""The same for calls by who calls what: names of what is called are not in any file."""

_GRAPH: Final = ("edge", "served")

CONNECTORS: Final = tuple(f"forward/{kind}" for kind in (*spans.KINDS, *_GRAPH))
"""Connectors that take spans to be measured, each of one kind."""

_METHODS: Final = "GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|CONNECT|TRACE|QUERY"

_SERIES: Final = "prometheus/spans"

_REQUEST: Final = ("http.request.method", "http.method")
"""Attributes of a request by HTTP: that of the present conventions, and that of earlier ones."""

_STORE: Final = ("db.system.name", "db.system")

_SERVICE: Final = 'resource.attributes["service.name"]'

_ADDRESS: Final = "obs.address"
"""Attribute for what statements compute."""


@dataclass(frozen=True)
class _Way:
    """How spans of one kind become series."""

    role: str
    attributes: tuple[str, ...]
    """Spans without any of these are left out."""
    statements: Iterable[str]
    connector: dict[str, Any]


def document(config: StackConfig) -> dict[str, Any]:
    """Processors, connectors, exporters and pipelines."""
    wanted = {
        "http": _Way("SPAN_KIND_SERVER", _REQUEST, _http(), _connector(spans.KINDS["http"])),
        "database": _Way("SPAN_KIND_CLIENT", _STORE, _database(), _connector(spans.KINDS["database"])),
        "external": _Way("SPAN_KIND_CLIENT", _REQUEST, _external(config), _connector(spans.KINDS["external"])),
        "edge": _Way("SPAN_KIND_CLIENT", (), _edge(), _connector(spans.EDGE, EDGES)),
        "served": _Way("SPAN_KIND_SERVER", (), _served(), _served_connector()),
    }
    counted = f"^{re.escape(spans.SERVED)}"
    unread = f'IsMatch(metric.name, "[.]calls$") and not {s.matches("metric.name", counted)}'
    found: dict[str, Any] = {
        "processors": {"filter/series": {"metric_conditions": [unread]}},
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
    for kind, way in wanted.items():
        absent = " and ".join(f"span.attributes[{s.text(name)}] == nil" for name in way.attributes)
        found["processors"][f"filter/{kind}"] = {
            "error_mode": "silent",
            "trace_conditions": [f"span.kind != {way.role}", *([absent] if absent else [])],
        }
        found["processors"][f"transform/{kind}"] = {
            "error_mode": "silent",
            "trace_statements": [
                {"context": "span", "statements": [*way.statements]},
                # All services of a system are one resource, or each would have its own series of the same labels.
                {
                    "context": "resource",
                    "statements": [
                        f'keep_keys(resource.attributes, ["{SYSTEM}"])',
                        f'set(resource.attributes["service.name"], "{JOB}")',
                    ],
                },
            ],
        }
        found["connectors"][f"span_metrics/{kind}"] = way.connector
        found["pipelines"][f"traces/{kind}"] = {
            "receivers": [f"forward/{kind}"],
            "processors": [f"filter/{kind}", f"transform/{kind}"],
            "exporters": [f"span_metrics/{kind}"],
        }
    found["pipelines"]["metrics/spans"] = {
        "receivers": [f"span_metrics/{kind}" for kind in wanted],
        "processors": ["filter/series"],
        "exporters": [_SERIES],
    }
    return found


def _connector(spec: spans.Kind, limit: int = LIMIT) -> dict[str, Any]:
    return {
        **_counting(spec.namespace, spec.labels, limit),
        "histogram": {"unit": "s", "explicit": {"buckets": [f"{bound:g}s" for bound in spec.bounds]}},
        "exemplars": {"enabled": True, "max_per_data_point": 1},
    }


def _served_connector() -> dict[str, Any]:
    """A count alone."""
    return {**_counting(spans.SERVED, spans.ANSWERED, LIMIT), "histogram": {"disable": True}}


def _counting(namespace: str, labels: tuple[str, ...], limit: int) -> dict[str, Any]:
    return {
        "namespace": namespace,
        "dimensions": [{"name": SYSTEM}, *({"name": label} for label in labels)],
        "exclude_dimensions": ["service.name", "span.name", "span.kind", "status.code", "collector.instance.id"],
        "metrics_flush_interval": "5s",
        "aggregation_cardinality_limit": limit,
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


def _edge() -> Iterator[str]:
    """Who calls what: a service by the name that its caller gives or its address, a database by kind and address."""
    client, peer, kind = map(_path, ("client", "peer", "kind"))
    yield from _cleared("client", "peer", "kind", "outcome", _ADDRESS)
    yield f"set({client}, String({_SERVICE})) where {_SERVICE} != nil"
    yield f'set({client}, "{spans.UNKNOWN}") where {client} == nil'
    yield f'set({kind}, "{spans.CALL}")'
    yield from _address(("server.address", "net.peer.name", "http.host"), ("server.port", "net.peer.port"))
    yield from _first("peer", ("peer.service",))
    yield f"set({peer}, {_path(_ADDRESS)}) where {peer} == nil"
    for store in _STORE:
        there = f'where {kind} == "{spans.CALL}" and {_path(store)} != nil'
        named = f'Concat([{_path(store)}, {_path(_ADDRESS)}], " ")'
        yield f"set({peer}, {named}) {there} and {_path(_ADDRESS)} != nil"
        yield f"set({peer}, String({_path(store)})) {there} and {_path(_ADDRESS)} == nil"
        yield f'set({kind}, "{spans.DATABASE}") {there}'
    yield f'set({peer}, "{spans.UNKNOWN}") where {peer} == nil or {peer} == ""'
    yield from _outcome()


def _served() -> Iterator[str]:
    """Which service answers at which address; that is what the caller wrote, so it may be anything."""
    service, address = map(_path, ("service", "address"))
    yield from _cleared("service", "address", _ADDRESS)
    yield f"set({service}, String({_SERVICE})) where {_SERVICE} != nil"
    yield from _address(("server.address", "net.host.name", "http.host"), ("server.port", "net.host.port"))
    yield f"set({address}, {_path(_ADDRESS)}) where {_path(_ADDRESS)} != nil"


def _address(hosts: tuple[str, ...], ports: tuple[str, ...]) -> Iterator[str]:
    """Host and port, without the port that belongs to the scheme: each side may leave it out."""
    address = _path(_ADDRESS)
    yield from _first(_ADDRESS, hosts)
    for port in ports:
        added = f'Concat([{address}, {_path(port)}], ":")'
        where = f"{_path(port)} != nil and {address} != nil and not {s.matches(address, ':[0-9]+$')}"
        yield f"set({address}, {added}) where {where}"
    yield f'replace_pattern({address}, ":(80|443)$", "") where {address} != nil'


def _cleared(*labels: str) -> Iterator[str]:
    yield from (f"delete_key(span.attributes, {s.text(label)})" for label in labels)


def _outcome() -> Iterator[str]:
    outcome = _path("outcome")
    yield f'set({outcome}, "{spans.OK}")'
    yield f'set({outcome}, "failed") where span.status.code == STATUS_CODE_ERROR'
