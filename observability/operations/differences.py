"""The differences between two values of a property: by path, list items by their names, secrets masked."""

import difflib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import yaml

from observability.core.documents import load_yaml

SECRET: Final = "[secret]"  # noqa: S105 - the placeholder of one
"""The placeholder of a secret in the engine's output and in this module's."""

UNKNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""The engine's placeholder for a value that is known only after the update."""

IDENTITIES: Final = (
    *("file", "alert", "record", "job_name", "name", "label", "uid", "refId", "receiver", "host", "target"),
    *("containerPath", "internal", "title", "id"),
)
"""Keys that identify an item of a list among its siblings; the first key present is used."""

_SECRET_NAME: Final = re.compile(r"(?:passw(?:or)?d|secret|token|credentials?|api_?key|private_?key)$", re.IGNORECASE)
_IN_URL: Final = re.compile(r"(://[^/\s:@]*:)[^/\s@]+@")
_VARIABLE: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)
_MASKED_TO_THE_END: Final = 4
"""Minimum length of a secret whose value is searched for in other texts: a shorter one would be found in any word."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One value that differs; None means absent.

    `file` is the file that contains it, where it is part of a container's uploaded file; `path` is its path in there.
    """

    path: str
    old: Any
    new: Any
    file: str | None = None


def differences(path: str, old: Any, new: Any) -> Iterator[Difference]:  # noqa: ANN401 - any JSON
    """All differences between two values, by path, in the order of the new one; texts in YAML or JSON are parsed."""
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*new, *(key for key in old if key not in new)]:
            yield from differences(f"{path}.{key}" if path else str(key), old.get(key), new.get(key))
    elif isinstance(old, list) and isinstance(new, list):
        yield from _lists(path, old, new)
    elif isinstance(old, str) and isinstance(new, str) and SECRET not in (old, new):
        yield from _texts(path, old, new)
    else:
        yield Difference(path=path, old=old, new=new)


def uploads(old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]) -> Iterator[Difference]:
    """The differences between the files of two versions of a container, by file."""
    before, after = ({str(one["file"]): one for one in files} for files in (old, new))
    for file in [*after, *(file for file in before if file not in after)]:
        was, now = before.get(file, {}), after.get(file, {})
        if not was or not now:
            yield Difference(path="", file=file, old="present" if was else None, new="present" if now else None)
            continue
        for found in _contents(was.get("content"), now.get("content")):
            yield replace(found, file=file)
        rest = [{key: one[key] for key in one if key != "content"} for one in (was, now)]
        for found in differences("", *rest):
            yield replace(found, file=file)


def _contents(old: object, new: object) -> Iterator[Difference]:
    """The differences in a file. A one-line text, or a key, may be a secret of an earlier version: it is not shown."""
    if old == new:
        return
    texts = [one for one in (old, new) if isinstance(one, str)]
    if len(texts) < 2 or any(len(one.strip().splitlines()) < 2 or "PRIVATE KEY" in one for one in texts):
        yield Difference(path="", old=SECRET, new=SECRET)
    else:
        yield from differences("", old, new)


def masked(found: Difference, secrets: Sequence[str]) -> Difference:
    """The difference without a secret's value: of a key that holds one, in an address, or one of `secrets`."""
    name = found.path.rpartition(".")[2].partition("[")[0]
    hide = _SECRET_NAME.search(name) is not None
    return replace(found, old=_mask(found.old, secrets, hide=hide), new=_mask(found.new, secrets, hide=hide))


def _mask(value: Any, secrets: Sequence[str], *, hide: bool = False) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        return {
            key: _mask(one, secrets, hide=hide or bool(_SECRET_NAME.search(str(key)))) for key, one in value.items()
        }
    if isinstance(value, list):
        return [_mask(one, secrets, hide=hide) for one in value]
    if value is None or isinstance(value, bool):
        return value
    if hide:
        return SECRET
    if not isinstance(value, str):
        return value
    variable = _VARIABLE.fullmatch(value)
    if variable and _SECRET_NAME.search(variable[1]):
        return f"{variable[1]}={SECRET}"
    text = _IN_URL.sub(rf"\1{SECRET}@", value)
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _MASKED_TO_THE_END:
            text = text.replace(secret, SECRET)
    return text


