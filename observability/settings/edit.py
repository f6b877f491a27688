"""Add a setting to the text of a stack's file, or take one out, and leave all else as its authors wrote it."""

import copy
from collections.abc import Sequence
from typing import Any, Final

import yaml

from observability.core.documents import SafeLoader, load_yaml
from observability.core.errors import ConfigError

_STEP: Final = 2
"""Spaces of a level that the file has not yet."""


def put(name: str, text: str, path: Sequence[str], value: Any) -> str:  # noqa: ANN401 - any YAML
    """The text with the value at a path that it lacks, in the last place of its mapping.

    ConfigError with the lines to write by hand where the file's form does not allow it; `name` is the file's.
    """
    lines = text.splitlines()
    root = yaml.compose(text, SafeLoader)
    found, rest = _walk(root, path)
    by_hand = yaml.safe_dump(_nested(path, value), sort_keys=False).rstrip()
    if root is None:
        made = text + by_hand + "\n"
    elif not isinstance(found, yaml.MappingNode) or found.flow_style or not found.value:
        raise ConfigError(f"{name}: its form leaves no place for {'.'.join(path)}", f"write by hand:\n{by_hand}")
    else:
        indent = " " * found.value[0][0].start_mark.column
        block = yaml.safe_dump(_nested(rest, value), sort_keys=False, indent=_STEP).splitlines()
        at = _last_line(found) + 1
        made = "\n".join([*lines[:at], *(indent + line for line in block), *lines[at:]]) + "\n"
    expected = load_yaml(text) or {}
    _set(expected, path, value)
    if load_yaml(made) != expected:
        raise ConfigError(f"{name}: cannot be changed here", f"write by hand:\n{by_hand}")
    return made


def take_out(name: str, text: str, path: Sequence[str]) -> str:
    """The text without the value at a path, nor a mapping that would be empty without it.

    ConfigError where it is not there, or stands on a line with others.
    """
    expected = load_yaml(text) or {}
    path = list(path)
    if _get(expected, path) is None:
        raise ConfigError(f"{name}: there is no {'.'.join(path)}", "see the file")
    while len(path) > 2 and len(_get(expected, path[:-1]) or {}) == 1:
        path = path[:-1]
    parent, _ = _walk(yaml.compose(text, SafeLoader), [*path[:-1], ""])
    lines = text.splitlines()
    key, value = next((key, value) for key, value in parent.value if key.value == path[-1])
    made = "\n".join([*lines[: key.start_mark.line], *lines[_last_line(value) + 1 :]]) + "\n"
    del _get(expected, path[:-1])[path[-1]]
    try:
        same = load_yaml(made) == expected
    except yaml.YAMLError:
        same = False
    if not same:
        raise ConfigError(f"{name}: {'.'.join(path)} cannot be taken out here", "take it out by hand")
    return made


def _walk(node: Any, path: Sequence[str]) -> tuple[Any, Sequence[str]]:  # noqa: ANN401 - a node of any kind
    """The innermost mapping on the path that exists, and the rest of the path below it."""
    for depth, key in enumerate(path[:-1]):
        inner = next((value for name, value in getattr(node, "value", ()) if name.value == key), None)
        if inner is None:
            return node, path[depth:]
        node = inner
    return node, path[-1:]


def _last_line(node: Any) -> int:  # noqa: ANN401 - a node of any kind
    """Number of the last line of a node's own text, from 0: comments and empty lines after it are not its."""
    if isinstance(node, yaml.MappingNode | yaml.SequenceNode) and node.value and not node.flow_style:
        last = node.value[-1]
        return _last_line(last[1] if isinstance(last, tuple) else last)
    end = node.end_mark
    return int(end.line - 1 if end.column == 0 and end.line > node.start_mark.line else end.line)


def _nested(path: Sequence[str], value: Any) -> Any:  # noqa: ANN401 - any YAML
    for key in reversed(path):
        value = {key: value}
    return value


def _get(document: Any, path: Sequence[str]) -> Any:  # noqa: ANN401 - any YAML
    for key in path:
        document = document.get(key) if isinstance(document, dict) else None
    return document


def _set(document: dict[str, Any], path: Sequence[str], value: Any) -> None:  # noqa: ANN401 - any YAML
    for key in path[:-1]:
        if not isinstance(document.get(key), dict):
            document[key] = {}
        document = document[key]
    document[path[-1]] = copy.deepcopy(value)
