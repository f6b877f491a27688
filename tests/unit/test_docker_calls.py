"""How the project asks Docker: other programs create and remove containers at the same time."""

import ast
from collections.abc import Callable, Iterator
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


def leaking(source: str) -> list[int]:
    """Lines of calls that remove a container by force and leave its volumes without a name on the host."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).endswith(".remove")
        and {one.arg for one in node.keywords} == {"force"}
        and "volume" not in ast.unparse(node.func)
    ]


def in_files(folder: str, check: Callable[[str], list[int]]) -> dict[str, list[int]]:
    """What a check finds in the program's files of a folder, by their paths."""
    found = {str(path.relative_to(ROOT)): check(path.read_text()) for path in Path(ROOT / folder).rglob("*.py")}
    return {path: lines for path, lines in found.items() if lines}


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_container_is_removed_with_its_volumes(folder: str) -> None:
    assert not in_files(folder, leaking)


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_container_that_disappears_while_containers_are_listed_is_no_error(folder: str) -> None:
    assert not in_files(folder, careless)


def test_the_check_sees_a_careless_call() -> None:
    assert careless("x = client.containers.list(all=True)\ny = self.client.containers.list(ignore_removed=True)") == [
        1
    ]
    assert leaking("volume.remove(force=True)\nit.remove(force=True)\nit.remove(force=True, v=True)") == [2]
