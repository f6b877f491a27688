"""The figures that the alerts evaluate, computed from what the demo exposes, and the thresholds they breach."""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from demo import history
from demo.alerts import Alert
from demo.chance import DAY
from demo.conditions import Conditions
from demo.engine import simulations
from demo.exposition import Exposition
from demo.systems import PROFILES
from demo.systems.simulation import Simulation
from observability.core.documents import load_yaml
from observability.settings.load import ROOT
from observability.systems.load import load_file
from observability.systems.model import PER_SECOND, System
from observability.systems.resolve import Threshold, thresholds
from observability.systems.signals import Outcomes, Selector
from observability.systems.thresholds import THRESHOLDS

FLOOR: Final = 0.1
"""Events per second that a share or a percentile needs."""

RULES: Final = ("applications", "processes", "external_apis", "business", "security", "trends")

Key = tuple[str, frozenset[tuple[str, str]]]
Snapshot = Mapping[Key, float]


@cache
def system(name: str) -> System:
    """What the project declares for a system."""
    return load_file(ROOT / "systems" / f"{name}.yaml")


@cache
def alerts() -> dict[tuple[str, str], set[Alert]]:
    """The alerts by the threshold and severity that they compare with, according to the rules.

    A floor is not the subject of an alert: an alert that compares with nothing else is not included. That is
    NoTraffic, which no fault of the demo raises: it needs a previous day of steady traffic; SystemSilent compares with
    no threshold at all.
    """
    found: dict[tuple[str, str], set[Alert]] = {}
    for name in RULES:
        document = load_yaml((ROOT / "rules" / f"{name}.yaml").read_text(encoding="utf-8"))
        for rule in (rule for group in document["groups"] for rule in group["rules"] if "alert" in rule):
            for threshold in re.findall(r'app:threshold:(\w+)\{severity="(\w+)"\}', rule["expr"]):
                # The share of slower events belongs to the threshold of the percentile.
                about = (threshold[0].removesuffix("_share"), threshold[1])
                if THRESHOLDS[about[0]].floor:
                    continue
                found.setdefault(about, set()).add(Alert(rule["alert"], rule["labels"]["severity"]))
    return found


@dataclass
class Lookups:
    """A cache that counts what is requested of it."""

    hits: int = 0
    misses: int = 0

    def __call__(self, hits: int, misses: int) -> None:
        self.hits += hits
        self.misses += misses


class Run:
    """One simulated system, run for a while, and its figures over the last window."""

    def __init__(self, name: str, start: float) -> None:
        self.now = start
        self.lookups = Lookups()
        self.profile = PROFILES[name]
        self.simulation: Simulation
        self.out: Exposition
        self.simulation, self.out = simulations(self.lookups, seed=7)[name]
        self.system = system(name)

    def for_seconds(self, seconds: int, how: Conditions | None = None) -> None:
        """Tick once a second."""
        for _ in range(seconds):
            self.now += 1
            self.simulation.tick(self.now, 1.0, how or self.profile.ordinary)

    def snapshot(self) -> Snapshot:
        """Every sample that is exposed."""
        samples = [sample for family in self.out.registry.collect() for sample in family.samples]
        found = {(sample.name, frozenset(sample.labels.items())): sample.value for sample in samples}
        found[("lookups", frozenset({("result", "hit")}))] = self.lookups.hits
        found[("lookups", frozenset({("result", "miss")}))] = self.lookups.misses
        return found


