"""Recognise signals by the names and labels that client libraries and conventions give them.

Supported are prom-client and its bundles for Node.js, client_python with FastAPI, Flask, Django and Starlette,
client_golang with its collectors of `database/sql`, Micrometer, OpenTelemetry's HTTP and database conventions (before
and after they became stable), prometheus-net. Every result is a guess: a name only suggests the meaning of a series.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from observability.systems.signals import Kind, Unit

ROUTE: Final = (
    *("route", "http_route", "path_template", "uri", "handler", "endpoint", "view", "url_rule", "path", "url"),
    *("controller", "action", "grpc_method", "operation"),
)
STATUS: Final = (
    *("status_code", "http_response_status_code", "http_status_code", "status", "code", "http_status"),
    *("response_code", "statuscode", "grpc_code"),
)
OPERATION: Final = (
    *("operation", "db_operation_name", "db_operation", "operation_name", "command", "statement", "query_type"),
    *("method", "type", "query", "action", "collection", "table", "alias"),
)
OUTCOME: Final = ("status", "result", "outcome", "success", "state")
SUCCESS: Final = ("success", "ok", "true", "succeeded", "successful", "SUCCESS", "OK", "hit")
"""Values of an outcome that mean success, most likely first."""

_FOREIGN: Final = re.compile(
    r"(^|_)(client|upstream|outgoing|outbound|proxy|promhttp|metric_handler|in_progress)(_|$)"
)
"""Parts of a name that show that it is not about requests to this system."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One series of a page as a file would declare it. `values` by label: some of those in the page."""

    name: str
    kind: Kind
    unit: Unit
    labels: tuple[str, ...]
    values: Mapping[str, frozenset[str]]
    bounds: tuple[float, ...] = ()


@dataclass(kw_only=True)
class Recognised:
    """Signals by their names in a system's file, and the reason for each."""

    signals: dict[str, Any] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)

    def add(self, signal: str, value: object, reason: str) -> None:
        """Add the signal with its reason, unless it is present already."""
        if signal not in self.signals:
            self.signals[signal], self.reasons[signal] = value, reason

    def used(self) -> set[str]:
        """Names of the series that any of them reads."""
        return set(_series(self.signals))


def _series(found: object) -> Iterator[str]:
    if isinstance(found, dict):
        if isinstance(found.get("series"), str):
            yield found["series"]
        for value in found.values():
            yield from _series(value)
    elif isinstance(found, list):
        for value in found:
            yield from _series(value)


def recognise(page: Mapping[str, Candidate]) -> Recognised:
    """All signals that are recognised in the series of a page."""
    found = Recognised()
    for step in (_http, _database, _pool, _process, _cache, _errors, _business):
        step(page, found)
    return found


def _first(labels: Sequence[str], known: Sequence[str]) -> str | None:
    return next((label for label in known if label in labels), None)


def _pick(page: Mapping[str, Candidate], kinds: Sequence[str], *patterns: str) -> Iterator[Candidate]:
    """Series of these kinds, by the patterns in their order; sorted by name within each."""
    seen = set()
    for pattern in patterns:
        for name in sorted(page):
            if name not in seen and page[name].kind in kinds and re.search(pattern, name):
                seen.add(name)
                yield page[name]


# The rules for each kind of signal


def _http(page: Mapping[str, Candidate], found: Recognised) -> None:
    named = (
        r"^http_server_request_duration_seconds$|^http_server_requests_seconds$|^http_server_duration_milliseconds$",
        r"^http_request_duration_(seconds|ms|milliseconds)$",
        r"(^|_)(http_)?(server_)?requests?_(processing_)?(duration|latency|time)_?",
        r"(^|_)(http|request|response)s?_.*(duration|latency|time|seconds)",
    )
    latencies = [one for one in _pick(page, ("histogram",), *named) if _is_own(one) and one.unit in ("seconds", "ms")]
    # Histograms with a route label come first: an alert names the route.
    latencies.sort(key=lambda one: _first(one.labels, ROUTE) is None)
    for one in latencies:
        route = _first(one.labels, ROUTE)
        if route:
            found.add("httpLatency", {"series": one.name, "route": route}, f"a histogram of times by {route}")
            break
    counters = (
        r"^(http_server_requests|http_requests|http_requests_received|http_server_requests_seconds_count)(_total)?$",
        r"(^|_)(http_)?(server_)?requests?(_\w+)?_total$|_requests_seconds_count$",
        r"(^|_)(http_)?responses?(_\w+)?_total$|^grpc_server_handled_total$",
    )
    candidates = [one for one in _pick(page, ("counter",), *counters) if _is_own(one)]
    for one in (*candidates, *latencies):
        route, status = _first(one.labels, ROUTE), _first(one.labels, STATUS)
        if route and status:
            value = {"series": one.name, "route": route, "status": status}
            found.add("httpRequests", value, f"a {one.kind} of requests by {route} and {status}")
            break
    else:
        for one in (*candidates, *latencies):
            status = _first(one.labels, STATUS)
            other = _first(one.labels, ("method", "http_method", "http_request_method"))
            if status and other:
                value = {"series": one.name, "route": other, "status": status}
                found.add("httpRequests", value, f"no label has the route, so {other} stands in for it: add one")
                break
    if "httpRequests" in found.signals:
        found.add("newRoutes", True, "a route that answers 5xx for the first time in a day raises NewErrorType")


