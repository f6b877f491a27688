"""When a mute time is active, and when that changes next, in the local time of its location."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
import typer
from typer.testing import CliRunner

from observability.alerting.mute_times import active, in_words, next_change, state_in_words
from observability.cli.mutes import mutes
from observability.operations.alertmanager import Alertmanager
from observability.operations.home import Home
from observability.settings.notifications import MuteTime
from tests.unit.conftest import stack_config

BERLIN = ZoneInfo("Europe/Berlin")
NIGHTS = MuteTime(times=("22:00-07:00",), location="Europe/Berlin")
SUNDAYS = MuteTime(weekdays=("sunday",))
SATURDAY_NIGHT = MuteTime(times=("22:00-07:00",), weekdays=("saturday",), location="Europe/Berlin")
LUNCH = MuteTime(times=("12:00-13:00", "18:00-19:30"), weekdays=("monday", "friday"))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("mute_time", "at", "holds"),
    [
        (NIGHTS, "2026-11-18 20:59:59", False),
        (NIGHTS, "2026-11-18 21:00", True),
        (NIGHTS, "2026-11-19 05:59:59", True),
        (NIGHTS, "2026-11-19 06:00", False),
        (SUNDAYS, "2026-11-21 23:59", False),
        (SUNDAYS, "2026-11-22 00:00", True),
        (SUNDAYS, "2026-11-22 23:59:59", True),
        (SUNDAYS, "2026-11-23 00:00", False),
        (SATURDAY_NIGHT, "2026-11-20 23:00", False),
        (SATURDAY_NIGHT, "2026-11-21 04:00", False),
        (SATURDAY_NIGHT, "2026-11-21 23:00", True),
        (SATURDAY_NIGHT, "2026-11-22 05:00", True),
        (LUNCH, "2026-11-20 12:30", True),
        (LUNCH, "2026-11-20 13:00", False),
        (LUNCH, "2026-11-20 19:29", True),
        (LUNCH, "2026-11-21 12:30", False),
    ],
)
def test_it_is_active_within_its_hours_on_its_days(mute_time: MuteTime, at: str, holds: bool) -> None:
    assert active(mute_time, utc(at)) is holds


@pytest.mark.parametrize(
    ("mute_time", "at", "change"),
    [
        (NIGHTS, "2026-11-18 12:00", "2026-11-18 21:00"),
        (NIGHTS, "2026-11-18 21:00:30", "2026-11-19 06:00"),
        (SUNDAYS, "2026-11-23 00:00", "2026-11-29 00:00"),
        (SATURDAY_NIGHT, "2026-11-22 06:00", "2026-11-28 21:00"),
        (LUNCH, "2026-11-20 13:00", "2026-11-20 18:00"),
        # The night in which clocks go back, and the one in which they go forward.
        (NIGHTS, "2026-10-24 20:30", "2026-10-25 06:00"),
        (NIGHTS, "2026-03-28 21:30", "2026-03-29 05:00"),
        # Hours of which the clock change skips the first half.
        (MuteTime(times=("02:30-03:30",), location="Europe/Berlin"), "2026-03-29 00:30", "2026-03-29 01:00"),
    ],
)
def test_the_next_change_is_found_across_days_and_clock_changes(mute_time: MuteTime, at: str, change: str) -> None:
    assert next_change(mute_time, utc(at)) == utc(change)


def test_one_that_never_ends_has_no_next_change() -> None:
    assert next_change(MuteTime(), utc("2026-11-18 12:00")) is None
    assert state_in_words(MuteTime(), utc("2026-11-18 12:00")) == "always active"


def test_its_hours_are_shown_in_the_local_time_of_its_location() -> None:
    assert in_words(LUNCH) == "Monday, Friday 12:00-13:00 and 18:00-19:30 (UTC)"
    assert in_words(SUNDAYS) == "Sunday the whole day (UTC)"
    evening = datetime(2026, 11, 18, 23, 30, tzinfo=BERLIN)
    assert state_in_words(NIGHTS, evening) == "active now, until Thursday 07:00"
    assert state_in_words(SUNDAYS, evening) == "not active now; next Sunday 00:00 until Monday 00:00"


def test_the_list_names_the_muted_receivers_and_the_alerts_muted_now(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    notifications = {
        "receivers": {"hook": {"webhook": {}}},
        "default": ["hook"],
        "warning": {"receivers": ["hook"], "mute": ["always"]},
        "teams": {"depot": {"receivers": ["hook"], "mute": ["always"]}},
        "muteTimes": {"always": {}, "sundays": {"weekdays": ["sunday"]}},
    }
    of = stack_config("dev", {"notifications": notifications})
    status = {"mutedBy": ["always"]}
    alert = {"labels": {"alertname": "HighErrorRate", "system": "depot"}, "status": status}
    monkeypatch.setattr(Home, "config", lambda _home, _stack: of)
    monkeypatch.setattr(Alertmanager, "groups", lambda _: [{"receiver": {"name": "team-depot"}, "alerts": [alert]}])
    monkeypatch.setattr(Alertmanager, "mute_times", lambda _: {"always", "sundays"})
    app = typer.Typer()
    app.command()(mutes)
    done = CliRunner().invoke(app, [])
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[:4] == [
        "always: every day the whole day (UTC)",
        "  always active",
        "  mutes: team-depot, warning",
        "  muted now: HighErrorRate depot for team-depot",
    ]
    assert "mutes: no receiver; name it in the mute of an audience" in done.output
    monkeypatch.setattr(Alertmanager, "mute_times", lambda _: {"always"})
    older = CliRunner().invoke(app, [])
    assert older.exit_code == 1
    assert "Alertmanager does not know sundays\nupdate it: ./obs up dev" in older.output
