"""Signals: the meaning of a system's own series. Each section says which series, with which labels, is one signal.

A `Selector` names a series of the system's file (or, with `job`, one of an exporter's) and the label values that
are counted. The recording rules of each signal, and its canonical name, are in `rules/signals.py`.
"""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from observability.core.section import Section

LabelName = Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$", max_length=63)]
"""Name of a label."""

SeriesName = Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$", max_length=127)]
"""Name of a series as it is exposed; of a histogram, its base name."""

Kind = Literal["counter", "gauge", "histogram"]

Unit = Literal["seconds", "ms", "bytes", "usd", "count"]


class Selector(Section):
    """Samples of one series. Each kind of it says which kinds and units of series it can be of."""

    kinds: ClassVar[tuple[Kind, ...]]
    units: ClassVar[tuple[Unit, ...]] = ()
    """None: any unit."""

    series: SeriesName = Field(description="Name of the series; of a histogram, its base name.")
    job: str | None = Field(None, description="The exporter's job it comes from; none: the system's own.")
    where: dict[LabelName, str] = Field({}, description="Label values that count; none: all.")

    def labels(self) -> Iterator[tuple[str, str]]:
        """Every label it reads, with the field that names it."""
        yield from (("where", label) for label in self.where)


class Counter(Selector):
    """A counter."""

    kinds = ("counter",)


class Gauge(Selector):
    """A gauge."""

    kinds = ("gauge",)


class Bytes(Gauge):
    """A gauge of memory."""

    units = ("bytes",)


class Delay(Gauge):
    """A gauge of a delay."""

    units = ("seconds", "ms")


class Times(Selector):
    """A histogram of times."""

    kinds = ("histogram",)
    units = ("seconds", "ms")


class Outcomes(Selector):
    """Attempts, of which some fail: a counter, or a histogram whose observations are counted."""

    kinds = ("counter", "histogram")

    ok: dict[LabelName, str] = Field(
        description="The label and value that mean success, an empty value where success has no such label; every "
        "other value of it is a failure.",
        min_length=1,
        max_length=1,
    )

    def labels(self) -> Iterator[tuple[str, str]]:
        """As above, and the label of success."""
        yield from super().labels()
        yield from (("ok", label) for label in self.ok)


class HttpRequests(Selector):
    """Requests answered: a counter, or a histogram whose observations are counted."""

    kinds = ("counter", "histogram")

    route: LabelName = Field(description="Label with the route's template (never the raw path).")
    status: LabelName = Field(description="Label with the status code; 5xx is an error.")
    domain: LabelName | None = Field(None, description="Label with the part of the business it serves.")

    def labels(self) -> Iterator[tuple[str, str]]:
        """As above, and route, status and domain."""
        yield from super().labels()
        yield from (("route", self.route), ("status", self.status))
        if self.domain:
            yield "domain", self.domain


class HttpLatency(Times):
    """Time to answer a request: a histogram."""

    route: LabelName = Field(description="Label with the route's template.")
    domain: LabelName | None = Field(None, description="Label with the part of the business it serves.")

    def labels(self) -> Iterator[tuple[str, str]]:
        """As above, and route and domain."""
        yield from super().labels()
        yield "route", self.route
        if self.domain:
            yield "domain", self.domain


class DbLatency(Times):
    """Time a query of the database took: a histogram."""

    operation: LabelName = Field(description="Label with the kind of query.")
    table: LabelName | None = Field(None, description="Label with the table or collection.")

    def labels(self) -> Iterator[tuple[str, str]]:
        """As above, and operation and table."""
        yield from super().labels()
        yield "operation", self.operation
        if self.table:
            yield "table", self.table


class ErrorTypes(Counter):
    """A counter of errors by type, in which a type never seen before is news."""

    type: LabelName = Field(description="Label with the type.")

    def labels(self) -> Iterator[tuple[str, str]]:
        """As above, and the type."""
        yield from super().labels()
        yield "type", self.type


