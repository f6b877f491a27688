"""`python -m demo.history`: history for a new stack, for `promtool tsdb create-blocks-from openmetrics`.

Rules that compare with a day or a week ago return nothing in a new stack. This writes what the rules would have
recorded in the past days if the demo had run, from the same traffic model; and for the last two hours the counters
from which they compute an hourly increase. The end should be the start of the demo: the counters continue from there.
"""

import argparse
import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from random import Random
from typing import Final

from demo.chance import load
from demo.faults import UNSEEN
from demo.systems import FAULTS, PROFILES, SHOP
from demo.systems.profile import Pace, Profile
from demo.systems.simulation import SPREAD

STEP: Final = 60
"""Seconds between two samples."""

DAYS: Final = 8
"""A week, and one more day for rules that look back further."""

COUNTERS_SECONDS: Final = 2 * 3600
ERRORS_SECONDS: Final = 26 * 3600
"""How far back the counters go, and the known error series."""

NOISE: Final = 0.02


class Load:
    """Past load: `load` per minute, and its means over preceding times."""

    def __init__(self, start: int, end: int) -> None:
        self._first = start - 3600 - STEP
        sums = [0.0]
        for moment in range(self._first, end + STEP, STEP):
            sums.append(sums[-1] + load(moment))
        self._sums = sums

    def mean(self, moment: int, seconds: int) -> float:
        """The mean over the seconds before a time."""
        last = (moment - self._first) // STEP + 1
        steps = seconds // STEP
        return (self._sums[last] - self._sums[last - steps]) / steps

    def total(self, start: int, moment: int) -> float:
        """The sum between two times, in seconds of the busiest hour."""
        steps = (moment - start) // STEP
        return self.mean(moment, steps * STEP) * steps * STEP if steps else 0.0


def p95(profile: Profile) -> float:
    """The 95th percentile of all requests as computed from a histogram, seconds."""
    total = sum(route.weight for route in profile.routes)
    below, shares = 0.0, []
    for bound in profile.latency_bounds:
        found = sum(route.weight * _share_within(bound, route.median) for route in profile.routes) / total
        shares.append((bound, found))
    lower = 0.0
    for bound, share in shares:
        if share >= 0.95:
            return lower + (bound - lower) * (0.95 - below) / (share - below)
        lower, below = bound, share
    return lower


def client_errors(profile: Profile) -> float:
    """The share of all requests that get a 4xx response on ordinary days."""
    refused = sum(route.weight * (1.0 if route.status >= 400 else route.refused) for route in profile.routes)
    return refused / sum(route.weight for route in profile.routes)


def _share_within(bound: float, median: float) -> float:
    """The share of durations that do not exceed a bound."""
    return (1 + math.erf(math.log(bound / median) / (SPREAD * math.sqrt(2)))) / 2


Figure = Callable[[Load, int], float]


def figures(profile: Profile, pace: Pace) -> Iterator[tuple[str, Mapping[str, str], Figure]]:
    """What the rules would have recorded of a system: the series' name, its labels, and its value at a time."""
    usual = p95(profile)

    def deviation(past: Load, moment: int) -> float:
        # Random deviation of a rate over 5 minutes, and deviation by the change of load within the hour.
        mean = pace.requests * past.mean(moment, 3600)
        change = pace.requests * (past.mean(moment, STEP) - past.mean(moment - 3600 + STEP, STEP))
        return math.sqrt(mean / 300 + change**2 / 12)

    yield "app:system:info", {"team": profile.name}, lambda *_: 1.0
    if UNSEEN in FAULTS[profile.name]:
        yield "app:system:present", {}, lambda *_: 1.0
    for name, seconds in (("rate5m", 300), ("avg1h", 3600)):
        yield f"app:http_requests:{name}", {}, _over(pace.requests, seconds)
    yield "app:http_requests:stddev1h", {}, deviation
    refused = client_errors(profile)
    yield "app:http_client_errors:ratio_avg1h", {}, lambda *_: refused
    if any(series.name == "db_queries_total" for series in profile.series):
        yield "app:db_queries:avg1h", {}, _queries(profile, pace)
    yield "app:http_latency:events_rate5m", {}, _over(pace.requests, 300)
    yield "app:http_latency_seconds:quantile5m", {"quantile": "0.95"}, lambda *_: usual
    if pace.users:
        yield "app:active_users:count", {}, _over(pace.users, STEP)
        yield "app:active_users:avg1h", {}, _over(pace.users, 3600)
    rates = rates_of(pace)
    for word, canonical in (("orders", "orders"), ("revenue", "revenue_usd"), ("transactions", "transactions")):
        if word in profile.counts:
            yield f"app:{canonical}:increase1h", {}, _over(rates[word] * 3600, 3600)