def _is_own(one: Candidate) -> bool:
    return not _FOREIGN.search(one.name)


def _database(page: Mapping[str, Candidate], found: Recognised) -> None:
    named = (
        r"^db_client_operation_duration(_seconds|_milliseconds)?$",
        r"(^|_)(db|database|sql|pg|mysql|mongo|mongodb|mongoose|prisma|orm)_.*(duration|latency|time)",
    )
    for one in _pick(page, ("histogram",), *named):
        operation = _first(one.labels, OPERATION)
        if operation and one.unit in ("seconds", "ms"):
            value = {"series": one.name, "operation": operation}
            found.add("dbLatency", value, f"a histogram of times of the database by {operation}")
    for one in _pick(page, ("counter",), r"(^|_)(db|database|sql|pg|mongo|prisma)_.*quer(y|ies).*"):
        ok = _outcome(one)
        if ok:
            found.add("dbQueries", {"series": one.name, "ok": ok}, f"a counter of queries; success is {_said(ok)}")
    for one in _pick(page, ("counter",), r"(^|_)(db|database|sql)_.*timeouts?(_total)?$"):
        found.add("dbTimeouts", {"series": one.name}, "a counter of queries out of time")


def _outcome(one: Candidate) -> dict[str, str] | None:
    """The label and value of success, if one of the observed values is one."""
    for label in OUTCOME:
        value = next((value for value in SUCCESS if value in one.values.get(label, ())), None)
        if value:
            return {label: value}
    return None


def _said(ok: Mapping[str, str]) -> str:
    return ", ".join(f"{label}={value}" for label, value in ok.items())


_POOLS: Final = (
    ("hikaricp_connections_max", "used", "hikaricp_connections_active", "HikariCP by Micrometer"),
    ("jdbc_connections_max", "used", "jdbc_connections_active", "a pool by Micrometer"),
    ("go_sql_max_open_connections", "used", "go_sql_in_use_connections", "database/sql by client_golang"),
    ("db_client_connection_max", "used", "db_client_connection_count", "a pool by OpenTelemetry"),
    ("db_client_connections_max", "used", "db_client_connections_usage", "a pool by OpenTelemetry, before 1.24"),
)
"""Gauges of pools: gauge of the size, measured part, gauge of that part, and the source of both."""


def _pool(page: Mapping[str, Candidate], found: Recognised) -> None:
    for size, part, name, who in _POOLS:
        if size in page and name in page:
            one: dict[str, Any] = {"series": name}
            state = _first(page[name].labels, ("state", "db_client_connection_state"))
            if state:
                one["where"] = {state: "used"}
            found.add("dbPool", {"size": {"series": size}, part: one}, who)
    for whole in _pick(page, ("gauge",), r"(db|database|sql|pg|connection)_?.*(pool_size|pool_max|connections_max)$"):
        stem = re.split(r"_?(pool|connections)", whole.name)[0]
        for part, words in (("used", r"(in_use|active|used|busy)$"), ("available", r"(available|idle|free)$")):
            for one_of in _pick(page, ("gauge",), rf"^{re.escape(stem)}.*(pool|connections).*{words}"):
                value = {"size": {"series": whole.name}, part: {"series": one_of.name}}
                found.add("dbPool", value, f"gauges of a pool's size and of its connections: {part}")


def _process(page: Mapping[str, Candidate], found: Recognised) -> None:
    if "jvm_memory_used_bytes" in page and "area" in page["jvm_memory_used_bytes"].labels:
        heap = {"where": {"area": "heap"}}
        memory: dict[str, Any] = {"used": {"series": "jvm_memory_used_bytes", **heap}}
        if "jvm_memory_max_bytes" in page:
            memory["limit"] = {"series": "jvm_memory_max_bytes", **heap}
        found.add("processMemory", memory, "the heap of the JVM and its limit")
    used = "process_resident_memory_bytes"
    if used not in page:
        used = next((one.name for one in _pick(page, ("gauge",), r"(^|_)memory_usage_bytes$")), "")
    if used in page:
        memory = {"used": {"series": used}}
        limit = next((one.name for one in _pick(page, ("gauge",), r"(^|_)memory_(limit|max)_bytes$")), None)
        if limit:
            memory["limit"] = {"series": limit}
        found.add("processMemory", memory, "memory of the process" + ("" if limit else "; no series has its limit"))
    if "go_goroutines" in page:
        found.add("goroutines", {"series": "go_goroutines"}, "client_golang")
    _node(page, found)


