"""The on-call settings: people, rotations, and a schedule for each team that has one.

`observability.alerting.on_call` computes who is on call at a given time; `observability.settings.rota` checks that
there is exactly one person at any time.
"""

import re
from datetime import date, datetime, time
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from observability.core.section import PartSettings, Section
from observability.core.types import WEEKDAYS, Duration, MailAddress, MemoryMb, Port, TimeZone, Weekday, seconds

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,38}[a-z0-9]$")]
"""Name of a person, a rotation or a team: 2 to 40 of a-z, 0-9 and '-'."""

DAY: Final = 24 * 60
WEEK: Final = 7 * DAY
"""In minutes."""

_HOURS: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|24:00)")
_MOMENT: Final = r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[ T]([01]\d|2[0-3]):[0-5]\d(:00)?$"


def _text(value: object) -> object:
    """A time as text: YAML reads 10:00 without quotes as the number 600."""
    if isinstance(value, int):
        raise ValueError('is a number, not a time; put it in quotes, like "09:00"')
    return value


def _clock(value: str) -> str:
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
        raise ValueError('is not a time of day; write one from "00:00" to "23:59"')
    return value


def _hours(value: str) -> str:
    if not _HOURS.fullmatch(value):
        raise ValueError('are not hours; write them like "08:00-20:00", or "20:00-08:00" for those past midnight')
    return value


def _stamp(value: object) -> object:
    """A date or time as it was written: Pulumi passes one without quotes as `2026-01-05 00:00:00 +0000 UTC`."""
    return value.removesuffix(" +0000 UTC") if isinstance(value, str) else value


def _day(value: object) -> object:
    """A day; refuses a time of day and numbers."""
    value = _stamp(value)
    if isinstance(value, str):
        value = value.removesuffix(" 00:00:00")
    if type(value) is not date and not (isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value)):
        raise ValueError("is not a day; write it like 2027-01-31")
    return value


def _moment(value: object) -> object:
    """A local time as a datetime: a stated offset would contradict the schedule's zone."""
    value = _stamp(value)
    if isinstance(value, datetime) and value.tzinfo is None and not value.second:
        return value
    if not (isinstance(value, str) and re.fullmatch(_MOMENT, value)):
        raise ValueError("is not a local time; write it like 2027-01-31 18:00, in the schedule's zone")
    return value


Clock = Annotated[str, AfterValidator(_clock), BeforeValidator(_text)]
"""A time of day, in 24 hours."""

Hours = Annotated[str, AfterValidator(_hours), BeforeValidator(_text)]
"""From one time of day to another; an end that is not later means past midnight. `00:00-24:00` is a whole day."""

Day = Annotated[date, BeforeValidator(_day)]
"""A day of the calendar."""

Moment = Annotated[datetime, BeforeValidator(_moment), WithJsonSchema({"type": "string", "pattern": _MOMENT})]
"""A local time, to the minute."""


class Person(Section):
    """A person who can be on call."""

    name: str = Field(description="Full name.", min_length=1, max_length=80)
    email: MailAddress = Field(description="Mail address.")
    phone: str | None = Field(
        None, description="In the international form, like +4930123456.", pattern=r"^\+[1-9]\d{6,14}$"
    )


class Rotation(Section):
    """People who take turns. The first has the turn that begins on `start`; it repeats for ever."""

    people: tuple[str, ...] = Field(description="Names of people, in their order.", min_length=1)
    every: Literal["day", "week"] = Field("week", description="How long a turn is.")
    start: Day = Field(description="Day of a handover to the first; a weekly rotation hands over on its weekday.")
    handover: Clock = Field(description='When the next takes over, like "09:00".')
    zone: TimeZone = Field(description="Time zone of the handover, like Europe/Berlin.")


class Who(Section):
    """A person, or the person whose turn it is in a rotation."""

    person: str | None = Field(None, description="Name of a person.")
    rotation: str | None = Field(None, description="Name of a rotation.")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.person is None) == (self.rotation is None):
            raise ValueError("must name either a person or a rotation")
        return self


class Layer(Section):
    """Hours of every week, and the rotation that has them."""

    rotation: str = Field(description="Name of the rotation; one of a single person is fine.")
    hours: tuple[Hours, ...] = Field(
        ("00:00-24:00",), description='Like "08:00-20:00", in the schedule\'s zone; none: whole days.', min_length=1
    )
    weekdays: tuple[Weekday, ...] = Field(
        WEEKDAYS, description="Days on which the hours begin; none: every day.", min_length=1
    )


class Holiday(Who):
    """Whole days, from midnight to midnight in the schedule's zone, on which another person is on call."""

    dates: tuple[Day, ...] = Field(description="The days, like 2026-12-25.", min_length=1)


class Override(Section):
    """A person instead of the one of the layers and holidays."""

    start: Moment = Field(alias="from", description="From when, like 2026-12-30 18:00, in the schedule's zone.")
    end: Moment = Field(alias="to", description="Until when.")
    person: str = Field(description="Who.")


class Step(Who):
    """Who is notified next without an acknowledgement."""

    after: Duration = Field(description="How long after the alert, like 15m; whole minutes.")


class Schedule(Section):
    """Who is on call for a team: overrides over holidays over layers."""

    zone: TimeZone = Field(description="Time zone of its hours, holidays and overrides.")
    layers: tuple[Layer, ...] = Field(
        description="Hours of the week: all of them, each in one layer alone.", min_length=1
    )
    holidays: tuple[Holiday, ...] = Field((), description="Days on which another person is on call.")
    overrides: tuple[Override, ...] = Field((), description="Times at which another person is on call.")
    escalation: tuple[Step, ...] = Field(
        (), description="Who is notified next, like after 15m and 30m. The person on call is notified at once."
    )


class OnCallSettings(Section):
    """People, rotations and schedules."""

    people: dict[Name, Person] = Field({}, description="Everyone who can be on call, by a short name.")
    rotations: dict[Name, Rotation] = Field({}, description="People who take turns, by the rotation's name.")
    schedules: dict[Name, Schedule] = Field({}, description="Who is on call, by team.")


class GoAlertSettings(PartSettings):
    """GoAlert, which notifies the person on call and escalates, where there is no PagerDuty."""

    enabled: bool | None = Field(None, description="Whether it runs; none: it does not.")
    port: Port = Field(8081, description="Port on the host.")
    memory_mb: MemoryMb = Field(128, description="Memory limit, MiB.")


def week_minutes(layer: Layer) -> list[tuple[int, int]]:
    """Its hours as minutes since Monday 00:00, in order; those past Sunday's end wrap to the week's beginning."""
    found: list[tuple[int, int]] = []
    for weekday in layer.weekdays:
        for hours in layer.hours:
            start, end = span(hours)
            start, end = (minute + WEEKDAYS.index(weekday) * DAY for minute in (start, end))
            found += [(start, min(end, WEEK))] + ([(0, end - WEEK)] if end > WEEK else [])
    return sorted(found)


def span(hours: str) -> tuple[int, int]:
    """Hours as minutes since the midnight before they begin; the end is later than the start."""
    start, end = (int(clock[:2]) * 60 + int(clock[3:]) for clock in hours.split("-"))
    return start, end if end > start else end + DAY


def at(clock: str) -> time:
    """A time of day."""
    return time.fromisoformat(clock)


def minutes(step: Step) -> float:
    """Minutes between the alert and a step."""
    return seconds(step.after) / 60
