"""`obs oncall`: the on-call schedule; `obs oncall sync` and `obs oncall verify`: GoAlert from the same settings."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

from observability.cli.common import AsJson, Stack, err, print_json
from observability.core.errors import ConfigError
from observability.core.naming import PROJECT
from observability.settings.load import StackConfig

if TYPE_CHECKING:
    from observability.operations.goalert_api import Client

CALENDAR_DAYS: Final = 90
"""Length of the calendar without --days."""

out = Console(highlight=False, soft_wrap=True)


def oncall(
    stack: Stack = "dev",
    at: Annotated[
        str | None, typer.Option("--at", help="When, like 2027-01-31 18:00 (in the schedule's zone); default: now.")
    ] = None,
    ics: Annotated[Path | None, typer.Option("--ics", help="Write the shifts to this file, for calendars.")] = None,
    days: Annotated[
        int | None, typer.Option("--days", min=1, max=3660, help="List the shifts of so many days as well.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show who is on call in each team, until when, who is next, and the escalation if nobody acknowledges."""
    from observability.operations.home import Home

    config = Home.find().config(stack)
    if as_json:
        teams = config.settings.on_call.schedules
        print_json([_row(config, team, _moment(config, team, at), days) for team in teams])
        if ics is not None:
            _write_calendar(config, ics, at, days or CALENDAR_DAYS)
        return
    if not config.settings.on_call.schedules:
        out.print(f"{stack}: nobody is on call: {PROJECT}:onCall has no schedules")
        out.print(f"add one to Pulumi.{stack}.yaml; docs/on-call.md shows how")
        return
    for team in config.settings.on_call.schedules:
        for line in _lines(config, team, _moment(config, team, at), days):
            out.print(line, markup=False)
    if ics is not None:
        out.print(_write_calendar(config, ics, at, days or CALENDAR_DAYS), markup=False)


def _moment(config: StackConfig, team: str, at: str | None) -> datetime:
    """The instant of --at; without an offset it is a local time of the team's schedule."""
    if at is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        raise ConfigError(
            f"--at: {at!r} is not a time", "write it like 2027-01-31 18:00, or 2027-01-31T17:00Z"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(config.settings.on_call.schedules[team].zone))


def _row(config: StackConfig, team: str, moment: datetime, days: int | None) -> dict[str, Any]:
    """The output of --json for one team; times with the offset of its schedule's zone."""
    from observability.alerting.on_call import next_change, notified, on_call, shifts

    said = config.settings.on_call
    zone = ZoneInfo(said.schedules[team].zone)
    now, following = on_call(said, team, moment), next_change(said, team, moment)
    return {
        "team": team,
        "on_call": said.people[now.person].name,
        "since": now.start.astimezone(zone).isoformat(),
        "until": following.start.astimezone(zone).isoformat() if following else None,
        "next": said.people[following.person].name if following else None,
        "escalation": [said.people[one].name for one in notified(said, team, moment)[1:]],
        "shifts": [
            {
                "person": said.people[shift.person].name,
                "start": shift.start.astimezone(zone).isoformat(),
                "end": shift.end.astimezone(zone).isoformat(),
            }
            for shift in (shifts(said, team, moment, moment + timedelta(days=days)) if days else ())
        ],
    }


def _lines(config: StackConfig, team: str, moment: datetime, days: int | None) -> Iterator[str]:
    """The output lines of one team."""
    from observability.alerting.on_call import first_repeat, next_change, notified, on_call, shifts
    from observability.settings.on_call import minutes

    said = config.settings.on_call
    schedule = said.schedules[team]

    def local(instant: datetime) -> str:
        return f"{instant.astimezone(ZoneInfo(schedule.zone)):%a %Y-%m-%d %H:%M %Z}"

    def reach(name: str) -> str:
        person = said.people[name]
        return ", ".join([person.name, person.email, *([person.phone] if person.phone else [])])

    now, following = on_call(said, team, moment), next_change(said, team, moment)
    yield f"{team}: {reach(now.person)}"
    if following is None:
        yield f"  since {local(now.start)}, and no other person follows (by {now.why})"
    else:
        yield f"  until {local(following.start)} (by {now.why}), then {reach(following.person)}"
    for step, person in zip(schedule.escalation, notified(said, team, moment)[1:], strict=True):
        line = f"  {minutes(step):3.0f} min without an answer: {reach(person)}"
        yield line + (f" (rotation {step.rotation})" if step.rotation else "")
    if repeat := first_repeat(said, team, moment, moment + timedelta(days=CALENDAR_DAYS)):
        yield (
            f"  from {local(repeat.at)} escalation[{repeat.step}] goes back to {said.people[repeat.person].name}, "
            "who has not answered"
        )
    for shift in shifts(said, team, moment, moment + timedelta(days=days)) if days else ():
        name = said.people[shift.person].name
        yield f"  {local(shift.start)} - {local(shift.end)}  {name} ({shift.why})"


