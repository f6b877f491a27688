"""Answers that fit into a limit: what is cut is named in the answer."""

import json
from collections.abc import Iterator
from typing import Any, Final

LIMIT: Final = 12_000
"""Characters of an answer as JSON: some 4,000 tokens of a language model."""

LONGEST: Final = 1_500
"""Characters of one text."""

LEFT_OUT: Final = "left_out"
"""Key of the answer that lists what was cut."""

Path = tuple[str | int, ...]


def fitted(answer: dict[str, Any], limit: int = LIMIT) -> dict[str, Any]:
    """The answer within the limit: long texts are cut first, then the longest lists lose their last entries."""
    notes: dict[str, str] = {}
    found: dict[str, Any] = _shortened(answer, (), LONGEST, notes)
    longest = LONGEST
    while _size(found, notes) > limit:
        path, many = max(_lists(found, ()), key=lambda one: len(json.dumps(one[1], default=str)), default=((), []))
        if many:
            whole = _count(answer, path, len(many))
            del many[(len(many) + 1) // 2 if len(many) > 1 else 0 :]
            notes[_name(path)] = f"{_name(path)}: {len(many)} of {whole} shown"
        elif longest > 1:
            longest //= 2
            found = _shortened(found, (), longest, notes)
        else:
            break
    if notes:
        found[LEFT_OUT] = [*found.get(LEFT_OUT, []), *notes.values()]
    return found


def _size(found: dict[str, Any], notes: dict[str, str]) -> int:
    return len(json.dumps([found, *notes.values()], default=str, ensure_ascii=False))


def _shortened(value: Any, path: Path, longest: int, notes: dict[str, str]) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        return {key: _shortened(one, (*path, key), longest, notes) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_shortened(one, (*path, at), longest, notes) for at, one in enumerate(value)]
    if isinstance(value, str) and len(value) > longest:
        notes[_name(path)] = f"{_name(path)}: texts are cut at {longest} characters"
        return value[:longest] + "…"
    return value


def _lists(value: Any, path: Path) -> Iterator[tuple[Path, list[Any]]]:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _lists(one, (*path, key))
    elif isinstance(value, list):
        if value:
            yield path, value
        for at, one in enumerate(value):
            yield from _lists(one, (*path, at))


def _count(value: Any, path: Path, otherwise: int) -> int:  # noqa: ANN401 - any JSON
    """How many entries the list at this path had at first."""
    for step in path:
        try:
            value = value[step]
        except (LookupError, TypeError):
            return otherwise
    return len(value)


def _name(path: Path) -> str:
    """A path without the positions in lists: all entries of a list are cut alike."""
    return ".".join(str(step) for step in path if isinstance(step, str))
