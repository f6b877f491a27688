"""Whether a server has in use what is declared: its configuration, its rules, and the values of constant series.

A server prints its configuration with the values that it adds itself. Those are stated in the part's descriptor; any
other added value is a difference, so a receiver, a relabelling or a remote write that nobody declared is found.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import promql_parser

from observability.core.documents import load_yaml
from observability.core.types import seconds
from observability.parts.model import Loaded

HIDDEN: Final = "<secret>"
"""What a server prints instead of a secret."""

CONSTANT: Final = re.compile(r"vector\(\s*([-+0-9.eE]+)\s*\)")
"""The expression of a rule that records a constant."""

_MATCHERS: Final = re.compile(r"\{([^{}]*)\}")

_MOST: Final = 3
"""How many differences are named."""

Document = Mapping[str, Any]

Labels = frozenset[tuple[str, str]]

Constants = Mapping[str, Mapping[Labels, float]]
"""Value of a series by its labels, by the series' name."""


def configuration(
    wanted: Any,  # noqa: ANN401 - any YAML
    found: Any,  # noqa: ANN401 - any YAML
    how: Loaded,
    folder: str = "",
    arguments: Collection[str] = (),
) -> list[str]:
    """The paths at which a server's configuration differs from the declared one.

    `folder` is that of its files, `arguments` are those of its command, whose values it adds.
    """
    known = frozenset(word.partition("=")[2] for word in arguments if "=" in word)
    if how.inherits and isinstance(wanted, dict):
        known |= frozenset(_scalars(wanted.get(how.inherits)))
    return list(_Comparison(how=how, folder=folder).of(wanted, found, "", known))


@dataclass(frozen=True, kw_only=True)
class _Comparison:
    """How two values are compared, at any depth. `known` are values that the server may repeat in other places."""

    how: Loaded
    folder: str

    def of(self, wanted: Any, found: Any, path: str, known: frozenset[str]) -> Iterator[str]:  # noqa: ANN401
        """The paths that differ."""
        if isinstance(wanted, dict) and isinstance(found, dict):
            yield from self._mappings(wanted, found, path, known)
        elif isinstance(wanted, list) and isinstance(found, list):
            yield from self._lists(wanted, found, path, known)
        elif not self._same(wanted, found):
            yield f"{path} differs"

    def _mappings(self, wanted: Document, found: Document, path: str, known: frozenset[str]) -> Iterator[str]:
        known |= frozenset(str(value) for value in wanted.values() if isinstance(value, str | int))
        for key, value in wanted.items():
            inner = f"{path}.{key}" if path else str(key)
            if key in found:
                yield from self.of(value, found[key], inner, known)
            elif not self._added(str(key), value, frozenset()):
                yield f"{inner} is not in use"
        for key in found.keys() - wanted.keys() if self.how.added is not None else ():
            if not self._added(str(key), found[key], known):
                yield f"{path}.{key} is in use, not declared" if path else f"{key} is in use, not declared"

    def _lists(self, wanted: Sequence[Any], found: Sequence[Any], path: str, known: frozenset[str]) -> Iterator[str]:
        if path.rpartition(".")[2] in self.how.unordered:
            wanted, found = sorted(wanted, key=str), sorted(found, key=str)
        mine, theirs = ([self._name(one, at) for at, one in enumerate(many)] for many in (wanted, found))
        if mine != theirs:
            missing = [name for name in mine if name not in theirs]
            strange = [name for name in theirs if name not in mine]
            yield from (f"{path}[{name}] is not in use" for name in missing)
            yield from (f"{path}[{name}] is in use, not declared" for name in strange)
            if not missing and not strange:
                yield f"{path} has another order"
            return
        for name, one, other in zip(mine, wanted, found, strict=True):
            yield from self.of(one, other, f"{path}[{name}]", known)

    def _name(self, one: Any, at: int) -> str:  # noqa: ANN401 - any YAML
        """An item of a list by its name, or by its position."""
        if isinstance(one, dict):
            for key in ("job_name", "name"):
                if isinstance(one.get(key), str):
                    return str(one[key])
            return f"{at}: {one['receiver']}" if isinstance(one.get("receiver"), str) else str(at)
        return str(at) if isinstance(one, list) else self._text(one)

    def _added(self, key: str, value: Any, known: frozenset[str]) -> bool:  # noqa: ANN401 - any YAML
        """Whether a server adds this itself, repeats a known value, or says nothing."""
        if value in (None, "", False, 0, "0s") or value in ([], {}):
            return True
        if any(self._same(one, value) for one in (self.how.added or {}).get(key, ())):
            return True
        if isinstance(value, dict):
            return all(self._added(str(inner), one, known) for inner, one in value.items())
        if not isinstance(value, str):
            return False
        pattern = self.how.added_pattern
        repeated = value != HIDDEN and any(self._same(one, value) for one in known)
        return repeated or bool(pattern and re.fullmatch(pattern, value))

    def _same(self, one: Any, other: Any) -> bool:  # noqa: ANN401 - any YAML
        """Whether two values mean the same: durations in other units, numbers as text, a hidden secret."""
        if one == other or str(one) == self._text(other):
            return True
        if other == HIDDEN:
            return isinstance(one, str)
        try:
            return _number(one) == _number(other)
        except (TypeError, ValueError):
            return False

    def _text(self, value: object) -> str:
        """A value as text; a path in the folder of the files is relative to it."""
        return str(value).removeprefix(f"{self.folder}/") if self.folder else str(value)


