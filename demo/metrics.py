"""The metrics the service exposes: the `social-selling` contract and nothing else. Times are in milliseconds."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

HTTP_BUCKETS_MS: Final = (10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000)
DATABASE_BUCKETS_MS: Final = (5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000)

ACTIVE_SECONDS: Final = 300.0
"""A user is active for so long after doing something."""

CONTENT_TYPE: Final = prometheus_client.CONTENT_TYPE_LATEST

_ROUTE_LABELS: Final = ("method", "route", "status_code")


class Metrics:
    """Every instrument, in a registry of its own. The clock is of the kind of `time.monotonic`."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[int, float] = {}
        self._lock = threading.Lock()
        self.registry = CollectorRegistry(auto_describe=True)
        self._requests = self._counter("http_requests_total", "Requests of the API answered.", _ROUTE_LABELS)
        self._request_ms = self._histogram(
            "http_request_duration_ms", "Time to answer a request of the API, ms.", _ROUTE_LABELS, HTTP_BUCKETS_MS
        )
        self._query_ms = self._histogram(
            "db_query_duration_ms", "Time a database query took, ms.", ("operation",), DATABASE_BUCKETS_MS
        )
        self._cache = self._counter("cache_requests_total", "Look-ups in the cache.", ("result",))
        self.registrations = self._counter("user_registrations_total", "Users registered.")
        self.orders = self._counter("orders_created_total", "Orders placed.")
        self.order_amount_usd = self._counter("order_amount_usd_total", "Worth of the orders placed, USD.")
        self.products = self._counter("products_created_total", "Products put on sale.")
        self.messages = self._counter("messages_sent_total", "Messages sent.")
        active = Gauge("active_users", "Users who did something in the last five minutes.", registry=self.registry)
        active.set_function(self.active_users)
        for result in ("hit", "miss"):
            # There from the start: a counter born at 1 hides its first event from every rate.
            self._cache.labels(result)

    def request(self, method: str, route: str, status: int, milliseconds: float) -> None:
        """Count an answered request; `route` is a template, never a path."""
        labels = (method, route, str(status))
        self._requests.labels(*labels).inc()
        self._request_ms.labels(*labels).observe(milliseconds)

    def cache(self, *, hit: bool) -> None:
        """Count a look-up in the cache."""
        self._cache.labels("hit" if hit else "miss").inc()

    @contextmanager
    def query(self, operation: str) -> Iterator[None]:
        """Measure a database query, whether it succeeds or not."""
        start = self._clock()
        try:
            yield
        finally:
            self._query_ms.labels(operation).observe((self._clock() - start) * 1000)

    def saw_user(self, user_id: int) -> None:
        """Note that a user is active."""
        with self._lock:
            self._seen[user_id] = self._clock()

    def active_users(self) -> int:
        """How many users were active lately; the others are forgotten."""
        oldest = self._clock() - ACTIVE_SECONDS
        with self._lock:
            self._seen = {user: moment for user, moment in self._seen.items() if moment > oldest}
            return len(self._seen)

    def text(self) -> bytes:
        """Everything in Prometheus' text format."""
        exposition: bytes = prometheus_client.generate_latest(self.registry)
        return exposition

    def _counter(self, name: str, text: str, labels: tuple[str, ...] = ()) -> Counter:
        return Counter(name, text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, labels: tuple[str, ...], buckets: tuple[float, ...]) -> Histogram:
        return Histogram(name, text, labels, buckets=buckets, registry=self.registry)
