"""Lines over time."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from observability.pictures import axes, units
from observability.pictures.fields import Field, field
from observability.pictures.series import Series, Span
from observability.pictures.theme import COLOURS, FAINT, GRID, PALETTE, PANEL, TEXT, Box, Canvas, shortened, width

SMALL: Final = 10.5
LEGEND_LINE: Final = 18
LEGEND_SHARE: Final = 0.35
"""How much of a panel its legend may take; in Grafana the rest is reached by scrolling."""

Point = tuple[float, float]


def graph(
    canvas: Canvas,
    box: Box,
    panel: Mapping[str, Any],
    found: Sequence[Series],
    view: Span,
    marked: Sequence[tuple[float, float]] = (),
) -> None:
    """Draw the series, with the legend below and the times of firing alerts in the background."""
    looks = [(series, field(panel, series.name)) for series in found]
    colours = [look.fixed_colour or PALETTE[index % len(PALETTE)] for index, (_, look) in enumerate(looks)]
    legend = _rows([series.name for series in found], box.w)
    room = max(1, int(box.h * LEGEND_SHARE // LEGEND_LINE))
    plot = box.inset(0, 0, 0, min(len(legend), room) * LEGEND_LINE + 2)
    common = field(panel)
    values = [value for series in found for _, value in series.points]
    low, high = axes.span(values, common.ends)
    inner = _frame(canvas, plot, common, (low, high), view)

    def at(point: Point) -> Point:
        moment, value = point
        return (
            inner.x + (moment - view.start) / view.shown * inner.w,
            inner.bottom - (value - low) / (high - low) * inner.h if math.isfinite(value) else math.nan,
        )

    for start, end in marked:
        _mark(canvas, inner, at((start, low))[0], at((end, low))[0])
    for limit, colour in common.limits:
        level = at((view.start, limit))[1]
        canvas.line([(inner.x, level), (inner.right, level)], colour, 1, dash=(6, 5), clip=inner)
    step = view.step(box.w)
    for (series, look), colour in zip(looks, colours, strict=True):
        for part in _unbroken(series.points, step):
            drawn = [at(point) for point in part]
            if look.filled and len(drawn) > 1:
                shape = [(drawn[0][0], inner.bottom), *drawn, (drawn[-1][0], inner.bottom)]
                canvas.area(shape, colour, look.filled, inner)
            if len(drawn) == 1:
                drawn = [(drawn[0][0] - 1, drawn[0][1]), (drawn[0][0] + 1, drawn[0][1])]
            canvas.line(drawn, colour, 1.3, dash=look.dash and [length * 0.7 for length in look.dash], clip=inner)
    _legend(canvas, box, legend[:room], len(legend) > room, dict(enumerate(colours)), [look for _, look in looks])


def _frame(canvas: Canvas, plot: Box, look: Field, ends: Point, view: Span) -> Box:
    """Draw the grid and its labels; returns the box that is left for the lines."""
    low, high = ends
    marks = [
        (mark, _tick(mark, look)) for mark in axes.marks(low, high, plot.h - 20, binary=look.unit in units.BINARY)
    ]
    left = max((width(words, SMALL) for _, words in marks), default=0) + 8
    inner = plot.inset(left, 6, 6, 20)
    for mark, words in marks:
        y = inner.bottom - (mark - low) / (high - low) * inner.h
        canvas.line([(inner.x, y), (inner.right, y)], GRID, 0.8)
        canvas.text(inner.x - 6, y, words, SMALL, FAINT, align="right")
    for moment, words in axes.moments(view.start, view.end, inner.w):
        x = inner.x + (moment - view.start) / view.shown * inner.w
        canvas.line([(x, inner.y), (x, inner.bottom)], GRID, 0.8)
        half = width(words, SMALL) / 2
        if x - half >= plot.x and x + half <= plot.right:
            canvas.text(x, inner.bottom + 11, words, SMALL, FAINT, align="center")
    return inner


def _tick(mark: float, look: Field) -> str:
    return units.text(round(mark, 12), "short" if look.unit == units.FROM_NOW else look.unit, look.decimals)


def _mark(canvas: Canvas, inner: Box, start: float, end: float) -> None:
    """Draw the time in which an alert fired."""
    start, end = max(start, inner.x), min(end, inner.right)
    red = COLOURS["red"]
    canvas.rect(Box(start, inner.y, max(end - start, 0), inner.h), red, alpha=0.08)
    for x in (start, end):
        canvas.line([(x, inner.y), (x, inner.bottom)], red, 0.8, dash=(3, 3), alpha=0.8)
    canvas.rect(Box(start, inner.bottom, max(end - start, 3), 3), red)


def _unbroken(points: Sequence[Point], step: float) -> list[list[Point]]:
    """The parts without missing points."""
    parts: list[list[Point]] = []
    last = -math.inf
    for moment, value in points:
        if not math.isfinite(value):
            continue
        if moment - last > 1.5 * step:
            parts.append([])
        parts[-1].append((moment, value))
        last = moment
    return parts


def _rows(names: Sequence[str], room: float) -> list[list[tuple[int, str, float]]]:
    """The legend's lines: the index of the series, its name, its x position."""
    rows: list[list[tuple[int, str, float]]] = [[]]
    x = 0.0
    for index, name in enumerate(names):
        words = shortened(name, room - 30, SMALL)
        needed = width(words, SMALL) + 32
        if x + needed > room + 12 and rows[-1]:
            rows.append([])
            x = 0.0
        rows[-1].append((index, words, x))
        x += needed
    return rows if names else []


def _legend(
    canvas: Canvas,
    box: Box,
    rows: Sequence[Sequence[tuple[int, str, float]]],
    more: bool,
    colours: Mapping[int, str],
    looks: Sequence[Field],
) -> None:
    y = box.bottom - len(rows) * LEGEND_LINE + LEGEND_LINE / 2
    for row in rows:
        for index, words, x in row:
            left = box.x + x
            canvas.line(
                [(left, y), (left + 14, y)], colours[index], 3.5, dash=(1.2, 0.8) if looks[index].dash else None
            )
            canvas.text(left + 19, y, words, SMALL, TEXT)
        y += LEGEND_LINE
    if more:
        canvas.rect(Box(box.right - 22, box.bottom - LEGEND_LINE, 22, LEGEND_LINE), PANEL)
        canvas.text(box.right, box.bottom - LEGEND_LINE / 2, "⋯", SMALL, TEXT, align="right")
