"""Every query of every dashboard, for tools that read, check or run them all."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from dashboards.datasources import LOKI
from dashboards.registry import dashboards
from observability.pictures.series import VARIABLE, fill
from observability.settings.load import StackConfig

_MACROS: Final = {
    "$__rate_interval": "1m",
    "$__interval": "30s",
    "$__range": "1h",
    "$__auto": "1m",
}
"""Grafana's values of the time macros, for a range of an hour on a screen."""

_VALUES: Final = re.compile(r"label_values\((?:(?P<series>.+), *)?(?P<label>\w+)\)")


@dataclass(frozen=True, kw_only=True)
class Query:
    """One query and its location: on a panel, an annotation or a variable of a dashboard."""

    dashboard: str
    owner: str
    expr: str
    source: str
    """uid of the data source that is queried."""
    instant: bool = False
    """Whether it is an instant query at the end of the time range."""

    @property
    def variables(self) -> frozenset[str]:
        """The dashboard's own variables that the query reads."""
        return frozenset(a or b for a, b in VARIABLE.findall(self.expr)) - {name[1:] for name in _MACROS}

    @property
    def filled(self) -> str:
        """The query as Grafana sends it with everything selected and no search text."""
        everything = ".+" if self.source == LOKI else ".*"
        return fill(self.expr, _MACROS, lambda name: "" if name == "search" else everything)


def queries(config: StackConfig) -> tuple[Query, ...]:
    """Every query of a stack's dashboards, in order; the series of a variable count as one query."""
    return tuple(query for entry in dashboards(config) for query in of_dashboard(json.loads(entry.text)))


def of_dashboard(document: Mapping[str, Any]) -> Iterator[Query]:
    """The queries of one dashboard in PromQL and LogQL, given as Grafana's JSON."""
    uid = document["uid"]
    for title, target in ((panel["title"], target) for panel in panels(document) for target in panel["targets"]):
        if "expr" not in target:
            continue
        instant = bool(target.get("instant"))
        source = target["datasource"]["uid"]
        yield Query(dashboard=uid, owner=title, expr=target["expr"], source=source, instant=instant)
    for owner, source, expr in (*_on_annotations(document), *_in_variables(document)):
        yield Query(dashboard=uid, owner=owner, expr=expr, source=source)


def panels(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The panels of a dashboard, without rows, including those in folded rows."""
    for panel in document["panels"]:
        if panel["type"] == "row":
            yield from panel["panels"]
        else:
            yield panel


def _on_annotations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for annotation in document["annotations"]["list"]:
        if "expr" in annotation:
            yield f"annotation {annotation['name']}", annotation["datasource"]["uid"], annotation["expr"]


def _in_variables(document: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for variable in document["templating"]["list"]:
        found = _VALUES.fullmatch(variable["query"]) if variable["type"] == "query" else None
        if found and found["series"]:
            yield f"variable {variable['name']}", variable["datasource"]["uid"], found["series"]
