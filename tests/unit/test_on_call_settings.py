"""Invalid on-call settings: refused by path, with the fix."""

from typing import Any

import pytest

from observability.core.errors import ConfigError
from observability.settings.load import validate
from observability.settings.on_call import OnCallSettings
from tests.unit.conftest import REFERENCE
from tests.unit.on_call_rota import rota, settings

LAYERS = "schedules.depot.layers"


def refused(path: str, value: object) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        validate("dev", {"onCall": rota(path, value)}, frozenset(), REFERENCE)
    assert "\n" not in caught.value.what
    assert caught.value.fix
    return caught.value


def test_the_rota_of_these_tests_is_accepted() -> None:
    assert validate("dev", {"onCall": rota()}, frozenset(), REFERENCE).settings.on_call == settings()


@pytest.mark.parametrize(
    ("path", "value", "what"),
    [
        ("rotations.office.people", [], "rotations.office.people: "),
        ("rotations.office.people.1", "bem", "rotations.office.people[1]: there is no person 'bem'"),
        ("rotations.office.zone", "Europe/Brlin", "rotations.office.zone: 'Europe/Brlin': is no time zone"),
        ("rotations.office.handover", "9:00", "rotations.office.handover: '9:00': is not a time of day"),
        ("rotations.office.handover", "24:00", "rotations.office.handover: '24:00': is not a time of day"),
        ("rotations.office.handover", 600, "rotations.office.handover: 600: is a number, not a time"),
        ("rotations.office.start", "2026-02-30", "rotations.office.start: '2026-02-30': "),
        ("rotations.office.start", 20260105, "rotations.office.start: 20260105: is not a day"),
        (
            "rotations.office.start",
            "2026-01-05T09:00:00Z",
            "rotations.office.start: '2026-01-05T09:00:00Z': is not a day",
        ),
        ("rotations.office.every", "month", "rotations.office.every: 'month': "),
        ("people.anna.phone", "030 123456", "people.anna.phone: '030 123456': "),
        ("people.anna.email", "anna", "people.anna.email: 'anna': "),
        ("schedules.depot.zone", "CEST", "schedules.depot.zone: 'CEST': is no time zone"),
        (
            "schedules.depo",
            {"zone": "UTC", "layers": [{"rotation": "office"}]},
            "schedules.depo: there is no such team",
        ),
        (f"{LAYERS}.0.rotation", "offices", "schedules.depot.layers[0].rotation: there is no rotation 'offices'"),
        (f"{LAYERS}.1.hours", ["20:00-8:00"], "schedules.depot.layers[1].hours[0]: '20:00-8:00': are not hours"),
        (f"{LAYERS}.1.hours", ["20:00-24:30"], "schedules.depot.layers[1].hours[0]: '20:00-24:30': are not hours"),
        (f"{LAYERS}.0.weekdays", ["mon"], "schedules.depot.layers[0].weekdays[0]: 'mon': "),
        (LAYERS, [], "schedules.depot.layers: "),
        ("schedules.depot.holidays.0.person", "kim", "schedules.depot.holidays[0].person: there is no person 'kim'"),
        ("schedules.depot.holidays.0.rotation", "office", "schedules.depot.holidays[0]: must name either"),
        ("schedules.depot.holidays.0.person", None, "schedules.depot.holidays[0]: must name either"),
        ("schedules.depot.overrides.0.person", "kim", "schedules.depot.overrides[0].person: there is no person 'kim'"),
        (
            "schedules.depot.overrides.0.to",
            "2026-12-30 17:00",
            "schedules.depot.overrides[0]: ends (2026-12-30 17:00)",
        ),
        ("schedules.depot.overrides.0.to", "2027-01-02T08:00:00Z", "schedules.depot.overrides[0].to: "),
        ("schedules.depot.overrides.0.to", "2027-13-02 08:00", "schedules.depot.overrides[0].to: "),
        (
            "schedules.depot.escalation.1.after",
            "15m",
            "schedules.depot.escalation[1].after: '15m': does not come after",
        ),
        (
            "schedules.depot.escalation.0.after",
            "90s",
            "schedules.depot.escalation[0].after: '90s': is not whole minutes",
        ),
        ("schedules.depot.escalation.1.after", "8d", "schedules.depot.escalation[1].after: '8d': does not come after"),
        ("schedules.depot.escalation.0.rotation", "x", "schedules.depot.escalation[0].rotation: there is no rotation"),
        (
            "schedules.depot.escalation.0.rotation",
            "nights",
            "schedules.depot.escalation[0].rotation: nights is the rotation of a layer, so it goes back to",
        ),
        (
            "schedules.depot.escalation.1.person",
            "carla",
            "schedules.depot.escalation[1].person: carla is on call by the rotation nights, so it goes back to",
        ),
        (
            "schedules.depot.escalation.1",
            {"after": "30m", "rotation": "leads"},
            "schedules.depot.escalation[1].rotation: leads is the rotation of an earlier step",
        ),
    ],
)
def test_invalid_input_is_refused_by_path(path: str, value: object, what: str) -> None:
    assert f"Pulumi.dev.yaml: observability:onCall.{what}" in refused(path, value).what


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    assert "did you mean 'ben'?" in refused("rotations.office.people.1", "bem").fix
    assert "did you mean 'depot'?" in refused("schedules.depo", rota()["schedules"]["depot"]).fix


