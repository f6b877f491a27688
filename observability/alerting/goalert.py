"""The on-call settings in GoAlert's terms, for `obs oncall sync`. Pure; people are identified by their short names.

GoAlert computes turns and hours itself, from the same rotations and layers. Holidays and overrides become fixed
shifts. Its weeks begin on Sunday.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final, Literal

from observability.alerting.on_call import DAY, instant, shifts, turn
from observability.core.types import WEEKDAYS
from observability.settings.on_call import OnCallSettings, Schedule, Step, at, minutes

PORT: Final = 8081
"""Where GoAlert listens in its container."""

METRICS_PORT: Final = 9899
"""Where it serves its own metrics, only on the stack's network."""

HORIZON: Final = timedelta(days=3650)
"""How far ahead existing fixed shifts are removed before they are written again."""

LAST_MINUTES: Final = 30
"""How long GoAlert stays at the last step; it does not repeat the escalation."""


@dataclass(frozen=True, kw_only=True)
class Turns:
    """A rotation; `active` is the index of the person whose turn it is now."""

    kind: Literal["daily", "weekly"]
    start: datetime
    zone: str
    people: tuple[str, ...]
    active: int


@dataclass(frozen=True, order=True)
class Rule:
    """Hours of a rotation on a schedule; equal times mean a whole day."""

    start: str
    end: str
    weekdays: tuple[bool, ...]


@dataclass(frozen=True, order=True)
class Fixed:
    """A fixed shift."""

    start: datetime
    end: datetime
    person: str


@dataclass(frozen=True)
class Exceptional:
    """A time in which fixed shifts apply instead of rules."""

    start: datetime
    end: datetime
    shifts: tuple[Fixed, ...]


@dataclass(frozen=True)
class Notify:
    """A step of the escalation: who is notified, and the minutes until the next step."""

    kind: Literal["schedule", "rotation", "person"]
    name: str
    delay: int


def address(key: str) -> str:
    """Address at which Alertmanager reaches GoAlert with an integration key."""
    return f"http://goalert:{PORT}/api/v2/prometheusalertmanager/incoming?token={key}"


def rotations(settings: OnCallSettings, now: datetime) -> dict[str, Turns]:
    """Every rotation by its name."""
    return {
        name: Turns(
            kind="weekly" if rotation.every == "week" else "daily",
            start=instant(rotation.start, at(rotation.handover), rotation.zone),
            zone=rotation.zone,
            people=rotation.people,
            active=turn(rotation, now) % len(rotation.people),
        )
        for name, rotation in settings.rotations.items()
    }


def rules(schedule: Schedule) -> dict[str, list[Rule]]:
    """The hours of each rotation that has any, by its name."""
    found: dict[str, list[Rule]] = {}
    for layer in schedule.layers:
        weekdays = tuple(day in layer.weekdays for day in (WEEKDAYS[-1], *WEEKDAYS[:-1]))
        for hours in layer.hours:
            start, end = hours.replace("24:00", "00:00").split("-")
            found.setdefault(layer.rotation, []).append(Rule(start, end, weekdays))
    return {name: sorted(hours) for name, hours in found.items()}


def exceptional(settings: OnCallSettings, team: str, now: datetime) -> list[Exceptional]:
    """The times from now on in which holidays and overrides apply."""
    schedule = settings.schedules[team]
    days = [datetime.combine(day, datetime.min.time(), UTC) for one in schedule.holidays for day in one.dates]
    ends = [*(one.end.replace(tzinfo=UTC) for one in schedule.overrides), *days]
    # Two more days, to cover every time zone.
    last = max(ends, default=now) + 2 * DAY
    found: list[Exceptional] = []
    for shift in shifts(settings, team, now, last) if last > now else ():
        if not shift.why.startswith("layers"):
            fixed = Fixed(shift.start, shift.end, shift.person)
            found.append(Exceptional(shift.start, shift.end, (fixed,)))
    return clipped(found, now)


def clipped(times: Sequence[Exceptional], now: datetime) -> list[Exceptional]:
    """The same without past times, and with consecutive ones joined, as GoAlert stores them."""
    now = now.replace(second=0, microsecond=0)
    merged: list[Exceptional] = []
    for one in sorted(times, key=lambda time: time.start):
        if one.end <= now:
            continue
        fixed = [Fixed(max(f.start, now), f.end, f.person) for f in sorted(one.shifts) if f.end > now]
        begin = max(one.start, now)
        if merged and merged[-1].end >= begin:
            before = merged.pop()
            begin, fixed = before.start, [*before.shifts, *fixed]
        merged.append(Exceptional(begin, one.end, tuple(_joined(fixed))))
    return merged


def _joined(fixed: Sequence[Fixed]) -> list[Fixed]:
    """Consecutive shifts of one person, joined."""
    found: list[Fixed] = []
    for shift in fixed:
        if found and found[-1].person == shift.person and found[-1].end >= shift.start:
            shift = Fixed(found.pop().start, shift.end, shift.person)
        found.append(shift)
    return found


def steps(team: str, schedule: Schedule) -> list[Notify]:
    """The escalation: the person on call immediately, then each step."""
    times = [0, *(int(minutes(step)) for step in schedule.escalation)]
    delays = [*(later - sooner for sooner, later in pairwise(times)), LAST_MINUTES]
    first = Notify("schedule", team, delays[0])
    return [first, *(_step(step, delay) for step, delay in zip(schedule.escalation, delays[1:], strict=True))]


def _step(step: Step, delay: int) -> Notify:
    if step.person is not None:
        return Notify("person", step.person, delay)
    return Notify("rotation", str(step.rotation), delay)


def parsed(stamp: str) -> datetime:
    """A time parsed from GoAlert's format."""
    return datetime.fromisoformat(stamp.replace("Z", "+00:00")).astimezone(UTC)


def stamp(moment: datetime) -> str:
    """A time in GoAlert's format."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