def _node(page: Mapping[str, Candidate], found: Recognised) -> None:
    """The event loop and the heap of Node.js; prom-client may put a prefix before its names."""
    lag = (r"(^|_)nodejs_eventloop_lag_p99_seconds$", r"^nodejs_eventloop_delay_p99_seconds$")
    for one in _pick(page, ("gauge",), *lag):
        who = "OpenTelemetry" if "_delay_" in one.name else "prom-client"
        found.add("eventLoopLag", {"series": one.name}, f"99th percentile of the event loop's delay, by {who}")
    for one in _pick(page, ("gauge",), r"(^|_)nodejs_heap_size_used_bytes$"):
        heap: dict[str, Any] = {"used": {"series": one.name}}
        limit = next((other.name for other in _pick(page, ("gauge",), r"(^|_)nodejs_heap_size_limit_bytes$")), None)
        if limit:
            heap["limit"] = {"series": limit}
        source = "v8.getHeapStatistics().heap_size_limit as nodejs_heap_size_limit_bytes"
        found.add(
            "heap", heap, "heap by prom-client" + ("" if limit else f"; no series has its limit: expose {source}")
        )


def _cache(page: Mapping[str, Candidate], found: Recognised) -> None:
    for one in _pick(page, ("counter",), r"(^|_)cache_(requests|gets|lookups|operations)(_total)?$"):
        for label, values in one.values.items():
            if {"hit", "miss"} <= values:
                sides = {
                    side: {"series": one.name, "where": {label: value}}
                    for side, value in (("hits", "hit"), ("misses", "miss"))
                }
                found.add("cache", sides, f"a counter of look-ups by {label}")
    for hits in _pick(page, ("counter",), r"(^|_)cache_hits?(_total)?$"):
        misses = re.sub(r"hit(s?)", r"miss\1", hits.name).replace("misss", "misses")
        if misses in page:
            value = {"hits": {"series": hits.name}, "misses": {"series": misses}}
            found.add("cache", value, "counters of hits and misses")


def _errors(page: Mapping[str, Candidate], found: Recognised) -> None:
    typed = [
        {"series": one.name, "type": label}
        for one in _pick(page, ("counter",), r"(^|_)(errors|exceptions)(_\w+)?_total$")
        if (label := _first(one.labels, ("type", "error_type", "kind", "exception", "exception_type", "code")))
        and _is_own(one)
    ]
    if typed:
        found.add("errorTypes", typed, "counters of errors by type: one unseen for a day raises NewErrorType")
    for one in _pick(page, ("counter",), r"(^|_)requests?_failed_total$", r"^(app_)?(errors|failures)_total$"):
        found.add("failures", {"series": one.name}, "a counter of failures; it has an alert once it has a threshold")


_COUNTERS: Final = (
    ("orders", r"(^|_)orders?(_created|_placed)?_total$", "orders placed"),
    ("cancellations", r"(^|_)orders?_cancell?ed_total$", "orders cancelled"),
    ("revenue", r"(^|_)revenue(_usd)?_total$", "money earned, USD"),
    ("transactions", r"(^|_)transactions(_processed|_completed)?_total$", "business transactions"),
    ("rateLimited", r"(^|_)rate_limit(ed|_exceeded)(_\w+)?_total$", "requests refused by a rate limit"),
    ("suspiciousActivity", r"(^|_)suspicious(_\w+)?_total$", "suspicious events"),
    ("apiTokens", r"(^|_)(api|llm|openai)_tokens(_used)?_total$", "paid tokens"),
)


def _business(page: Mapping[str, Candidate], found: Recognised) -> None:
    for signal, pattern, what in _COUNTERS:
        for one in _pick(page, ("counter",), pattern):
            found.add(signal, {"series": one.name}, f"a counter of {what}")
    for one in _pick(page, ("gauge",), r"(^|_)(active_users|users_(active|online))$"):
        found.add("activeUsers", {"series": one.name}, "a gauge of users")
    for one in _pick(page, ("counter",), r"(^|_)(auth|login|sign_?in)(_attempts|s)?(_total)?$"):
        ok = _outcome(one)
        if ok:
            found.add("authAttempts", {"series": one.name, "ok": ok}, f"a counter of sign-ins; success is {_said(ok)}")
