"""The metrics the shop exposes: only the `social-selling` contract. Its durations are in milliseconds."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from demo.chance import load
from demo.conditions import How
from demo.exposition import Exposition
from demo.log import current_trace
from demo.systems import SHOP, node

ACTIVE_SECONDS: Final = 300.0
"""How long a user counts as active after a request."""


class Metrics(Exposition):
    """All metrics. The clock is a function like `time.monotonic`; `how` returns the current conditions."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, how: How = lambda: SHOP.ordinary) -> None:
        super().__init__(SHOP.series, current_trace)
        self._clock = clock
        self._seen: dict[int, float] = {}
        self._lock = threading.Lock()
        self.follow("active_users", self.active_users)
        self.follow(node.LAG, lambda: node.lag(load(time.time()), how()))
        self.follow(node.HEAP_USED, lambda: node.heap(time.time(), load(time.time()), how()))
        self.set(node.HEAP_LIMIT, node.LIMIT_BYTES)
        # Created at 0: a counter that starts at 1 hides its first event from every rate.
        for result in ("hit", "miss"):
            self.start("cache_requests_total", result=result)
        for route in SHOP.routes:
            self.start("http_requests_total", method=route.method, route=route.template, status_code="500")

    def request(self, method: str, route: str, status: int, milliseconds: float) -> None:
        """Count a completed request; `route` is a template, never a path."""
        labels = {"method": method, "route": route, "status_code": str(status)}
        self.inc("http_requests_total", **labels)
        self.observe("http_request_duration_ms", milliseconds, **labels)

    def cache(self, *, hit: bool) -> None:
        """Count a look-up in the cache."""
        self.inc("cache_requests_total", result="hit" if hit else "miss")

    @contextmanager
    def query(self, operation: str) -> Iterator[None]:
        """Measure a database query, whether it succeeds or not."""
        start = self._clock()
        try:
            yield
        finally:
            self.observe("db_query_duration_ms", (self._clock() - start) * 1000, operation=operation)

    def saw_user(self, user_id: int) -> None:
        """Record that a user is active."""
        with self._lock:
            self._seen[user_id] = self._clock()

    def active_users(self) -> int:
        """Number of recently active users; the others are removed."""
        oldest = self._clock() - ACTIVE_SECONDS
        with self._lock:
            self._seen = {user: moment for user, moment in self._seen.items() if moment > oldest}
            return len(self._seen)
