"""What Grafana computes before a query: the time range, the step, variables, names of series."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dashboards.queries import fill
from observability.core.types import seconds

_STEPS: Final = (
    (1.5, 1),
    (3.5, 2),
    (7.5, 5),
    (12.5, 10),
    (17.5, 15),
    (25, 20),
    (45, 30),
    (90, 60),
    (210, 120),
    (450, 300),
    (750, 600),
    (1050, 900),
    (1500, 1200),
    (2700, 1800),
    (5400, 3600),
    (9000, 7200),
    (16200, 10800),
    (32400, 21600),
)
"""Upper limit of the exact step in seconds, and the rounded step, as in Grafana."""

_DAY_STEP: Final = 43200

_LEGEND: Final = re.compile(r"\{\{\s*(\w+)\s*\}\}")


@dataclass(frozen=True, kw_only=True)
class View:
    """The time range of a dashboard, in seconds, and the values of its variables."""

    start: float
    end: float
    values: Mapping[str, str]
    scrape: float
    """Scrape interval in seconds: no query has a shorter step."""

    @classmethod
    def of(cls, document: Mapping[str, Any], at: float, scrape: float) -> "View":
        """The view of a dashboard that is opened at a time: its default range, every variable at `All`."""
        shown = seconds(document["time"]["from"].removeprefix("now-"))
        return cls(start=at - shown, end=at, values=chosen(document), scrape=scrape)

    @property
    def shown(self) -> float:
        """Length of the time range in seconds."""
        return self.end - self.start

    def step(self, pixels: float) -> float:
        """Seconds between two points of a panel of this width."""
        exact = self.shown / pixels
        rounded = next((step for below, step in _STEPS if exact < below), _DAY_STEP)
        return max(rounded, self.scrape)

    def filled(self, expr: str, pixels: float) -> str:
        """The query as Grafana sends it for a panel of this width."""
        step = self.step(pixels)
        macros = {
            "$__rate_interval": f"{max(step + self.scrape, 4 * self.scrape):g}s",
            "$__interval": f"{step:g}s",
            "$__range": f"{self.shown:.0f}s",
            "$__auto": f"{step:g}s",
        }
        return fill(expr, macros, lambda name: self.values[name])


def chosen(document: Mapping[str, Any]) -> dict[str, str]:
    """The value of each variable of a dashboard that was just opened."""
    return {variable["name"]: variable.get("allValue") or "" for variable in document["templating"]["list"]}


def legend(pattern: str | None, expr: str, labels: Mapping[str, str], together: Sequence[Mapping[str, str]]) -> str:
    """The name of a series: from its query's legend format, else from its labels as in Grafana.

    `together` are the labels of all series of the panel: if they have only one, its value is the name.
    """
    if pattern and pattern != "__auto":
        return _LEGEND.sub(lambda found: labels.get(found.group(1), ""), pattern)
    names = {name for one in together for name in one}
    if len(names) == 1 and labels:
        return next(iter(labels.values()))
    return written(labels) or expr


def written(labels: Mapping[str, str]) -> str:
    """Labels in PromQL's notation after the name of the series; empty if there are none."""
    inside = ", ".join(f'{name}="{value}"' for name, value in sorted(labels.items()) if name != "__name__")
    return labels.get("__name__", "") + (f"{{{inside}}}" if inside else "")
