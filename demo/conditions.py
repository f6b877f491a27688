"""How things are in a system: ordinary, or as its faults make them."""

from collections.abc import Callable
from dataclasses import dataclass

Seconds = tuple[float, float]
"""From and to, in seconds."""


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """An ordinary day by default; each fault changes some of it. Shares are 0 to 1, rates are per second."""

    # Requests
    errors: float = 0.0001
    """Share answered with 500, of every route."""
    slow_share: float = 0.0
    slow_seconds: Seconds = (0.0, 0.0)
    """Share that takes so long: of its slow route where a system is simulated; of every route in the shop, on top."""
    slowness: float = 1.0
    """By how much every request takes longer."""
    crawler: float = 0.0
    """Requests of a crawler, which only reads, as a multiple of the customers'."""
    broken_route: str = ""
    """A route that is answered with 500 and nothing else; none: there is none."""
    client_errors: float = 0.0
    """Share of a simulated system's requests refused as the client's mistake, besides those of ordinary days."""
    unseen: str = ""
    """A kind of error that was never seen before; none: there is none."""
    background_errors: float = 0.008
    """Errors a second beside those of requests."""

    # Database, cache, process
    slow_queries: Seconds | None = None
    """Time that a report's query takes."""
    queries: float = 1.0
    """Database queries a request, as a multiple of the ordinary."""
    query_errors: float = 0.0005
    query_timeouts: float = 0.0
    pool: float | None = None
    """Share of the pool in use; none: as the load asks."""
    cache_misses: float = 0.06
    memory: float | None = None
    """Share of its memory that the process uses; none: as the load asks."""
    goroutines: float | None = None
    event_loop_lag: float | None = None
    """Seconds; none: as the load makes it."""
    heap: float | None = None
    """Share of its limit that the heap of the runtime uses; none: as the load asks."""
    database_gone: bool = False

    # Others' services
    api_seconds: Seconds | None = None
    """Time that half of the calls take; none: as ever."""
    api_errors: float = 0.01
    api_calls: float = 0.0
    """Calls a second besides the ordinary ones."""
    tokens: float = 0.0
    """Tokens a second besides those of ordinary calls."""
    integration_errors: float = 0.01

    # Business: multiples of the ordinary, where they are not shares
    orders: float = 1.0
    order_value: float = 1.0
    cancellations: float = 0.03
    users: float = 1.0
    transactions: float = 1.0
    meeting_errors: float = 0.02
    stock: float | None = None
    """What is left of one item; none: as it sells."""

    # Security, and clients that misbehave
    failed_logins: float = 0.0
    rate_limited: float = 0.0
    suspicious: float = 0.0
    bad_orders: float = 0.0


How = Callable[[], Conditions]
"""Tells how things are now."""
