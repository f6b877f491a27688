"""`obs silence`: keep known trouble quiet, by whom and why, and see what was forgotten."""

import getpass
import shutil
import subprocess
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

import typer
from rich.console import Console

from observability.alerting.alerts import alerts, known_values
from observability.alerting.matchers import Matcher, parse_matchers
from observability.core.documents import nearest
from observability.core.errors import ConfigError
from observability.core.types import seconds
from observability.operations.alertmanager import Alertmanager, answering

LONGEST: Final = timedelta(days=7)
"""What a silence may last without --long."""

FORGOTTEN: Final = timedelta(hours=24)
"""In force for longer and muting nothing, it has been forgotten."""

NO_END: Final = timedelta(days=30)
"""What ends later than this has no end in sight."""

REMEMBERED: Final = timedelta(days=5)
"""How long one that is over is listed without --all."""

_PROBES: Final = ("a", "zz-9.example.com:9100")
"""Values of labels whose real ones are not known here."""

app = typer.Typer(help="Silences: known trouble kept quiet for a while.", no_args_is_help=True)
out = Console(highlight=False, soft_wrap=True)

Stack = Annotated[str, typer.Argument(help="The stack: the <name> of a Pulumi.<name>.yaml.")]


@dataclass(frozen=True, kw_only=True)
class Silence:
    """A silence as Alertmanager has it."""

    id: str
    state: str
    matchers: tuple[Matcher, ...]
    author: str
    reason: str
    since: datetime
    until: datetime

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "Silence":
        """From an answer of the API."""
        return cls(
            id=document["id"],
            state=document["status"]["state"],
            matchers=tuple(_matcher(one) for one in document["matchers"]),
            author=document["createdBy"],
            reason=document["comment"],
            since=datetime.fromisoformat(document["startsAt"]),
            until=datetime.fromisoformat(document["endsAt"]),
        )

    @property
    def short(self) -> str:
        """Enough of the id to name it."""
        return self.id[:8]

    def forgotten(self, mutes: int, now: datetime) -> str | None:
        """Why it looks forgotten; None where it does not."""
        if self.state != "active":
            return None
        if self.until - now > NO_END:
            return f"no end in sight: it ends in {(self.until - now).days} days"
        if not mutes and now - self.since > FORGOTTEN:
            return f"in force for {length(now - self.since)} and mutes nothing"
        return None


@app.command()
def add(
    matchers: Annotated[str, typer.Argument(help="Which alerts, like alertname=HighErrorRate,system=erpgo.")],
    lasts: Annotated[str, typer.Option("--for", help="How long, like 90m, 2h or 3d.")],
    reason: Annotated[str, typer.Option(help="Why, for those who wonder.")],
    stack: Stack = "dev",
    author: Annotated[
        str | None, typer.Option(help="Who wants it; by default git's user.email, or the user's name here.")
    ] = None,
    long: Annotated[bool, typer.Option("--long", help="Allow more than 7 days.")] = False,
) -> None:
    """Keep alerts with these labels quiet for a while."""
    from dashboards.linked_rules import files
    from observability.operations.home import Home

    config = Home.find().config(stack)
    wanted = parse_matchers(matchers)
    duration = _duration(lasts, long=long)
    if not reason.strip():
        raise ConfigError("--reason is empty", "say in a few words why it is to be quiet, like 'deploying 1.4'")
    known = alerts(files(config))
    outside = {"alertname": "Watchdog", "environment": config.settings.environment, "cluster": config.settings.cluster}
    check(wanted, known_values(config, known), [{**one.labels, **outside} for one in known["Watchdog"]])
    server = Alertmanager.of(config)
    now = datetime.now(UTC)
    with answering(server, stack):
        made = server.silence(
            {
                "matchers": [_document(matcher) for matcher in wanted],
                "startsAt": now.isoformat(),
                "endsAt": (now + duration).isoformat(),
                "createdBy": author or whoami(),
                "comment": reason.strip(),
            }
        )
        muted = [one["labels"] for one in server.alerts() if all(each.holds(one["labels"]) for each in wanted)]
    out.print(f"{made[:8]} in force until {_moment(now + duration)}; it mutes {_count(len(muted))} now", markup=False)
    for labels in muted:
        out.print(f"  {labels.get('alertname', '')} {labels.get('system', '')}".rstrip(), markup=False)
    out.print(f"end it earlier: ./obs silence expire {made[:8]} {stack}".removesuffix(" dev"), markup=False)


@app.command("list")
def list_silences(
    stack: Stack = "dev",
    everything: Annotated[
        bool, typer.Option("--all", help="Those that were over more than 5 days ago as well.")
    ] = False,
) -> None:
    """List the silences: in force, to come, over in the last 5 days; and mark those that look forgotten."""
    from observability.operations.home import Home

    server = Alertmanager.of(Home.find().config(stack))
    with answering(server, stack):
        found = [Silence.read(document) for document in server.silences()]
        muted_by = [silence for one in server.alerts() for silence in one["status"]["silencedBy"]]
    now = datetime.now(UTC)
    order = {"active": 0, "pending": 1, "expired": 2}
    shown = [one for one in found if everything or one.state != "expired" or now - one.until <= REMEMBERED]
    for one in sorted(shown, key=lambda one: (order[one.state], one.until)):
        _show(one, muted_by.count(one.id), now)
    states = [one.state for one in shown]
    out.print(
        f"{states.count('active')} in force, {states.count('pending')} to come, {states.count('expired')} over",
        markup=False,
    )


