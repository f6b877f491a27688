"""How resource properties are described, checked, completed with defaults and compared; the tables are in `tables`."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

Props = dict[str, Any]
Kind = Literal["string", "integer", "boolean", "map", "list", "set"]

UNKNOWNS: Final = frozenset(
    {
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)
"""The values by which Pulumi's protocol says "known only after the update", one per type."""
UNKNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"

_ZERO: Final[Mapping[Kind, Any]] = {"string": "", "integer": 0, "boolean": False, "map": {}, "list": [], "set": []}
_PYTHON: Final[Mapping[Kind, type | tuple[type, ...]]] = {
    "string": (str, int, float, bool),
    "integer": int,
    "boolean": bool,
    "map": dict,
    "list": list,
    "set": list,
}


@dataclass(frozen=True, kw_only=True)
class Property:
    """One input of a resource, or one field of such an input; `fields` describes the objects a collection holds."""

    kind: Kind = "string"
    replaces: bool = True
    """Whether a change makes a new resource; otherwise the resource is updated in place."""
    computed: bool = False
    """Whether Docker sets the value if the program gives none: then its absence is no change."""
    required: bool = False
    default: object = None
    pattern: str | None = None
    minimum: int | None = None
    fields: Mapping[str, "Property"] | None = None
    single: bool = False
    """A collection of at most one object, which programs give as that object."""
    blank_keeps: bool = False
    """Whether an empty string means "unchanged"."""
    output: bool = False
    """Whether only Docker sets it: a program must not."""
    recorded: bool = False
    """Whether it is in the state of every resource that was created in full, so that its absence is a change."""
    unordered_by: tuple[str, ...] = ()
    """Fields by which the objects of a list are sorted before they are compared."""


Table = Mapping[str, Property]


def unknown(value: object) -> bool:
    """Whether the value holds anything that is known only after the update."""
    if isinstance(value, str):
        return value in UNKNOWNS
    if isinstance(value, Mapping):
        return any(unknown(item) for item in value.values())
    return isinstance(value, list) and any(unknown(item) for item in value)


def failures(table: Table, inputs: Mapping[str, Any], owner: str, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield (property, reason) for each input that is not in the table or is not valid for it."""
    for name, prop in table.items():
        if prop.required and inputs.get(name) is None:
            yield path + name, f"{owner} needs the property {path + name}"
    for name, value in inputs.items():
        if name.startswith("__"):
            continue
        if name not in table or table[name].output:
            yield (
                path + name,
                f"the stand-in for the Docker plugin does not know the property {path + name} of {owner}",
            )
        elif value is not None and not unknown(value):
            yield from _misfits(table[name], value, owner, path + name)


def _misfits(prop: Property, value: object, owner: str, path: str) -> Iterator[tuple[str, str]]:
    items = [value] if prop.single else value
    wanted = _PYTHON[prop.kind]
    if not isinstance(items, wanted) or (prop.kind == "integer" and isinstance(value, bool)):
        yield path, f"{path} of {owner} must be a {prop.kind}, not {value!r}"
    elif prop.pattern and not re.search(prop.pattern, str(value)):
        yield path, f"{path} of {owner} must match {prop.pattern}, not {value!r}"
    elif prop.minimum is not None and isinstance(value, int) and value < prop.minimum:
        yield path, f"{path} of {owner} must be at least {prop.minimum}, not {value}"
    elif prop.fields is not None and isinstance(items, list):
        for index, item in enumerate(items):
            place = f"{path}." if prop.single else f"{path}[{index}]."
            if isinstance(item, dict):
                yield from failures(prop.fields, item, owner, place)
            else:
                yield path, f"{path} of {owner} must hold objects, not {item!r}"


def complete(table: Table, inputs: Mapping[str, Any]) -> Props:
    """Return the inputs with defaults filled in, also in nested objects."""
    completed = {name: value for name, value in inputs.items() if value is not None and not name.startswith("__")}
    for name, prop in table.items():
        if name not in completed and prop.default is not None:
            completed[name] = prop.default
        elif name in completed and prop.fields and not unknown(completed[name]):
            value = completed[name]
            completed[name] = (
                complete(prop.fields, value) if prop.single else [complete(prop.fields, item) for item in value]
            )
    return completed


def changed(table: Table, old_state: Mapping[str, Any], new_inputs: Mapping[str, Any]) -> list[str]:
    """Return the names of the properties in which the new inputs differ from the recorded state."""
    return [name for name, prop in table.items() if _differs(prop, old_state.get(name), new_inputs.get(name))]


def later(table: Table, inputs: Mapping[str, Any]) -> Props:
    """Return the inputs, with the properties that only Docker sets marked as unknown."""
    unset = [name for name, prop in table.items() if (prop.computed or prop.output) and name not in inputs]
    return {**inputs, **dict.fromkeys(unset, UNKNOWN)}


def _differs(prop: Property, old: object, new: object) -> bool:
    if unknown(new):
        return True
    if new is None and (prop.computed or prop.output):
        return prop.recorded and old is None
    if new in (None, "") and prop.blank_keeps:
        return False
    return bool(_canonical(prop, old, old) != _canonical(prop, new, old))


def _canonical(prop: Property, value: Any, old: Any) -> Any:  # noqa: ANN401
    """Convert a value to a canonical form for comparison; values that Docker set itself are taken from `old`."""
    if value is None:
        value = prop.default if prop.default is not None else _ZERO[prop.kind]
    if prop.kind == "string":
        return str(value)
    if prop.kind == "map":
        return {key: str(item) for key, item in value.items()}
    if prop.kind not in ("list", "set"):
        return value
    items = [value] if prop.single and value else list(value or [])
    lent = [old] if prop.single and old else old if isinstance(old, list) else []
    if prop.fields is None:
        items = [str(item) for item in items]
    else:
        items = [_fields(prop.fields, item, lent[at] if at < len(lent) else {}) for at, item in enumerate(items)]
        if prop.unordered_by:
            items.sort(key=lambda item: [item[name] for name in prop.unordered_by])
    if prop.kind == "set":
        return sorted({json.dumps(item, sort_keys=True) for item in items})
    return items


def _fields(table: Table, item: Mapping[str, Any], old: Mapping[str, Any]) -> Props:
    return {
        name: _canonical(
            prop, old.get(name) if item.get(name) is None and prop.computed else item.get(name), old.get(name)
        )
        for name, prop in table.items()
    }
