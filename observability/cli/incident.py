"""`obs incident`: keeps the timeline of an incident, and drafts its post-mortem."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from observability.cli.common import AsJson, Stack, err, out, print_json, print_rows, say_error, stack_last
from observability.cli.groups import OrderedGroup
from observability.core.documents import nearest
from observability.core.errors import ConfigError
from observability.operations.incidents import Incidents, lasted, utc

if TYPE_CHECKING:
    from observability.operations.incidents import Event, Incident
    from observability.settings.load import StackConfig

_COLOURS: Final = {"P1": "red", "P2": "red", "P3": "yellow", "P4": "blue"}

_BY_SEVERITY: Final = {"critical": "P2", "warning": "P3", "info": "P4"}
"""The priority to begin with, by an alert's severity; a critical one that pages is P1 (docs/playbook.md)."""


class Group(OrderedGroup):
    """The commands in the order of use."""

    ORDER = ("open", "note", "update", "resolve", "close", "show", "list", "postmortem")


app = typer.Typer(
    cls=Group, help="Incidents: timeline, notes, and the draft of the post-mortem.", no_args_is_help=True
)

Id = Annotated[
    str | None, typer.Argument(metavar="[ID]", help="The incident; default: the only one that is open, or the last.")
]
By = Annotated[str | None, typer.Option("--by", help="Who; by default git's user.email, or the name of the user.")]
At = Annotated[str, typer.Option("--at", help="When: now, how long ago like 20m, or 2026-03-01T10:00:00Z.")]
Priority = Annotated[str | None, typer.Option("--priority", help="P1 to P4, by docs/playbook.md.")]


