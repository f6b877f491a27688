"""Faults on demand: which there are, which are on, and until when. One ends by itself."""

import re
import threading
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

FAULTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "errors": "a third of the API's requests fail with 500",
        "latency": "every request of the API takes half a second to three seconds longer",
        "database-gone": "the service finds no database where it looks for one",
        "cache-cold": "nothing the service asks the cache for is there",
        "log-burst": "a client retries a bad order in a tight loop, and every refusal is logged as an error",
    }
)
"""Every fault by name, and what it does."""

LONGEST_SECONDS: Final = 24 * 3600.0
"""The longest a fault may be asked for."""

_PART: Final = re.compile(r"(\d+)(ms|s|m|h)")
_DURATION: Final = re.compile(r"(?:\d+(?:ms|s|m|h))+")
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class UnknownFaultError(ValueError):
    """There is no fault of that name."""


class Faults:
    """The faults that are on. The clock is of the kind of `time.time`."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._until: dict[str, float] = {}
        self._lock = threading.Lock()

    def start(self, name: str, seconds: float) -> None:
        """Switch a fault on for so long, from now; UnknownFaultError where there is none of that name."""
        with self._lock:
            self._until[_known(name)] = self._clock() + seconds

    def stop(self, name: str) -> bool:
        """Switch a fault off; whether it was on."""
        with self._lock:
            return self._until.pop(_known(name), 0.0) > self._clock()

    def on(self, name: str) -> bool:
        """Whether a fault is on now."""
        return self._until.get(_known(name), 0.0) > self._clock()

    def active(self) -> dict[str, float]:
        """The faults that are on, and when each ends (seconds since 1970)."""
        now = self._clock()
        with self._lock:
            return {name: until for name, until in sorted(self._until.items()) if until > now}


def seconds(duration: str) -> float:
    """Length of a duration like 90s, 10m or 1h30m; ValueError where it is none, or longer than a day."""
    if not _DURATION.fullmatch(duration):
        raise ValueError(f"{duration!r} is not a duration; write it like 90s, 10m or 1h30m")
    total = sum(int(count) * _SECONDS[unit] for count, unit in _PART.findall(duration))
    if not 0 < total <= LONGEST_SECONDS:
        raise ValueError(f"{duration!r} is not between 1ms and 24h")
    return total


def _known(name: str) -> str:
    if name not in FAULTS:
        raise UnknownFaultError(f"there is no fault {name!r}; there are {', '.join(FAULTS)}")
    return name
