"""Run the check of content only if the content has changed since it last passed: `up` and `preview` begin with it."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from observability.check.problem import Problem
from observability.core import project
from observability.settings.load import StackConfig

_CODE: Final = ("observability",)
"""Folders of this repository that affect the result."""

CONTENT: Final = ("systems", "rules", "dashboards", "runbooks", "parts", "samples", "tests/rules")
"""Folders of content, of this repository and of a project folder."""

_SUFFIXES: Final = (*project.YAML, ".py", ".md", ".prom", ".json")

_KEPT: Final = 20
"""How many passed contents are remembered."""


def check_once(config: StackConfig, folder: Path) -> list[Problem]:
    """The problems of a stack's content; none, without a check, where the same content has passed before.

    `folder` is the data folder, which stores what has passed. Of the settings only the enabled parts and systems
    affect the result: a changed number needs no check of every rule.
    """
    passed = folder / "checked"
    key = _key(config)
    known = passed.read_text(encoding="utf-8").split() if passed.is_file() else []
    if key in known:
        return []
    # Imported only where it is needed: the import takes a second.
    from observability.check.run import check

    # For the repository only the form is checked: its rules serve signals that the systems here may not have.
    problems = check([config.stack], content=project.own() is not None).problems
    if not problems:
        passed.write_text("\n".join([*known, key][-_KEPT:]) + "\n", encoding="utf-8")
    return problems


def _key(config: StackConfig) -> str:
    """A hash of everything that the check of a stack reads."""
    switched_on = (config.stack, *sorted(config.images), "", *sorted(config.systems))
    found = hashlib.sha256("\0".join(switched_on).encode())
    for path in sorted(_files()):
        found.update(str(path).encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()


def _files() -> Iterator[Path]:
    """Content and the code that checks it; no settings."""
    for root in project.roots():
        for name in (*(_CODE if root == project.BUILT_IN else ()), *CONTENT):
            for path in (root / name).rglob("*"):
                hidden = any(part.startswith((".", "__pycache__")) for part in path.relative_to(root).parts)
                if path.is_file() and not hidden and path.suffix in _SUFFIXES:
                    yield path
