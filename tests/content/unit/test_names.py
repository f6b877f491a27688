"""Neither the product nor its own tests contain the name of a watched system."""

import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pytest

from observability.settings.load import ROOT
from tests.conftest import CONTENT, STACKS
from tests.content import SYSTEMS

APART: Final = ("demo", "tests", "tools", "systems")
"""Folders that may contain the names: the demo itself, tests, benchmarks, and the content."""

DRIVERS: Final = {"observability/cli/demo.py", "observability/cli/fault.py"}
"""The commands that control the demo."""


def tracked(*patterns: str) -> list[Path]:
    """The repository's files that match, from its root."""
    listed = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=True)
    return [Path(line) for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


def product() -> list[Path]:
    """Every Python file of the product."""
    return [path for path in tracked("*.py") if path.parts[0] not in APART and str(path) not in DRIVERS]


def framework_tests() -> list[Path]:
    """Every module and case of the tests that run if the content is removed."""
    return [path for path in tracked("tests/*.py", "tests/*.yaml") if path.parts[1] not in (CONTENT, *STACKS)]


def spellings(name: str) -> set[str]:
    """How a name is written in code."""
    return {name, name.replace("-", "_"), name.replace("-", "")}


def naming(paths: Iterable[Path], name: str) -> list[str]:
    """The lines of these files, with paths from the root, that contain it."""
    return [
        f"{path}:{number}"
        for path in paths
        for number, line in enumerate((ROOT / path).read_text(encoding="utf-8").splitlines(), start=1)
        if any(spelling in line.lower() for spelling in spellings(name))
    ]


@pytest.mark.parametrize("name", ["demo", *SYSTEMS])
def test_no_module_of_the_product_names_it(name: str) -> None:
    assert naming(product(), name) == []


@pytest.mark.parametrize("name", SYSTEMS)
def test_no_test_outside_of_the_content_names_it(name: str) -> None:
    assert naming(framework_tests(), name) == []
