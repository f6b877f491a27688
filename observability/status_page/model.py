"""What the page shows: components and their states, days, incidents and maintenance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal, get_args

State = Literal["operational", "maintenance", "unknown", "degraded", "down"]

STATES: Final[tuple[State, ...]] = get_args(State)
"""From the best to the worst, as the state of the whole page is that of its worst component."""

MEASURED: Final[tuple[State, ...]] = ("operational", "degraded", "down")
"""State by the value that Prometheus returns for a component; no value: unknown."""

DAYS: Final = 90
"""Days of the history, today included."""

STALE: Final = timedelta(minutes=5)
"""Age of the last answer of Prometheus from which the page says that it is stale."""

RECENT: Final = timedelta(days=14)
"""How long an incident, or maintenance, is shown on the page after its end; the feed has a fixed number of entries."""


@dataclass(frozen=True, kw_only=True)
class Component:
    """A row of the page. `query` is PromQL that returns at most one value, the index of a state of MEASURED.

    `system` is internal: it relates incidents to the component and is not published.
    """

    id: str
    title: str
    query: str
    system: str
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The configuration of the page. `url` is where it is published, without a slash at its end."""

    title: str
    url: str
    components: tuple[Component, ...]
    back: int
    """Days of history that Prometheus can still answer for."""

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "Settings":
        """From the configuration file."""
        return cls(
            title=document["title"],
            url=document["url"],
            components=tuple(Component(**one) for one in document["components"]),
            back=document["back"],
        )


@dataclass(frozen=True, kw_only=True)
class Update:
    """A public statement about an incident."""

    at: datetime
    text: str


@dataclass(frozen=True, kw_only=True)
class Incident:
    """A declared incident. `systems` empty: it concerns no particular component. `ended` None: it is open."""

    id: str
    title: str
    began: datetime
    ended: datetime | None
    systems: tuple[str, ...]
    updates: tuple[Update, ...]


@dataclass(frozen=True, kw_only=True)
class Maintenance:
    """Declared maintenance; `systems` empty: of every component."""

    id: str
    title: str
    start: datetime
    end: datetime
    systems: tuple[str, ...]
    declared: datetime

    def covers(self, component: Component, at: datetime) -> bool:
        """Whether the component is under this maintenance at a time."""
        return self.start <= at < self.end and (not self.systems or component.system in self.systems)


@dataclass(frozen=True, kw_only=True)
class Declared:
    """What people declared for the public."""

    incidents: tuple[Incident, ...] = ()
    maintenance: tuple[Maintenance, ...] = ()

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "Declared":
        """From its JSON form; ValueError, KeyError or TypeError where it is not one."""
        return cls(
            incidents=tuple(
                Incident(
                    id=one["id"],
                    title=one["title"],
                    began=datetime.fromisoformat(one["began"]),
                    ended=datetime.fromisoformat(one["ended"]) if one["ended"] else None,
                    systems=tuple(one["systems"]),
                    updates=tuple(
                        Update(at=datetime.fromisoformat(update["at"]), text=update["text"])
                        for update in one["updates"]
                    ),
                )
                for one in document["incidents"]
            ),
            maintenance=tuple(
                Maintenance(
                    id=one["id"],
                    title=one["title"],
                    start=datetime.fromisoformat(one["start"]),
                    end=datetime.fromisoformat(one["end"]),
                    systems=tuple(one["systems"]),
                    declared=datetime.fromisoformat(one["declared"]),
                )
                for one in document["maintenance"]
            ),
        )

    def document(self) -> dict[str, Any]:
        """Its JSON form."""
        return {
            "incidents": [
                {
                    "id": one.id,
                    "title": one.title,
                    "began": one.began.isoformat(),
                    "ended": one.ended.isoformat() if one.ended else None,
                    "systems": list(one.systems),
                    "updates": [{"at": update.at.isoformat(), "text": update.text} for update in one.updates],
                }
                for one in self.incidents
            ],
            "maintenance": [
                {
                    "id": one.id,
                    "title": one.title,
                    "start": one.start.isoformat(),
                    "end": one.end.isoformat(),
                    "systems": list(one.systems),
                    "declared": one.declared.isoformat(),
                }
                for one in self.maintenance
            ],
        }

    def now(self, at: datetime) -> "Declared":
        """What is shown at a time: open and recent incidents, and maintenance to come, present and recent."""
        return Declared(
            incidents=tuple(one for one in self.incidents if one.ended is None or at - one.ended < RECENT),
            maintenance=tuple(one for one in self.maintenance if at - one.end < RECENT),
        )


Day = Mapping[State, int]
"""Seconds of a day in each state; the rest of the day is not known."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A component as it is shown. `days` are the last DAYS days, the oldest first; an empty one has no data."""

    component: Component
    state: State
    since: datetime | None
    days: Sequence[tuple[str, Day]] = ()


@dataclass(frozen=True, kw_only=True)
class Page:
    """All that is published. `checked` is when Prometheus last answered; None: never."""

    settings: Settings
    written: datetime
    checked: datetime | None
    rows: tuple[Row, ...]
    declared: Declared = field(default_factory=Declared)

    @property
    def stale(self) -> bool:
        """Whether the states are too old to be true."""
        return self.checked is None or self.written - self.checked > STALE

    @property
    def state(self) -> State:
        """The state of the whole: of the worst component; unknown where it is stale."""
        if self.stale or not self.rows:
            return "unknown"
        return max((row.state for row in self.rows), key=STATES.index)


def state(component: Component, measured: State, declared: Declared, at: datetime) -> State:
    """The state that is shown: maintenance stands above all; an open incident makes a working component degraded."""
    if any(one.covers(component, at) for one in declared.maintenance):
        return "maintenance"
    concerned = any(one.ended is None and component.system in one.systems for one in declared.incidents)
    return "degraded" if concerned and measured in ("operational", "unknown") else measured