@pytest.mark.parametrize(
    ("path", "value", "gap"),
    [
        (f"{LAYERS}.1.hours", ["20:30-08:00"], "monday 20:00-20:30"),
        (f"{LAYERS}.1.hours", ["20:00-07:59"], "monday 07:59-08:00"),
        (f"{LAYERS}.1.hours", ["20:00-24:00"], "monday 00:00-08:00"),
        (f"{LAYERS}.0.weekdays", ["monday", "tuesday", "wednesday", "thursday", "friday"], "saturday 08:00-20:00"),
        (LAYERS, [{"rotation": "office", "weekdays": ["monday", "sunday"]}], "tuesday 00:00 to sunday 00:00"),
        (LAYERS, [{"rotation": "office", "weekdays": ["monday"]}], "tuesday 00:00 to monday 00:00"),
    ],
)
def test_a_gap_is_refused_with_its_hours(path: str, value: object, gap: str) -> None:
    error = refused(path, value)
    assert f"observability:onCall.{LAYERS}: nobody is on call on {gap} (Europe/Berlin)" in error.what


@pytest.mark.parametrize(
    ("path", "value", "overlap"),
    [
        (f"{LAYERS}.1.hours", ["19:00-08:00"], "layers[1]: overlaps layers[0] on monday 19:00-20:00"),
        (f"{LAYERS}.0.hours", ["08:00-20:01"], "layers[1]: overlaps layers[0] on monday 20:00-20:01"),
        (f"{LAYERS}.1.hours", ["20:00-08:30"], "layers[1]: overlaps layers[0] on monday 08:00-08:30"),
        (f"{LAYERS}.0.hours", ["08:00-20:00", "09:00-10:00"], "layers[0]: overlaps itself on monday 09:00-10:00"),
        (
            LAYERS,
            [{"rotation": "office"}, {"rotation": "nights", "weekdays": ["sunday"]}],
            "overlaps layers[0] on sunday",
        ),
    ],
)
def test_an_overlap_is_refused_with_its_hours(path: str, value: object, overlap: str) -> None:
    assert overlap in refused(path, value).what


def test_hours_past_the_end_of_the_week_overlap_its_beginning() -> None:
    layers: list[dict[str, Any]] = [
        {"rotation": "nights", "hours": ["22:00-06:00"], "weekdays": ["sunday"]},
        {"rotation": "office", "hours": ["06:00-24:00"], "weekdays": ["monday"]},
        {"rotation": "office", "weekdays": ["tuesday", "wednesday", "thursday", "friday", "saturday"]},
        {"rotation": "office", "hours": ["00:00-22:00"], "weekdays": ["sunday"]},
    ]
    validate("dev", {"onCall": rota(LAYERS, layers)}, frozenset(), REFERENCE)
    layers[1]["hours"] = ["05:00-24:00"]
    assert "layers[1]: overlaps layers[0] on monday 05:00-06:00" in refused(LAYERS, layers).what


def test_two_overrides_at_the_same_time_are_refused_with_that_time() -> None:
    overrides = [
        {"from": "2026-12-30 18:00", "to": "2027-01-02 08:00", "person": "ben"},
        {"from": "2027-01-01 00:00", "to": "2027-01-05 00:00", "person": "anna"},
    ]
    error = refused("schedules.depot.overrides", overrides)
    assert "overrides[1]: overlaps overrides[0] from 2027-01-01 00:00 to 2027-01-02 08:00" in error.what
    overrides[1]["from"] = "2027-01-02 08:00"
    validate("dev", {"onCall": rota("schedules.depot.overrides", overrides)}, frozenset(), REFERENCE)


def test_a_day_in_two_holidays_is_refused() -> None:
    holidays = [{"dates": ["2026-12-25"], "person": "carla"}, {"dates": ["2026-12-24", "2026-12-25"], "person": "ben"}]
    error = refused("schedules.depot.holidays", holidays)
    assert "holidays[1].dates: 2026-12-25 is in holidays[0] already" in error.what


def test_dates_and_times_that_pulumi_converts_are_read_the_same() -> None:
    """Pulumi's own parser converts unquoted values to timestamps, and passes them on in Go's format."""
    by_pulumi = rota("rotations.office.start", "2026-01-05 00:00:00 +0000 UTC")
    by_pulumi["schedules"]["depot"]["holidays"][0]["dates"] = ["2026-12-25 00:00:00 +0000 UTC", "2026-12-26"]
    by_pulumi["schedules"]["depot"]["overrides"][0]["from"] = "2026-12-30 18:00:00 +0000 UTC"
    assert OnCallSettings.model_validate(by_pulumi) == settings()
