"""How the project asks Docker: other programs create and remove containers at the same time."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from observability.settings.load import ROOT

FOLDERS = ("observability", "components", "demo", "tools", "toolchain", "tests")


def listings(source: str) -> Iterator[tuple[int, set[str | None]]]:
    """Every call of `….containers.list(…)`: its line and the names of its arguments."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("containers.list"):
            yield node.lineno, {one.arg for one in node.keywords}


def careless(source: str) -> list[int]:
    """Lines of calls that fail when a container is removed between Docker's list and the look at each of its rows."""
    return [line for line, names in listings(source) if "ignore_removed" not in names]


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_container_that_disappears_while_containers_are_listed_is_no_error(folder: str) -> None:
    found = {str(path.relative_to(ROOT)): careless(path.read_text()) for path in Path(ROOT / folder).rglob("*.py")}
    assert not {path: lines for path, lines in found.items() if lines}


def test_the_check_sees_a_careless_call() -> None:
    assert careless("x = client.containers.list(all=True)\ny = self.client.containers.list(ignore_removed=True)") == [
        1
    ]
