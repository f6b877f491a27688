"""The metrics of a system, and the port on which Prometheus reads them."""

from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import urlsplit

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.openmetrics import exposition as openmetrics

from demo.systems.profile import Profile, Series

OPEN_METRICS: Final = "application/openmetrics-text"


def no_trace() -> str | None:
    """No trace: nothing that a simulated system measures belongs to one."""
    return None


class Exposition:
    """The series of one system, in their own registry.

    `trace` returns the id of the trace that an observation belongs to: the exemplar of its bucket.
    """

    def __init__(self, series: Iterable[Series], trace: Callable[[], str | None] = no_trace) -> None:
        self._trace = trace
        self.registry = CollectorRegistry(auto_describe=True)
        self._counters: dict[str, Counter] = {}
        self._gauges: dict[str, Gauge] = {}
        self._histograms: dict[str, Histogram] = {}
        self._children: dict[tuple[object, ...], Any] = {}
        for one in series:
            if one.kind == "counter":
                self._counters[one.name] = Counter(one.name, one.help, one.labels, registry=self.registry)
            elif one.kind == "gauge":
                self._gauges[one.name] = Gauge(one.name, one.help, one.labels, registry=self.registry)
            else:
                self._histograms[one.name] = Histogram(
                    one.name, one.help, one.labels, buckets=one.buckets, registry=self.registry
                )

    def start(self, name: str, /, **labels: str) -> None:
        """Create a counter or histogram at 0 before its first event; a rate would miss that event otherwise."""
        (self._counters.get(name) or self._histograms[name]).labels(**labels)

    def inc(self, name: str, amount: float = 1, /, **labels: str) -> None:
        """Add to a counter."""
        self._child(self._counters, name, labels).inc(amount)

    def observe(self, name: str, value: float, /, **labels: str) -> None:
        """Add to a histogram."""
        trace = self._trace()
        self._child(self._histograms, name, labels).observe(value, {"trace_id": trace} if trace else None)

    def set(self, name: str, value: float, /, **labels: str) -> None:
        """Set a gauge."""
        self._child(self._gauges, name, labels).set(value)

    def follow(self, name: str, value: Callable[[], float]) -> None:
        """Call a function for a gauge's value at each scrape."""
        self._gauges[name].set_function(value)

    def _child(
        self,
        metrics: Mapping[str, Counter] | Mapping[str, Gauge] | Mapping[str, Histogram],
        name: str,
        labels: Mapping[str, str],
    ) -> Any:  # noqa: ANN401 - a series of the kind of the metric
        """The series of these labels; kept, as the library validates the labels at each call."""
        key = (name, *labels.items())
        if key not in self._children:
            self._children[key] = metrics[name].labels(**labels) if labels else metrics[name]
        return self._children[key]

    def page(self, accept: str | None) -> tuple[str, bytes]:
        """Content type and body for a request: OpenMetrics, which has exemplars, for a client that accepts it."""
        if OPEN_METRICS in (accept or ""):
            return openmetrics.CONTENT_TYPE_LATEST, self._named(openmetrics.generate_latest(self.registry))  # type: ignore[no-untyped-call]
        return prometheus_client.CONTENT_TYPE_LATEST, self.text()

    def text(self) -> bytes:
        """Everything in Prometheus' text format."""
        return self._named(prometheus_client.generate_latest(self.registry))

    def _named(self, exposition: bytes) -> bytes:
        for name in self._counters:
            # This library adds _total to the name of every counter; libraries of other languages keep the name.
            if not name.endswith("_total"):
                exposition = exposition.replace(f"{name}_total".encode(), name.encode())
        return exposition


def metrics_server(profile: Profile, out: Exposition, port: int | None = None) -> ThreadingHTTPServer:
    """A server of a simulated system's metrics and health; not started yet. By default on the system's own port."""

    class Handler(_Handler):
        """Requests about this system."""

    Handler.pages = {
        profile.path: out.page,
        "/health": lambda _: ("application/json", b'{"status":"ok"}'),
    }
    server = ThreadingHTTPServer(("", profile.port if port is None else port), Handler)
    server.daemon_threads = True
    return server


class _Handler(BaseHTTPRequestHandler):
    pages: Mapping[str, Callable[[str | None], tuple[str, bytes]]]
    protocol_version = "HTTP/1.1"
    timeout = 15

    def do_GET(self) -> None:
        """Serve a page."""
        found = self.pages.get(urlsplit(self.path).path)
        kind, body = found(self.headers.get("Accept")) if found else ("text/plain", b"there is no such page\n")
        self.send_response(HTTPStatus.OK if found else HTTPStatus.NOT_FOUND)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class' name
        """Log nothing: only Prometheus sends requests here."""
