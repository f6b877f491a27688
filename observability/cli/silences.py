"""`obs silence`: silence alerts for a time, with an author and a reason; list silences and those forgotten."""

import getpass
import shutil
import subprocess
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, cast

import typer
from rich.console import Console

from observability.alerting.alerts import alerts, known_values
from observability.alerting.matchers import Matcher, Operator, parse_matchers
from observability.cli.common import AsJson, Stack, print_json
from observability.core.documents import nearest
from observability.core.errors import ConfigError
from observability.core.types import seconds
from observability.operations.alertmanager import Alertmanager, Document, answering
from observability.operations.reach import Reach, effects, reach

LONGEST: Final = timedelta(days=7)
"""Maximum duration of a silence without --long."""

FORGOTTEN: Final = timedelta(hours=24)
"""A silence that has been active for longer and mutes nothing is reported as forgotten."""

NO_END: Final = timedelta(days=30)
"""A silence that ends later than this is reported as forgotten."""

REMEMBERED: Final = timedelta(days=5)
"""How long an expired silence is listed without --all."""

MOST_NAMES: Final = 12
"""Maximum number of rule names shown."""

_PROBES: Final = ("a", "zz-9.example.com:9100")
"""Examples for labels whose values are not known here."""

app = typer.Typer(help="Add, list and expire silences.", no_args_is_help=True)
out = Console(highlight=False, soft_wrap=True)


@dataclass(frozen=True, kw_only=True)
class Silence:
    """A silence as returned by Alertmanager."""

    id: str
    state: str
    matchers: tuple[Matcher, ...]
    author: str
    reason: str
    since: datetime
    until: datetime

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "Silence":
        """From a response of the API."""
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
        """A prefix of the id that is enough to identify it."""
        return self.id[:8]

    def mutes(self, labels: Mapping[str, str]) -> bool:
        """Whether it is active and mutes an alert with these labels."""
        return self.state == "active" and all(matcher.holds(labels) for matcher in self.matchers)

    def may_mute(self, labels: Mapping[str, str]) -> bool:
        """Whether it is active and mutes some alerts with these labels and possibly more."""
        return self.state == "active" and all(
            matcher.label not in labels or matcher.holds(labels) for matcher in self.matchers
        )

    def forgotten(self, mutes: int, now: datetime) -> str | None:
        """Why it is reported as forgotten; None where it is not."""
        if self.state != "active":
            return None
        if self.until - now > NO_END:
            return f"it ends in {(self.until - now).days} days"
        if not mutes and now - self.since > FORGOTTEN:
            return f"active for {length(now - self.since)} and mutes nothing"
        return None


