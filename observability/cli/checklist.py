"""`obs checklist`: the monitoring checklist, answered from the running stack's state."""

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import typer

from observability.cli.common import AsJson, Stack, out, print_json

if TYPE_CHECKING:
    from observability.operations.checklist.model import State

_COLOURS: Final = {"yes": "green", "no": "red", "not applicable": "dim", "cannot be asked": "yellow"}
"""Colour of each answer, in the order in which they are counted."""


def checklist(stack: Stack = "dev", as_json: AsJson = False) -> None:
    """Answer the monitoring checklist from the running stack: yes or no, the evidence, and what to do."""
    from observability.operations.checklist.model import SETTLED
    from observability.operations.checklist.table import ITEMS

    state = _state(stack)
    rows: list[dict[str, Any]] = []
    for item in ITEMS:
        found = item.answered(state)
        rows.append(
            {
                "id": item.id,
                "section": item.section,
                "text": item.text,
                "answer": found.answer,
                "evidence": found.evidence,
                "fix": "" if found.answer in SETTLED else item.fix.format(stack=stack),
            }
        )
    if as_json:
        print_json(rows)
    else:
        _print(rows)
        counted = Counter(row["answer"] for row in rows)
        parts = [f"{counted[answer]} {answer}" for answer in _COLOURS if counted[answer]]
        out.print(f"{stack}: {len(rows)} questions: {', '.join(parts)}", markup=False)
    if any(row["answer"] not in SETTLED for row in rows):
        raise typer.Exit(1)


def _state(stack: str) -> "State":
    """The running stack, with the rows of the quick `verify`."""
    from observability.cli.look import load_all
    from observability.core import project
    from observability.operations.checklist.model import State
    from observability.operations.grafana import Grafana
    from observability.operations.home import Home
    from observability.operations.preflight import connect
    from observability.operations.verify import Subject, verify
    from observability.synth.record import record

    config, rules = load_all(stack)
    home = Home.find()
    secrets = home.secrets(stack)
    subject = Subject(config=config, declared=record(config, rules, secrets), client=connect(), secrets=secrets)
    return State(
        config=config,
        verified=list(verify(subject, quick=True)),
        get=subject.get,
        grafana=Grafana.of(config, secrets),
        documents=project.roots()[::-1],
        folder=home.folder,
        now=datetime.now(UTC),
    )


def _print(rows: list[dict[str, Any]]) -> None:
    """The rows by section: the answer, the question and the evidence; below, what to do."""
    section = ""
    for row in rows:
        if row["section"] != section:
            section = row["section"]
            out.print(section.capitalize(), style="bold")
        out.print(f"  [{_COLOURS[row['answer']]}]{row['answer']:<15}[/] ", end="")
        out.print(f"{row['text']:<45} {row['evidence']}", markup=False)
        if row["fix"]:
            out.print(f"{'':<18}{row['fix']}", style="dim", markup=False)
