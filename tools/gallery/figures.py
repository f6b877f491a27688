"""Panels without axes of numbers: large figures, states over time, tables and log lines."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from observability.pictures import axes
from observability.pictures.fields import field, no_value
from observability.pictures.series import Series
from observability.pictures.theme import COLOURS, EDGE, FAINT, GRID, TEXT, Box, Canvas, shortened, width
from tools.gallery.source import Line
from tools.gallery.view import View

SMALL: Final = 10.5
ROW: Final = 28
LEAST_COLUMN: Final = 150
"""Pixels; if a table's columns need more than there is, Grafana scrolls to the last."""

LEVELS: Final = {"critical": "purple", "error": "red", "warning": "yellow", "info": "green", "debug": "blue"}


def stat(canvas: Canvas, box: Box, panel: Mapping[str, Any], found: Sequence[Series], view: View) -> None:
    """The last value of each series, large, on its colour; several are next to each other."""
    values = [
        (series.name, value)
        for series in found
        if (value := next((v for _, v in reversed(series.points) if math.isfinite(v)), None)) is not None
    ]
    look = field(panel)
    mode = (panel.get("options") or {}).get("textMode")
    if not values:
        _figure(canvas, box, no_value(panel), None, look.colour(None))
    for index, (name, value) in enumerate(values):
        part = _part(box, index, len(values))
        named = field(panel, name)
        shown = name if len(values) > 1 or mode == "value_and_name" else None
        _figure(canvas, part, look.text(value, view.end), shown, named.fixed_colour or look.colour(value))


