"""Who is on call at a time, the shifts between two times, and the escalation. Pure: the current time is an argument.

All arithmetic is on the local time of the zone concerned, day by day; only the results are instants. A local time
that a daylight-saving change skips is the instant of the change; one that occurs twice is the first of the two. So
handovers stay in order, every instant has one person, and one night shift is an hour shorter or longer.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from observability.core.types import WEEKDAYS
from observability.settings.on_call import OnCallSettings, Rotation, Schedule, Who, at, minutes, span

DAY: Final = timedelta(days=1)

LOOK_BACK: Final = 9 * DAY
"""Longer than any shift: a week's turn, an hour of a daylight-saving change, and a day for rounding."""

LOOK_AHEAD: Final = 400 * DAY
"""How far ahead to look for another person."""


@dataclass(frozen=True, kw_only=True)
class Shift:
    """One person's time on call; in UTC, the end not included."""

    start: datetime
    end: datetime
    person: str
    why: str
    """The entry of the settings from which it follows: `layers[0]`, `holidays[1]` or `overrides[0]`."""


@lru_cache(maxsize=65_536)
def instant(day: date, clock: time, zone: str) -> datetime:
    """The instant of a local time, in UTC."""
    local = datetime.combine(day, clock)
    place = ZoneInfo(zone)
    first = local.replace(tzinfo=place, fold=0).astimezone(UTC)
    if first.astimezone(place).replace(tzinfo=None) == local:
        return first
    # Skipped: the local time jumps by the difference of the offsets after and before the change.
    low, high = local.replace(tzinfo=place, fold=1).astimezone(UTC), first
    before = low.astimezone(place).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        low, high = (middle, high) if middle.astimezone(place).utcoffset() == before else (low, middle)
    return high.replace(microsecond=0)


def on_rotation(rotation: Rotation, moment: datetime) -> str:
    """The person whose turn it is."""
    return rotation.people[turn(rotation, moment) % len(rotation.people)]


def turn(rotation: Rotation, moment: datetime) -> int:
    """Turns since the first one; negative before it."""
    today = moment.astimezone(ZoneInfo(rotation.zone)).date()
    clock = at(rotation.handover)
    # Tomorrow too: where a daylight-saving change goes back over midnight, tomorrow begins and today then repeats.
    day = next(day for day in _days(today + DAY, -1) if instant(day, clock, rotation.zone) <= moment)
    return (day - rotation.start).days // (7 if rotation.every == "week" else 1)


def _days(first: date, step: int) -> Iterator[date]:
    while True:
        yield first
        first += step * DAY


def shifts(settings: OnCallSettings, team: str, start: datetime, end: datetime) -> list[Shift]:
    """Every shift that overlaps the time between two instants, uncut, in order; they leave no gap."""
    schedule = settings.schedules[team]
    first, last = start.astimezone(UTC) - LOOK_BACK, end.astimezone(UTC) + LOOK_BACK
    overridden = [(_local(schedule, one.start), _local(schedule, one.end)) for one in schedule.overrides]
    # An override can be longer than a turn.
    first = min([first, *(begin for begin, stop in overridden if stop > first)])
    last = max([last, *(stop for begin, stop in overridden if begin < last)])
    cuts = sorted({first, last, *(cut for cut in _cuts(settings, schedule, first, last) if first < cut < last)})
    found: list[Shift] = []
    held: object = None
    for begin, stop in pairwise(cuts):
        person, why, holding = _holder(settings, schedule, begin)
        if found and holding == held:
            begin = found.pop().start
        found.append(Shift(start=begin, end=stop, person=person, why=why))
        held = holding
    return [shift for shift in found if shift.end > start and shift.start < end]


def on_call(settings: OnCallSettings, team: str, moment: datetime) -> Shift:
    """The shift at an instant."""
    return shifts(settings, team, moment, moment + timedelta(microseconds=1))[0]


def next_change(settings: OnCallSettings, team: str, moment: datetime) -> Shift | None:
    """The first shift after an instant with another person; None where there is none within LOOK_AHEAD."""
    now = on_call(settings, team, moment)
    for ahead in (LOOK_BACK, 6 * LOOK_BACK, LOOK_AHEAD):
        for shift in shifts(settings, team, moment, moment + ahead):
            if shift.start > moment and shift.person != now.person:
                return shift
    return None


def stands(settings: OnCallSettings, who: Who, moment: datetime) -> str:
    """The person, or the one whose turn it is in the rotation."""
    return who.person if who.person is not None else on_rotation(settings.rotations[str(who.rotation)], moment)


