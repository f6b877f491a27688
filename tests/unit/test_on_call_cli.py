"""`obs oncall`, the calendar, and that nothing that synth writes depends on the day."""

from pathlib import Path
from typing import Any

import icalendar
import pytest
import yaml
from typer.testing import CliRunner

from dashboards.linked_rules import files as rule_files
from observability.alerting.calendar import calendar
from observability.alerting.on_call import shifts
from observability.cli.app import app
from observability.core.errors import ConfigError
from observability.settings import load
from observability.synth import write
from tests.unit.conftest import REFERENCE
from tests.unit.on_call_rota import rota, settings, utc
from tests.unit.test_on_call import follow_the_sun

START, END = utc("2026-12-20 00:00"), utc("2027-01-10 00:00")


def events(text: bytes) -> list[icalendar.Event]:
    return [event for event in icalendar.Calendar.from_ical(text).walk("VEVENT") if isinstance(event, icalendar.Event)]


def written(**people: dict[str, str]) -> bytes:
    made = settings()
    listed = [("depot", shift) for shift in shifts(made, "depot", START, END)]
    known = {**made.people, **{name: made.people[name].model_copy(update=said) for name, said in people.items()}}
    return calendar("dev", known, listed)


def test_the_calendar_has_the_shifts() -> None:
    made = settings()
    found = [(event.start, event.end, str(event["summary"])) for event in events(written())]
    assert found == [
        (shift.start, shift.end, f"{made.people[shift.person].name} on call for depot")
        for shift in shifts(made, "depot", START, END)
    ]


def test_the_calendar_does_not_depend_on_when_it_is_generated() -> None:
    assert written() == written()
    assert all(event.start == event.DTSTAMP for event in events(written()))


def test_an_event_keeps_its_uid_when_its_person_or_the_window_changes() -> None:
    made = settings()
    before = {event.start: event["uid"] for event in events(written())}
    later = [("depot", shift) for shift in shifts(made, "depot", utc("2026-12-27 12:34"), END)]
    after = {event.start: event["uid"] for event in events(calendar("dev", made.people, later))}
    assert after.items() <= before.items()
    swapped = made.model_copy(
        update={
            "rotations": {**made.rotations, "office": made.rotations["office"].model_copy(update={"people": ("ben",)})}
        }
    )
    other = [("depot", shift) for shift in shifts(swapped, "depot", START, END)]
    assert {event.start: event["uid"] for event in events(calendar("dev", made.people, other))} == before


def test_every_uid_is_unique() -> None:
    uids = [event["uid"] for event in events(written())]
    assert len(set(uids)) == len(uids)


def test_lines_end_and_are_folded_as_in_the_standard() -> None:
    text = written(ben={"name": "Benjamin Ødegård " * 4})
    lines = text.split(b"\r\n")
    assert lines[-1] == b""
    assert all(b"\n" not in line and b"\r" not in line for line in lines)
    assert max(len(line) for line in lines) <= 75
    assert any(line.startswith(b" ") for line in lines)


def test_special_characters_of_the_standard_are_escaped_in_names() -> None:
    name = 'Ben; Lee, "Dr.": \\ senior'
    text = written(ben={"name": name})
    (summary,) = {str(event["summary"]) for event in events(text) if "Ben" in str(event["summary"])}
    assert summary == f"{name} on call for depot"
    assert b"Ben\\; Lee\\, " in text


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose stack dev has the rota; its file."""
    monkeypatch.setenv("OBS_DATA_DIR", str(tmp_path / "data"))
    file = tmp_path / "Pulumi.dev.yaml"
    file.write_text(yaml.safe_dump({"config": {"observability:onCall": rota()}}))
    (tmp_path / "systems").symlink_to(REFERENCE / "systems")

    def from_file(stack: str, stored_secrets: frozenset[str], **more: Any) -> load.StackConfig:  # noqa: ANN401
        return load.from_file(stack, tmp_path, stored_secrets, **more)

    monkeypatch.setattr("observability.operations.home.from_file", from_file)
    return file


def obs(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["oncall", *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.usefixtures("stack")
def test_oncall_shows_the_person_the_next_one_and_the_escalation() -> None:
    assert obs("--at", "2026-12-25 12:00").splitlines() == [
        "depot: Carla Diaz, carla@example.com",
        "  until Sun 2026-12-27 00:00 CET (by holidays[0]), then Ben Lee, ben@example.com",
        "   15 min without an answer: Dora Kim, dora@example.com (rotation leads)",
        "   30 min without an answer: Fatou Sy, fatou@example.com",
    ]


@pytest.mark.usefixtures("stack")
def test_a_time_without_an_offset_is_one_of_the_schedules_zone() -> None:
    assert obs("--at", "2026-12-24 23:59") == obs("--at", "2026-12-24T22:59Z")
    assert obs("--at", "2026-12-25 00:00").startswith("depot: Carla Diaz")
    assert not obs("--at", "2026-12-24 23:59").startswith("depot: Carla Diaz")


@pytest.mark.usefixtures("stack")
def test_days_lists_the_shifts() -> None:
    lines = obs("--at", "2026-12-30 17:00", "--days", "3").splitlines()
    assert "  Wed 2026-12-30 18:00 CET - Sat 2027-01-02 08:00 CET  Ben Lee (overrides[0])" in lines


@pytest.mark.usefixtures("stack")
def test_ics_writes_the_shifts_of_the_days(tmp_path: Path) -> None:
    path = tmp_path / "on-call.ics"
    assert f"{path}: " in obs("--at", "2026-12-20 00:00", "--days", "21", "--ics", str(path))
    found = events(path.read_bytes())
    assert found[0].start <= utc("2026-12-19 23:00")
    assert found[-1].end >= utc("2027-01-09 23:00")


@pytest.mark.usefixtures("stack")
def test_an_invalid_time_is_refused() -> None:
    with pytest.raises(ConfigError, match="--at: 'tomorrow' is not a time"):
        CliRunner().invoke(app, ["oncall", "--at", "tomorrow"], catch_exceptions=False)


def test_without_schedules_the_error_has_the_fix(stack: Path) -> None:
    stack.write_text("config: {}\n")
    assert obs().splitlines() == [
        "dev: nobody is on call: observability:onCall has no schedules",
        "add one to Pulumi.dev.yaml; docs/on-call.md shows how",
    ]


def test_nothing_of_the_rota_is_in_what_synth_writes(tmp_path: Path) -> None:
    """In Alertmanager's file it would be outdated after a day, and every day would be a change."""

    def synth(name: str, said: dict[str, Any]) -> dict[str, str]:
        values = {"onCall": said, "goalert": {"enabled": True}, "profile": "minimal"}
        config = load.validate("dev", values, frozenset(load.secret_specs(values, REFERENCE)), REFERENCE)
        write.write(config, rule_files(config), tmp_path / name)
        files = [path for path in sorted((tmp_path / name).rglob("*")) if path.is_file()]
        return {str(path.relative_to(tmp_path / name)): path.read_text() for path in files}

    one, other = synth("one", rota()), synth("other", rota("schedules.depot.layers", [{"rotation": "office"}]))
    assert one == other
    assert any("oncallDepotUrl" in text for text in one.values())
    assert not any("carla" in text or "2026-12" in text for text in one.values())


def test_two_teams_in_one_calendar_do_not_share_a_uid() -> None:
    made = follow_the_sun("UTC", "09:00")
    listed = [(team, shift) for team in ("depot", "academy") for shift in shifts(made, "depot", START, END)]
    uids = [event["uid"] for event in events(calendar("dev", made.people, listed))]
    assert len(set(uids)) == len(uids)
