"""Pictures of the panels that alerts link to, drawn from Prometheus' data into a folder.

A picture is served under a name that cannot be guessed, without sign-in: a reader of the message has its address.
"""

import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from observability.notifier.evidence import Ask
from observability.pictures.series import Series, Span, legend

SHOWN: Final = 3600
"""Seconds before the moment of drawing that a picture shows."""

KEPT: Final = 7 * 86400
"""Seconds for which a picture is kept."""

NAME: Final = re.compile(r"[A-Za-z0-9_-]{22}\.png")
"""Name of a picture: 128 random bits."""

_SAFE: Final = re.compile(r"[\w .:/@-]+")
"""Values of variables that may stand in a query."""

Draw = Callable[[Mapping[str, Any], list[Series], Span, float], bytes]


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """Where pictures are drawn to, at which address the folder is, and the panels by `<dashboard>/<panel>`."""

    folder: Path
    url: str
    panels: Mapping[str, Mapping[str, Any]]
    scrape: float
    draw: Draw

    def of(self, annotations: Mapping[str, str], since: float, ask: Ask) -> str | None:
        """The address of a new picture of the panel that an alert links to; None where there is no such panel or data.

        NoAnswerError without Prometheus.
        """
        link = urlsplit(annotations.get("dashboard_url", ""))
        asked = {name: values[0] for name, values in parse_qs(link.query).items()}
        panel = self.panels.get(f"{link.path.rpartition('/d/')[2]}/{asked.get('viewPanel', '')}")
        if panel is None:
            return None
        end = time.time()
        span = Span(start=end - SHOWN, end=end, scrape=self.scrape)
        found = self._series(panel, span, asked, ask)
        if not found:
            return None
        name = f"{secrets.token_urlsafe(16)}.png"
        (self.folder / name).write_bytes(self.draw(panel, found, span, since))
        return f"{self.url}/{name}"

    def tidy(self) -> None:
        """Remove pictures that are older than KEPT."""
        for path in self.folder.glob("*.png"):
            if time.time() - path.stat().st_mtime > KEPT:
                path.unlink(missing_ok=True)

    def _series(self, panel: Mapping[str, Any], span: Span, asked: Mapping[str, str], ask: Ask) -> list[Series]:
        def value(name: str) -> str:
            given = asked.get(f"var-{name}", "")
            return given if _SAFE.fullmatch(given) else ".*"

        step = span.step(700)
        series = []
        for target in panel["targets"]:
            expr = span.filled(target["expr"], 700, value)
            params = {
                "query": expr,
                "start": f"{span.start // step * step:.0f}",
                "end": f"{span.end // step * step:.0f}",
                "step": f"{step:g}",
            }
            for one in ask("prometheus", "/api/v1/query_range", params)["data"]["result"]:
                series.append((target, expr, one))
        labels = [one["metric"] for _, _, one in series]
        return [
            Series(
                name=legend(target.get("legendFormat"), expr, one["metric"], labels),
                ref=target["refId"],
                labels=one["metric"],
                points=tuple((float(moment), float(number)) for moment, number in one["values"]),
            )
            for target, expr, one in series
        ]