@dataclass(frozen=True, kw_only=True)
class Repeat:
    """An escalation that goes back to a person who has not acknowledged: when, to whom, and by which step."""

    at: datetime
    """When the alert is received, in UTC."""
    person: str
    step: int
    """Index of the step in the settings."""


def notified(settings: OnCallSettings, team: str, moment: datetime) -> list[str]:
    """Who is notified of an alert at an instant: the person on call, then by each step."""
    steps = settings.schedules[team].escalation
    later = [stands(settings, step, moment + timedelta(minutes=minutes(step))) for step in steps]
    return [on_call(settings, team, moment).person, *later]


def first_repeat(settings: OnCallSettings, team: str, start: datetime, end: datetime) -> Repeat | None:
    """The first escalation between two instants that goes back to a person; None where there is none."""
    schedule = settings.schedules[team]
    if not schedule.escalation:
        return None
    found = shifts(settings, team, start, end)
    moments = {max(shift.start, start) for shift in found}
    for step in schedule.escalation:
        if step.rotation is None:
            continue
        rotation, after = settings.rotations[step.rotation], timedelta(minutes=minutes(step))
        for day in range((end - start).days + 3):
            handover = instant(start.date() + day * DAY, at(rotation.handover), rotation.zone)
            moments |= {handover, handover - after}
    changes = iter(found)
    shift = next(changes)
    for moment in sorted(moment for moment in moments if start <= moment < end):
        while shift.end <= moment:
            shift = next(changes)
        asked = [shift.person]
        for index, step in enumerate(schedule.escalation):
            person = stands(settings, step, moment + timedelta(minutes=minutes(step)))
            if person in asked:
                return Repeat(at=moment, person=person, step=index)
            asked.append(person)
    return None


def _local(schedule: Schedule, local: datetime) -> datetime:
    return instant(local.date(), local.time(), schedule.zone)


def _midnights(schedule: Schedule, day: date) -> tuple[datetime, datetime]:
    """Start and end of a day."""
    return instant(day, time(), schedule.zone), instant(day + DAY, time(), schedule.zone)


def _hours(schedule: Schedule, index: int, day: date) -> Iterator[tuple[datetime, datetime]]:
    """Start and end of a layer's hours that begin on this day."""
    layer = schedule.layers[index]
    if WEEKDAYS[day.weekday()] in layer.weekdays:
        for hours in layer.hours:
            begin, end = (divmod(minute, 24 * 60) for minute in span(hours))
            yield (
                instant(day + begin[0] * DAY, time(*divmod(begin[1], 60)), schedule.zone),
                instant(day + end[0] * DAY, time(*divmod(end[1], 60)), schedule.zone),
            )


def _cuts(settings: OnCallSettings, schedule: Schedule, first: datetime, last: datetime) -> Iterator[datetime]:
    """Every instant at which the person on call may change."""
    for override in schedule.overrides:
        yield _local(schedule, override.start)
        yield _local(schedule, override.end)
    for holiday in schedule.holidays:
        for day in holiday.dates:
            yield from _midnights(schedule, day)
    named = {layer.rotation for layer in schedule.layers} | {holiday.rotation for holiday in schedule.holidays}
    rotations = [settings.rotations[name] for name in named if name is not None]
    for day in _days(first.date() - DAY, 1):
        if day > last.date() + DAY:
            return
        for index in range(len(schedule.layers)):
            for hours in _hours(schedule, index, day):
                yield from hours
        for rotation in rotations:
            yield instant(day, at(rotation.handover), rotation.zone)


def _holder(settings: OnCallSettings, schedule: Schedule, moment: datetime) -> tuple[str, str, object]:
    """Who is on call at an instant, by which entry, and a mark that is the same throughout one shift."""
    for index, override in enumerate(schedule.overrides):
        if _local(schedule, override.start) <= moment < _local(schedule, override.end):
            return override.person, f"overrides[{index}]", ("override", index)
    today = moment.astimezone(ZoneInfo(schedule.zone)).date()
    for index, holiday in enumerate(schedule.holidays):
        for day in holiday.dates:
            begin, end = _midnights(schedule, day)
            if begin <= moment < end:
                person = stands(settings, holiday, moment)
                return person, f"holidays[{index}]", ("holiday", day, person)
    for index, layer in enumerate(schedule.layers):
        for day in (today - DAY, today, today + DAY):
            if any(begin <= moment < end for begin, end in _hours(schedule, index, day)):
                rotation = settings.rotations[layer.rotation]
                nth = turn(rotation, moment)
                return rotation.people[nth % len(rotation.people)], f"layers[{index}]", ("layer", index, nth)
    raise ValueError(f"nobody is on call at {moment}")  # `observability.settings.rota` refuses such a schedule