def _write_calendar(config: StackConfig, path: Path, at: str | None, days: int) -> str:
    from observability.alerting.calendar import calendar
    from observability.alerting.on_call import shifts

    said = config.settings.on_call
    listed = []
    for team in said.schedules:
        start = _moment(config, team, at)
        listed += [(team, shift) for shift in shifts(said, team, start, start + timedelta(days=days))]
    try:
        path.write_bytes(calendar(config.stack, said.people, listed))
    except OSError as error:
        raise ConfigError(f"--ics: {path}: {error.strerror}", "name a file in a folder that is there") from None
    return f"{path}: {len(listed)} shifts of {days} days"


def oncall_sync(stack: Stack = "dev", as_json: AsJson = False) -> None:
    """Synchronize GoAlert with the on-call settings, and store the addresses by which Alertmanager notifies it."""
    from observability.alerting import goalert
    from observability.operations.goalert import Sync
    from observability.operations.goalert_api import GoAlertError
    from observability.operations.home import Home

    home = Home.find()
    config, stored = home.config(stack), home.secrets(stack)
    settings = config.settings
    if not settings.on_call.schedules:
        raise ConfigError(
            f"{PROJECT}:onCall has no schedules, so there is nothing to synchronize",
            f"add one to Pulumi.{stack}.yaml; docs/on-call.md shows how",
        )
    smtp = settings.notifications.smtp
    console = err if as_json else out
    try:
        client = _administrator(config, stored)
        sync = Sync(client, settings.on_call, datetime.now(UTC))
        changes: list[str] = []
        for change in sync.run(smtp, stored.get("smtpPassword")):
            console.print(f"  {change}", markup=False)
            changes.append(str(change))
        for team, key in sync.keys.items():
            secret, address = config.goalert_secrets[team], goalert.address(key)
            if stored.get(secret) != address:
                home.set_secret(stack, secret, address)
                console.print(f"  secret {secret}: stored; ./obs up {stack} makes Alertmanager use it")
                changes.append(f"secret {secret}: stored")
        if as_json:
            print_json({"changes": changes, "mail_server": smtp is not None, "unverified": list(sync.unverified)})
        count = len(changes)
        console.print(f"{stack}: {count} change{'s' * (count > 1)}" if changes else f"{stack}: no change")
        if smtp is None:
            console.print("GoAlert has no mail server: add observability:notifications.smtp", style="red")
            raise typer.Exit(1)
        for name in sync.unverified:
            mail = settings.on_call.people[name].email
            sent = f"a code was mailed to {mail}" if sync.send_code(name) else f"{mail} got a code a moment ago"
            console.print(
                f"{name} is not notified yet: {sent}; then: ./obs oncall verify {name} CODE {stack}", style="red"
            )
    except GoAlertError as error:
        console.print(f"GoAlert of {stack} at {_address(config)}: {error}", style="red", markup=False)
        raise typer.Exit(1) from None
    if sync.unverified:
        raise typer.Exit(1)


def oncall_verify(
    person: Annotated[str, typer.Argument(help="The person's short name.")],
    code: Annotated[int, typer.Argument(help="The code that GoAlert mailed them.")],
    stack: Stack = "dev",
) -> None:
    """Confirm a person's address by the code that was mailed there; from then on GoAlert uses it."""
    from observability.core.documents import nearest
    from observability.operations.goalert import verify
    from observability.operations.goalert_api import GoAlertError
    from observability.operations.home import Home

    home = Home.find()
    config = home.config(stack)
    people = config.settings.on_call.people
    if person not in people:
        raise ConfigError(
            f"there is no person {person!r}", f"{nearest(person, people)}known here: {', '.join(people) or 'nobody'}"
        )
    try:
        client = _administrator(config, home.secrets(stack))
        verify(client, _address(config), str(config.link("goalert")), person, people[person], code)
    except GoAlertError as error:
        out.print(f"GoAlert of {stack} at {_address(config)}: {error}", style="red", markup=False)
        raise typer.Exit(1) from None
    out.print(f"{stack}: {person} is notified from now on")


def _address(config: StackConfig) -> str:
    return f"http://{config.settings.bind_address}:{config.settings.goalert.port}"


def _administrator(config: StackConfig, stored: dict[str, str]) -> "Client":
    from observability.operations.goalert_api import ADMIN_SECRET, administrator
    from observability.operations.preflight import connect

    stack = config.stack
    if not config.runs("goalert"):
        why = config.left_out.get("goalert") or config.left_out.get("goalert-postgres")
        raise ConfigError(
            f"{stack} does not run GoAlert" + (f": {why}" if why else ""),
            f"set observability:goalert: {{enabled: true}} in Pulumi.{stack}.yaml, then ./obs up {stack}",
        )
    if ADMIN_SECRET not in stored:
        raise ConfigError(f"GoAlert of {stack} was never started", f"run ./obs up {stack}")
    return administrator(_address(config), str(config.link("goalert")), stored[ADMIN_SECRET], connect(), stack)
