"""The reference pages of `docs/reference/`, made from the program: `make reference` writes them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from observability.settings.load import ROOT
from tools.reference import metrics, parts, settings

FOLDER: Final = ROOT / "docs" / "reference"
"""Folder of the committed pages."""

PAGES: Final[Mapping[str, Callable[[], str]]] = MappingProxyType(
    {
        "settings.md": settings.stack_page,
        "systems.md": settings.system_page,
        "metrics.md": metrics.text,
        "parts.md": parts.text,
    }
)
"""Every page, by file name, with the function that returns its text."""


def write(folder: Path = FOLDER) -> None:
    """Write every page to the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in PAGES.items():
        (folder / name).write_text(text(), encoding="utf-8")
