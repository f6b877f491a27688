"""Hours that come again every week, in the form that Alertmanager and Grafana share."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from config.notifications import WEEKDAYS, MuteTime, Weekday

DAY_BEGINS, DAY_ENDS = "00:00", "24:00"


@dataclass(frozen=True, kw_only=True)
class Interval:
    """Hours of some days of the week, none of which ends on another day; no days: every day."""

    begin: str
    end: str
    weekdays: tuple[Weekday, ...]


def intervals(mute_time: MuteTime) -> tuple[Interval, ...]:
    """The hours, those that end on the next day in two."""
    days = mute_time.weekdays
    if not mute_time.times:
        return (Interval(begin=DAY_BEGINS, end=DAY_ENDS, weekdays=days),)
    return tuple(interval for time in mute_time.times for interval in _within_days(time, days))


def _within_days(time: str, days: Sequence[Weekday]) -> Iterator[Interval]:
    begin, _, end = time.partition("-")
    if begin < end:
        yield Interval(begin=begin, end=end, weekdays=tuple(days))
        return
    yield Interval(begin=begin, end=DAY_ENDS, weekdays=tuple(days))
    if end != DAY_BEGINS:
        after = tuple(WEEKDAYS[(WEEKDAYS.index(day) + 1) % len(WEEKDAYS)] for day in days)
        yield Interval(begin=DAY_BEGINS, end=end, weekdays=after)
