"""Who is on call: one person at any time, through changes of the clocks, year ends, holidays and overrides."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from observability.alerting.on_call import (
    Repeat,
    Shift,
    first_repeat,
    instant,
    next_change,
    notified,
    on_call,
    on_rotation,
    shifts,
)
from observability.settings import rota as rules
from observability.settings.on_call import OnCallSettings
from tests.unit.on_call_rota import settings, utc

ZONES = [
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",  # its clocks change by half an hour
    "Africa/Cairo",  # at midnight
    "America/Santiago",  # at midnight, in the southern summer
    "Asia/Kathmandu",  # no clock change, and an offset of 45 minutes
]

CLOCKS = ["00:00", "02:30"]
"""Handovers at midnight, and in the hour that is skipped or repeated."""


def follow_the_sun(zone: str, clock: str) -> OnCallSettings:
    """Office hours, nights and weekends of three rotations, all in one zone."""
    office = ["monday", "tuesday", "wednesday", "thursday", "friday"]
    people = {name: {"name": name, "email": f"{name}@example.com"} for name in ("ann", "bob", "cid", "dan")}
    turn: dict[str, Any] = {"start": "2026-01-05", "handover": clock, "zone": zone}
    made = OnCallSettings.model_validate(
        {
            "people": people,
            "rotations": {
                "office": {"people": ["ann", "bob", "cid"], "every": "day", **turn},
                "nights": {"people": ["dan", "ann"], **turn},
                "weekends": {"people": ["cid"], **turn},
            },
            "schedules": {
                "depot": {
                    "zone": zone,
                    "layers": [
                        {"rotation": "office", "hours": ["02:30-12:00", "12:00-20:00"], "weekdays": office},
                        {"rotation": "nights", "hours": ["00:00-02:30", "20:00-24:00"], "weekdays": office},
                        {"rotation": "weekends", "weekdays": ["saturday", "sunday"]},
                    ],
                }
            },
        }
    )
    rules.check("", made, ["depot"])
    return made


@pytest.mark.parametrize("clock", CLOCKS)
@pytest.mark.parametrize("zone", ZONES)
def test_every_instant_of_a_year_has_exactly_one_person(zone: str, clock: str) -> None:
    made = follow_the_sun(zone, clock)
    start, end = utc("2025-12-31 23:00"), utc("2027-01-01 01:00")
    found = shifts(made, "depot", start, end)
    assert found[0].start <= start
    assert found[-1].end >= end
    assert all(shift.start < shift.end for shift in found)
    assert all(before.end == after.start for before, after in pairwise(found))
    longest = timedelta(days=7, hours=1)
    assert max(shift.end - shift.start for shift in found) <= longest


@pytest.mark.parametrize("zone", ZONES)
def test_the_shift_at_an_instant_is_the_one_in_the_list(zone: str) -> None:
    made = follow_the_sun(zone, "02:30")
    listed = shifts(made, "depot", utc("2026-01-01 00:00"), utc("2027-01-01 00:00"))
    for shift in listed[::50]:
        assert on_call(made, "depot", shift.start) == shift
        assert on_call(made, "depot", shift.end - timedelta(seconds=1)) == shift
        assert on_call(made, "depot", shift.end) != shift


@pytest.mark.parametrize("zone", ZONES)
def test_turns_follow_the_clock_of_their_zone_and_skip_no_person(zone: str) -> None:
    made = follow_the_sun(zone, "09:00")
    rotation = made.rotations["office"]
    place = ZoneInfo(zone)
    for day in range(-366, 367, 3):
        morning = datetime.combine(date(2026, 1, 5) + timedelta(days=day), time(9), place)
        assert on_rotation(rotation, morning.astimezone(UTC)) == rotation.people[day % 3]
        assert on_rotation(rotation, morning.astimezone(UTC) - timedelta(seconds=1)) == rotation.people[(day - 1) % 3]


def test_a_skipped_local_time_is_the_moment_of_the_clock_change() -> None:
    assert instant(date(2026, 3, 29), time(2, 30), "Europe/Berlin") == utc("2026-03-29 01:00")
    assert instant(date(2026, 10, 4), time(2, 15), "Australia/Lord_Howe") == utc("2026-10-03 15:30")
    assert instant(date(2026, 4, 24), time(0), "Africa/Cairo") == utc("2026-04-23 22:00")


def test_a_repeated_local_time_is_the_first_occurrence() -> None:
    assert instant(date(2026, 10, 25), time(2, 30), "Europe/Berlin") == utc("2026-10-25 00:30")
    assert instant(date(2026, 11, 1), time(1, 30), "America/New_York") == utc("2026-11-01 05:30")


def test_a_night_is_an_hour_shorter_in_spring_and_an_hour_longer_in_autumn() -> None:
    made = settings()

    def night(day: str) -> timedelta:
        shift = on_call(made, "depot", utc(f"{day} 22:00"))
        assert shift.why == "layers[1]"
        return shift.end - shift.start

    assert night("2026-03-27") == timedelta(hours=12)
    assert night("2026-03-28") == timedelta(hours=11)
    assert night("2026-10-24") == timedelta(hours=13)


def test_a_daily_handover_in_the_skipped_hour_still_happens() -> None:
    made = settings("rotations.nights.handover", "02:30")
    before = on_rotation(made.rotations["nights"], utc("2026-03-29 00:59"))
    after = on_rotation(made.rotations["nights"], utc("2026-03-29 01:00"))
    assert (before, after) == ("ben", "anna")


def test_a_daily_handover_in_the_repeated_hour_happens_once() -> None:
    rotation = settings("rotations.nights.handover", "02:30").rotations["nights"]
    night = [on_rotation(rotation, utc("2026-10-25 00:00") + timedelta(minutes=10 * step)) for step in range(15)]
    assert night == [night[0]] * 3 + [night[3]] * 12
    assert night[0] != night[3]


def test_a_midnight_handover_happens_once_where_clocks_go_back_over_midnight() -> None:
    made = settings("rotations.nights", {**_nights("Africa/Cairo"), "handover": "00:00"})
    rotation = made.rotations["nights"]
    # The 29th ends at 21:00 UTC by local time, then repeats its last hour.
    first = utc("2026-10-29 18:00")
    said = [on_rotation(rotation, first + timedelta(minutes=30 * step)) for step in range(12)]
    assert sum(before != after for before, after in pairwise(said)) == 1


def _nights(zone: str) -> dict[str, Any]:
    return {"people": ["carla", "ben", "anna"], "every": "day", "start": "2026-01-05", "zone": zone}


def test_a_weekly_rotation_hands_over_on_the_weekday_of_its_start_over_a_year_end() -> None:
    rotation = settings().rotations["office"]
    assert on_rotation(rotation, utc("2026-12-28 07:59")) == "anna"
    assert on_rotation(rotation, utc("2026-12-28 08:00")) == "ben"
    assert on_rotation(rotation, utc("2027-01-04 07:59")) == "ben"
    assert on_rotation(rotation, utc("2027-01-04 08:00")) == "anna"


def test_a_rotation_also_applies_before_its_start() -> None:
    rotation = settings().rotations["office"]
    assert on_rotation(rotation, utc("2026-01-05 07:59")) == "ben"
    assert on_rotation(rotation, utc("2025-12-29 07:59")) == "anna"


def test_a_holiday_is_whole_days_of_the_schedules_zone() -> None:
    made = settings()
    first, second = (on_call(made, "depot", utc(f"2026-12-{day} 12:00")) for day in (25, 26))
    assert first == Shift(
        start=utc("2026-12-24 23:00"), end=utc("2026-12-25 23:00"), person="carla", why="holidays[0]"
    )
    assert (second.start, second.end) == (first.end, utc("2026-12-26 23:00"))


def test_a_rotation_can_replace_the_layers_on_a_holiday() -> None:
    made = settings("schedules.depot.holidays", [{"dates": ["2026-12-25"], "rotation": "nights"}])
    day = shifts(made, "depot", utc("2026-12-25 00:00"), utc("2026-12-25 22:00"))
    assert [(shift.person, shift.why) for shift in day] == [("anna", "holidays[0]"), ("carla", "holidays[0]")]
    assert day[1].start == utc("2026-12-25 11:00")


def test_an_override_applies_only_within_its_time() -> None:
    made = settings()
    found = shifts(made, "depot", utc("2026-12-30 16:00"), utc("2027-01-02 08:00"))
    assert [(shift.start, shift.why) for shift in found] == [
        (utc("2026-12-30 07:00"), "layers[0]"),
        (utc("2026-12-30 17:00"), "overrides[0]"),
        (utc("2027-01-02 07:00"), "layers[0]"),
    ]
    assert found[1].person == "ben"


def test_an_override_takes_precedence_over_a_holiday() -> None:
    override = {"from": "2026-12-25 10:00", "to": "2026-12-25 12:00", "person": "anna"}
    made = settings("schedules.depot.overrides", [override])
    assert on_call(made, "depot", utc("2026-12-25 10:00")).person == "anna"
    assert on_call(made, "depot", utc("2026-12-25 11:00")).person == "carla"


def test_a_long_override_is_one_shift_at_any_time_within_it() -> None:
    made = settings(
        "schedules.depot.overrides", [{"from": "2026-05-01 00:00", "to": "2026-08-01 00:00", "person": "ben"}]
    )
    shift = on_call(made, "depot", utc("2026-06-15 12:00"))
    assert (shift.start, shift.end) == (utc("2026-04-30 22:00"), utc("2026-07-31 22:00"))


def test_the_next_change_is_to_another_person() -> None:
    made = settings()
    now = utc("2027-01-01 12:00")
    following = next_change(made, "depot", now)
    assert following is not None
    assert following.person != on_call(made, "depot", now).person
    # Ben's override is followed by his own day.
    assert following.start == utc("2027-01-02 19:00")


def test_there_is_no_next_change_where_one_person_has_all_turns() -> None:
    made = settings("schedules.depot", {"zone": "UTC", "layers": [{"rotation": "alone"}]})
    alone = settings().rotations["office"].model_copy(update={"people": ("ben",)})
    made = made.model_copy(update={"rotations": {**made.rotations, "alone": alone}})
    assert next_change(made, "depot", utc("2026-06-01 00:00")) is None


def test_an_escalation_step_of_a_rotation_goes_to_the_person_whose_turn_it_is() -> None:
    made = settings()
    assert notified(made, "depot", utc("2026-01-06 10:00")) == ["anna", "dora", "fatou"]
    # The lead changes before the step is due.
    assert notified(made, "depot", utc("2026-01-12 07:50")) == ["anna", "emil", "fatou"]


def test_an_escalation_to_other_people_has_no_repeat() -> None:
    assert first_repeat(settings(), "depot", utc("2026-01-05 09:00"), utc("2027-02-01 00:00")) is None


def test_the_first_escalation_back_to_the_same_person_is_found() -> None:
    shared = settings("rotations.leads.people", ["ben", "dora"])
    found = first_repeat(shared, "depot", utc("2026-01-05 09:00"), utc("2026-03-01 00:00"))
    # Ben has the third night of the rotation, and is the lead of the first week.
    assert found == Repeat(at=utc("2026-01-06 19:00"), person="ben", step=0)
    assert notified(shared, "depot", found.at)[:2] == ["ben", "ben"]


def test_an_override_by_the_person_of_a_step_is_a_repeat_while_it_lasts() -> None:
    override = [{"from": "2026-06-01 18:00", "to": "2026-06-02 08:00", "person": "fatou"}]
    made = settings("schedules.depot.overrides", override)
    assert first_repeat(made, "depot", utc("2026-06-01 00:00"), utc("2026-06-30 00:00")) == Repeat(
        at=utc("2026-06-01 16:00"), person="fatou", step=1
    )
    assert first_repeat(made, "depot", utc("2026-06-02 06:00"), utc("2026-06-30 00:00")) is None