def _lists(path: str, old: list[Any], new: list[Any]) -> Iterator[Difference]:
    """Objects with a name by their names, others by position, plain items by additions and removals."""
    if all(isinstance(one, dict) for one in (*old, *new)):
        identity = _identified(old, new)
        if identity is not None:
            before, after = (_by_name(items, identity) for items in (old, new))
            for name in [*after, *(name for name in before if name not in after)]:
                yield from differences(f"{path}[{name}]", before.get(name), after.get(name))
            if before == after:
                yield Difference(path=path, old=", ".join(before), new=", ".join(after))
            return
    elif not any(isinstance(one, dict | list) for one in (*old, *new)):
        yield from _plain_items(path, old, new)
        return
    for index in range(max(len(old), len(new))):
        was = old[index] if index < len(old) else None
        now = new[index] if index < len(new) else None
        yield from differences(f"{path}[{index}]", was, now)


def _identified(old: list[Any], new: list[Any]) -> Callable[[Mapping[str, Any]], str] | None:
    """The names of the items of two lists; None where one of them has no name."""

    def name(item: Mapping[str, Any]) -> str:
        key = next(key for key in IDENTITIES if isinstance(item.get(key), str | int))
        return str(item[key])

    if all(any(isinstance(item.get(key), str | int) for key in IDENTITIES) for item in (*old, *new)):
        return name
    return None


def _by_name(items: list[Any], name: Callable[[Mapping[str, Any]], str]) -> dict[str, Any]:
    """Items by their names; the second one of a name has its number appended."""
    seen: Counter[str] = Counter()
    found = {}
    for item in items:
        key = name(item)
        seen[key] += 1
        found[key if seen[key] == 1 else f"{key} #{seen[key]}"] = item
    return found


def _plain_items(path: str, old: list[Any], new: list[Any]) -> Iterator[Difference]:
    removed, added = list((Counter(old) - Counter(new)).elements()), list((Counter(new) - Counter(old)).elements())
    variables = [_VARIABLE.fullmatch(one) if isinstance(one, str) else None for one in (*removed, *added)]
    if not removed and not added:
        yield Difference(path=path, old=old, new=new)
    elif all(variables):
        before, after = (dict(one.split("=", 1) for one in items) for items in (removed, added))
        for name in [*after, *(name for name in before if name not in after)]:
            yield Difference(path=f"{path}.{name}", old=before.get(name), new=after.get(name))
    else:
        yield from _pairs(path, removed, added)


def _pairs(path: str, removed: list[Any], added: list[Any]) -> Iterator[Difference]:
    """Removed and added items: in pairs where the numbers are equal, else removals before additions."""
    if len(removed) == len(added):
        yield from (Difference(path=path, old=was, new=now) for was, now in zip(removed, added, strict=True))
    else:
        yield from (Difference(path=path, old=one, new=None) for one in removed)
        yield from (Difference(path=path, old=None, new=one) for one in added)


def _texts(path: str, old: str, new: str) -> Iterator[Difference]:
    """For two documents their differences, for two multi-line texts the lines that differ, else the texts."""
    before, after = _document(old), _document(new)
    if before is not None and type(before) is type(after) and before != after:
        yield from differences(path, before, after)
    elif "\n" in old.strip() or "\n" in new.strip():
        compared = list(difflib.ndiff(old.splitlines(), new.splitlines()))
        removed, added = ([line[2:].strip() for line in compared if line.startswith(mark)] for mark in ("- ", "+ "))
        yield from _pairs(path, list(filter(None, removed)), list(filter(None, added)))
    else:
        yield Difference(path=path, old=old, new=new)


def _document(text: str) -> dict[str, Any] | list[Any] | None:
    """The object or list in a JSON or YAML text; None where it contains none."""
    if not ("\n" in text or text[:1] in ("{", "[")):
        return None
    try:
        found = json.loads(text) if text[:1] in ("{", "[") else load_yaml(text)
    except (ValueError, yaml.YAMLError):
        return None
    return found if isinstance(found, dict | list) else None
