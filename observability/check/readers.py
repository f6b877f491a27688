"""Queries outside of rule files: on dashboards and in runbooks."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dashboards.registry import dashboards
from observability.check.promql import ANY_VALUE
from observability.core import project
from observability.settings.load import StackConfig

_RANGE: Final = re.compile(r"\$(?:__rate_interval|__interval|__range)\b|\$\{__(?:rate_interval|interval|range)\}")
_VARIABLE: Final = re.compile(r"\$\{\w+(?::\w+)?\}|\$\w+|\[\[\w+\]\]")
_VALUES: Final = re.compile(r"label_values\((?:(?P<series>.*),)?\s*(?P<label>\w+)\s*\)", re.DOTALL)
_PLACEHOLDER: Final = re.compile(r'(?<=")[^"]*\b[A-Z][A-Z_-]{2,}\b[^"]*(?=")')
_FENCE: Final = re.compile(r"^\s*```promql\n(.*?)^\s*```", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Query:
    """One query, and its location."""

    where: str
    text: str
    line: int | None = None
    """Line in the file, if it is in one."""


def on_dashboards(config: StackConfig) -> Iterator[Query]:
    """Every PromQL query of every panel, annotation and variable; a value that a user selects matches everything."""
    for entry in dashboards(config):
        yield from of_dashboard(json.loads(entry.text))


def of_dashboard(document: Mapping[str, Any]) -> Iterator[Query]:
    """The queries of one dashboard."""
    for owner, text in _expressions(dict(document), document["title"], ""):
        filled = _VARIABLE.sub(ANY_VALUE, _RANGE.sub("5m", text))
        yield Query(where=f"dashboard {document['uid']}: {owner}", text=filled)


def _expressions(found: Any, owner: str, source: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - any JSON
    """Queries in a part of a dashboard, with the title of their panel or variable."""
    if isinstance(found, list):
        for one in found:
            yield from _expressions(one, owner, source)
    if not isinstance(found, dict):
        return
    owner = found.get("title") or found.get("name") or owner
    if isinstance(found.get("datasource"), dict):
        source = found["datasource"].get("type", source)
    if source == "loki":
        return
    if isinstance(found.get("expr"), str) and found["expr"]:
        yield owner, found["expr"]
    if found.get("type") == "query":
        yield from ((owner, text) for text in _of_variable(found.get("query")))
    for key, value in found.items():
        if key not in ("expr", "query"):
            yield from _expressions(value, owner, source)


def _of_variable(query: Any) -> Iterator[str]:  # noqa: ANN401 - text, or a mapping that contains it
    """The series whose label values a variable takes, with that label."""
    text = query.get("query", "") if isinstance(query, dict) else query or ""
    match = _VALUES.fullmatch(text.strip())
    if match and match["series"]:
        yield f"count by ({match['label']}) ({match['series']})"
    elif text.startswith("query_result("):
        yield text.removeprefix("query_result(").removesuffix(")")


def in_runbooks() -> Iterator[Query]:
    """Every query in a block marked `promql` of every runbook, built-in and the project's."""
    for path in project.files("runbooks", ".md").values():
        yield from of_page(path)


def of_page(path: Path) -> Iterator[Query]:
    """The queries of one runbook; a word in capitals is a placeholder that the reader fills in."""
    text = path.read_text(encoding="utf-8")
    for number, match in enumerate(_FENCE.finditer(text), start=1):
        for query in re.split(r"\n\s*\n|^\s*#.*$", match[1], flags=re.MULTILINE):
            if query.strip():
                filled = _PLACEHOLDER.sub(ANY_VALUE, query)
                at = text.index(query, match.start(1)) + len(query) - len(query.lstrip())
                where = f"runbooks/{path.name}: query block {number}"
                yield Query(where=where, text=filled, line=text.count("\n", 0, at) + 1)
