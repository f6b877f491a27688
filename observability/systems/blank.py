"""The file that `obs system new` writes: a commented file to edit."""

import re
from typing import Final

from observability.core import project

_TEMPLATE: Final = project.BUILT_IN / "observability" / "systems" / "template" / "system.yaml"

_EXAMPLE: Final = re.compile(r"^( *)#(?! )", re.MULTILINE)
"""The mark of a line that is an example."""


def blank(name: str) -> str:
    """The file of a system of this name, in which most lines are examples."""
    title = name.replace("-", " ").title()
    return _TEMPLATE.read_text(encoding="utf-8").replace("<name>", name).replace("<title>", title)


def complete(name: str) -> str:
    """The same with all examples enabled: a system that has every signal."""
    return _EXAMPLE.sub(r"\1", blank(name))
