"""Every query of every dashboard, for whoever wants to read, check or ask them all."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from config.load import StackConfig
from dashboards.datasources import LOKI
from dashboards.registry import dashboards

_MACROS: Final = {
    "$__rate_interval": "1m",
    "$__interval": "30s",
    "$__range": "1h",
    "$__auto": "1m",
}
"""What Grafana puts for the time shown, for an hour on a screen."""

_VARIABLE: Final = re.compile(r"\$([A-Za-z_]\w*)|\$\{(\w+)(?::\w+)?\}")
_VALUES: Final = re.compile(r"label_values\((?:(?P<series>.+), *)?(?P<label>\w+)\)")


@dataclass(frozen=True, kw_only=True)
class Query:
    """One query, and where it stands: on a panel, an annotation or a variable of a dashboard."""

    dashboard: str
    owner: str
    expr: str
    source: str
    """uid of the data source that is asked."""

    @property
    def variables(self) -> frozenset[str]:
        """The dashboard's own variables that it reads."""
        return frozenset(a or b for a, b in _VARIABLE.findall(self.expr)) - {name[1:] for name in _MACROS}

    @property
    def filled(self) -> str:
        """The query as Grafana asks it where everything is chosen and nothing is searched for."""
        filled = self.expr
        for macro, value in _MACROS.items():
            filled = filled.replace(macro, value)
        everything = ".+" if self.source == LOKI else ".*"
        return _VARIABLE.sub(lambda found: "" if "search" in found.groups() else everything, filled)


def queries(config: StackConfig) -> tuple[Query, ...]:
    """Every query of a stack's dashboards, in their order; the series of a variable count as one."""
    return tuple(query for entry in dashboards(config) for query in of_dashboard(json.loads(entry.text)))


def of_dashboard(document: Mapping[str, Any]) -> Iterator[Query]:
    """The queries of one dashboard, given as Grafana's JSON."""
    for owner, source, expr in (*_on_panels(document), *_on_annotations(document), *_in_variables(document)):
        yield Query(dashboard=document["uid"], owner=owner, expr=expr, source=source)


def panels(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The panels of a dashboard, rows left out, those in folded rows among them."""
    for panel in document["panels"]:
        if panel["type"] == "row":
            yield from panel["panels"]
        else:
            yield panel


def _on_panels(document: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for panel in panels(document):
        for target in panel.get("targets", ()):
            yield panel["title"], target["datasource"]["uid"], target["expr"]


def _on_annotations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for annotation in document["annotations"]["list"]:
        if "expr" in annotation:
            yield f"annotation {annotation['name']}", annotation["datasource"]["uid"], annotation["expr"]


def _in_variables(document: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for variable in document["templating"]["list"]:
        found = _VALUES.fullmatch(variable["query"]) if variable["type"] == "query" else None
        if found and found["series"]:
            yield f"variable {variable['name']}", variable["datasource"]["uid"], found["series"]