@app.command()
def expire(
    silence: Annotated[str, typer.Argument(help="Its id, or the beginning of it, as `list` shows it.")],
    stack: Stack = "dev",
) -> None:
    """End a silence now."""
    from observability.operations.home import Home

    server = Alertmanager.of(Home.find().config(stack))
    with answering(server, stack):
        known = [Silence.read(document) for document in server.silences()]
        one = _named(silence, known)
        server.expire(one.id)
    out.print(f"{one.short} is over; it was {one.author}'s: {one.reason}", markup=False)


def check(
    wanted: Collection[Matcher], known: Mapping[str, Collection[str]], watchdog: Collection[Mapping[str, str]] = ()
) -> None:
    """ConfigError where the matchers fit no alert, or every alert, or the one whose absence raises the alarm."""
    for matcher in wanted:
        values = known.get(matcher.label, ())
        positive = matcher.value and not matcher.operator.startswith("!")
        if values and positive and not any(matcher.holds_of(value) for value in values):
            listed = "see the files in rules/" if matcher.label == "alertname" else f"known here: {', '.join(values)}"
            raise ConfigError(
                f"{matcher}: there is no such {matcher.label}", f"{nearest(matcher.value, values)}{listed}"
            )
    if all(all(matcher.holds_of(value) for value in known.get(matcher.label, _PROBES)) for matcher in wanted):
        raise ConfigError(
            f"{', '.join(map(str, wanted))} matches every alert",
            "name what is to be quiet, like alertname=HighErrorRate,system=erpgo",
        )
    if any(all(matcher.holds(labels) for matcher in wanted) for labels in watchdog):
        raise ConfigError(
            f"{', '.join(map(str, wanted))} would silence the Watchdog, whose absence raises the alarm outside",
            'add alertname!="Watchdog"',
        )


def whoami() -> str:
    """Who sits here: git's user.email, else the user's name on this machine."""
    if git := shutil.which("git"):
        said = subprocess.run(
            [git, "config", "user.email"], capture_output=True, text=True, check=False
        ).stdout.strip()
        if said:
            return said
    return getpass.getuser()


def length(span: timedelta) -> str:
    """A length of time in its two largest units, like 1d 3h."""
    minutes = int(span.total_seconds() // 60)
    units = (("d", minutes // 1440), ("h", minutes // 60 % 24), ("m", minutes % 60))
    return " ".join([f"{count}{unit}" for unit, count in units if count][:2]) or "less than 1m"


def _duration(text: str, *, long: bool) -> timedelta:
    try:
        span = timedelta(seconds=seconds(text))
    except ValueError as error:
        what, _, mend = str(error).partition("; ")
        raise ConfigError(f"--for {text}: {what}", mend) from error
    if span < timedelta(minutes=1):
        raise ConfigError(f"--for {text}: is too short to keep anything quiet", "ask for a minute at least")
    if span > LONGEST and not long:
        raise ConfigError(
            f"--for {text}: is longer than 7 days, and will be forgotten",
            "ask for less, mend the rule or its threshold; or say --long",
        )
    return span


def _named(text: str, known: Collection[Silence]) -> Silence:
    """The one silence not yet over whose id begins so; ConfigError where there is none, or more than one."""
    found = [one for one in known if one.id.startswith(text)]
    current = [one for one in found if one.state != "expired"]
    if len(current) == 1:
        return current[0]
    if found and not current:
        raise ConfigError(f"the silence {text} is over already", "see ./obs silence list")
    what = f"{text} is the beginning of {len(current)} silences" if current else f"there is no silence {text!r}"
    raise ConfigError(what, "give its id as ./obs silence list shows it, or more of it")


def _show(one: Silence, mutes: int, now: datetime) -> None:
    colour, state = {
        "active": ("green", f"in force for {length(one.until - now)} more"),
        "pending": ("cyan", f"begins in {length(one.since - now)}"),
        "expired": ("dim", f"over for {length(now - one.until)}"),
    }[one.state]
    out.print(f"[{colour}]{one.short}[/]  ", end="")
    out.print(f"{', '.join(map(str, one.matchers))}", markup=False)
    out.print(f"          {one.author}: {one.reason}", markup=False)
    quiet = f"; mutes {_count(mutes)} now" if one.state == "active" else ""
    out.print(f"          {_moment(one.since)} to {_moment(one.until)}, {state}{quiet}", style="dim", markup=False)
    if why := one.forgotten(mutes, now):
        out.print(f"          forgotten? {why}: ./obs silence expire {one.short}", style="yellow", markup=False)


def _count(alerts: int) -> str:
    return "no alert" if not alerts else f"{alerts} alert{'s' if alerts > 1 else ''}"


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _matcher(document: Mapping[str, Any]) -> Matcher:
    equal, regex = document.get("isEqual", True), document["isRegex"]
    if equal:
        return Matcher(label=document["name"], value=document["value"], operator="=~" if regex else "=")
    return Matcher(label=document["name"], value=document["value"], operator="!~" if regex else "!=")


def _document(matcher: Matcher) -> dict[str, Any]:
    return {
        "name": matcher.label,
        "value": matcher.value,
        "isRegex": matcher.operator.endswith("~"),
        "isEqual": not matcher.operator.startswith("!"),
    }
