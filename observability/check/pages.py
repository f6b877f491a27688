"""Runbooks: a page for every alert, with the five headings, whose queries read what exists."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from observability.check.catalogue import Catalogue
from observability.check.contract import check_query
from observability.check.problem import PLACEHOLDER, Problem, line_in
from observability.check.readers import of_page
from observability.core import project

HEADINGS: Final = ("Meaning", "Impact", "Diagnosis", "Mitigation", "Escalation")
"""Those of every runbook, in this order."""

_FORM: Final = "runbooks/README.md describes the form of a page"
_FIRST_LINE: Final = re.compile(r"(critical|warning|info)\b.* · \w+ · .+")


def check_page(path: Path, catalogue: Catalogue | None) -> Iterator[Problem]:
    """What is wrong with one page; its queries are checked where there is a catalogue of series."""
    shown = project.shown(path)
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    if not lines or lines[0] != f"# {path.stem}":
        yield Problem(file=shown, line=1, what="does not begin with the alert's name", fix=f"write `# {path.stem}`")
    second = next((line for line in lines[1:] if line.strip()), "")
    if not _FIRST_LINE.match(second):
        yield Problem(
            file=shown,
            line=line_in(path, second) if second else 1,
            what="the line below the name does not give severity, component and wait",
            fix="write it like `critical · database · 1m`",
        )
    found = [line.removeprefix("## ").strip() for line in lines if line.startswith("## ")]
    if found != list(HEADINGS):
        missing = [heading for heading in HEADINGS if heading not in found]
        what = f"lacks the heading {missing[0]}" if missing else f"has the headings {', '.join(found)}"
        yield Problem(file=shown, line=None, what=what, fix=f"use exactly {', '.join(HEADINGS)}; {_FORM}")
    if catalogue is not None and PLACEHOLDER not in text:
        for query in of_page(path):
            for finding in check_query(query.text, query.where, catalogue):
                yield Problem(
                    file=shown,
                    line=query.line,
                    what=f"query: {finding.what}",
                    fix="correct the query; words in capitals stand for the alert's labels",
                )


def missing(name: str, file: str, line: int | None) -> Problem:
    """The problem of an alert that has no runbook."""
    return Problem(
        file=file,
        line=line,
        what=f"{name}: has no runbook, runbooks/{name}.md",
        fix=f"write the page: {_FORM}; for a new alert `./obs new alert NAME` writes it",
    )
