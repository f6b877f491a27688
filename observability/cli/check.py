"""`obs check`: checks the content before anything runs."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from observability.core import project
from observability.core.errors import ConfigError

out = Console(highlight=False, soft_wrap=True)
err = Console(highlight=False, soft_wrap=True, stderr=True)


def check(
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="[DIR]", help="Project folder; else --project, else this repository."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the problems as JSON.")] = False,
) -> None:
    """Check settings, systems, rules, dashboards and runbooks, in seconds; needs no Docker and no running stack."""
    if folder is not None:
        if not folder.is_dir():
            raise ConfigError(f"{folder} is not a folder", f"name a project folder; ./obs init {folder} creates one")
        project.select(folder)
    from observability.check.run import check as run

    report = run()
    if as_json:
        document = {
            "problems": [asdict(one) for one in report.problems],
            "checked": report.counts,
            "notes": report.notes,
        }
        out.print_json(json.dumps(document))
    else:
        for problem in report.problems:
            out.print(str(problem), markup=False, style="red")
            out.print(f"    fix: {problem.fix}", markup=False)
        for note in report.notes:
            err.print(note, markup=False, style="yellow")
        checked = ", ".join(f"{count} {kind}" for kind, count in report.counts.items())
        found = len(report.problems)
        out.print(f"{checked}: {found or 'no'} problem{'' if found == 1 else 's'}", markup=False)
    if report.problems:
        raise typer.Exit(1)
