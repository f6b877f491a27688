"""Metrics and spans."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import prometheus_client
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode
from prometheus_client import Counter, Gauge, Histogram

from .logs import current
from .settings import NAME, SLOW_OPERATION, TRACES

HTTP_BUCKETS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 2.5, 5, 10, 30)
DATABASE_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

# Default metrics of the process and the runtime come with the library's default registry.
prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]

REQUESTS: Final = Counter("http_requests", "Requests answered.", ["method", "route", "status_code"])
DURATION: Final = Histogram(
    "http_request_duration_seconds",
    "Time to answer a request.",
    ["method", "route", "status_code"],
    buckets=HTTP_BUCKETS,
)
IN_FLIGHT: Final = Gauge("http_requests_in_flight", "Requests that are being served.")
QUERIES_PER_REQUEST: Final = Histogram(
    "http_request_db_queries", "Database queries of a request.", ["route"], buckets=(0, 1, 2, 5, 10, 20, 50, 100)
)
QUERIES: Final = Counter("db_queries", "Database queries by outcome.", ["operation", "table", "status"])
QUERY_DURATION: Final = Histogram(
    "db_query_duration_seconds", "Time a database query took.", ["operation", "table"], buckets=DATABASE_BUCKETS
)
POOL_SIZE: Final = Gauge("db_connection_pool_size", "Connections that the pool may have.")
POOL_USED: Final = Gauge("db_connection_pool_used", "Connections of the pool in use.")
ERRORS: Final = Counter("errors", "Errors of the service by type.", ["type"])
CALLS: Final = Counter("external_api_calls", "Calls of other services by outcome.", ["api", "status"])
CALL_DURATION: Final = Histogram(
    "external_api_duration_seconds", "Time a call of another service took.", ["api"], buckets=HTTP_BUCKETS
)
OPERATION_DURATION: Final = Histogram(
    "operation_duration_seconds", "Time an operation took.", ["operation"], buckets=HTTP_BUCKETS
)
SLOW_OPERATIONS: Final = Counter("slow_operations", "Operations that took too long.", ["operation"])
ORDERS: Final = Counter("orders_created", "Orders placed.")

# At 0 before their first event: a rate would miss that event otherwise.
SLOW_OPERATIONS.labels("report")
for _status in ("success", "error"):
    CALLS.labels("upstream", _status)

_log = logging.getLogger(__name__)
_provider = TracerProvider(resource=Resource.create({"service.name": NAME}))
if TRACES:
    _provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(_provider)
tracer: Final = trace.get_tracer(NAME)


def flush() -> None:
    """Send the spans that wait; at the end of the process."""
    _provider.shutdown()


def exemplar() -> dict[str, str] | None:
    """The trace of what is measured, for a histogram's bucket."""
    span = trace.get_current_span().get_span_context()
    return {"trace_id": f"{span.trace_id:032x}"} if span.trace_flags.sampled else None


@contextmanager
def query(operation: str, table: str) -> Iterator[None]:
    """Measure a database query."""
    attributes = {"db.system.name": "postgresql", "db.operation.name": operation, "db.collection.name": table}
    if request := current.get():
        request.queries += 1
    start = time.perf_counter()
    status = "error"
    with tracer.start_as_current_span(f"{operation} {table}", kind=SpanKind.CLIENT, attributes=attributes):
        try:
            yield
            status = "success"
        finally:
            QUERIES.labels(operation, table, status).inc()
            QUERY_DURATION.labels(operation, table).observe(time.perf_counter() - start, exemplar())


@contextmanager
def call(api: str, method: str) -> Iterator[None]:
    """Measure a call of another service."""
    start = time.perf_counter()
    status = "error"
    with tracer.start_as_current_span(f"{method} {api}", kind=SpanKind.CLIENT, attributes={"peer.service": api}):
        try:
            yield
            status = "success"
        finally:
            CALLS.labels(api, status).inc()
            CALL_DURATION.labels(api).observe(time.perf_counter() - start, exemplar())


@contextmanager
def operation(name: str) -> Iterator[None]:
    """Measure an operation of the service; one that takes too long is counted, logged and marked in its span."""
    start = time.perf_counter()
    with tracer.start_as_current_span(name) as span:
        try:
            yield
        finally:
            seconds = time.perf_counter() - start
            OPERATION_DURATION.labels(name).observe(seconds, exemplar())
            if seconds > SLOW_OPERATION:
                SLOW_OPERATIONS.labels(name).inc()
                span.set_attribute("slow", True)
                _log.warning("slow operation", extra={"operation": name, "duration_ms": round(seconds * 1000)})


def failed(error: BaseException) -> None:
    """Count an error of the service, mark the span, and log it with its fingerprint."""
    ERRORS.labels(type(error).__name__).inc()
    span = trace.get_current_span()
    span.record_exception(error)
    span.set_status(Status(StatusCode.ERROR, type(error).__name__))
    _log.error("request failed", exc_info=error)
