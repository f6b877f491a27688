"""Where the marks of an axis stand: round numbers from the bottom up, round times from left to right."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

_ROUND: Final = (1, 2, 2.5, 5, 10)

_TIMES: Final = (60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 14400, 21600, 43200, 86400, 172800, 604800)
"""Distances of two marks, in seconds."""

DAY: Final = 86400
NARROW: Final = 54
WIDE: Final = 92
"""Pixels from mark to mark that a time of day or a date needs, and both."""

FLAT: Final = 100.0
"""Upper end of an axis on which everything is 0, as Grafana chooses it."""


@dataclass(frozen=True, kw_only=True)
class Ends:
    """What a panel says about the ends of its axis: fixed ones, and such as hold until a value lies beyond."""

    least: float | None = None
    most: float | None = None
    soft_least: float | None = None
    soft_most: float | None = None


def span(values: Sequence[float], ends: Ends) -> tuple[float, float]:
    """The lower and upper end of an axis: as is set, else a tenth beyond the values and rounded."""
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
    """Round values between two ends, at least so many pixels apart; powers of two where the unit is binary."""
    least = (high - low) * apart / pixels
    if binary:
        step = 2.0 ** math.ceil(math.log2(least))
    else:
        power = 10.0 ** math.floor(math.log10(least))
        step = next(factor * power for factor in _ROUND if factor * power >= least * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [count * step for count in range(first, last + 1)]


def moments(start: float, end: float, pixels: float) -> list[tuple[float, str]]:
    """Round times, UTC, as many as have room beside each other, each with its words."""
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