@app.command("open")
def open_(
    title: Annotated[str, typer.Argument(help="What does not work, in words of its users.")],
    stack: Stack = "dev",
    priority: Priority = None,
    alert: Annotated[str | None, typer.Option("--alert", help="The active alert: priority, system and begin.")] = None,
    systems: Annotated[list[str] | None, typer.Option("--system", help="A system concerned; may be repeated.")] = None,
    since: Annotated[
        str | None, typer.Option("--since", help="When it began; default: the alert's begin, or now.")
    ] = None,
    public: Annotated[
        str | None,
        typer.Option("--public", metavar="TEXT", help="Show it, and this statement, on the public status page."),
    ] = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Open an incident; its timeline begins where the alert, or --since, says it began."""
    from observability.operations.bounded import moment

    config, store = _store(stack, by)
    named = list(systems or ())
    for name in named:
        if name not in config.teams:
            raise ConfigError(
                f"--system {name}: there is no such system",
                f"{nearest(name, config.teams)}known here: {', '.join(config.teams)}",
            )
    if not title.strip():
        raise ConfigError("the title is empty", "say what does not work, in words of its users")
    begun = moment(since, store.now) if since else store.now
    if alert is not None:
        found = _active(config, alert, named)
        labels = found.labels
        alert = found.name
        begun = begun if since else min(found.since.astimezone(UTC), store.now)
        named = named or [name for name in (labels.get("system", ""),) if name]
        pages = labels.get("severity") == "critical" and labels.get("page") == "yes"
        priority = priority or ("P1" if pages else _BY_SEVERITY.get(labels.get("severity", ""), "P3"))
    if priority is None:
        raise ConfigError("no priority is given", "add --priority P1 to P4 (docs/playbook.md), or --alert NAME")
    said = _public(public) if public is not None else None
    one = store.open(title.strip(), _priority(priority), begun, named, alert or "")
    if said is not None:
        one = store.publish(one.id, said, store.now)
    if as_json:
        print_json(_document(one, store.now))
        return
    out.print(f"incident {one.id} of {stack} is open: {one.priority}, since {utc(one.since)}", markup=False)
    out.print(f'add what happens: ./obs incident note "TEXT" {stack}', markup=False)
    show_on_page(config, one.public)


@app.command()
def note(
    text: Annotated[str, typer.Argument(help="What happened, was found, or was done.")],
    stack: Stack = "dev",
    incident: Annotated[str | None, typer.Option("--id", help="The incident; default: the only one open.")] = None,
    at: At = "now",
    priority: Priority = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Add a note to an incident's timeline, and change its priority with --priority."""
    from observability.operations.bounded import moment

    _, store = _store(stack, by)
    if not text.strip():
        raise ConfigError("the note is empty", "say what happened, was found, or was done")
    chosen = _priority(priority) if priority is not None else None
    one = store.note(incident, text.strip(), moment(at, store.now), chosen)
    if as_json:
        print_json(_document(one, store.now))
    else:
        out.print(f"noted in incident {one.id} ({one.priority}), {len(one.events)} events of its own", markup=False)


@app.command()
def update(
    text: Annotated[str, typer.Argument(help="The statement, in words of the systems' users.")],
    stack: Stack = "dev",
    incident: Annotated[str | None, typer.Option("--id", help="The incident; default: the only one open.")] = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Make a public statement about an incident: its title and all such statements are on the status page."""
    config, store = _store(stack, by)
    one = store.publish(incident, _public(text), store.now)
    if as_json:
        print_json(_document(one, store.now))
    else:
        out.print(f"incident {one.id} is public, with {len(one.updates)} statements: {one.title}", markup=False)
    show_on_page(config, one.public)


@app.command()
def resolve(
    text: Annotated[str, typer.Argument(help="The public statement, in words of the systems' users.")],
    stack: Stack = "dev",
    incident: Annotated[str | None, typer.Option("--id", help="The incident; default: the only one open.")] = None,
    at: At = "now",
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Close an incident with a public statement; `close` is the same without one."""
    from observability.operations.bounded import moment

    config, store = _store(stack, by)
    one = store.resolve(incident, _public(text), moment(at, store.now))
    _, missing = _timeline(config, store, one)
    if as_json:
        print_json(_document(one, store.now))
    else:
        out.print(f"incident {one.id} is closed, and its end is public", markup=False)
    _say(missing)
    show_on_page(config, one.public)


@app.command()
def close(
    incident: Id = None,
    stack: Stack = "dev",
    text: Annotated[str, typer.Option("--text", help="Cause and correction, in a sentence each.")] = "",
    at: At = "now",
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Close an incident, and keep what the stack knows of its time: servers forget it."""
    from observability.operations.bounded import moment
    from observability.operations.incidents import REVIEWED

    (incident,), stack = stack_last([incident], stack)
    config, store = _store(stack, by)
    one = store.close(incident, text.strip(), moment(at, store.now))
    events, missing = _timeline(config, store, one)
    if as_json:
        print_json(_document(one, store.now))
    else:
        out.print(f"incident {one.id} is closed, with {len(events)} events in its timeline", markup=False)
        if one.priority in REVIEWED:
            out.print(f"write its post-mortem: ./obs incident postmortem {one.id} {stack} --out FILE", markup=False)
    _say(missing)
    show_on_page(config, one.public)


@app.command()
def show(incident: Id = None, stack: Stack = "dev", as_json: AsJson = False) -> None:
    """Show an incident with its timeline: notes, alerts, silences, starts, images and loaded configuration."""
    (incident,), stack = stack_last([incident], stack)
    config, store = _store(stack, None)
    one = store.find(incident)
    events, missing = _timeline(config, store, one)
    if as_json:
        print_json(
            {**_document(one, store.now), "timeline": [event.document() for event in events], "missing": missing}
        )
    else:
        out.print(f"{one.id} · {one.priority} · {one.title}", style="bold", markup=False)
        out.print(f"  since {utc(one.since)} · {one.state(store.now)}", markup=False)
        if one.systems:
            out.print(f"  systems: {', '.join(one.systems)}", markup=False)
        for event in events:
            by = f"  ({event.by})" if event.by else ""
            out.print(
                f"  {event.at.astimezone(UTC):%Y-%m-%d %H:%M:%S}  {event.what:<13} {event.text}{by}", markup=False
            )
    _say(missing)


@app.command("list")
def list_(stack: Stack = "dev", as_json: AsJson = False) -> None:
    """List the incidents, the newest first, with the state of their post-mortems."""
    _, store = _store(stack, None)
    every = sorted(store.all(), key=lambda one: one.since, reverse=True)
    if as_json:
        print_json([_document(one, store.now) for one in every])
        return
    rows = [
        {
            "id": one.id,
            "priority": one.priority,
            "since": utc(one.since),
            "lasted": lasted((one.end or store.now) - one.since),
            "state": one.state(store.now),
            "title": one.title,
        }
        for one in every
    ]
    print_rows(rows, as_json=False, colours=_COLOURS)
    out.print(f"{stack}: {len(every)} incidents, {sum(one.is_open for one in every)} open", markup=False)


@app.command()
def postmortem(
    incident: Id = None,
    stack: Stack = "dev",
    to: Annotated[Path | None, typer.Option("--out", help="File to write to; default: print it.")] = None,
) -> None:
    """Draft the post-mortem in the form of the playbook: the timeline is filled in, the rest is marked."""
    from observability.core import project
    from observability.operations.playbook import read
    from observability.operations.post_mortem import draft

    (incident,), stack = stack_last([incident], stack)
    config, store = _store(stack, None)
    one = store.find(incident)
    events, missing = _timeline(config, store, one)
    text = draft(one, events, read(project.roots()[::-1]), missing)
    if to is None:
        typer.echo(text, nl=False)
    else:
        _write(to, text)
        store.written(one, to.name)
        out.print(f"{to}: the draft of incident {one.id}, {len(events)} events in its timeline", markup=False)
    _say(missing)


def _write(path: Path, text: str) -> None:
    """Write a new file; ConfigError where it exists or cannot be written."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ConfigError(f"--out {path}: the file exists", "name another one: a draft replaces nothing") from None
    except OSError as error:
        raise ConfigError(f"--out {path}: {error.strerror}", "name a file in a folder that exists") from None


def _store(stack: str, by: str | None) -> tuple["StackConfig", Incidents]:
    """The stack's configuration and its incidents."""
    from observability.cli.silences import whoami
    from observability.operations.home import Home

    home = Home.find()
    config = home.config(stack)
    return config, Incidents(journal=home.incidents(stack), stack=stack, by=by or whoami())


def _public(text: str) -> str:
    """A public statement."""
    if not text.strip():
        raise ConfigError("the public statement is empty", "say what users notice, and what they can expect")
    return text.strip()


def show_on_page(config: "StackConfig", public: bool = True) -> None:
    """Give what is declared to the status page; exit with 1 where it does not arrive."""
    if not public:
        return
    from observability.operations.home import Home
    from observability.operations.status_page import send
    from observability.parts import status_page

    if not config.runs(status_page.NAME):
        err.print(f"{config.stack} runs no status page; ./obs status-page write shows it (docs/status-page.md)")
    if problem := send(config, Home.find()):
        say_error(
            f"it is stored, and the status page of {config.stack} does not show it: {problem}",
            f"bring it up, which sends it as well: ./obs up {config.stack}; or write the page from this machine: "
            f"./obs status-page write {config.stack} --to DIR",
        )
        raise typer.Exit(1)


def _priority(text: str) -> str:
    from observability.operations.playbook import PRIORITIES

    if text.upper() not in PRIORITIES:
        raise ConfigError(f"--priority {text}: there is no such priority", f"use one of {', '.join(PRIORITIES)}")
    return text.upper()


def _active(config: "StackConfig", name: str, systems: Sequence[str]) -> Any:  # noqa: ANN401 - an active alert
    """The active alert of this name, of these systems if any are given; ConfigError where there is none."""
    from observability.cli.why import chosen
    from observability.notifier.evidence import NoAnswerError
    from observability.operations.evidence import observer

    try:
        every = observer(config).alerts()
    except NoAnswerError as error:
        raise ConfigError(
            f"--alert {name}: Prometheus of {config.stack} does not answer: {error}",
            "leave --alert out, and say --priority and --since",
        ) from error
    return chosen(name, systems[0] if len(systems) == 1 else None, config.stack, every)[0]


def _timeline(config: "StackConfig", store: Incidents, one: "Incident") -> "tuple[list[Event], list[str]]":
    """The events of an incident in order, and the servers that do not answer.

    Of a closed one what the stack knows is kept, as soon as every server answers.
    """
    from observability.operations.incident_timeline import timeline

    if one.seen is not None:
        return timeline(one, one.seen), []
    seen, missing = _seen(config, one, store.now)
    if not missing and not one.is_open:
        store.keep(one, seen)
    return timeline(one, seen), missing


def _seen(config: "StackConfig", one: "Incident", now: datetime) -> "tuple[list[Event], list[str]]":
    """What the stack knows now of the time of an incident, and the servers that do not answer."""
    from observability.operations.evidence import asker
    from observability.operations.home import Home
    from observability.operations.incident_timeline import Seen

    updates = Home.find().updates(config.stack)
    found = Seen(config=config, ask=asker(config), incident=one, now=now, updates=updates)
    return found.events(), found.missing


def _document(one: "Incident", now: datetime) -> dict[str, Any]:
    return {
        "id": one.id,
        "title": one.title,
        "priority": one.priority,
        "state": one.state(now),
        "open": one.is_open,
        "since": one.since.isoformat(),
        "opened": one.opened.isoformat(),
        "ended": one.end.isoformat() if one.end else None,
        "systems": list(one.systems),
        "alert": one.alert or None,
        "post_mortem": one.post_mortem or None,
        "public": one.public,
    }


def _say(missing: Sequence[str]) -> None:
    for sentence in missing:
        err.print(f"{sentence}: the timeline lacks what it knows", style="yellow", markup=False)
