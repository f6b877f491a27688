"""The series that each system exposes when one figure of its application has a given value."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.rules.raw import DATABASE, DATABASE_OF, HTTP, HTTP_OF, Series, counter, gauge, histogram, series

ROUTE, STATUS = {"depot": "path"}, {"depot": "status", "studio": "status"}
"""Labels of requests that are not named `route` and `status_code`."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """The system whose form the series have, the system whose name they have, and the events per second."""

    like: str
    system: str
    rate: float
    quantile: float = 0.95


Measure = Callable[[Shape, float], Series]


def _route(of: Shape) -> dict[str, str]:
    return {"method": "GET", ROUTE.get(of.like, "route"): "/orders"}


def _timer(stem: str, of: Shape) -> tuple[str, int]:
    """Name of a histogram of times, and the number of its units per second."""
    return (f"{stem}_ms", 1000) if of.like == "print-shop" else (f"{stem}_seconds", 1)


def error_share(of: Shape, value: float) -> Series:
    """A share of requests gets status 503."""
    status = STATUS.get(of.like, "status_code")

    def answered(code: str) -> str:
        return series("http_requests_total", of.system, {**_route(of), status: code})

    return {answered("200"): counter(of.rate * (1 - value)), answered("503"): counter(of.rate * value)}


def failures(of: Shape, value: float) -> Series:
    """So many failures per second, of two kinds."""
    if of.like == "hospital":
        return {
            series("http_requests_failed_total", of.system, {"domain": domain}): counter(value / 2)
            for domain in ("crm", "finance")
        }
    return {
        series("errors_total", of.system, {"type": kind, "severity": "high"}): counter(value / 2)
        for kind in ("timeout", "parse")
    }


def response_time(of: Shape, value: float) -> Series:
    """A percentile of the response time is so many seconds."""
    labels = _route(of) | ({} if of.like == "depot" else {STATUS.get(of.like, "status_code"): "200"})
    name, unit = _timer("http_request_duration", of)
    bounds = HTTP_OF.get(of.like, HTTP)
    return histogram(name, of.system, labels, quantile=of.quantile, at=value, rate=of.rate, bounds=bounds, unit=unit)


def query_time(of: Shape, value: float) -> Series:
    """A percentile of the time of a database query is so many seconds."""
    more = {"academy": {"collection": "orders"}, "studio": {"table": "orders"}}.get(of.like, {})
    labels = {"operation": "select", **more}
    name, unit = _timer("db_query_duration", of)
    bounds = DATABASE_OF.get(of.like, DATABASE)
    return histogram(name, of.system, labels, quantile=of.quantile, at=value, rate=of.rate, bounds=bounds, unit=unit)


def pool(of: Shape, value: float) -> Series:
    """A share of the pool's 50 connections is in use."""
    if of.like == "depot":
        return {
            series("db_connections_max", of.system): gauge(50),
            series("db_connections_in_use", of.system): gauge(50 * value),
            series("db_connections_idle", of.system): gauge(50 - 50 * value),
        }
    return {
        series("db_connection_pool_size", of.system): gauge(50),
        series("db_connection_pool_available", of.system): gauge(50 - 50 * value),
    }


def failed_queries(of: Shape, value: float) -> Series:
    """A share of the queries fails."""
    more = {"studio": {"table": "orders"}}.get(of.like, {})

    def ended(status: str) -> str:
        return series("db_queries_total", of.system, {"operation": "select", **more, "status": status})

    return {ended("success"): counter(of.rate * (1 - value)), ended("error"): counter(of.rate * value)}


def cache_hits(of: Shape, value: float) -> Series:
    """A share of the look-ups is a cache hit."""
    hits, misses = {
        "depot": (series("cache_hits_total", of.system), series("cache_misses_total", of.system)),
        "academy": (
            series("redis_keyspace_hits_total", of.system, job="redis"),
            series("redis_keyspace_misses_total", of.system, job="redis"),
        ),
        "print-shop": (
            series("cache_requests_total", of.system, {"result": "hit"}),
            series("cache_requests_total", of.system, {"result": "miss"}),
        ),
    }[of.like]
    return {hits: counter(of.rate * value), misses: counter(of.rate * (1 - value))}


def memory(of: Shape, value: float) -> Series:
    """The process uses a share of its limit."""
    return {
        series("memory_limit_bytes", of.system): gauge(2**30),
        series("process_resident_memory_bytes", of.system): gauge(2**30 * value),
    }


def goroutines(of: Shape, value: float) -> Series:
    """So many goroutines exist."""
    return {series("go_goroutines", of.system): gauge(value)}


def event_loop_lag(of: Shape, value: float) -> Series:
    """The event loop has a delay of so many seconds."""
    return {series("nodejs_eventloop_lag_p99_seconds", of.system): gauge(value)}


def heap(of: Shape, value: float) -> Series:
    """The heap uses a share of its limit of 512 MiB; what V8 has reserved for it is only slightly larger."""
    used = 2**29 * value
    return {
        series("nodejs_heap_size_used_bytes", of.system): gauge(used),
        series("nodejs_heap_size_total_bytes", of.system): gauge(1.01 * used),
        series("nodejs_heap_size_limit_bytes", of.system): gauge(2**29),
    }


def queries_per_request(of: Shape, value: float) -> Series:
    """So many database queries per request, of which one in 200 fails."""
    more = {"studio": {"table": "orders"}}.get(of.like, {})
    status = STATUS.get(of.like, "status_code")

    def ended(outcome: str) -> str:
        return series("db_queries_total", of.system, {"operation": "select", **more, "status": outcome})

    return {
        series("http_requests_total", of.system, {**_route(of), status: "200"}): counter(of.rate),
        ended("success"): counter(of.rate * value * 0.995),
        ended("error"): counter(of.rate * value * 0.005),
    }


def api_rate(of: Shape, value: float) -> Series:
    """A share of the 500 calls per minute that the API accepts, of two models."""
    labels = {"operation": "chat", "status": "success"}
    return {
        series("openai_api_calls_total", of.system, {**labels, "model": model}): counter(value * 500 / 60 / 2)
        for model in ("large", "small")
    }


def api_time(of: Shape, value: float) -> Series:
    """A percentile of the response time of OpenAI is so many seconds."""
    labels = {"operation": "chat", "model": "large"}
    name = "openai_api_duration_seconds"
    bounds = HTTP_OF["studio"]
    return histogram(name, of.system, labels, quantile=of.quantile, at=value, rate=of.rate, bounds=bounds)


def api_failures(of: Shape, value: float) -> Series:
    """A share of the calls of OpenAI fails; the number of calls is far below the rate limit."""
    rate = min(of.rate, 5)

    def ended(status: str) -> str:
        labels = {"operation": "chat", "model": "large", "status": status}
        return series("openai_api_calls_total", of.system, labels)

    return {ended("success"): counter(rate * (1 - value)), ended("error"): counter(rate * value)}


def slack_failures(of: Shape, value: float) -> Series:
    """A share of Slack's events fails."""

    def ended(status: str) -> str:
        return series("slack_integration_events_total", of.system, {"event_type": "message", "status": status})

    return {ended("success"): counter(of.rate * (1 - value)), ended("error"): counter(of.rate * value)}
