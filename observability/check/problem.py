"""A problem in content: the file, the line, the problem itself and its fix."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from observability.core import project
from observability.core.documents import SafeLoader
from observability.core.errors import ConfigError

_PLACE: Final = re.compile(
    r"(?P<file>[^\s:]+\.(?:ya?ml|py|md|prom))(?::(?P<line>\d+))?(?::\d+)?: (?P<what>.*)", re.DOTALL
)
PLACEHOLDER: Final = "TODO"
"""Placeholder that `obs new` writes where a person has to fill in text."""

_STEP: Final = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One problem. `line` counts from 1; None where the problem is about the whole file or no file."""

    file: str | None
    line: int | None
    what: str
    fix: str

    def __str__(self) -> str:
        where = ":".join(str(part) for part in (self.file, self.line) if part is not None)
        return f"{where}: {self.what}" if where else self.what

    @property
    def order(self) -> tuple[str, int]:
        """Sort key of problems."""
        return self.file or "", self.line or 0


def of_error(error: ConfigError, path: Path | None = None) -> Problem:
    """The problem of an error; `path` is the file where the error's message does not name one."""
    match = _PLACE.match(error.what)
    if match is None:
        return Problem(file=project.shown(path) if path else None, line=None, what=error.what, fix=error.fix)
    file, what = match["file"], match["what"]
    line = int(match["line"]) if match["line"] else None
    if line is None and file.endswith(project.YAML):
        line = _line_of_path(path or _found(file), what)
    return Problem(file=file, line=line, what=what, fix=error.fix)


def placeholders(path: Path) -> Iterator[Problem]:
    """Every line of a file with a placeholder that still has to be filled in."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if PLACEHOLDER in line:
            yield Problem(
                file=project.shown(path),
                line=number,
                what=f"{PLACEHOLDER} is left: {line.strip()}",
                fix=f"fill in what {PLACEHOLDER} asks for, and remove the word",
            )


def line_in(path: Path, text: str) -> int | None:
    """The first line of a file that contains a text; None where none does."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if text in line:
            return number
    return None


def _found(file: str) -> Path | None:
    """The file of a name as messages show it."""
    return next((root / file for root in project.roots()[::-1] if (root / file).is_file()), None)


def _line_of_path(path: Path | None, what: str) -> int | None:
    """The line of the longest prefix of the message's YAML path that the file has."""
    if path is None:
        return None
    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), SafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError):
        return None
    # A key may itself contain a colon, as `observability:systems` of a stack file does.
    said = re.split(r":? (?=\S)|:$", what, maxsplit=1)[0]
    is_stack = isinstance(node, yaml.MappingNode) and path.name.startswith("Pulumi.")
    return _deepest(_child(node, "config") if is_stack else node, list(_steps(said)))


def _steps(said: str) -> Iterator[str | int]:
    prefix, colon, rest = said.partition(":")
    if colon and not rest.startswith(" "):
        head = re.match(r"[^.\[]*", rest)
        first = head[0] if head else ""
        yield f"{prefix}:{first}"
        said = rest[len(first) :]
    for index, name in _STEP.findall(said):
        yield int(index) if index else name


def _deepest(node: yaml.Node | None, steps: Sequence[str | int]) -> int | None:
    line: int | None = None
    for step in steps:
        if node is None:
            break
        key = _key(node, step)
        if key is not None:
            line = key.start_mark.line + 1
        node = _child(node, step)
        if key is None and node is not None:
            line = node.start_mark.line + 1
    return line


def _key(node: yaml.Node, step: str | int) -> yaml.Node | None:
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return next((key for key, _ in pairs if key.value == str(step)), None)


def _child(node: yaml.Node | None, step: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == str(step)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        found: yaml.Node = node.value[step]
        return found
    return None
