"""A dashboard's time range, and the values of its variables."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from observability.core.types import seconds
from observability.pictures.series import Span


@dataclass(frozen=True, kw_only=True)
class View(Span):
    """The time range of a dashboard, and the values of its variables."""

    values: Mapping[str, str]

    @classmethod
    def of(cls, document: Mapping[str, Any], at: float, scrape: float) -> "View":
        """The view of a dashboard that is opened at a time: its default range, every variable at `All`."""
        shown = seconds(document["time"]["from"].removeprefix("now-"))
        return cls(start=at - shown, end=at, values=chosen(document), scrape=scrape)

    def query(self, expr: str, pixels: float) -> str:
        """The query as Grafana sends it for a panel of this width."""
        return self.filled(expr, pixels, lambda name: self.values[name])


def chosen(document: Mapping[str, Any]) -> dict[str, str]:
    """The value of each variable of a dashboard that was just opened."""
    return {variable["name"]: variable.get("allValue") or "" for variable in document["templating"]["list"]}
