"""Runbooks: a page for every alert, with its first step and the five headings; its queries read existing series."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from observability.check.catalogue import Catalogue
from observability.check.contract import check_query, of_another_system
from observability.check.problem import PLACEHOLDER, Problem, line_in
from observability.check.readers import of_page
from observability.core import project
from rules.context import FIRST_MARK

HEADINGS: Final = ("Meaning", "Impact", "Diagnosis", "Mitigation", "Escalation")
"""The headings of every runbook, in this order."""

FIRST_LENGTH: Final = 150
"""Maximum characters of a first step, without the prefix of its line: messages show it."""

_FORM: Final = "runbooks/README.md describes the form of a page"
_SEVERITY_LINE: Final = re.compile(r"(critical|warning|info)\b.* · \w+ · .+")
_MARKUP: Final = re.compile(r"`|\*\*|\]\(|\{\{|https?://")


def check_page(path: Path, catalogue: Catalogue | None) -> Iterator[Problem]:
    """The problems of one page.

    Its queries are checked where there is a catalogue of series, except those about a system that is not watched:
    a page serves every system that can raise its alert.
    """
    shown = project.shown(path)
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    if not lines or lines[0] != f"# {path.stem}":
        yield Problem(file=shown, line=1, what="does not begin with the alert's name", fix=f"write `# {path.stem}`")
    second = next((line for line in lines[1:] if line.strip()), "")
    if not _SEVERITY_LINE.match(second):
        yield Problem(
            file=shown,
            line=line_in(path, second) if second else 1,
            what="the line below the name does not give severity, component and wait",
            fix="write it like `critical · database · 1m`",
        )
    yield from _check_first_step(path, lines, below=line_in(path, second) if second else 1)
    found = [line.removeprefix("## ").strip() for line in lines if line.startswith("## ")]
    if found != list(HEADINGS):
        missing = [heading for heading in HEADINGS if heading not in found]
        what = f"lacks the heading {missing[0]}" if missing else f"has the headings {', '.join(found)}"
        yield Problem(file=shown, line=None, what=what, fix=f"use exactly {', '.join(HEADINGS)}; {_FORM}")
    if catalogue is not None and PLACEHOLDER not in text:
        for query in of_page(path):
            if of_another_system(query.text, catalogue):
                continue
            for finding in check_query(query.text, query.where, catalogue):
                yield Problem(
                    file=shown,
                    line=query.line,
                    what=f"query: {finding.what}",
                    fix="correct the query; words in capitals stand for the alert's labels",
                )


def _check_first_step(path: Path, lines: list[str], below: int | None) -> Iterator[Problem]:
    """The problems of the line that messages show; `below` is the line under which it belongs."""
    found = [number for number, line in enumerate(lines, start=1) if line.startswith(FIRST_MARK)]
    form = f"write one paragraph `{FIRST_MARK}…` below the line of severity, component and wait; {_FORM}"
    if not found:
        yield Problem(file=project.shown(path), line=below, what=f"has no line `{FIRST_MARK}…`", fix=form)
    for number in found[1:]:
        what = f"has more than one line `{FIRST_MARK}…`: the first is line {found[0]}"
        yield Problem(file=project.shown(path), line=number, what=what, fix=f"keep one; {_FORM}")
    for number in found[:1]:
        step = lines[number - 1].removeprefix(FIRST_MARK).strip()
        if len(step) > FIRST_LENGTH:
            what = f"its first step has {len(step)} characters"
            fix = f"keep to {FIRST_LENGTH}: one sentence with the command, the panel or the series to read"
            yield Problem(file=project.shown(path), line=number, what=what, fix=fix)
        markup = _MARKUP.search(step)
        if markup or not step:
            what = f"its first step has markup: {markup[0]}" if markup else "its first step is empty"
            fix = "write plain text, without code marks, links and templates: messages show it as it is"
            yield Problem(file=project.shown(path), line=number, what=what, fix=fix if markup else form)


def missing(name: str, file: str, line: int | None) -> Problem:
    """The problem of an alert without a runbook."""
    return Problem(
        file=file,
        line=line,
        what=f"{name}: has no runbook, runbooks/{name}.md",
        fix=f"write the page: {_FORM}; for a new alert `./obs new alert NAME` writes it",
    )
