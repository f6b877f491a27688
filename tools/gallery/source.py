"""The running stack's data: the results of a panel's queries from Prometheus and Loki."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

from dashboards.datasources import LOKI
from observability.core import http
from observability.core.errors import ConfigError
from observability.pictures.series import Series, legend
from tools.gallery.view import View

TIMEOUT: Final = 30.0

MOST_LINES: Final = 100
"""Limit of log lines in a query; no panel has room for more."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One log line."""

    time: float
    labels: Mapping[str, str]
    text: str


@dataclass(frozen=True, kw_only=True)
class Source:
    """Addresses of Prometheus and Loki."""

    prometheus: str
    loki: str

    def series(self, panel: Mapping[str, Any], view: View, pixels: float) -> list[Series]:
        """The series of a panel: the results of all its queries, named as in Grafana."""
        found = [
            (target, series["metric"], _points(series))
            for target in panel["targets"]
            for series in self._ask(target, view, pixels)
        ]
        together = [labels for _, labels, _ in found]
        return [
            Series(
                name=legend(target.get("legendFormat"), view.query(target["expr"], pixels), labels, together),
                ref=target["refId"],
                labels=labels,
                points=points,
            )
            for target, labels, points in found
        ]

    def lines(self, panel: Mapping[str, Any], view: View, pixels: float) -> list[Line]:
        """The log lines of a panel, the newest first."""
        found = [
            Line(time=int(moment) / 1e9, labels=stream["stream"], text=text)
            for target in panel["targets"]
            for stream in self._ask(target, view, pixels)
            for moment, text, *_ in stream["values"]
        ]
        return sorted(found, key=lambda line: -line.time)[:MOST_LINES]

    def marks(self, expr: str, view: View) -> list[Series]:
        """The series of an annotation: their points show when it applies."""
        step = max(view.step(1000), 30)
        asked = view.query(expr.replace("$__interval", f"{step:g}s"), 1000)
        answer = self._prometheus(asked, view, step)
        return [Series(name="", ref="", labels=one["metric"], points=_points(one)) for one in answer]

    def _ask(self, target: Mapping[str, Any], view: View, pixels: float) -> list[Any]:
        """The streams or series of one query."""
        expr = view.query(target["expr"], pixels)
        loki = target["datasource"]["uid"] == LOKI
        if target.get("instant") or target.get("queryType") == "instant":
            path = f"{self.loki}/loki/api/v1/query" if loki else f"{self.prometheus}/api/v1/query"
            return _result(path, {"query": expr, "time": f"{view.end:.3f}"})
        if not loki:
            return self._prometheus(expr, view, view.step(pixels))
        asked = {
            "query": expr,
            "start": f"{view.start * 1e9:.0f}",
            "end": f"{view.end * 1e9:.0f}",
            "step": f"{view.step(pixels):g}",
            "limit": str(MOST_LINES),
        }
        return _result(f"{self.loki}/loki/api/v1/query_range", asked)

    def _prometheus(self, expr: str, view: View, step: float) -> list[Any]:
        # Aligned to whole steps, as Grafana does: the same points at every query.
        asked = {
            "query": expr,
            "start": f"{view.start // step * step:.3f}",
            "end": f"{view.end // step * step:.3f}",
            "step": f"{step:g}",
        }
        return _result(f"{self.prometheus}/api/v1/query_range", asked)


def _result(url: str, asked: Mapping[str, str]) -> list[Any]:
    """The result of a query; ConfigError if there is none."""
    try:
        answer = http.get(url, params=dict(asked), timeout=TIMEOUT)
    except httpx.HTTPError as error:
        raise ConfigError(f"{url} does not answer: {error}", "bring the stack up first: ./obs up dev") from None
    if not answer.is_success:
        raise ConfigError(f"{url} refuses {asked['query']}: {answer.text[:200]}", "fix the panel's query")
    result: list[Any] = answer.json()["data"]["result"]
    return result


def _points(series: Mapping[str, Any]) -> tuple[tuple[float, float], ...]:
    values = series["values"] if "values" in series else [series["value"]]
    return tuple((float(moment), float(value)) for moment, value in values)
