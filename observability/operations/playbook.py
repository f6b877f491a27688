"""The incident playbook as data: its sections, and the rows of their tables."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

PLAYBOOK: Final = "docs/playbook.md"

PRIORITIES: Final = ("P1", "P2", "P3", "P4")
"""The priorities of an incident, from the most urgent."""

FORM: Final = "Post-mortem"
"""Title of the section with the form of a post-mortem."""


def read(roots: Sequence[Path]) -> str | None:
    """The text of the playbook, of the first root folder that has one; None where none has."""
    found = next((root / PLAYBOOK for root in roots if (root / PLAYBOOK).is_file()), None)
    return None if found is None else found.read_text(encoding="utf-8")


def sections(text: str) -> dict[str, str]:
    """The text of each section of second order of a Markdown page, by its title."""
    parts = re.split(r"^## +(.+?) *$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def table(text: str) -> Iterator[list[str]]:
    """The cells of the rows of the tables of a Markdown text, without their heads."""
    body = False
    for line in text.splitlines():
        if not line.startswith("|"):
            body = False
        elif re.fullmatch(r"[|\s:-]+", line) and "-" in line:
            body = True
        elif body:
            yield [cell.strip() for cell in line.strip().strip("|").split("|")]
