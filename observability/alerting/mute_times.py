"""Mute times: in the form that Alertmanager and Grafana share, and as text."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from observability.core.types import WEEKDAYS, Weekday
from observability.settings.notifications import MuteTime

DAY_BEGINS, DAY_ENDS = "00:00", "24:00"

_MINUTE: Final = timedelta(minutes=1)
_AHEAD: Final = timedelta(days=9)
"""A week, and more than a daylight-saving change can add."""


@dataclass(frozen=True, kw_only=True)
class Interval:
    """Hours of some days of the week, none of which ends on another day; no days means every day."""

    begin: str
    end: str
    weekdays: tuple[Weekday, ...]


def intervals(mute_time: MuteTime) -> tuple[Interval, ...]:
    """The hours; those that end on the next day become two intervals."""
    days = mute_time.weekdays
    if not mute_time.times:
        return (Interval(begin=DAY_BEGINS, end=DAY_ENDS, weekdays=days),)
    return tuple(interval for time in mute_time.times for interval in _within_days(time, days))


def active(mute_time: MuteTime, at: datetime) -> bool:
    """Whether it mutes at this time, in its location's local time, as Alertmanager computes it."""
    local = at.astimezone(ZoneInfo(mute_time.location))
    clock, weekday = f"{local:%H:%M}", WEEKDAYS[local.weekday()]
    return any(
        one.begin <= clock < one.end and (not one.weekdays or weekday in one.weekdays) for one in intervals(mute_time)
    )


def next_change(mute_time: MuteTime, at: datetime) -> datetime | None:
    """The minute at which it starts, or ends if it is active; None where it is always active."""
    now = active(mute_time, at)
    moment = at.astimezone(UTC).replace(second=0, microsecond=0)
    last = moment + _AHEAD
    while moment < last:
        moment += _MINUTE
        if active(mute_time, moment) is not now:
            return moment
    return None


def in_words(mute_time: MuteTime) -> str:
    """As text: every day 22:00-07:00 (Europe/Berlin)."""
    days = ", ".join(day.capitalize() for day in WEEKDAYS if day in mute_time.weekdays)
    hours = " and ".join(mute_time.times) or "the whole day"
    return f"{days or 'every day'} {hours} ({mute_time.location})"


def state_in_words(mute_time: MuteTime, at: datetime) -> str:
    """Whether it is active now and when that changes, in its location's local time."""
    change = next_change(mute_time, at)
    if change is None:
        return "always active"
    zone = ZoneInfo(mute_time.location)
    if active(mute_time, at):
        return f"active now, until {change.astimezone(zone):%A %H:%M}"
    end = next_change(mute_time, change)
    until = f" until {end.astimezone(zone):%A %H:%M}" if end else ""
    return f"not active now; next {change.astimezone(zone):%A %H:%M}{until}"


def _within_days(time: str, days: Sequence[Weekday]) -> Iterator[Interval]:
    begin, _, end = time.partition("-")
    if begin < end:
        yield Interval(begin=begin, end=end, weekdays=tuple(days))
        return
    yield Interval(begin=begin, end=DAY_ENDS, weekdays=tuple(days))
    if end != DAY_BEGINS:
        after = tuple(WEEKDAYS[(WEEKDAYS.index(day) + 1) % len(WEEKDAYS)] for day in days)
        yield Interval(begin=DAY_BEGINS, end=end, weekdays=after)
