"""Which alerts have a value that is a level, from their rules."""

import re
from collections.abc import Mapping
from typing import Any, Final

import promql_parser as pp
import yaml

from observability.core.documents import RuleLoader
from observability.notifier.worse import Level

_VALUE: Final = re.compile(r'\{\{-?\s*\$value\s*\|\s*(?:(humanize\w*)|printf\s+"(%[^"]*)")\s*-?\}\}')
"""The value in an alert's text, with its format."""


def levels(rules: Mapping[str, str]) -> dict[str, Level]:
    """The alerts that compare a value and state it in their text, by name and severity with a slash between.

    An alert with several rules of one severity is a level only if all of them are the same one. An age, measured by
    `time()`, is none: it grows while nothing gets worse.
    """
    found: dict[str, set[Level | None]] = {}
    for text in rules.values():
        if "alert:" not in text:
            continue
        document: Any = yaml.load(text, RuleLoader)  # noqa: S506 - a safe loader
        for rule in (rule for group in document["groups"] for rule in group["rules"] if "alert" in rule):
            severity = rule.get("labels", {}).get("severity", "")
            if severity != "info":
                found.setdefault(f"{rule['alert']}/{severity}", set()).add(_level(rule))
    return {name: only for name, (only, *more) in sorted(found.items()) if only is not None and not more}


def _level(rule: Mapping[str, Any]) -> Level | None:
    if "time()" in rule["expr"]:
        return None
    notes = rule.get("annotations", {})
    stated = _VALUE.search(f"{notes.get('summary', '')} {notes.get('description', '')}")
    try:
        high = _high_is_bad(pp.parse(rule["expr"]))
    except ValueError:
        # `obs check` and promtool report it, with its place.
        return None
    return None if stated is None or high is None else Level(high=high, form=stated[1] or stated[2])


def _high_is_bad(node: pp.Expr) -> bool | None:
    """Whether the expression returns values above a limit (True) or below one (False); None if it does neither."""
    match node:
        case pp.ParenExpr():
            return _high_is_bad(node.expr)
        case pp.BinaryExpr() if str(node.op) in ("and", "unless"):
            return _high_is_bad(node.lhs)
        case pp.BinaryExpr() if str(node.op) == "or":
            one, other = _high_is_bad(node.lhs), _high_is_bad(node.rhs)
            return one if one == other else None
        case pp.BinaryExpr() if str(node.op) in (">", ">=", "<", "<="):
            if (node.modifier and node.modifier.return_bool) or isinstance(node.lhs, pp.NumberLiteral):
                return None
            return str(node.op).startswith(">")
    return None