def _scalars(value: Any) -> Iterator[str]:  # noqa: ANN401 - any YAML
    if isinstance(value, dict):
        for one in value.values():
            yield from _scalars(one)
    elif isinstance(value, str | int):
        yield str(value)


def _number(value: Any) -> float:  # noqa: ANN401 - any YAML
    """A duration in seconds or a size in bytes, from a text with a unit. ValueError where it is neither."""
    text = str(value)
    size = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)i?B", text)
    if size:
        return float(size[1]) * float(1024 ** " KMGT".index(size[2] or " "))
    if not re.fullmatch(r"(\d+(ms|[smhdwy]))+", text):
        raise ValueError(text)
    return float(sum(seconds(part) for part in re.findall(r"\d+(?:ms|[smhdwy])", text)))


def rules(wanted: Mapping[str, Document], found: Sequence[Document]) -> Iterator[str]:
    """The differences between declared rule files, by name, and the groups that a server has loaded."""
    declared = {
        (name.rpartition("/")[2], group["name"]): group
        for name, file in wanted.items()
        for group in file["groups"] or ()
    }
    loaded = {(str(group["file"]).rpartition("/")[2], group["name"]): group for group in found}
    for key in sorted(declared.keys() - loaded.keys()):
        yield f"group {key[1]} of {key[0]} is not loaded"
    for key in sorted(loaded.keys() - declared.keys()):
        yield f"group {key[1]} of {key[0]} is loaded, not declared"
    for key in sorted(declared.keys() & loaded.keys()):
        yield from _group(key[1], declared[key], loaded[key])


def _group(name: str, wanted: Document, found: Document) -> Iterator[str]:
    interval = wanted.get("interval")
    if interval is not None and _number(interval) != float(found["interval"]):
        yield f"group {name}: the interval is {found['interval']:.0f} s, declared {interval}"
    mine, theirs = list(wanted.get("rules") or ()), list(found.get("rules") or ())
    titles = [[str(rule.get("alert") or rule.get("record")) for rule in mine], [str(rule["name"]) for rule in theirs]]
    if titles[0] != titles[1]:
        missing = [title for title in titles[0] if title not in titles[1]]
        strange = [title for title in titles[1] if title not in titles[0]]
        yield from (f"{title} is not loaded" for title in missing)
        yield from (f"{title} is loaded, not declared" for title in strange)
        if not missing and not strange:
            yield f"group {name} has other rules, or another order"
        return
    for title, rule, other in zip(titles[0], mine, theirs, strict=True):
        changed = _changed(rule, other)
        if changed:
            yield f"{title} differs in {', '.join(changed)}"


