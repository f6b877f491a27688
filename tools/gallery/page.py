"""One dashboard as a picture: its bar, its rows and panels by Grafana's grid, with collapsed rows expanded."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from dashboards.layout import GRID_WIDTH
from observability.pictures.fields import no_value
from observability.pictures.graph import graph
from observability.pictures.series import Series
from observability.pictures.theme import COLOURS, EDGE, FAINT, PANEL, TEXT, Box, width
from tools.gallery import figures, nodes
from tools.gallery.canvas import Canvas
from tools.gallery.source import Line, Source
from tools.gallery.view import View

WIDTH: Final = 1240
MARGIN: Final = 16
UNIT: Final = 30
GAP: Final = 8
"""Pixels of Grafana's grid: the height of one unit, and the gap between two panels."""

BAR: Final = 92
FOOT: Final = 34
HEAD: Final = 30
"""Heights of the top bar, the bottom line, and a panel's title."""

FIGURES: Final = {
    "stat": figures.stat,
    "state-timeline": figures.timeline,
    "table": figures.table,
    "nodeGraph": nodes.graph,
}
"""Drawing functions of the panel types without a numeric axis."""

KINDS: Final = frozenset({*FIGURES, "timeseries", "logs"})
"""The panel types that can be drawn: those that the dashboards use."""

CAPTION: Final = "Drawn from a dev stack's data by this project's own renderer; not a screenshot of Grafana."


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A picture, and how many of its panels have data."""

    png: bytes
    panels: int
    empty: tuple[str, ...]
    """Titles of the panels without data."""


@dataclass(frozen=True)
class Placed:
    """A panel or a row's heading, and its position in grid units from the top after all rows are expanded."""

    panel: Mapping[str, Any]
    y: float
    folded: bool


def draw(document: Mapping[str, Any], folder: str, source: Source, view: View) -> Drawn:
    """Query all data of the dashboard and draw it."""
    placed = unfolded(document["panels"])
    rows = max((one.y + one.panel["gridPos"]["h"] for one in placed), default=0)
    canvas = Canvas(WIDTH, BAR + rows * (UNIT + GAP) + FOOT)
    _bar(canvas, document, folder, view)
    marked = marks_of(document, source, view)
    empty = []
    for one in placed:
        box = _box(one.panel["gridPos"], one.y)
        if one.panel["type"] == "row":
            _row(canvas, box, one)
        elif not _panel(canvas, box, one.panel, source, view, marked):
            empty.append(one.panel["title"])
    moment = datetime.fromtimestamp(view.end, UTC).strftime("%Y-%m-%d %H:%M UTC")
    canvas.text(MARGIN, canvas.box.bottom - FOOT / 2, f"{CAPTION} {moment}", 10, FAINT)
    count = sum(one.panel["type"] != "row" for one in placed)
    facts = {"Description": CAPTION, "Drawn": moment, "Panels": str(count), "Empty": str(len(empty))}
    return Drawn(png=canvas.png(facts), panels=count, empty=tuple(empty))


def unfolded(panels: Sequence[Mapping[str, Any]]) -> list[Placed]:
    """Every row and panel; collapsed rows are expanded below their heading and the rest is moved down."""
    found = []
    down = 0
    for panel in panels:
        folded = panel["type"] == "row" and panel["collapsed"]
        found.append(Placed(panel, panel["gridPos"]["y"] + down, folded))
        if folded:
            top = min(inner["gridPos"]["y"] for inner in panel["panels"])
            end = max(inner["gridPos"]["y"] + inner["gridPos"]["h"] for inner in panel["panels"])
            below = found[-1].y + 1
            found += [Placed(inner, inner["gridPos"]["y"] - top + below, False) for inner in panel["panels"]]
            down += end - top
    return found


def _box(place: Mapping[str, int], y: float) -> Box:
    column = (WIDTH - 2 * MARGIN + GAP) / GRID_WIDTH
    return Box(
        MARGIN + place["x"] * column,
        BAR + y * (UNIT + GAP),
        place["w"] * column - GAP,
        place["h"] * (UNIT + GAP) - GAP,
    )


