"""Conditions of a system: ordinary, or changed by its faults."""

from collections.abc import Callable
from dataclasses import dataclass

Seconds = tuple[float, float]
"""From and to, in seconds."""


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """An ordinary day by default; each fault changes some fields. Shares are 0 to 1, rates are per second."""

    # Requests
    errors: float = 0.0001
    """Share answered with 500, of every route."""
    slow_share: float = 0.0
    slow_seconds: Seconds = (0.0, 0.0)
    """Share of slow requests and their duration: on a simulated system's slow route; in the shop a delay of all."""
    slowness: float = 1.0
    """Factor on the duration of every request."""
    crawler: float = 0.0
    """Requests of a crawler, which only reads, as a multiple of the customers'."""
    broken_route: str = ""
    """A route that always responds with 500; empty: none."""
    client_errors: float = 0.0
    """Share of a simulated system's requests that fail with 4xx, in addition to those of ordinary days."""
    unseen: str = ""
    """An error type that was never seen before; empty: none."""
    background_errors: float = 0.008
    """Errors per second in addition to those of requests."""

    # Database, cache, process
    slow_queries: Seconds | None = None
    """Duration of a report's query."""
    queries: float = 1.0
    """Database queries per request, as a multiple of the ordinary number."""
    query_errors: float = 0.0005
    query_timeouts: float = 0.0
    pool: float | None = None
    """Share of the pool in use; None: by the load."""
    cache_misses: float = 0.06
    memory: float | None = None
    """Share of its memory that the process uses; None: by the load."""
    goroutines: float | None = None
    event_loop_lag: float | None = None
    """Seconds; None: by the load."""
    heap: float | None = None
    """Share of its limit that the heap of the runtime uses; None: by the load."""
    database_gone: bool = False

    # External services
    api_seconds: Seconds | None = None
    """Duration of half of the calls; None: as usual."""
    api_errors: float = 0.01
    api_calls: float = 0.0
    """Calls per second in addition to the ordinary ones."""
    tokens: float = 0.0
    """Tokens per second in addition to those of ordinary calls."""
    integration_errors: float = 0.01

    # Business: multiples of the ordinary values, or shares
    orders: float = 1.0
    order_value: float = 1.0
    cancellations: float = 0.03
    users: float = 1.0
    transactions: float = 1.0
    meeting_errors: float = 0.02
    stock: float | None = None
    """Stock of one item; None: by its sales."""

    # Security, and clients that misbehave
    failed_logins: float = 0.0
    rate_limited: float = 0.0
    suspicious: float = 0.0
    bad_orders: float = 0.0


How = Callable[[], Conditions]
"""Returns the current conditions."""
