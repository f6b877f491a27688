"""What Grafana reckons before it asks: the time shown, the distance of two points, variables, names of series."""

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
"""Below how many seconds a distance of two points becomes which round one, as Grafana does it."""

_DAY_STEP: Final = 43200

_LEGEND: Final = re.compile(r"\{\{\s*(\w+)\s*\}\}")


@dataclass(frozen=True, kw_only=True)
class View:
    """The time that a dashboard shows, in seconds, and what is chosen on it."""

    start: float
    end: float
    values: Mapping[str, str]
    scrape: float
    """Seconds between two scrapes: no query asks for points closer than that."""

    @classmethod
    def of(cls, document: Mapping[str, Any], at: float, scrape: float) -> "View":
        """What the dashboard shows when it is opened at a moment: its own range, every choice at `All`."""
        shown = seconds(document["time"]["from"].removeprefix("now-"))
        return cls(start=at - shown, end=at, values=chosen(document), scrape=scrape)

    @property
    def shown(self) -> float:
        """Seconds shown."""
        return self.end - self.start

    def step(self, pixels: float) -> float:
        """Seconds between two points of a panel that is so many pixels wide."""
        exact = self.shown / pixels
        rounded = next((step for below, step in _STEPS if exact < below), _DAY_STEP)
        return max(rounded, self.scrape)

    def filled(self, expr: str, pixels: float) -> str:
        """The query as Grafana asks it for a panel that is so many pixels wide."""
        step = self.step(pixels)
        macros = {
            "$__rate_interval": f"{max(step + self.scrape, 4 * self.scrape):g}s",
            "$__interval": f"{step:g}s",
            "$__range": f"{self.shown:.0f}s",
            "$__auto": f"{step:g}s",
        }
        return fill(expr, macros, lambda name: self.values[name])


def chosen(document: Mapping[str, Any]) -> dict[str, str]:
    """What Grafana puts for each variable of a dashboard that was just opened."""
    return {variable["name"]: variable.get("allValue") or "" for variable in document["templating"]["list"]}


def legend(pattern: str | None, expr: str, labels: Mapping[str, str], together: Sequence[Mapping[str, str]]) -> str:
    """The name of a series: by its query's pattern, else by what Grafana makes of its labels.

    `together` are the labels of all series of the panel: where they have one in common, its value will do.
    """
    if pattern and pattern != "__auto":
        return _LEGEND.sub(lambda found: labels.get(found.group(1), ""), pattern)
    names = {name for one in together for name in one}
    if len(names) == 1 and labels:
        return next(iter(labels.values()))
    return written(labels) or expr


def written(labels: Mapping[str, str]) -> str:
    """Labels as PromQL writes them, the name of the series before them; empty where there are none."""
    inside = ", ".join(f'{name}="{value}"' for name, value in sorted(labels.items()) if name != "__name__")
    return labels.get("__name__", "") + (f"{{{inside}}}" if inside else "")