class Inventory(Gauge):
    """A gauge of stock, by item."""

    item: tuple[LabelName, ...] = Field(description="Labels that tell one item from another.", min_length=1)

    def labels(self) -> Iterator[tuple[str, str]]:
        """As above, and those of the item."""
        yield from super().labels()
        yield from (("item", label) for label in self.item)


class DbPool(Section):
    """The pool of database connections, per instance: how many there may be, and either how many are used or free."""

    size: Gauge = Field(description="Gauge of all connections of the pool.")
    used: Gauge | None = Field(None, description="Gauge of those in use.")
    available: Gauge | None = Field(None, description="Gauge of those that are free, where use is not exposed.")


class Cache(Section):
    """Look-ups in a cache."""

    hits: Counter = Field(description="Counter of what was found.")
    misses: Counter = Field(description="Counter of what was not found.")


class ProcessMemory(Section):
    """Memory of the process, per instance, in bytes."""

    used: Bytes = Field(description="Gauge of memory in use.")
    limit: Bytes | None = Field(None, description="Gauge of the memory the process may use; none: not known.")


class Heap(Section):
    """Heap of the process' runtime, per instance, in bytes.

    The limit is the size at which the runtime ends the process, not what it has reserved so far: a runtime reserves
    more as the heap grows, so the share of what is reserved is always high. In V8 the limit is
    `v8.getHeapStatistics().heap_size_limit`, set by `--max-old-space-size`.
    """

    used: Bytes = Field(description="Gauge of the heap in use.")
    limit: Bytes | None = Field(
        None, description="Gauge of the size at which the runtime ends the process; none: not known."
    )


class ExternalApi(Section):
    """An external API."""

    calls: Outcomes = Field(description="Counter of calls.")
    latency: Times | None = Field(None, description="Histogram of the time a call took.")


class Signals(Section):
    """Everything a system can tell; what a system does not have is left out."""

    http_requests: HttpRequests | None = Field(None, description="Requests answered.")
    http_latency: HttpLatency | None = Field(None, description="Time to answer a request.")
    failures: Counter | None = Field(None, description="Counter of failed requests or errors.")
    error_types: tuple[ErrorTypes, ...] = Field((), description="Counters of errors by type.")
    new_routes: bool = Field(False, description="Whether a route that answers 5xx for the first time is news.")
    db_latency: DbLatency | None = Field(None, description="Time a database query took.")
    db_queries: Outcomes | None = Field(None, description="Counter of database queries.")
    db_timeouts: Counter | None = Field(None, description="Counter of database queries that ran out of time.")
    db_pool: DbPool | None = Field(None, description="The pool of database connections.")
    cache: Cache | None = Field(None, description="Look-ups in the cache.")
    process_memory: ProcessMemory | None = Field(None, description="Memory of the process.")
    goroutines: Gauge | None = Field(None, description="Gauge of goroutines.")
    event_loop_lag: Delay | None = Field(
        None, description="Gauge of the delay of the event loop: a high percentile, such as the 99th."
    )
    heap: Heap | None = Field(None, description="Heap of the runtime.")
    external_apis: dict[str, ExternalApi] = Field({}, description="APIs of others, by name.")
    integrations: dict[str, Outcomes] = Field({}, description="Counters of events exchanged with others, by name.")
    orders: Counter | None = Field(None, description="Counter of orders placed.")
    cancellations: Counter | None = Field(None, description="Counter of orders cancelled.")
    revenue: Counter | None = Field(None, description="Counter of money earned, USD.")
    active_users: Gauge | None = Field(None, description="Gauge of users who are active.")
    inventory: Inventory | None = Field(None, description="Gauge of stock.")
    transactions: Counter | None = Field(None, description="Counter of business transactions.")
    meetings: Outcomes | None = Field(None, description="Counter of meetings processed.")
    api_tokens: Counter | None = Field(None, description="Counter of paid tokens used.")
    auth_attempts: Outcomes | None = Field(None, description="Counter of attempts to sign in.")
    rate_limited: Counter | None = Field(None, description="Counter of requests refused by a rate limit.")
    suspicious_activity: Counter | None = Field(None, description="Counter of suspicious events.")