class Figures:
    """The figures of a system over a window, named as the thresholds; each has a value for each of its groups."""

    def __init__(self, run: Run, before: Snapshot, after: Snapshot, seconds: float) -> None:
        self.system, self.profile, self.now = run.system, run.profile, run.now
        self._before, self._after, self._seconds = before, after, seconds

    def breached(self) -> set[tuple[str, str]]:
        """Name and severity of each threshold that is breached."""
        return {(one.name, one.severity) for one in thresholds(self.system) if self._breaks(one)}

    def _breaks(self, one: Threshold) -> bool:
        found = getattr(self, one.name, None)
        if found is None:
            return False
        values = found(float(one.quantile)) if one.quantile else found()
        below = THRESHOLDS[one.name].breached == "below"
        return any(value < one.value if below else value > one.value for value in values)

    # Samples

    def _grown(self, name: str, where: Mapping[str, str], matches: Callable[[dict[str, str]], bool]) -> float:
        total = 0.0
        for (found, labels), value in self._after.items():
            own = dict(labels)
            if found == name and where.items() <= own.items() and matches(own):
                total += value - self._before.get((found, labels), 0.0)
        return total

    def rate(self, chosen: Selector, matches: Callable[[dict[str, str]], bool] = lambda _: True) -> float:
        """Events per second."""
        spec = self.system.series[chosen.series]
        name = f"{chosen.series}_count" if spec.kind == "histogram" else chosen.series
        return self._grown(name, chosen.where, matches) / self._seconds

    def _level(self, chosen: Selector) -> float:
        return sum(value for (name, _), value in self._after.items() if name == chosen.series)

    def _share(self, outcomes: Outcomes) -> list[float]:
        ((label, good),) = outcomes.ok.items()
        total = self.rate(outcomes)
        return [self.rate(outcomes, lambda own: own[label] != good) / total] if total >= FLOOR else []

    def _slow(self, chosen: Selector, q: float, label: str | None = None) -> list[float]:
        """The percentile for a comparison by the share of slower events: infinite beyond the last bucket."""
        last = self.system.series[chosen.series].bounds[-1] / PER_SECOND[self.system.series[chosen.series].unit]
        return [math.inf if value >= last else value for value in self.quantile(chosen, q, label)]

    def quantile(self, chosen: Selector, q: float, label: str | None = None) -> Iterator[float]:
        """The percentile as computed by `histogram_quantile`, in seconds, for each group with enough events."""
        spec = self.system.series[chosen.series]
        groups = {dict(labels).get(label or "") for (name, labels) in self._after if name == f"{chosen.series}_count"}
        for group in groups:

            def mine(own: dict[str, str], group: str | None = group) -> bool:
                return label is None or own.get(label) == group

            total = self._grown(f"{chosen.series}_count", chosen.where, mine)
            if total / self._seconds < FLOOR:
                continue
            lower = below = 0.0
            for bound in spec.bounds:
                where = {**chosen.where, "le": str(float(bound))}
                count = self._grown(f"{chosen.series}_bucket", where, mine)
                if count >= q * total:
                    lower += (bound - lower) * (q * total - below) / (count - below)
                    break
                lower, below = bound, count
            yield lower / PER_SECOND[spec.unit]

    # Figures of the applications

    def error_ratio(self) -> list[float]:
        requests = self._requests()
        total = self.rate(requests)
        return [self.rate(requests, lambda own: own[requests.status].startswith("5")) / total]

    def route_failure_ratio(self) -> list[float]:
        requests = self._requests()
        routes = {dict(labels).get(requests.route or "") for (_, labels) in self._after} - {None}
        found = []
        for route in routes:
            mine: Any = lambda own, route=route: own.get(requests.route) == route  # noqa: E731 - used twice
            wrong: Any = lambda own, mine=mine: mine(own) and own[requests.status].startswith("5")  # noqa: E731
            failed = self.rate(requests, wrong)
            if self._floor("route_failed_events") <= 300 * failed:
                found.append(failed / self.rate(requests, mine))
        return found

    def client_error_growth(self) -> list[float]:
        requests = self._requests()
        share = self.rate(requests, lambda own: own[requests.status].startswith("4")) / self.rate(requests)
        usual = self._usual("app:http_client_errors:ratio_avg1h")
        return [share / usual] if share >= self._floor("client_error_ratio") else []

    def _floor(self, name: str) -> float:
        return next(one.value for one in thresholds(self.system) if one.name == name)

    def failure_rate(self) -> list[float]:
        assert self.system.signals.failures
        return [self.rate(self.system.signals.failures)]

    def response_time(self, q: float) -> list[float]:
        latency = self.system.signals.http_latency
        assert latency
        return self._slow(latency, q, latency.route)

    def db_query_time(self, q: float) -> list[float]:
        latency = self.system.signals.db_latency
        assert latency
        return self._slow(latency, q, latency.operation)

    def db_pool_ratio(self) -> list[float]:
        pool = self.system.signals.db_pool
        assert pool
        size = self._level(pool.size)
        if pool.used:
            return [self._level(pool.used) / size]
        assert pool.available
        return [1 - self._level(pool.available) / size]

    def db_failure_ratio(self) -> list[float]:
        assert self.system.signals.db_queries
        return self._share(self.system.signals.db_queries)

    def queries_per_request(self) -> list[float]:
        assert self.system.signals.db_queries
        return [self.rate(self.system.signals.db_queries) / self.rate(self._requests())]

    def queries_per_request_growth(self) -> list[float]:
        """Compared with the usual value of this hour, near the mean of the week: most queries belong to requests."""
        usual = self._usual("app:db_queries:avg1h") / self._usual("app:http_requests:avg1h")
        return [value / usual for value in self.queries_per_request()]

    def db_timeouts(self) -> list[float]:
        assert self.system.signals.db_timeouts
        return [self.rate(self.system.signals.db_timeouts) * self._seconds]

    def cache_hit_ratio(self) -> list[float]:
        cache = self.system.signals.cache
        assert cache
        if cache.hits.job is None:
            hits, misses = self.rate(cache.hits), self.rate(cache.misses)
        else:
            hits, misses = (self._grown("lookups", {"result": result}, lambda _: True) for result in ("hit", "miss"))
        return [hits / (hits + misses)]

    def process_memory_ratio(self) -> list[float]:
        memory = self.system.signals.process_memory
        assert memory
        assert memory.limit
        return [self._level(memory.used) / self._level(memory.limit)]

    def goroutines(self) -> list[float]:
        assert self.system.signals.goroutines
        return [self._level(self.system.signals.goroutines)]

    def event_loop_lag(self) -> list[float]:
        assert self.system.signals.event_loop_lag
        return [self._level(self.system.signals.event_loop_lag)]

    def heap_ratio(self) -> list[float]:
        heap = self.system.signals.heap
        assert heap
        assert heap.limit
        return [self._level(heap.used) / self._level(heap.limit)]

    def external_api_rate_limit_ratio(self) -> list[float]:
        """The usage of each API, as a share of its own limit."""
        calls = {name: 60 * self.rate(api.calls) for name, api in self.system.signals.external_apis.items()}
        limits = {one.api: one.value for one in thresholds(self.system) if one.name == "external_api_rate_limit"}
        return [rate / limits[name] for name, rate in calls.items() if name in limits]

    def external_api_time(self, q: float) -> list[float]:
        apis = self.system.signals.external_apis.values()
        return [value for api in apis if api.latency for value in self._slow(api.latency, q)]

    def external_api_failure_ratio(self) -> list[float]:
        return [share for api in self.system.signals.external_apis.values() for share in self._share(api.calls)]

    def integration_failure_ratio(self) -> list[float]:
        return [share for events in self.system.signals.integrations.values() for share in self._share(events)]

    # Compared with previous days, as in the history

    def traffic_deviations(self) -> list[float]:
        times = [self.now - day * DAY + 1800 for day in range(1, 8)]
        means = [self._usual("app:http_requests:avg1h", moment) for moment in times]
        spreads = [self._usual("app:http_requests:stddev1h", moment) for moment in times]
        mean = sum(means) / 7
        square = sum(one**2 + spread**2 for one, spread in zip(means, spreads, strict=True)) / 7
        return [abs(self.rate(self._requests()) - mean) / (square - mean**2) ** 0.5]

    def latency_growth(self) -> list[float]:
        latency = self.system.signals.http_latency
        assert latency
        return [value / history.p95(self.profile) for value in self.quantile(latency, 0.95)]

    def orders_week_ratio(self) -> list[float]:
        assert self.system.signals.orders
        return [3600 * self.rate(self.system.signals.orders) / self._usual("app:orders:increase1h")]

    def revenue_week_ratio(self) -> list[float]:
        assert self.system.signals.revenue
        return [3600 * self.rate(self.system.signals.revenue) / self._usual("app:revenue_usd:increase1h")]

    def users_week_ratio(self) -> list[float]:
        assert self.system.signals.active_users
        return [self._level(self.system.signals.active_users) / self._usual("app:active_users:avg1h")]

    def tokens_per_day(self) -> list[float]:
        assert self.system.signals.api_tokens
        return [self.rate(self.system.signals.api_tokens) * self._seconds]

    # Business and security

    def cancellation_ratio(self) -> list[float]:
        signals = self.system.signals
        assert signals.orders
        assert signals.cancellations
        orders = self.rate(signals.orders)
        return [self.rate(signals.cancellations) / orders] if orders >= FLOOR else []

    def stock(self) -> list[float]:
        assert self.system.signals.inventory
        return [value for (name, _), value in self._after.items() if name == self.system.signals.inventory.series]

    def meeting_failure_ratio(self) -> list[float]:
        assert self.system.signals.meetings
        return self._share(self.system.signals.meetings)

    def auth_failure_rate(self) -> list[float]:
        attempts = self.system.signals.auth_attempts
        assert attempts
        ((label, good),) = attempts.ok.items()
        return [self.rate(attempts, lambda own: own[label] != good)]

    def rate_limited_rate(self) -> list[float]:
        assert self.system.signals.rate_limited
        return [self.rate(self.system.signals.rate_limited)]

    def suspicious_activity(self) -> list[float]:
        assert self.system.signals.suspicious_activity
        return [self.rate(self.system.signals.suspicious_activity) * self._seconds]

    # Figures without a threshold

    def stalled(self) -> bool:
        """Whether no transaction was completed."""
        transactions = self.system.signals.transactions
        return transactions is not None and self.rate(transactions) == 0

    def new_errors(self, earlier: Snapshot) -> set[str]:
        """Error types, and routes with 5xx, that count errors and did not exist earlier."""
        signals = self.system.signals
        found: set[str] = set()
        for errors in signals.error_types:
            found |= self._values(self._after, errors.series, errors.type) - self._values(
                earlier, errors.series, errors.type, zeros=True
            )
        if signals.new_routes and (requests := signals.http_requests):
            wrong: Any = lambda own: own[requests.status].startswith("5")  # noqa: E731 - used twice
            found |= self._values(self._after, requests.series, requests.route, wrong) - self._values(
                earlier, requests.series, requests.route, wrong, zeros=True
            )
        return found

    def _values(
        self,
        snapshot: Snapshot,
        series: str,
        label: str,
        matches: Callable[[dict[str, str]], bool] = lambda _: True,
        *,
        zeros: bool = False,
    ) -> set[str]:
        return {
            dict(labels)[label]
            for (name, labels), value in snapshot.items()
            if name == series and matches(dict(labels)) and (zeros or value > 0)
        }

    def _requests(self) -> Any:  # noqa: ANN401 - HttpRequests, which every system has
        assert self.system.signals.http_requests
        return self.system.signals.http_requests

    def _usual(self, series: str, moment: float | None = None) -> float:
        """The history's values for a moment: of the same weekday unless stated otherwise."""
        at = int(self.now if moment is None else moment)
        at -= at % history.STEP
        past = history.Load(at - 7200, at)
        for name, _, value in history.figures(self.profile, self.profile.pace):
            if name == series:
                return value(past, at)
        raise AssertionError(f"the history has no {series} of {self.profile.name}")
