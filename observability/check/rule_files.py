"""The form of a rule file, with the line of each error: errors that Prometheus would report, found before it runs."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from observability.check.problem import Problem, of_error
from observability.core import project
from observability.core.documents import SafeLoader, nearest, parse_yaml
from observability.core.errors import ConfigError
from observability.core.types import seconds

_TOP: Final = frozenset({"groups"})
_GROUP: Final = frozenset({"name", "interval", "query_offset", "limit", "labels", "rules"})
_RULE: Final = frozenset({"alert", "record", "expr", "for", "keep_firing_for", "labels", "annotations"})


@dataclass(frozen=True, kw_only=True)
class Place:
    """The position of a rule in its file."""

    group: str
    name: str
    alert: bool
    line: int
    expr_line: int


def check_file(path: Path) -> tuple[list[Problem], list[Place]]:
    """The errors of form of one rule file, and the position of every rule in it."""
    shown = project.shown(path)
    try:
        parse_yaml(path, shown, rules=True)
    except ConfigError as error:
        return [of_error(error, path)], []
    root = yaml.compose(path.read_text(encoding="utf-8"), SafeLoader)
    reader = _Reader(shown)
    reader.file(root)
    return reader.problems, reader.places


class _Reader:
    """Walks the nodes of one file and collects the results."""

    def __init__(self, shown: str) -> None:
        self._shown = shown
        self.problems: list[Problem] = []
        self.places: list[Place] = []

    def file(self, root: yaml.Node | None) -> None:
        groups = self._mapping(root, "the file", _TOP).get("groups") if root is not None else None
        if groups is None:
            self._add(root, "has no list `groups`", "begin the file with `groups:` and a list; see rules/stack.yaml")
            return
        names: set[str] = set()
        for group in self._sequence(groups, "groups"):
            fields = self._mapping(group, "a group", _GROUP)
            name = self._text(fields.get("name"))
            if not name:
                self._add(group, "a group has no name", "add `name:`, unique in the file")
            elif name in names:
                self._add(fields["name"], f"two groups are named {name!r}", "rename one of them")
            names.add(name)
            self._duration(fields, "interval")
            if "rules" not in fields:
                self._add(group, f"the group {name!r} has no rules", "add a list `rules:`, or remove the group")
                continue
            for rule in self._sequence(fields["rules"], "rules"):
                self._rule(rule, name)

    def _rule(self, node: yaml.Node, group: str) -> None:
        fields = self._mapping(node, "a rule", _RULE)
        kinds = [kind for kind in ("alert", "record") if kind in fields]
        if len(kinds) != 1:
            self._add(
                node, f"a rule has {' and '.join(kinds) or 'neither alert nor record'}", "give it one of the two"
            )
            return
        (kind,) = kinds
        name = self._text(fields[kind])
        if not name:
            self._add(fields[kind], f"{kind} is empty", "write its name")
        expr = fields.get("expr")
        if expr is None or not self._text(expr):
            self._add(node, f"{name}: has no expr", "add `expr:` with a PromQL expression")
        for field in ("for", "keep_firing_for"):
            self._duration(fields, field)
            if kind == "record" and field in fields:
                self._add(fields[field], f"{name}: a recording rule has no {field}", f"remove {field}")
        if kind == "record" and "annotations" in fields:
            self._add(fields["annotations"], f"{name}: a recording rule has no annotations", "remove annotations")
        for field in ("labels", "annotations"):
            if field in fields:
                for key, value in self._mapping(fields[field], f"{name}: {field}", None).items():
                    if not isinstance(value, yaml.ScalarNode):
                        self._add(value, f"{name}: {field}.{key} is not text", "write it as one string")
                    elif value.tag != "tag:yaml.org,2002:str":
                        self._add(value, f"{name}: {field}.{key} is not text", f'quote it: "{value.value}"')
        line = (expr or node).start_mark.line + 1
        self.places.append(
            Place(group=group, name=name, alert=kind == "alert", line=node.start_mark.line + 1, expr_line=line)
        )

    def _duration(self, fields: dict[str, yaml.Node], name: str) -> None:
        if name not in fields:
            return
        said = self._text(fields[name])
        try:
            seconds(said)
        except ValueError:
            self._add(fields[name], f"{name}: {said!r} is not a duration", "write it like 30s, 5m or 1h30m")

    def _mapping(self, node: yaml.Node | None, what: str, known: Collection[str] | None) -> dict[str, yaml.Node]:
        if not isinstance(node, yaml.MappingNode):
            self._add(node, f"{what} is not a mapping", "write it as `key: value` lines")
            return {}
        found = {str(key.value): value for key, value in node.value}
        for key, _ in node.value:
            if known is not None and key.value not in known:
                self._add(
                    key,
                    f"{what} has an unknown key {key.value!r}",
                    f"{nearest(str(key.value), known)}known here: {', '.join(sorted(known))}",
                )
        return found

    def _sequence(self, node: yaml.Node, what: str) -> Iterator[yaml.Node]:
        if isinstance(node, yaml.SequenceNode):
            yield from node.value
        else:
            self._add(node, f"{what} is not a list", "begin each of its elements with `- `")

    def _text(self, node: yaml.Node | None) -> str:
        return str(node.value) if isinstance(node, yaml.ScalarNode) else ""

    def _add(self, node: yaml.Node | None, what: str, fix: str) -> None:
        line = node.start_mark.line + 1 if node is not None else None
        self.problems.append(Problem(file=self._shown, line=line, what=what, fix=fix))
