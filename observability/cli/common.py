"""What all commands have in common: the argument STACK, the option --json, how tables and errors are printed."""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from observability.core import project

out: Final = Console(highlight=False, soft_wrap=True)
err: Final = Console(highlight=False, soft_wrap=True, stderr=True)


def stacks() -> list[str]:
    """Names of all stacks that have a file, of the project folder and of this repository."""
    found = {path.name for root in project.roots() for path in root.glob("Pulumi.*.yaml")}
    return sorted(name.removeprefix("Pulumi.").removesuffix(".yaml") for name in found)


Stack = Annotated[
    str,
    typer.Argument(
        metavar="[STACK]",
        help="The stack: the <name> of a Pulumi.<name>.yaml.",
        autocompletion=stacks,
        show_default=True,
    ),
]
"""The last, optional argument of every command."""

SkipCheck = Annotated[
    bool,
    typer.Option("--skip-check", envvar="OBS_SKIP_CHECK", help="Leave out `obs check`; servers still check files."),
]

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def stack_last(given: Sequence[str | None], stack: str, default: str = "dev") -> tuple[list[str | None], str]:
    """Optional arguments followed by STACK: where a stack was given instead of one of them, it is used as STACK.

    `obs fault prod` names a stack and no system. A name that is given together with a STACK is never used as one.
    """
    found = list(given)
    last = max((index for index, one in enumerate(found) if one is not None), default=None)
    if last is not None and stack == default and found[last] in stacks():
        stack, found[last] = str(found[last]), None
    return found, stack


def print_rows(rows: Sequence[Mapping[str, Any]], *, as_json: bool, colours: Mapping[str, str] | None = None) -> None:
    """Print rows of the same keys as a table, or as a JSON list; `colours` gives the style of a cell by its text."""
    if as_json:
        print_json(list(rows))
        return
    if not rows:
        return
    table = Table(*(key.replace("_", " ") for key in rows[0]), box=None)
    for row in rows:
        cells = [_cell(value) for value in row.values()]
        table.add_row(*(_styled(cell, (colours or {}).get(cell)) for cell in cells))
    out.print(table)


def print_json(document: Any) -> None:  # noqa: ANN401 - any JSON
    """Print a document as JSON, without colour, so that programs can read it."""
    typer.echo(json.dumps(document, indent=2, default=str))


def say_error(*lines: str) -> None:
    """Print the problem and its fix to standard error; of several problems, each pair in turn."""
    for index, line in enumerate(lines):
        err.print(line, style="" if index % 2 else "red", markup=False)


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(str(one) for one in value)
    return "" if value is None else str(value)


def _styled(cell: str, style: str | None) -> Any:  # noqa: ANN401 - rich accepts several kinds of text
    from rich.text import Text

    return Text(cell, style=style or "")
