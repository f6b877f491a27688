"""Unit tests need neither Docker nor a built tool; tests that need one have a marker."""

import ast
from pathlib import Path
from typing import Final

import pytest

from observability.settings.load import ROOT
from tests.conftest import NEEDS, folder

TESTS: Final = sorted((ROOT / "tests").rglob("*.py"))

STARTS: Final = {
    "tests.tools",
    "tests.receivers.rendering",
    "tests.live.project",
    "tests.live.conftest",
    "tests.spine.conftest",
    "tests.contract.lab",
    "tests.samples.lab",
}
"""Modules that start containers."""


def imported(path: Path) -> set[str]:
    """Modules that a file imports, by their full names."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
        elif isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
    return found


@pytest.mark.parametrize("path", [path for path in TESTS if path.name.startswith("test_")], ids=lambda path: path.stem)
def test_a_test_that_starts_a_container_is_in_a_marked_folder(path: Path) -> None:
    assert not imported(path) & STARTS or folder(path) in NEEDS


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_no_test_sets_a_marker_that_its_folder_sets(path: Path) -> None:
    marks = {
        node.attr
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute) and node.value.attr == "mark"
    }
    assert not marks & set(NEEDS.values())


def test_every_folder_with_a_marker_exists() -> None:
    assert {path.name for path in (ROOT / "tests").iterdir() if path.is_dir()} >= NEEDS.keys()


def test_unit_tests_have_no_marker() -> None:
    assert "unit" not in NEEDS


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_the_name_of_a_test_is_under_80_characters(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    assert [name for name in names if name.startswith("test_") and len(name) >= 80] == []