def rates_of(pace: Pace) -> Mapping[str, float]:
    """Rates per second at the busiest hour, by the keys of `Profile.counts`."""
    return {
        "orders": pace.orders,
        "revenue": (pace.orders + pace.transactions) * pace.revenue_usd,
        "transactions": pace.transactions,
    }


def _queries(profile: Profile, pace: Pace) -> Figure:
    """Database queries per second over an hour: those of requests, and those independent of requests."""
    by_request = pace.requests * sum(operation.per_request for operation in profile.operations)
    besides = sum(operation.per_second for operation in profile.operations)
    return lambda past, moment: by_request * past.mean(moment, 3600) + besides


def _over(busiest: float, seconds: int) -> Figure:
    return lambda past, moment: busiest * past.mean(moment, seconds)


def lines(start: int, end: int, rate: float) -> Iterator[str]:
    """The text, line by line; the same times always give the same text. `rate` is that of the shop's own traffic."""
    past = Load(start, end)
    families: dict[str, list[Iterable[str]]] = {}
    for profile in PROFILES.values():
        pace = profile.pace.faster(rate / SHOP.pace.requests) if profile is SHOP else profile.pace
        for name, labels, value in figures(profile, pace):
            found = _samples(name, {**labels, "system": profile.name}, value, past, range(start, end + 1, STEP))
            families.setdefault(name, []).append(found)
        moments = range(max(start, end - ERRORS_SECONDS), end + 1, STEP)
        families.setdefault("app:error_series:count", []).append(_errors(profile, moments))
        moments = range(max(start, end - COUNTERS_SECONDS), end + 1, STEP)
        for word, counter in profile.counts.items():
            name = counter.partition("{")[0]
            families.setdefault(name, []).append(_counter(profile, counter, rates_of(pace)[word], past, moments))
    for _, family in sorted(families.items()):
        for samples in family:
            yield from samples
    yield "# EOF"


def _samples(name: str, labels: Mapping[str, str], value: Figure, past: Load, moments: Iterable[int]) -> Iterator[str]:
    series = name + _labels(labels)
    random = Random(series)  # noqa: S311 - no secret
    exact = name.startswith("app:system:")
    for moment in moments:
        found = value(past, moment)
        yield f"{series} {found if exact else found * random.gauss(1, NOISE):.6g} {moment}"


def _errors(profile: Profile, moments: Iterable[int]) -> Iterator[str]:
    """The known error series: by type, and by route."""
    named = [("type", name) for name in profile.error_types]
    if UNSEEN in FAULTS[profile.name]:
        named += [("route", name) for name in dict.fromkeys(route.template for route in profile.routes)]
    for kind, name in named:
        series = "app:error_series:count" + _labels({"system": profile.name, "kind": kind, "name": name})
        for moment in moments:
            yield f"{series} 1 {moment}"


def _counter(profile: Profile, counter: str, rate: float, past: Load, moments: range) -> Iterator[str]:
    """A counter of the system itself, as Prometheus would have scraped it."""
    name, _, own = counter.rstrip("}").partition("{")
    target = _labels({"system": profile.name, "job": profile.job, "instance": profile.instance})
    series = name + (target if not own else target.rstrip("}") + f",{own}}}")
    for moment in moments:
        yield f"{series} {rate * past.total(moments.start, moment):.6g} {moment}"


def _labels(labels: Mapping[str, str]) -> str:
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels.items()) + "}"


def main() -> None:
    """Write the text to standard output."""
    parser = argparse.ArgumentParser(prog="demo.history", description="A past for a new stack, as OpenMetrics text.")
    parser.add_argument("--end", type=int, default=int(time.time()), help="seconds since 1970; by default now")
    parser.add_argument("--days", type=float, default=DAYS)
    parser.add_argument("--rate", type=float, default=SHOP.pace.requests, help="the rate that the demo runs with")
    settings = parser.parse_args()
    end = settings.end // STEP * STEP
    for line in lines(end - round(settings.days * 86400) // STEP * STEP, end, settings.rate):
        sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
