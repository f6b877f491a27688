"""Rule files as data: every rule with its file and group."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import yaml

from observability.check.promql import Node, parse
from observability.core.documents import RuleLoader
from observability.core.types import seconds


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule; times in seconds."""

    file: str
    group: str
    interval: float
    name: str
    alert: bool
    expr: str
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    wait: float = 0.0

    @property
    def where(self) -> str:
        """Its place, as shown in messages."""
        return f"rules/{self.file}: group {self.group}: {self.name}"

    @cached_property
    def node(self) -> Node:
        """Its expression as a tree; QueryError where it does not parse."""
        return parse(self.expr)


def read(files: Mapping[str, str], interval: float) -> list[Rule]:
    """Every rule of these files, by name; `interval` is that of groups without one."""
    return [rule for file, text in sorted(files.items()) for rule in _rules(file, text, interval)]


def _rules(file: str, text: str, interval: float) -> Iterator[Rule]:
    for group in yaml.load(text, RuleLoader)["groups"]:  # noqa: S506 - a safe loader
        every = seconds(group["interval"]) if "interval" in group else interval
        for rule in group["rules"]:
            yield Rule(
                file=file,
                group=group["name"],
                interval=every,
                name=rule.get("alert") or rule["record"],
                alert="alert" in rule,
                expr=str(rule["expr"]),
                labels={name: str(value) for name, value in (rule.get("labels") or {}).items()},
                annotations=rule.get("annotations") or {},
                wait=seconds(str(rule["for"])) if rule.get("for") else 0.0,
            )