def _bar(canvas: Canvas, document: Mapping[str, Any], folder: str, view: View) -> None:
    """Folder and title, the time range, the variables and the links to other dashboards."""
    canvas.text(MARGIN, 24, f"{folder} /", 14, FAINT)
    canvas.text(MARGIN + width(f"{folder} /", 14) + 8, 24, document["title"], 14, bold=True)
    shown = f"Last {_length(view.shown)}"
    canvas.text(WIDTH - MARGIN, 24, shown, 12, TEXT, align="right")
    x = float(MARGIN)
    for variable in document["templating"]["list"]:
        label, value = variable.get("label") or variable["name"], "All" if variable.get("includeAll") else ""
        x = _chip(canvas, x, label, value)
    right = float(WIDTH - MARGIN)
    for link in reversed(document.get("links") or ()):
        right -= width(link["title"], 11)
        canvas.text(right, 64, link["title"], 11, COLOURS["blue"])
        right -= 18


def _chip(canvas: Canvas, x: float, label: str, value: str) -> float:
    """A variable and its value; returns the x position for the next one."""
    inner = width(label, 11) + 16
    outer = max(width(value, 11) + 16, 46)
    canvas.rect(Box(x, 52, inner + outer, 24), PANEL, EDGE)
    canvas.text(x + 8, 64, label, 11, COLOURS["blue"])
    canvas.text(x + inner + 8, 64, value, 11)
    return x + inner + outer + 10


def _length(shown: float) -> str:
    hours = shown / 3600
    if hours == 1:
        return "1 hour"
    return f"{hours:g} hours" if hours <= 24 else f"{hours / 24:g} days"


def _row(canvas: Canvas, box: Box, one: Placed) -> None:
    words = one.panel["title"]
    middle = box.y + box.h / 2
    canvas.line([(box.x + 3, middle - 2), (box.x + 7, middle + 2), (box.x + 11, middle - 2)], TEXT, 1.4)
    canvas.text(box.x + 20, middle, words, 13, bold=True)
    if one.folded:
        canvas.text(box.x + 32 + width(words, 13, bold=True), middle, "folded at first", 11, FAINT)


def _panel(
    canvas: Canvas,
    box: Box,
    panel: Mapping[str, Any],
    source: Source,
    view: View,
    marked: Sequence[tuple[float, float]],
) -> bool:
    """Draw one panel; returns whether it has data."""
    canvas.rect(box, PANEL, EDGE)
    kind = panel["type"]
    canvas.text(box.x + 8, box.y + HEAD / 2, panel["title"], 11.5, bold=True, within=box.w - 16)
    inner = Box(box.x, box.y + HEAD, box.w, box.h - HEAD) if kind == "stat" else box.inset(8, HEAD, 8, 6)
    if kind == "logs":
        lines: list[Line] = source.lines(panel, view, inner.w)
        figures.logs(canvas, inner, lines) if lines else figures.empty(canvas, inner, no_value(panel))
        return bool(lines)
    found: list[Series] = source.series(panel, view, inner.w)
    if not found and kind != "stat":
        figures.empty(canvas, inner, no_value(panel))
    elif kind == "timeseries":
        graph(canvas, inner, panel, found, view, marked)
    else:
        FIGURES[kind](canvas, inner, panel, found, view)
    return bool(found)


def marks_of(document: Mapping[str, Any], source: Source, view: View) -> list[tuple[float, float]]:
    """The marks of a dashboard: start and end of each series without a gap. A single point is a line, not a band."""
    step = max(view.step(1000), 30)
    stretches: list[tuple[float, float]] = []
    for annotation in document["annotations"]["list"]:
        if not annotation.get("expr") or not annotation.get("enable"):
            continue
        for series in source.marks(annotation["expr"], view):
            last = -math.inf
            for moment, _ in series.points:
                if moment - last <= step:
                    stretches[-1] = (stretches[-1][0], moment)
                else:
                    stretches.append((moment, moment))
                last = moment
    return sorted(set(stretches))
