"""Checks of the on-call settings: unknown names, hours with no person or with two, an escalation that goes back."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from observability.core.documents import nearest
from observability.core.errors import ConfigError
from observability.core.types import WEEKDAYS
from observability.settings.on_call import DAY, WEEK, OnCallSettings, Override, Schedule, Who, minutes, week_minutes

LONGEST_MINUTES: Final = 9000
"""Longest time between two steps that GoAlert accepts."""


@dataclass(frozen=True)
class _Span:
    """Minutes of the week that a layer covers."""

    start: int
    end: int
    layer: int


def check(source: str, settings: OnCallSettings, teams: Collection[str]) -> None:
    """ConfigError where a name is unknown or not exactly one person is on call; `teams` are the existing ones.

    `source` is the prefix of errors: the file and the key prefix.
    """
    where = f"{source}onCall"
    for name, rotation in settings.rotations.items():
        for index, person in enumerate(rotation.people):
            _known(f"{where}.rotations.{name}.people[{index}]", "person", person, settings.people)
    for team, schedule in settings.schedules.items():
        if team not in teams:
            raise ConfigError(
                f"{where}.schedules.{team}: there is no such team here",
                f"{nearest(team, teams)}known here: {', '.join(teams)} (the `team` of each system)",
            )
        _names(f"{where}.schedules.{team}", settings, schedule)
        _cover(f"{where}.schedules.{team}.layers", schedule)
        _days(f"{where}.schedules.{team}.holidays", schedule)
        _overrides(f"{where}.schedules.{team}.overrides", schedule.overrides)
        _steps(f"{where}.schedules.{team}.escalation", schedule)
        _back(f"{where}.schedules.{team}.escalation", settings, schedule)


def _known(where: str, kind: str, name: str, known: Collection[str]) -> None:
    if name not in known:
        plural = {"person": "people", "rotation": "rotations"}[kind]
        raise ConfigError(
            f"{where}: there is no {kind} {name!r}",
            f"{nearest(name, known)}known here: {', '.join(known) or 'none yet'}; or add it to onCall.{plural}",
        )


def _names(where: str, settings: OnCallSettings, schedule: Schedule) -> None:
    for index, layer in enumerate(schedule.layers):
        _known(f"{where}.layers[{index}].rotation", "rotation", layer.rotation, settings.rotations)
    for index, override in enumerate(schedule.overrides):
        _known(f"{where}.overrides[{index}].person", "person", override.person, settings.people)
    named: Mapping[str, tuple[Who, ...]] = {"holidays": schedule.holidays, "escalation": schedule.escalation}
    for field, entries in named.items():
        for index, who in enumerate(entries):
            if who.person is not None:
                _known(f"{where}.{field}[{index}].person", "person", who.person, settings.people)
            if who.rotation is not None:
                _known(f"{where}.{field}[{index}].rotation", "rotation", who.rotation, settings.rotations)


def _cover(where: str, schedule: Schedule) -> None:
    """Every minute of the week in exactly one layer; in local time, so that daylight saving leaves no gap."""
    spans = sorted(
        (
            _Span(start, end, index)
            for index, layer in enumerate(schedule.layers)
            for start, end in week_minutes(layer)
        ),
        key=lambda span: (span.start, span.layer),
    )
    before = _Span(0, 0, -1)
    for span in spans:
        if span.start < before.end:
            later, other = max(span.layer, before.layer), min(span.layer, before.layer)
            twice = _range(span.start, min(span.end, before.end))
            both = f"layers[{other}]" if later != other else "itself"
            raise ConfigError(
                f"{where}[{later}]: overlaps {both} on {twice} ({schedule.zone})",
                "give each hour of the week to one layer alone",
            )
        before = span if span.end > before.end else before
    gap = next(_gaps(spans), None)
    if gap is not None:
        raise ConfigError(
            f"{where}: nobody is on call on {_range(*gap)} ({schedule.zone})",
            "give these hours to a layer; a rotation can be of one person",
        )


def _gaps(spans: Collection[_Span]) -> Iterator[tuple[int, int]]:
    """The minutes that no span covers."""
    end = 0
    for span in spans:
        if span.start > end:
            yield end, span.start
        end = max(end, span.end)
    if end < WEEK:
        yield end, WEEK


def _range(start: int, end: int) -> str:
    """Minutes of the week as text, like `monday 18:00-20:00` or `friday 18:00 to monday 08:00`."""
    day, clock = divmod(start, DAY)
    until = end - day * DAY
    if until <= DAY:
        return f"{WEEKDAYS[day]} {_clock(clock)}-{_clock(until)}"
    return f"{WEEKDAYS[day]} {_clock(clock)} to {WEEKDAYS[end // DAY % len(WEEKDAYS)]} {_clock(end % DAY)}"


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _days(where: str, schedule: Schedule) -> None:
    """Each day in only one holiday."""
    taken: dict[date, int] = {}
    for index, holiday in enumerate(schedule.holidays):
        for day in holiday.dates:
            if day in taken:
                raise ConfigError(
                    f"{where}[{index}].dates: {day} is in holidays[{taken[day]}] already", "name the day once"
                )
            taken[day] = index


def _overrides(where: str, overrides: Collection[Override]) -> None:
    """Each ends after it begins, and no two overlap."""
    seen: list[tuple[datetime, datetime, int]] = []
    for index, override in enumerate(overrides):
        start, end = override.start, override.end
        if end <= start:
            raise ConfigError(
                f"{where}[{index}]: ends ({_local(end)}) before it begins ({_local(start)})", "correct `from` or `to`"
            )
        for other_start, other_end, other in seen:
            if start < other_end and other_start < end:
                both = f"{_local(max(start, other_start))} to {_local(min(end, other_end))}"
                raise ConfigError(
                    f"{where}[{index}]: overlaps overrides[{other}] from {both}", "give each hour to one of them"
                )
        seen.append((start, end, index))


def _local(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def _steps(where: str, schedule: Schedule) -> None:
    """Each later than the one before, in whole minutes."""
    before = 0.0
    for index, step in enumerate(schedule.escalation):
        after = minutes(step)
        if after % 1:
            raise ConfigError(f"{where}[{index}].after: {step.after!r}: is not whole minutes", "write it like 15m")
        if not before < after <= before + LONGEST_MINUTES:
            raise ConfigError(
                f"{where}[{index}].after: {step.after!r}: does not come after the step before, by {LONGEST_MINUTES}m "
                "at most",
                "write the steps in order, like 15m and 30m; the person on call is notified at once, without a step",
            )
        before = after


def _back(where: str, settings: OnCallSettings, schedule: Schedule) -> None:
    """No step always goes back to a person who has not acknowledged; simulation finds cases that depend on turns."""
    layers = dict.fromkeys(layer.rotation for layer in schedule.layers)
    earlier: list[str] = []
    for index, step in enumerate(schedule.escalation):
        if step.rotation is not None and step.rotation in (*layers, *earlier):
            by = "a layer" if step.rotation in layers else "an earlier step"
            raise ConfigError(
                f"{where}[{index}].rotation: {step.rotation} is the rotation of {by}, so it goes back to a person "
                "who has not answered",
                "name a rotation in which another person has the turn, like the same people in another order",
            )
        if step.person is not None:
            for name in layers:
                if step.person in settings.rotations[name].people:
                    raise ConfigError(
                        f"{where}[{index}].person: {step.person} is on call by the rotation {name}, so it goes back "
                        "to a person who has not answered",
                        "name a person who is in no rotation of the layers",
                    )
            if step.person in earlier:
                raise ConfigError(
                    f"{where}[{index}].person: {step.person} is notified by an earlier step", "name another person"
                )
        earlier.append(str(step.person or step.rotation))
