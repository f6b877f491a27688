"""Definition of a system of the demo: its series, its load, and its faults."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from demo.conditions import Conditions
from demo.faults import Fault

HTTP_SECONDS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 2.5, 5.0, 10.0, 30.0)
DATABASE_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the histograms."""

UNMATCHED: Final = "unmatched"
"""The route label of all requests that match no route, so that a client cannot create series by its paths."""


@dataclass(frozen=True, kw_only=True)
class Series:
    """One series that the system exposes."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


def counter(name: str, text: str, *labels: str) -> Series:
    """A counter."""
    return Series(name=name, kind="counter", help=text, labels=labels)


def gauge(name: str, text: str, *labels: str) -> Series:
    """A gauge."""
    return Series(name=name, kind="gauge", help=text, labels=labels)


def histogram(name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Series:
    """A classic histogram with these upper bounds."""
    return Series(name=name, kind="histogram", help=text, labels=labels, buckets=buckets)


@dataclass(frozen=True, kw_only=True)
class Route:
    """One route: how often it is requested, how long it takes, and how many requests get a client error."""

    method: str
    template: str
    weight: float
    median: float
    """Seconds."""
    domain: str = ""
    status: int = 200
    refused: float = 0.0
    refused_status: int = 400


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One kind of database query; those for reports run at their own rate, all others by requests."""

    name: str
    median: float
    """Seconds."""
    on: str = ""
    """Table or collection."""
    per_request: float = 0.0
    per_second: float = 0.0
    report: bool = False


@dataclass(frozen=True, kw_only=True)
class Pace:
    """Rates at the busiest hour, per second; lower at other times, see `chance.load`."""

    requests: float
    orders: float = 0.0
    revenue_usd: float = 0.0
    """Average of one order or transaction."""
    transactions: float = 0.0
    users: float = 0.0
    """Number of active users."""

    def faster(self, factor: float) -> "Pace":
        """The same with requests, orders and transactions multiplied by `factor`, by the same users."""
        return replace(
            self,
            requests=self.requests * factor,
            orders=self.orders * factor,
            transactions=self.transactions * factor,
        )


@dataclass(frozen=True, kw_only=True)
class Profile:
    """One system, as data; `slow_route` is the route that the response time faults slow down."""

    name: str
    port: int
    path: str = "/metrics"
    job: str = "backend"
    series: tuple[Series, ...]
    pace: Pace
    routes: tuple[Route, ...]
    operations: tuple[Operation, ...] = ()
    slow_route: str = ""
    error_types: tuple[str, ...] = ()
    """All types of its counters of errors by type."""
    counts: Mapping[str, str] = field(default_factory=dict)
    """Counters of its orders, its revenue and its transactions: those words → a counter with labels."""
    faults: tuple[Fault, ...]
    ordinary: Conditions = field(default_factory=Conditions)

    @property
    def instance(self) -> str:
        """Address of its metrics in the stack that watches it, as `Pulumi.dev.yaml` places it."""
        return f"{self.name}.demo:{self.port}"

    @property
    def latency_bounds(self) -> tuple[float, ...]:
        """Upper bounds of its histogram of response times, seconds."""
        found = next(one for one in self.series if one.name.startswith("http_request_duration"))
        return tuple(bound / (1000 if found.name.endswith("_ms") else 1) for bound in found.buckets)