def _part(box: Box, index: int, count: int) -> Box:
    """The place of one of `count` figures: next to each other while they are not too narrow."""
    across = min(count, max(1, int(box.w // 90)))
    down = math.ceil(count / across)
    x, y = index % across, index // across
    gap = 3
    w, h = (box.w - gap * (across - 1)) / across, (box.h - gap * (down - 1)) / down
    return Box(box.x + x * (w + gap), box.y + y * (h + gap), w, h)


def _figure(canvas: Canvas, box: Box, words: str, name: str | None, colour: str) -> None:
    canvas.rect(box, colour)
    room = box.w - 14
    tallest = box.h * (0.42 if name else 0.6)
    size = min(tallest, 40.0, 10 * room / max(width(words, 10.0, bold=True), 1))
    middle = box.y + box.h / 2
    if name:
        canvas.text(
            box.x + box.w / 2,
            box.y + box.h * 0.24,
            name,
            min(13.0, box.h * 0.22),
            "#101114",
            align="center",
            within=room,
        )
        middle = box.y + box.h * 0.62
    canvas.text(box.x + box.w / 2, middle, words, round(size, 1), "#101114", align="center", bold=True)


def timeline(canvas: Canvas, box: Box, panel: Mapping[str, Any], found: Sequence[Series], view: View) -> None:
    """The state of each series over time, one bar per series."""
    look = field(panel)
    left = min(max(width(series.name, SMALL) for series in found) + 8, box.w / 3)
    legend = 20
    inner = Box(box.x + left, box.y, box.w - left - 4, box.h - 20 - legend)
    height = inner.h / len(found)
    step = view.step(box.w)
    for moment, words in axes.moments(view.start, view.end, inner.w):
        x = inner.x + (moment - view.start) / view.shown * inner.w
        canvas.line([(x, inner.y), (x, inner.bottom)], GRID, 0.8)
        if x + width(words, SMALL) / 2 <= box.right:
            canvas.text(x, inner.bottom + 11, words, SMALL, FAINT, align="center")
    for index, series in enumerate(found):
        y = inner.y + index * height
        canvas.text(inner.x - 6, y + height / 2, series.name, SMALL, TEXT, align="right", within=left - 6)
        for start, end, value in _stretches(series.points, step):
            x = inner.x + (max(start, view.start) - view.start) / view.shown * inner.w
            until = inner.x + (min(end, view.end) - view.start) / view.shown * inner.w
            bar = Box(x, y + height * 0.05, max(until - x, 1), height * 0.9)
            canvas.rect(bar, look.colour(value), alpha=0.75)
    x = box.x
    for _, words, colour in look.words:
        canvas.rect(Box(x, box.bottom - legend / 2 - 2, 14, 4), colour)
        canvas.text(x + 19, box.bottom - legend / 2, words, SMALL)
        x += width(words, SMALL) + 34


def _stretches(points: Sequence[tuple[float, float]], step: float) -> list[tuple[float, float, float]]:
    """Intervals of constant value: start, end, value."""
    found: list[tuple[float, float, float]] = []
    for moment, value in points:
        if found and found[-1][2] == value and moment - found[-1][1] <= 0.5 * step:
            found[-1] = (found[-1][0], moment + step, value)
        else:
            found.append((moment, moment + step, value))
    return found


def table(canvas: Canvas, box: Box, panel: Mapping[str, Any], found: Sequence[Series], view: View) -> None:
    """One row per series, with its labels and values in columns."""
    names, rows = cells(panel, found)
    looks = [field(panel, *_both_names(panel, name)) for name in names]
    widths = column_widths([look.wide for look in looks], box.w)
    fitting = int(box.h // ROW) - 1
    x = box.x
    for name, look, wide in zip(names, looks, widths, strict=True):
        room = min(wide, box.right - x)
        if room < 12:
            break
        right = room > wide - 1 and any(isinstance(row.get(name), float) for row in rows)
        at, align = (x + room - 8, "right") if right else (x + 6, "left")
        canvas.text(at, box.y + ROW / 2, name, 11, COLOURS["blue"], align=align, within=room - 12)
        for index, row in enumerate(rows[:fitting]):
            value = row.get(name)
            words = (
                "" if value is None else look.text(value, view.end) if isinstance(value, float) else look.word(value)
            )
            painted = None if value is None else look.paint(value)
            if painted is not None:
                canvas.rect(Box(x, box.y + (index + 1) * ROW, room, ROW), painted)
            colour = "#101114" if painted else TEXT
            canvas.text(at, box.y + (index + 1.5) * ROW, words, 11, colour, align=align, within=room - 12)
        x += wide
    for index in range(min(len(rows), fitting) + 1):
        y = box.y + (index + 1) * ROW
        canvas.line([(box.x, y), (box.right, y)], EDGE, 1)
    if len(rows) > fitting:
        canvas.rect(Box(box.right - 4, box.y + ROW, 4, (box.h - ROW) * fitting / len(rows)), FAINT, alpha=0.6)
    if sum(widths) > box.w + 1:
        canvas.rect(Box(box.x, box.bottom - 4, box.w * box.w / sum(widths), 4), FAINT, alpha=0.6)


def _both_names(panel: Mapping[str, Any], name: str) -> list[str]:
    """The name of a column, and its name before it was renamed."""
    renamed = (
        one["options"].get("renameByName") or {} for one in panel.get("transformations", ()) if one["id"] == "organize"
    )
    return [name, *(old for names in renamed for old, new in names.items() if new == name)]


def column_widths(set_widths: Sequence[float | None], room: float) -> list[float]:
    """Width of each column: as set; the others share the rest, but none is below the minimum."""
    free = room - sum(wide for wide in set_widths if wide is not None)
    shared = max(LEAST_COLUMN, free / max(1, sum(wide is None for wide in set_widths)))
    return [shared if wide is None else wide for wide in set_widths]


def cells(panel: Mapping[str, Any], found: Sequence[Series]) -> tuple[list[str], list[dict[str, str | float]]]:
    """The columns of a table and its rows: series with equal labels share a row; hidden columns are left out."""
    organized: dict[str, Any] = {}
    order: dict[str, Any] = {}
    for transformation in panel.get("transformations", ()):
        if transformation["id"] == "organize":
            organized = transformation["options"]
        elif transformation["id"] == "sortBy":
            (order,) = transformation["options"]["sort"]
        elif transformation["id"] != "merge":
            raise ValueError(f"a transformation {transformation['id']} is not known here")
    several = len(panel["targets"]) > 1
    rows: dict[frozenset[tuple[str, str]], dict[str, str | float]] = {}
    for series in found:
        row = rows.setdefault(frozenset(series.labels.items()), dict(series.labels))
        row[f"Value #{series.ref}" if several else "Value"] = series.points[-1][1]
    labels = sorted({name for series in found for name in series.labels})
    values = [f"Value #{target['refId']}" for target in panel["targets"]] if several else ["Value"]
    hidden, places = organized.get("excludeByName") or {}, organized.get("indexByName") or {}
    shown = [name for name in (*labels, *values) if not hidden.get(name)]
    shown.sort(key=lambda name: places.get(name, math.inf))
    if order:
        rows = dict(sorted(rows.items(), key=lambda row: row[1].get(order["field"], 0), reverse=order["desc"]))
    renamed = organized.get("renameByName") or {}
    named = {name: renamed.get(name) or name for name in shown}
    return list(named.values()), [{named[key]: row[key] for key in shown if key in row} for row in rows.values()]


def logs(canvas: Canvas, box: Box, lines: Sequence[Line]) -> None:
    """Log lines, each with the colour of its level and its time."""
    height, size = 19, 10.5
    y = box.y
    for line in lines:
        rest, first = line.text.replace("\t", " "), True
        while rest and y + height <= box.bottom:
            colour = LEVELS.get(line.labels.get("level", ""))
            canvas.rect(Box(box.x, y + 2, 3, height - 3), COLOURS[colour] if colour else FAINT)
            if first:
                moment = datetime.fromtimestamp(line.time, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
                canvas.text(box.x + 10, y + height / 2, moment, size, FAINT, mono=True)
            fits = max(1, int((box.w - 172) // width("m", size, mono=True)))
            canvas.text(box.x + 168, y + height / 2, rest[:fits], size, mono=True)
            rest, first = rest[fits:], False
            y += height
        if y + height > box.bottom:
            break


def empty(canvas: Canvas, box: Box, words: str) -> None:
    """The text of a panel without data."""
    canvas.text(box.x + box.w / 2, box.y + box.h / 2, shortened(words, box.w, 14), 14, FAINT, align="center")