@app.command()
def add(
    matchers: Annotated[
        str, typer.Argument(help="Which alerts: a name, or matchers like alertname=HighErrorRate,system=shop.")
    ],
    lasts: Annotated[str, typer.Option("--for", help="How long, like 90m, 2h or 3d.")],
    reason: Annotated[str, typer.Option(help="Why, for others.")],
    stack: Stack = "dev",
    author: Annotated[
        str | None, typer.Option(help="Who adds it; by default git's user.email, or the name of the user.")
    ] = None,
    long: Annotated[bool, typer.Option("--long", help="Allow more than 7 days.")] = False,
    with_effects: Annotated[
        bool,
        typer.Option("--with-effects", help="Silence also what the silenced alerts inhibit; by default that is sent."),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what it would mute, without adding it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what a silence would mute, then add it."""
    from dashboards.linked_rules import files
    from observability.operations.home import Home

    config = Home.find().config(stack)
    wanted = parse_matchers(matchers)
    duration = _duration(lasts, long=long)
    if not reason.strip():
        raise ConfigError("--reason is empty", "say in a few words why, like 'deploying 1.4'")
    known = alerts(files(config))
    outside = {"alertname": "Watchdog", "environment": config.settings.environment, "cluster": config.settings.cluster}
    check(wanted, known_values(config, known), [{**one.labels, **outside} for one in known["Watchdog"]])
    server = Alertmanager.of(config)
    now = datetime.now(UTC)
    with answering(server, stack):
        found = reach(wanted, known, server.alerts())
        if not as_json:
            show_reach(found, with_effects=with_effects)
        made = []
        for each in () if dry_run else (wanted, *(effects(found) if with_effects else ())):
            made.append(
                server.silence(
                    {
                        "matchers": [_document(matcher) for matcher in each],
                        "startsAt": now.isoformat(),
                        "endsAt": (now + duration).isoformat(),
                        "createdBy": author or whoami(),
                        "comment": reason.strip(),
                    }
                )
            )
    if as_json:
        print_json(
            {
                "added": made,
                "until": (now + duration).isoformat(),
                "mutes_now": [alert["labels"] for alert in found.firing],
                "mutes_when_they_fire": found.names,
                "no_longer_muted": [alert["labels"] for _, alert in found.muted if not with_effects],
            }
        )
        return
    made = [one[:8] for one in made]
    for short in made:
        out.print(f"{short} active until {_moment(now + duration)}", markup=False)
    for short in made:
        out.print(f"end it earlier: ./obs silence expire {short} {stack}".removesuffix(" dev"), markup=False)


def show_reach(found: Reach, *, with_effects: bool) -> None:
    """Print what a silence mutes, before it is added."""
    out.print(f"mutes {_count(len(found.firing))} now:" if found.firing else "mutes no alert now", markup=False)
    for alert in found.firing:
        out.print(f"  {_brief(alert)}", markup=False)
    if found.names:
        listed = ", ".join(found.names[:MOST_NAMES])
        more = f" and {len(found.names) - MOST_NAMES} more" if len(found.names) > MOST_NAMES else ""
        out.print(f"mutes when they fire: {listed}{more}", style="dim", markup=False)
    for cause, alert in found.muted:
        name = cause["labels"].get("alertname", "")
        what = "is silenced too" if with_effects else "is sent while that is silenced"
        out.print(f"  {_brief(alert)}: muted by {name} until now, {what}", style="yellow", markup=False)


@app.command("list")
def list_silences(
    stack: Stack = "dev",
    everything: Annotated[bool, typer.Option("--all", help="Also those that expired more than 5 days ago.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the silences: active, pending, expired in the last 5 days; and mark those that look forgotten."""
    from observability.operations.home import Home

    server = Alertmanager.of(Home.find().config(stack))
    with answering(server, stack):
        found = [Silence.read(document) for document in server.silences()]
        muted_by = [silence for one in server.alerts() for silence in one["status"]["silencedBy"]]
    now = datetime.now(UTC)
    order = {"active": 0, "pending": 1, "expired": 2}
    shown = [one for one in found if everything or one.state != "expired" or now - one.until <= REMEMBERED]
    shown.sort(key=lambda one: (order[one.state], one.until))
    if as_json:
        print_json(
            [
                {
                    "id": one.id,
                    "state": one.state,
                    "matchers": [str(matcher) for matcher in one.matchers],
                    "author": one.author,
                    "reason": one.reason,
                    "since": one.since.isoformat(),
                    "until": one.until.isoformat(),
                    "mutes": muted_by.count(one.id),
                    "forgotten": one.forgotten(muted_by.count(one.id), now),
                }
                for one in shown
            ]
        )
        return
    for one in shown:
        _show(one, muted_by.count(one.id), now)
    states = [one.state for one in shown]
    out.print(
        f"{states.count('active')} active, {states.count('pending')} pending, {states.count('expired')} expired",
        markup=False,
    )


@app.command()
def expire(
    silence: Annotated[str, typer.Argument(help="Its id as `list` shows it, or the beginning of it.")],
    stack: Stack = "dev",
) -> None:
    """End a silence now."""
    from observability.operations.home import Home

    server = Alertmanager.of(Home.find().config(stack))
    with answering(server, stack):
        known = [Silence.read(document) for document in server.silences()]
        one = _named(silence, known)
        server.expire(one.id)
    out.print(f"{one.short} is expired; {one.author} had added it: {one.reason}", markup=False)


def check(
    wanted: Collection[Matcher], known: Mapping[str, Collection[str]], watchdog: Collection[Mapping[str, str]] = ()
) -> None:
    """ConfigError where the matchers match no alert, or every alert, or the Watchdog."""
    for matcher in wanted:
        values = known.get(matcher.label, ())
        positive = matcher.value and not matcher.negative
        if values and positive and not any(matcher.holds_of(value) for value in values):
            listed = "see the files in rules/" if matcher.label == "alertname" else f"known here: {', '.join(values)}"
            raise ConfigError(
                f"{matcher}: there is no such {matcher.label}", f"{nearest(matcher.value, values)}{listed}"
            )
    if all(matcher.holds_of("") for matcher in wanted):
        raise ConfigError(
            f"{', '.join(map(str, wanted))} needs no label to be there, which Alertmanager refuses",
            "add a label that the alerts have, like alertname=HighErrorRate",
        )
    if all(all(matcher.holds_of(value) for value in known.get(matcher.label, _PROBES)) for matcher in wanted):
        raise ConfigError(
            f"{', '.join(map(str, wanted))} matches every alert",
            "name the alerts to silence, like alertname=HighErrorRate,system=shop",
        )
    if any(all(matcher.holds(labels) for matcher in wanted) for labels in watchdog):
        raise ConfigError(
            f"{', '.join(map(str, wanted))} would silence the Watchdog, whose absence raises an alarm outside",
            'add alertname!="Watchdog"',
        )


def whoami() -> str:
    """The author: git's user.email, else the user's name on this machine."""
    if git := shutil.which("git"):
        said = subprocess.run(
            [git, "config", "user.email"], capture_output=True, text=True, check=False
        ).stdout.strip()
        if said:
            return said
    return getpass.getuser()


def length(span: timedelta) -> str:
    """A duration in its two largest units, like 1d 3h."""
    minutes = int(span.total_seconds() // 60)
    units = (("d", minutes // 1440), ("h", minutes // 60 % 24), ("m", minutes % 60))
    return " ".join([f"{count}{unit}" for unit, count in units if count][:2]) or "less than 1m"


def _duration(text: str, *, long: bool) -> timedelta:
    try:
        span = timedelta(seconds=seconds(text))
    except ValueError as error:
        what, _, fix = str(error).partition("; ")
        raise ConfigError(f"--for {text}: {what}", fix) from error
    if span < timedelta(minutes=1):
        raise ConfigError(f"--for {text}: is too short to mute anything", "write a minute at least")
    if span > LONGEST and not long:
        raise ConfigError(
            f"--for {text}: is longer than 7 days, and will be forgotten",
            "write less, or correct the rule or its threshold; or add --long",
        )
    return span


def _named(text: str, known: Collection[Silence]) -> Silence:
    """The silence, not expired, whose id has this prefix; ConfigError where there is none, or more than one."""
    found = [one for one in known if one.id.startswith(text)]
    current = [one for one in found if one.state != "expired"]
    if len(current) == 1:
        return current[0]
    if found and not current:
        raise ConfigError(f"the silence {text} has expired already", "see ./obs silence list")
    what = f"{text} is the beginning of {len(current)} silences" if current else f"there is no silence {text!r}"
    raise ConfigError(what, "give its id as ./obs silence list shows it, or more of it")


def _show(one: Silence, mutes: int, now: datetime) -> None:
    colour, state = {
        "active": ("green", f"active for {length(one.until - now)} more"),
        "pending": ("cyan", f"starts in {length(one.since - now)}"),
        "expired": ("dim", f"expired {length(now - one.until)} ago"),
    }[one.state]
    out.print(f"[{colour}]{one.short}[/]  ", end="")
    out.print(f"{', '.join(map(str, one.matchers))}", markup=False)
    out.print(f"          {one.author}: {one.reason}", markup=False)
    muting = f"; mutes {_count(mutes)} now" if one.state == "active" else ""
    out.print(f"          {_moment(one.since)} to {_moment(one.until)}, {state}{muting}", style="dim", markup=False)
    if why := one.forgotten(mutes, now):
        out.print(f"          forgotten? {why}: ./obs silence expire {one.short}", style="yellow", markup=False)


def _count(alerts: int) -> str:
    return "no alert" if not alerts else f"{alerts} alert{'s' if alerts > 1 else ''}"


def _brief(alert: Document) -> str:
    """An alert on one line: its name, severity, labels, and since when."""
    labels = alert["labels"]
    about = [labels[name] for name in ("system", "instance", "route", "name") if labels.get(name)]
    since = datetime.fromisoformat(alert["startsAt"])
    words = [labels.get("alertname", ""), labels.get("severity", ""), *about, f"since {_moment(since)}"]
    return " ".join(word for word in words if word)


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _matcher(document: Mapping[str, Any]) -> Matcher:
    operator = {(True, False): "=", (False, False): "!=", (True, True): "=~", (False, True): "!~"}[
        document.get("isEqual", True), document["isRegex"]
    ]
    return Matcher(label=document["name"], value=document["value"], operator=cast(Operator, operator))


def _document(matcher: Matcher) -> dict[str, Any]:
    return {
        "name": matcher.label,
        "value": matcher.value,
        "isRegex": matcher.operator.endswith("~"),
        "isEqual": not matcher.negative,
    }
