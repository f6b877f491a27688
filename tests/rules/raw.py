"""Raw series as the five systems expose them, written in promtool's notation: one value each 30 seconds."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

from rules.promql import matchers

STEP: Final = 30
"""Seconds between two values."""

COUNT: Final = 60
"""Values of a series: half an hour."""

JOBS: Final = {"studio": "studio-api", "harbour": "spans", "foundry": "otlp"}
"""Scrape jobs that are not called `backend`."""

HTTP: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 2.5, 5, 10, 30)
DATABASE: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
HTTP_OF: Final = {"academy": (0.1, 0.5, 1, 2, 5), "studio": (0.1, 0.5, 1, 2, 3, 5, 10)}
DATABASE_OF: Final = {"academy": (0.01, 0.05, 0.1, 0.5, 1), "studio": (0.01, 0.05, 0.1, 0.5, 1, 5)}
"""Bounds of histograms, in seconds, for systems with their own."""

Series = dict[str, str]


def series(name: str, system: str, labels: Mapping[str, str] | None = None, *, job: str | None = None) -> str:
    """A series of a system's first instance."""
    own = {"system": system, "job": job or JOBS.get(system, "backend"), "instance": f"{system}-1:3000"}
    return name + matchers({**own, **(labels or {})})


def counter(rate: float, *, after: int = 0) -> str:
    """A counter that rises by so much per second; 0 for the first `after` values."""
    rising = f"0+{rate * STEP:.10g}x{COUNT - after}"
    return f"0x{after - 1} {rising}" if after else rising


def gauge(value: float) -> str:
    """A constant gauge."""
    return f"{value:.10g}x{COUNT}"


def histogram(
    name: str,
    system: str,
    labels: Mapping[str, str],
    *,
    quantile: float,
    at: float,
    rate: float,
    bounds: Sequence[float] = HTTP,
    unit: int = 1,
) -> Series:
    """A classic histogram whose quantile is at so many seconds; `unit` is the number of its units per second."""
    cumulative = distribution(quantile, at, bounds)
    rows = [*zip([f"{bound * unit:g}" for bound in bounds], cumulative, strict=True), ("+Inf", 1.0)]
    found = {series(f"{name}_bucket", system, {**labels, "le": le}): counter(rate * share) for le, share in rows}
    found[series(f"{name}_count", system, labels)] = counter(rate)
    found[series(f"{name}_sum", system, labels)] = counter(rate * at * unit)
    return found


def distribution(quantile: float, at: float, bounds: Sequence[float]) -> list[float]:
    """Cumulative shares of observations within each bound, such that the interpolated quantile is `at`.

    Above the highest bound nothing is interpolated: two percent more observations than allowed are there.
    """
    if at > bounds[-1]:
        return [1 - 1.02 * (1 - quantile)] * len(bounds)
    index = next(i for i, bound in enumerate(bounds) if at <= bound)
    low = bounds[index - 1] if index else 0.0
    within = (at - low) / (bounds[index] - low)
    # No observation is above the quantile's bucket, or none is below it.
    below, up_to = ((quantile - within) / (1 - within), 1.0) if within < quantile else (0.0, quantile / within)
    return [below] * index + [up_to] * (len(bounds) - index)


def native(
    name: str,
    system: str,
    labels: Mapping[str, str],
    *,
    quantile: float,
    at: float,
    rate: float,
    bounds: Sequence[float],
) -> Series:
    """The same as a native histogram with its own buckets: as many observations are between the same bounds."""
    cumulative = [0.0, *distribution(quantile, at, bounds), 1.0]
    each = [rate * STEP * (above - below) for below, above in pairwise(cumulative)]
    every = " ".join(f"{count:.10g}" for count in each)
    custom = " ".join(f"{bound:g}" for bound in bounds)
    first, rise = (
        f"{{{{schema:-53 count:{count:.10g} sum:{count * at:.10g} custom_values:[{custom}] buckets:[{buckets}]}}}}"
        for count, buckets in ((0.0, " ".join("0" for _ in each)), (rate * STEP, every))
    )
    return {series(name, system, labels): f"{first}+{rise}x{COUNT}"}
