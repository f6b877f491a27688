"""Nothing is special: the product knows neither the demo nor any of the watched systems by name."""

import subprocess
from pathlib import Path
from typing import Final

import pytest

from observability.settings.load import ROOT
from observability.systems import load as system_files

APART: Final = ("demo", "tests", "tools", "systems")
"""Folders that may name them: the demo itself, tests, benchmarks, and what is content."""

DRIVERS: Final = {"observability/cli/demo.py", "observability/cli/fault.py"}
"""The commands that drive the demo."""


def product() -> list[Path]:
    """Every Python file of the product."""
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True)
    paths = [Path(line) for line in listed.stdout.splitlines()]
    return [path for path in paths if path.parts[0] not in APART and str(path) not in DRIVERS]


@pytest.mark.parametrize("name", ["demo", *system_files.load(ROOT)])
def test_no_module_of_the_product_names_it(name: str) -> None:
    spellings = {name, name.replace("-", "_"), name.replace("-", "")}
    naming = [
        f"{path}:{number}"
        for path in product()
        for number, line in enumerate((ROOT / path).read_text(encoding="utf-8").splitlines(), start=1)
        if any(spelling in line.lower() for spelling in spellings)
    ]
    assert naming == []
