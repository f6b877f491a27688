"""Ticks of the axes: round numbers on the y axis, round times on the x axis."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

_ROUND: Final = (1, 2, 2.5, 5, 10)

_TIMES: Final = (60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 14400, 21600, 43200, 86400, 172800, 604800)
"""Distances between two ticks, in seconds."""

DAY: Final = 86400
NARROW: Final = 54
WIDE: Final = 92
"""Pixels between ticks that are needed for a time of day, a date, or both."""

FLAT: Final = 100.0
"""Upper end of an axis on which everything is 0, as Grafana chooses it."""


@dataclass(frozen=True, kw_only=True)
class Ends:
    """A panel's limits of its axis: hard ones, and soft ones that apply until a value lies beyond them."""

    least: float | None = None
    most: float | None = None
    soft_least: float | None = None
    soft_most: float | None = None


def span(values: Sequence[float], ends: Ends) -> tuple[float, float]:
    """The lower and upper end of an axis: as set, else a tenth beyond the values and rounded."""
    finite = [value for value in values if math.isfinite(value)]
    low = min(finite, default=0.0) if ends.least is None else ends.least
    high = max(finite, default=0.0) if ends.most is None else ends.most
    apart = high - low if high > low else abs(high)
    if apart == 0:
        high = low + (FLAT if ends.soft_most is None else ends.soft_most)
    tenth = 10 ** math.floor(math.log10(apart or high - low)) / 10
    if ends.most is None and apart:
        high = math.ceil(round((high + apart / 10) / tenth, 6)) * tenth
    if ends.least is None and apart:
        padded = math.floor(round((low - apart / 10) / tenth, 6)) * tenth
        low = 0.0 if low >= 0 >= padded else padded
    if ends.most is None and ends.soft_most is not None and max(finite, default=0.0) <= ends.soft_most:
        high = ends.soft_most
    if ends.least is None and ends.soft_least is not None and min(finite, default=0.0) >= ends.soft_least:
        low = ends.soft_least
    return low, high


def marks(low: float, high: float, pixels: float, *, binary: bool = False, apart: float = 30) -> list[float]:
    """Round values between two ends, at least `apart` pixels apart; powers of two for a binary unit."""
    least = (high - low) * apart / pixels
    if binary:
        step = 2.0 ** math.ceil(math.log2(least))
    else:
        power = 10.0 ** math.floor(math.log10(least))
        step = next(factor * power for factor in _ROUND if factor * power >= least * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [count * step for count in range(first, last + 1)]


def moments(start: float, end: float, pixels: float) -> list[tuple[float, str]]:
    """Round times in UTC, as many as have room next to each other, each with its label."""
    several_days = end - start > 2 * DAY
    for step in _TIMES:
        form, apart = (
            ("%m/%d", NARROW) if step >= DAY else ("%m/%d %H:%M", WIDE) if several_days else ("%H:%M", NARROW)
        )
        if step * pixels >= apart * (end - start):
            break
    first = math.ceil(start / step) * step
    return [
        (moment, datetime.fromtimestamp(moment, UTC).strftime(form))
        for moment in range(int(first), int(end) + 1, step)
    ]