def _changed(wanted: Document, found: Document) -> list[str]:
    """What differs in a rule, by the names of a rule file."""
    names = []
    if not _same_query(str(wanted["expr"]), str(found["query"])):
        names.append("expr")
    if "alert" in wanted:
        for key, theirs in (("for", "duration"), ("keep_firing_for", "keepFiringFor")):
            if _number(wanted.get(key, "0s")) != float(found.get(theirs) or 0):
                names.append(key)
    for key in ("labels", "annotations"):
        if _texts(wanted.get(key)) != _texts(found.get(key)):
            names.append(key)
    return names


def _texts(labels: Mapping[str, Any] | None) -> dict[str, str]:
    return {name: str(value) for name, value in (labels or {}).items()}


def _same_query(one: str, other: str) -> bool:
    """Whether two queries are the same but for spaces, and for the order of matchers, which Prometheus sorts."""
    if _bare(one) == _bare(other):
        return True
    try:
        return _bare(promql_parser.parse(one).prettify()) == _bare(promql_parser.parse(other).prettify())
    except ValueError:
        # Of another language: its server prints other quotes and brackets.
        return _unquoted(one) == _unquoted(other)


def _unquoted(query: str) -> str:
    text = query.replace("`", '"').replace("\\\\", "\\").replace('\\"', '"')
    return re.sub(r"[()]", "", _bare(text))


def _bare(query: str) -> str:
    return _MATCHERS.sub(_sorted_matchers, "".join(query.split()))


def _sorted_matchers(found: re.Match[str]) -> str:
    return "{" + ",".join(sorted(found[1].split(","))) + "}"


def constants(files: Mapping[str, str]) -> Constants:
    """The series that only rules of a constant record; `files` are the texts of the rule files."""
    found: dict[str, dict[Labels, float]] = {}
    counted: dict[str, int] = {}
    for text in files.values():
        if not CONSTANT.search(text):
            continue
        for group in load_yaml(text)["groups"]:
            for rule in group["rules"]:
                match = CONSTANT.fullmatch(str(rule["expr"]).strip())
                if match and "record" in rule:
                    labels = frozenset((rule.get("labels") or {}).items())
                    found.setdefault(rule["record"], {})[labels] = float(match[1])
                    counted[rule["record"]] = counted.get(rule["record"], 0) + 1
    records = re.findall(r"^\s*-?\s*record:\s*(\S+)\s*$", "\n".join(files.values()), re.MULTILINE)
    return {name: series for name, series in found.items() if records.count(name) == counted[name]}


def values(wanted: Constants, found: Sequence[Document]) -> Iterator[str]:
    """The differences between constants and the result of a query for them."""
    there: dict[tuple[str, Labels], float] = {}
    for sample in found:
        own = frozenset((name, value) for name, value in sample["metric"].items() if name != "__name__")
        there[sample["metric"]["__name__"], own] = float(sample["value"][1])
    mine = {(name, labels): value for name, series in wanted.items() for labels, value in series.items()}
    for name, labels in sorted(mine, key=str):
        value, wants = there.get((name, labels)), mine[name, labels]
        if value is None:
            yield f"{_series(name, labels)} has no value, declared {wants:g}"
        elif value != wants:
            yield f"{_series(name, labels)} is {value:g}, declared {wants:g}"
    for name, labels in sorted(there.keys() - mine.keys(), key=str):
        yield f"{_series(name, labels)} is {there[name, labels]:g}, not declared"


def _series(name: str, labels: Labels) -> str:
    return f"{name}{{{', '.join(f'{key}={value}' for key, value in sorted(labels))}}}"


def summary(differences: Sequence[str]) -> str:
    """The first differences on one line, and how many more there are."""
    more = f"; and {len(differences) - _MOST} more" if len(differences) > _MOST else ""
    return "; ".join(differences[:_MOST]) + more
