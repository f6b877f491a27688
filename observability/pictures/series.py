"""What Grafana computes before a query and after it: the step, variables, names of series."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

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
VARIABLE: Final = re.compile(r"\$([A-Za-z_]\w*)|\$\{(\w+)(?::\w+)?\}")
"""A variable in a query; its name is in one of the two groups."""


@dataclass(frozen=True, kw_only=True)
class Series:
    """One series: of many points over time, or of one at this moment."""

    name: str
    ref: str
    labels: Mapping[str, str]
    points: tuple[tuple[float, float], ...]
    """Seconds and value."""


@dataclass(frozen=True, kw_only=True)
class Span:
    """A time range in seconds."""

    start: float
    end: float
    scrape: float
    """Scrape interval in seconds: no query has a shorter step."""

    @property
    def shown(self) -> float:
        """Length of the time range in seconds."""
        return self.end - self.start

    def step(self, pixels: float) -> float:
        """Seconds between two points of a panel of this width."""
        exact = self.shown / pixels
        rounded = next((step for below, step in _STEPS if exact < below), _DAY_STEP)
        return max(rounded, self.scrape)

    def filled(self, expr: str, pixels: float, value: Callable[[str], str]) -> str:
        """The query as Grafana sends it for a panel of this width, with the values of variables by their names."""
        step = self.step(pixels)
        macros = {
            "$__rate_interval": f"{max(step + self.scrape, 4 * self.scrape):g}s",
            "$__interval": f"{step:g}s",
            "$__range": f"{self.shown:.0f}s",
            "$__auto": f"{step:g}s",
        }
        return fill(expr, macros, value)


def fill(expr: str, macros: Mapping[str, str], value: Callable[[str], str]) -> str:
    """A query with values for Grafana's own macros, and for the dashboard's variables by their names."""
    for macro, written in macros.items():
        expr = expr.replace(macro, written)
    return VARIABLE.sub(lambda found: value(found.group(1) or found.group(2)), expr)


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
