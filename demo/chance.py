"""Randomness of the traffic: the load of each hour of the week, the number of events, and shares of them."""

import math
import threading
from functools import lru_cache
from random import Random
from typing import Final

DAY: Final = 86400.0
WEEK: Final = 7 * DAY
MONDAY: Final = 4 * DAY
"""The first Monday, seconds since 1970."""

NIGHT: Final = 0.4
WEEKEND: Final = 0.7
"""Load of the quietest hour relative to the busiest, and of a weekend day relative to a weekday."""

_BLEND_SECONDS: Final = 3 * 3600.0
_COUNTED_ONE_BY_ONE: Final = 30.0


@lru_cache(maxsize=4096)  # The history asks for the same minutes again and again.
def load(moment: float) -> float:
    """The load at a time (seconds since 1970, UTC): 1 in a weekday's afternoon, 0.28 in a weekend's night."""
    hour = (moment % DAY) / 3600
    day = (1 - math.cos(2 * math.pi * (hour - 3) / 24)) / 2
    noon = 0.12 * math.exp(-(((hour - 12.5) / 1.2) ** 2))
    return (NIGHT + (1 - NIGHT) * (day - noon)) * (1 - (1 - WEEKEND) * _weekend(moment))


def _weekend(moment: float) -> float:
    """0 on a weekday and 1 at the weekend, with a gradual change around midnight."""
    second = (moment - MONDAY) % WEEK
    return max(_ramp(week - 5 * DAY) * _ramp(7 * DAY - week) for week in (second, second + WEEK))


def _ramp(distance: float) -> float:
    return min(1.0, max(0.0, 0.5 + distance / _BLEND_SECONDS))


def poisson(random: Random, mean: float) -> int:
    """A random number of events with this expected value."""
    if mean > _COUNTED_ONE_BY_ONE:
        return max(0, round(random.gauss(mean, math.sqrt(mean))))
    limit, product, count = math.exp(-mean), random.random(), 0
    while product > limit:
        product *= random.random()
        count += 1
    return count


class Picker:
    """Picks a share of events evenly, e.g. every twentieth for 5 %, so that no share crosses a threshold by chance."""

    def __init__(self, start: float = 0.0) -> None:
        self._due = start
        self._lock = threading.Lock()

    def pick(self, share: float) -> bool:
        """Whether this event belongs to the share."""
        with self._lock:
            self._due += share
            if self._due < 1:
                return False
            self._due -= 1
            return True
