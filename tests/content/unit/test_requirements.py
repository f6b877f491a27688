"""The table of requirements: every row has its number, and the tests that it names exist."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from observability.settings.load import ROOT

PAGE = ROOT / "docs" / "requirements.md"

CELLS = re.compile(r"(?<!\\)\|")
PROOF = re.compile(r"`([^`]+)`")
STATES = re.compile(r"done(: .+)?|(partly|not done): .+")

ROWS = {"000": 8, "001": 31, "002": 17, "003": 26}
"""Deliverables of the documents that number none: how many rows each has."""


class Row(NamedTuple):
    """One row of a table of the page."""

    number: str
    asked: str
    proof: tuple[str, ...]
    state: str


def read(text: str) -> list[Row]:
    """Every row of the page's tables."""
    cells = [[one.strip() for one in CELLS.split(line)[1:-1]] for line in text.splitlines() if line.startswith("| ")]
    return [Row(one[0], one[1], tuple(PROOF.findall(one[2])), one[3]) for one in cells if one[0] != "number"]


ALL = read(PAGE.read_text(encoding="utf-8"))


@cache
def declared_in(path: Path) -> frozenset[str]:
    """Names of the tests of a module: functions, and what a call made."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    functions = {one.name for one in body if isinstance(one, ast.FunctionDef)}
    made = {to.id for one in body if isinstance(one, ast.Assign) for to in one.targets if isinstance(to, ast.Name)}
    return frozenset(name for name in functions | made if name.startswith("test_"))


def problem(proof: str) -> str | None:
    """What is wrong with a proof: a test as `path::name`, or a target of the Makefile; None: it exists."""
    if proof.startswith("make "):
        target = proof.removeprefix("make ")
        found = re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
        return None if found else f"{proof}: no such target"
    path, _, name = proof.partition("::")
    if not path.startswith("tests/") or not (ROOT / path).is_file():
        return f"{proof}: no such file"
    return None if name in declared_in(ROOT / path) else f"{proof}: no such test"


def test_the_27_criteria_have_a_row_each() -> None:
    assert [row.number for row in ALL if row.number.isdecimal()] == [str(number) for number in range(1, 28)]


def test_the_deliverables_of_every_other_document_are_numbered_without_a_gap() -> None:
    for document, count in ROWS.items():
        own = [row.number for row in ALL if row.number.startswith(f"{document}.")]
        assert own == [f"{document}.{number}" for number in range(1, count + 1)]


@pytest.mark.parametrize("row", ALL, ids=lambda row: row.number)
def test_every_proof_that_a_row_names_exists(row: Row) -> None:
    assert [said for proof in row.proof if (said := problem(proof))] == []
    assert row.asked


@pytest.mark.parametrize("row", ALL, ids=lambda row: row.number)
def test_a_row_has_a_proof_unless_it_is_not_done(row: Row) -> None:
    assert STATES.fullmatch(row.state), row.state
    assert bool(row.proof) != row.state.startswith("not done")
    assert not re.search(r"#\d", row.state)


@pytest.mark.parametrize(
    "proof",
    ["tests/unit/test_nothing.py::test_it", "tests/unit/test_settings.py::test_it", "make nothing", "docs/guide.md"],
)
def test_a_proof_that_does_not_exist_is_found(proof: str) -> None:
    assert problem(proof)
