"""The common part of all simulated systems: requests, queries, and realistic gauges."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from random import Random
from typing import ClassVar, Final, Protocol

from demo.chance import Picker, load, poisson
from demo.conditions import Conditions
from demo.systems import node
from demo.systems.profile import UNMATCHED, Operation, Profile, Route

SPREAD: Final = 0.45
"""Standard deviation of the logarithm of a time: the 95th percentile is twice the median."""

LONGEST_TICK: Final = 5.0
"""After a longer pause, the events of the pause are skipped."""


class Output(Protocol):
    """Receives the values."""

    def start(self, name: str, /, **labels: str) -> None:
        """Create a counter or histogram at 0 before its first event; a rate would miss that event otherwise."""

    def inc(self, name: str, amount: float = 1, /, **labels: str) -> None:
        """Add to a counter."""

    def observe(self, name: str, value: float, /, **labels: str) -> None:
        """Add to a histogram."""

    def set(self, name: str, value: float, /, **labels: str) -> None:
        """Set a gauge."""


class Simulation(ABC):
    """Simulation of one system. All randomness comes from one source, so that a test can repeat it."""

    profile: ClassVar[Profile]
    told: Callable[[Route, int, float], None] | None = None
    """Called for each completed request: its route, status and seconds."""

    def __init__(self, out: Output, random: Random) -> None:
        self.out = out
        self.random = random
        self.seconds = 1.0
        self._pickers: dict[str, Picker] = {}
        self._levels: dict[str, float] = {}
        self._seen: set[str] = set()
        self._weight = sum(route.weight for route in self.profile.routes)
        self._read_weight = sum(route.weight for route in self.profile.routes if _is_read(route))
        for route in self.profile.routes:
            self.start_route(route)
        self.start()

    def tick(self, now: float, seconds: float, how: Conditions) -> None:
        """Simulate the `seconds` up to `now` (seconds since 1970)."""
        self.seconds = min(seconds, LONGEST_TICK)
        busy = load(now)
        requests = self._serve(busy, how)
        self._query(requests, how)
        if how.unseen and how.unseen not in self._seen:
            self._seen.add(how.unseen)
            self.fail_anew(how.unseen)
        self.live(now, busy, requests, how)

    # To be defined by each system

    @abstractmethod
    def start_route(self, route: Route) -> None:
        """Create the route's error series before the first error."""

    @abstractmethod
    def start(self) -> None:
        """Create the other series before the first event."""

    @abstractmethod
    def answered(self, route: Route, status: int, seconds: float) -> None:
        """A request was completed."""

    @abstractmethod
    def queried(self, operation: Operation, seconds: float, *, failed: bool) -> None:
        """The database was queried."""

    def fail_anew(self, name: str) -> None:
        """An error of a type that was never seen before, if the system has that fault."""
        raise NotImplementedError(f"{self.profile.name}: {name}")

    @abstractmethod
    def live(self, now: float, busy: float, requests: int, how: Conditions) -> None:
        """All the rest, after this number of requests."""

    # Used by these methods

    def events(self, rate: float) -> int:
        """Number of events in this tick at a rate per second."""
        return poisson(self.random, rate * self.seconds) if rate > 0 else 0

    def pick(self, name: str, share: float) -> bool:
        """Whether this event belongs to the share of the events of this name."""
        if name not in self._pickers:
            self._pickers[name] = Picker(self.random.random())
        return self._pickers[name].pick(share)

    def time(self, median: float) -> float:
        """A random duration with this median."""
        return self.random.lognormvariate(math.log(median), SPREAD)

    def level(self, name: str, target: float, noise: float = 0.01, seconds: float = 20.0) -> float:
        """A gauge that approaches a target within some `seconds`, with noise."""
        value = self._levels.get(name, target)
        value += (target - value) * min(1.0, self.seconds / seconds)
        self._levels[name] = value
        return max(0.0, value * self.random.gauss(1, noise))

    def run_node(self, now: float, busy: float, how: Conditions) -> None:
        """Set the gauges of a Node.js process."""
        self.out.set(node.LAG, self.level("event loop", node.lag(busy, how), 0.03))
        self.out.set(node.HEAP_USED, round(self.level("heap", node.heap(now, busy, how), 0.01)))
        self.out.set(node.HEAP_LIMIT, node.LIMIT_BYTES)

    def answer(self, route: Route, how: Conditions) -> None:
        """Serve one request."""
        seconds = self.time(route.median) * how.slowness
        if route.template == self.profile.slow_route and self.pick("slow", how.slow_share):
            seconds = self.random.uniform(*how.slow_seconds)
        status = route.refused_status if self.random.random() < route.refused else route.status
        status = 400 if self.pick("client errors", how.client_errors) else status
        status = 500 if route.template == how.broken_route or self.pick("errors", how.errors) else status
        self.answered(route, status, seconds)
        if self.told:
            self.told(route, status, seconds)

    def _serve(self, busy: float, how: Conditions) -> int:
        rate, count = self.profile.pace.requests * busy, 0
        for route in self.profile.routes:
            share = route.weight / self._weight
            if _is_read(route):
                share += how.crawler * route.weight / self._read_weight
            for _ in range(self.events(rate * share)):
                self.answer(route, how)
                count += 1
        return count

    def _query(self, requests: int, how: Conditions) -> None:
        for operation in self.profile.operations:
            rate = operation.per_second + operation.per_request * how.queries * requests / self.seconds
            for _ in range(self.events(rate)):
                slow = how.slow_queries if operation.report else None
                seconds = self.random.uniform(*slow) if slow else self.time(operation.median)
                self.queried(operation, seconds, failed=self.pick("queries", how.query_errors))


def _is_read(route: Route) -> bool:
    return route.method == "GET" and route.template != UNMATCHED
