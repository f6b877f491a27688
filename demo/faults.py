"""Faults on demand: their definition, which are on, and until when. Each ends automatically."""

import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from demo.alerts import MINUTES, RAISED, SOON, Alert
from demo.conditions import Conditions

LONGEST_SECONDS: Final = 24 * 3600.0
"""Maximum duration of a fault."""

UNSEEN: Final = "new-error-type"
"""The fault whose error has a new name each time: an error that was seen is not new for a day."""

_PART: Final = re.compile(r"(\d+)(ms|s|m|h)")
_DURATION: Final = re.compile(r"(?:\d+(?:ms|s|m|h))+")
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class UnknownFaultError(ValueError):
    """There is no fault of that name, or no such system."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One fault of one system: what it does, what it changes, and the alerts that it must raise.

    It raises all of `raises`, and no others but those of `may_raise`: these depend on how long the fault lasts and on
    the previous days.
    """

    name: str
    does: str
    raises: tuple[Alert, ...]
    may_raise: tuple[Alert, ...]
    changes: Mapping[str, Any]

    @property
    def minutes(self) -> int:
        """How long it must last until all its alerts fire."""
        return max((MINUTES.get(alert.name, SOON) for alert in self.raises), default=SOON)


def fault(
    name: str,
    does: str,
    *,
    also: tuple[Alert, ...] = (),
    may_raise: tuple[Alert, ...] = (),
    **changes: Any,  # noqa: ANN401 - fields of Conditions, checked here
) -> Fault:
    """A fault that changes these conditions; it raises the alerts of its name, and those in `also` for its system."""
    replace(Conditions(), **changes)
    raises, may = RAISED[name]
    return Fault(name=name, does=does, raises=(*raises, *also), may_raise=(*may, *may_raise), changes=dict(changes))


Registry = Mapping[str, Mapping[str, Fault]]
"""Fault by system name and fault name."""


class Faults:
    """The faults that are on. The clock is a function like `time.time`."""

    def __init__(self, registry: Registry, clock: Callable[[], float] = time.time) -> None:
        self.registry = registry
        self._clock = clock
        self._on: dict[tuple[str, str], tuple[float, float]] = {}
        self._lock = threading.Lock()

    def start(self, system: str, name: str, seconds: float) -> None:
        """Switch a fault on for this time, from now; UnknownFaultError if there is none of that name."""
        self._known(system, name)
        now = self._clock()
        with self._lock:
            began, until = self._on.get((system, name), (now, 0.0))
            self._on[system, name] = (began if until > now else now, now + seconds)

    def stop(self, system: str, name: str) -> bool:
        """Switch a fault off; returns whether it was on."""
        self._known(system, name)
        with self._lock:
            _, until = self._on.pop((system, name), (0.0, 0.0))
        return until > self._clock()

    def active(self, system: str) -> dict[str, float]:
        """The system's faults that are on, and when each ends (seconds since 1970)."""
        return {name: until for name, (_, until) in self._spans(system).items()}

    def conditions(self, system: str, ordinary: Conditions) -> Conditions:
        """The current conditions, with every fault that is on; if two change the same field, the later one applies."""
        changes: dict[str, Any] = {}
        for name, (began, _) in self._spans(system).items():
            changes |= self.registry[system][name].changes
            if name == UNSEEN:
                changes["unseen"] = f"unseen-{datetime.fromtimestamp(began, UTC):%m%dT%H%M%S}"
        return replace(ordinary, **changes)

    def _spans(self, system: str) -> dict[str, tuple[float, float]]:
        """Start and end of each fault that is on."""
        now = self._clock()
        with self._lock:
            on = [(span, name) for (where, name), span in self._on.items() if where == system and span[1] > now]
        return {name: span for span, name in sorted(on)}

    def _known(self, system: str, name: str) -> None:
        if system not in self.registry:
            raise UnknownFaultError(f"there is no system {system!r}; there are {', '.join(self.registry)}")
        if name not in self.registry[system]:
            known = ", ".join(self.registry[system])
            raise UnknownFaultError(f"{system} has no fault {name!r}; it has {known}")


def seconds(duration: str) -> float:
    """Seconds of a duration like 90s, 10m or 1h30m; ValueError if it is invalid or longer than a day."""
    if not _DURATION.fullmatch(duration):
        raise ValueError(f"{duration!r} is not a duration; write it like 90s, 10m or 1h30m")
    total = sum(int(count) * _SECONDS[unit] for count, unit in _PART.findall(duration))
    if not 0 < total <= LONGEST_SECONDS:
        raise ValueError(f"{duration!r} is not between 1ms and 24h")
    return total
