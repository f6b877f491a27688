"""The days of each component, in a file that outlives Prometheus' samples."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final

from observability.status_page.client import STEP, Ask, course
from observability.status_page.files import write
from observability.status_page.model import DAYS, STATES, Component, Day, Maintenance, State

LATE: Final = 30
"""Seconds that rules may be behind."""

BRIEF: Final = STEP
"""Seconds a day in a state from which the day is shown as that state."""

_WORST_FIRST: Final[tuple[State, ...]] = ("down", "degraded", "maintenance", "operational")


def shown(day: Day) -> State | None:
    """The state in which a day is shown: the worst one; None: nothing was measured."""
    return next((state for state in _WORST_FIRST if day.get(state, 0) >= BRIEF), None)


def available(days: Iterable[Day]) -> float | None:
    """Share of the measured time, without maintenance, in which the component was not down; None: none measured."""
    total = dict.fromkeys(STATES, 0)
    for day in days:
        for state, seconds in day.items():
            total[state] += seconds
    up = total["operational"] + total["degraded"]
    return up / (up + total["down"]) if up + total["down"] else None


def counted(component: Component, points: Iterable[tuple[float, State]], planned: Iterable[Maintenance]) -> Day:
    """The seconds in each state, from the points of a day."""
    found: dict[State, int] = {}
    planned = tuple(planned)
    for at, measured in points:
        moment = datetime.fromtimestamp(at, UTC)
        state: State = "maintenance" if any(one.covers(component, moment) for one in planned) else measured
        found[state] = found.get(state, 0) + STEP
    return found


@dataclass
class History:
    """The file: for each component and day (UTC) the seconds in each state, and until when they are counted.

    Time that is counted is never counted again: what Prometheus forgets stays, and what it did not measure is unknown.
    """

    path: Path
    days: dict[str, dict[str, dict[State, int]]] = field(default_factory=dict)
    until: dict[str, datetime] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> "History":
        """The file; an empty history where there is none. ValueError where it is not one."""
        if not path.is_file():
            return cls(path)
        document: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        try:
            found = document["components"]
            days = {
                component: {str(date.fromisoformat(day)): _day(seconds) for day, seconds in one["days"].items()}
                for component, one in found.items()
            }
            until = {component: datetime.fromisoformat(one["until"]) for component, one in found.items()}
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{path.name} is no history: {error!r}") from error
        return cls(path, days, until)

    def last(self, component: str, today: date) -> list[tuple[str, Day]]:
        """The last DAYS days of a component, the oldest first; a day without data is empty."""
        known = self.days.get(component, {})
        names = [str(today - timedelta(days=DAYS - 1 - number)) for number in range(DAYS)]
        return [(name, known.get(name, {})) for name in names]

    def advance(
        self, ask: Ask, component: Component, planned: Iterable[Maintenance], now: datetime, back: int
    ) -> bool:
        """Count the time until now, at most the rest of one day; whether there was any to count.

        It begins where it ended, or `back` days ago, before which Prometheus knows nothing.
        """
        oldest = datetime.combine(now.date() - timedelta(days=min(back, DAYS - 1)), time(), UTC)
        begin = max(self.until.get(component.id, oldest), oldest)
        midnight = datetime.combine(begin.date() + timedelta(days=1), time(), UTC)
        # Whole steps, and what rules have evaluated by now.
        latest = datetime.fromtimestamp((now.timestamp() - LATE) // STEP * STEP, UTC)
        end = min(midnight, latest)
        if end <= begin:
            return False
        day = self.days.setdefault(component.id, {}).setdefault(str(begin.date()), {})
        for state, seconds in counted(component, course(ask, component, begin, end), planned).items():
            day[state] = day.get(state, 0) + seconds
        self.until[component.id] = end
        return True

    def store(self, today: date) -> None:
        """Write the file, without days that are older than the page shows."""
        oldest = str(today - timedelta(days=DAYS - 1))
        document = {
            "version": 1,
            "components": {
                component: {
                    "until": until.isoformat(),
                    "days": {
                        name: day for name, day in sorted(self.days[component].items()) if name >= oldest and day
                    },
                }
                for component, until in sorted(self.until.items())
            },
        }
        write(self.path, json.dumps(document, indent=1) + "\n")


def _day(seconds: Mapping[str, Any]) -> dict[State, int]:
    return {state: int(seconds[state]) for state in STATES if state in seconds}
