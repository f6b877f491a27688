"""`obs status-page`: writes the public status page by hand, and declares maintenance on it."""

import shlex
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from observability.cli.common import AsJson, Stack, err, out, print_json, print_rows
from observability.cli.groups import OrderedGroup
from observability.cli.incident import By, show_on_page
from observability.core.documents import nearest
from observability.core.errors import ConfigError
from observability.core.types import seconds

if TYPE_CHECKING:
    from observability.operations.status_page import Plans
    from observability.settings.load import StackConfig
    from observability.status_page.model import Maintenance, Page


class Group(OrderedGroup):
    """The commands in the order of use."""

    ORDER = ("write", "plan", "plans", "cancel")


app = typer.Typer(
    cls=Group, help="The public status page: write it by hand, declare maintenance.", no_args_is_help=True
)


@app.command()
def write(
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="Folder for the files to publish.")],
    stack: Stack = "dev",
    command: Annotated[
        str,
        typer.Option("--run", metavar="COMMAND", help="Command that publishes it after each change; {folder} is DIR."),
    ] = "",
    every: Annotated[
        str, typer.Option("--every", metavar="TIME", help="Write it again and again, like 15s; default: once.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Write the page from this machine, also where no part of the stack answers; exit 1 where it is stale.

    The history of its days is kept in the data folder.
    """
    from observability.operations.home import Home
    from observability.operations.status_page import writer

    pause = _pause(every)
    home = Home.find()
    found = writer(home.config(stack), home, to.absolute(), _words(command))
    found.say = lambda text: err.print(text, style="yellow", markup=False)
    while True:
        failed = found.counts.unpublished
        try:
            page = found.round()
        except OSError as error:
            raise ConfigError(f"--to {to}: {error.strerror}", "name a folder that you can write to") from None
        if pause is None:
            break
        time.sleep(pause)
    _show(page, to, as_json=as_json)
    if page.stale or found.counts.unpublished > failed:
        raise typer.Exit(1)


@app.command()
def plan(
    title: Annotated[str, typer.Argument(help="What is done, in words of the systems' users.")],
    stack: Stack = "dev",
    length: Annotated[str, typer.Option("--for", metavar="TIME", help="How long it takes, like 2h.")] = "1h",
    start: Annotated[str, typer.Option("--start", help="now, or like 2026-03-01T22:00:00Z.")] = "now",
    systems: Annotated[list[str] | None, typer.Option("--system", help="A system concerned; default: all.")] = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Declare maintenance on the page. It silences no alert: that is `obs silence add`."""
    config, store = _plans(stack, by)
    if not title.strip():
        raise ConfigError("the title is empty", "say what is done, in words of the systems' users")
    for name in systems or ():
        if name not in config.systems:
            raise ConfigError(
                f"--system {name}: there is no such system",
                f"{nearest(name, config.systems)}known here: {', '.join(config.systems)}",
            )
    begin = _start(start, store.now)
    one = store.add(title.strip(), begin, begin + _length("--for", length), systems or ())
    if as_json:
        print_json(_document(one))
    else:
        out.print(f"maintenance {one.id}: {_span(one)}", markup=False)
        out.print(f"cancel it, or end it early: ./obs status-page cancel {one.id} {stack}", markup=False)
    show_on_page(config)


@app.command()
def plans(stack: Stack = "dev", as_json: AsJson = False) -> None:
    """List the declared maintenance, the newest first."""
    _, store = _plans(stack, None)
    every = [_document(one) for one in reversed(store.all())]
    print_rows(every, as_json=as_json)
    if not as_json:
        out.print(f"{stack}: {len(every)} declared", markup=False)


@app.command()
def cancel(
    maintenance: Annotated[str, typer.Argument(metavar="ID", help="The maintenance, as `plans` lists it.")],
    stack: Stack = "dev",
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """End maintenance now, or take it from the page where it has not begun."""
    config, store = _plans(stack, by)
    one = store.cancel(maintenance)
    word = "has ended" if one.start < store.now else "is cancelled"
    if as_json:
        print_json({**_document(one), "state": word})
    else:
        out.print(f"maintenance {one.id} {word}: {one.title}", markup=False)
    show_on_page(config)


def _plans(stack: str, by: str | None) -> "tuple[StackConfig, Plans]":
    from observability.cli.silences import whoami
    from observability.operations.home import Home
    from observability.operations.status_page import Plans

    home = Home.find()
    config = home.config(stack)
    return config, Plans(journal=home.maintenance(stack), stack=stack, by=by or whoami())


def _show(page: "Page", to: Path, *, as_json: bool) -> None:
    from observability.status_page.words import WORDS, utc

    rows = [{"component": row.component.title, "state": "unknown" if page.stale else row.state} for row in page.rows]
    colours = {"down": "red", "degraded": "yellow", "operational": "green"}
    print_rows(rows, as_json=as_json, colours=colours)
    if as_json:
        return
    checked = f"checked {utc(page.checked)}" if page.checked else "never checked"
    stale = ", stale" if page.stale else ""
    out.print(f"{to}: {WORDS[page.state].lower()}, {checked}{stale}", markup=False)


def _pause(every: str) -> float | None:
    if not every:
        return None
    found = _length("--every", every).total_seconds()
    if not 1 <= found <= 120:
        raise ConfigError(f"--every {every}: is not between 1s and 2m", "the page is stale after 5 minutes")
    return found


def _length(option: str, text: str) -> timedelta:
    try:
        found = timedelta(seconds=seconds(text))
    except (ValueError, OverflowError):
        raise ConfigError(f"{option} {text}: is not a duration", "write it like 15s, 90m or 2h") from None
    if found <= timedelta():
        raise ConfigError(f"{option} {text}: is no time at all", "write it like 15s, 90m or 2h")
    return found


def _start(text: str, now: datetime) -> datetime:
    """A time now or to come; ConfigError for one that is no time, or long past."""
    if text.strip().lower() == "now":
        return now
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ConfigError(f"--start {text}: is not a time", "write now, or like 2026-03-01T22:00:00Z") from None
    if found.tzinfo is None:
        raise ConfigError(f"--start {text}: has no time zone", "write it like 2026-03-01T22:00:00Z")
    return found.astimezone(UTC)


def _words(command: str) -> Sequence[str]:
    try:
        return shlex.split(command)
    except ValueError as error:
        raise ConfigError(f"--run {command}: {error}", "quote it as for a shell") from None


def _document(one: "Maintenance") -> dict[str, Any]:
    return {
        "id": one.id,
        "title": one.title,
        "start": one.start.isoformat(),
        "end": one.end.isoformat(),
        "systems": list(one.systems),
    }


def _span(one: "Maintenance") -> str:
    from observability.status_page.words import span

    return span(one.start, one.end)
