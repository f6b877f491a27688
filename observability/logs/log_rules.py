"""The rules that Loki's ruler evaluates: the files of `rules/loki/`, and the series that they record in Prometheus."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from observability.core import project
from observability.core.documents import parse_yaml
from observability.core.errors import ConfigError
from observability.core.types import seconds

TENANT: Final = "fake"
"""The tenant of a Loki without authentication; its rules lie in a folder of this name."""

EVERY_SECONDS: Final = 60.0
"""Interval of a group that states none: Loki's default."""

_BY: Final = re.compile(r"\s*(?:sum|max|min|avg|count) by \((?P<labels>[a-z_,\s]*)\)")
_NO_LABELS: Final = re.compile(r"\s*(?:vector\(|(?:sum|max|min|avg|count)\s*\()")


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """A series that Loki writes to Prometheus: its name, its labels, and how often it has a sample (seconds)."""

    name: str
    labels: frozenset[str]
    interval: float
    file: str


def files(root: Path | None = None) -> dict[str, str]:
    """The ruler's files: path below its folder → text, as written; ConfigError where a file is not a rule file."""
    return {f"{TENANT}/{path.name}": path.read_text(encoding="utf-8") for _, path, _ in _load(root)}


def recorded(root: Path | None = None) -> list[Recorded]:
    """Every recorded series; ConfigError where an expression does not state its labels."""
    return [
        _recorded(shown, rule, group)
        for shown, _, document in _load(root)
        for group in document["groups"]
        for rule in group["rules"]
        if "record" in rule
    ]


def _load(root: Path | None) -> Iterator[tuple[str, Path, dict[str, Any]]]:
    for path in project.files("rules/loki", *project.YAML, root=root).values():
        shown = project.shown(path) if root is None else str(path.relative_to(root))
        document = parse_yaml(path, shown, rules=True)
        groups = document.get("groups") if isinstance(document, dict) else None
        if not isinstance(groups, list):
            raise ConfigError(
                f"{shown}: not a rule file: it has no list `groups`", "begin it with `groups:` and a list"
            )
        for group in groups:
            if not isinstance(group, dict) or not isinstance(group.get("rules"), list):
                raise ConfigError(f"{shown}: a group has no list `rules`", "add a list `rules:` to each group")
        yield shown, path, document


def _recorded(shown: str, rule: dict[str, Any], group: dict[str, Any]) -> Recorded:
    expr = str(rule.get("expr", ""))
    by = _BY.match(expr)
    if by is None and _NO_LABELS.match(expr) is None:
        raise ConfigError(
            f"{shown}: {rule['record']}: its expression does not state the labels of its result",
            "aggregate it: `sum by (system, service) (…)`; each label value is a series in Prometheus",
        )
    names = frozenset(by["labels"].replace(",", " ").split()) if by else frozenset[str]()
    return Recorded(
        name=str(rule["record"]),
        labels=names | frozenset(rule.get("labels") or {}),
        interval=seconds(str(group["interval"])) if "interval" in group else EVERY_SECONDS,
        file=shown,
    )
