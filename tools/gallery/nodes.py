"""Graphs of nodes and edges, in layers from callers to what they call."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from observability.pictures.series import Series
from observability.pictures.theme import COLOURS, FAINT, PANEL, TEXT, Box, Canvas
from tools.gallery.view import View

RADIUS: Final = 24.0
FAILING: Final = 0.05
"""Share of failed calls from which an edge is red."""

_POINTS: Final = 40


def graph(canvas: Canvas, box: Box, panel: Mapping[str, Any], found: Sequence[Series], view: View) -> None:  # noqa: ARG001 - as every figure
    """Nodes with what arrives at each, and edges with their two values."""
    first, second = (target["refId"] for target in panel["targets"])
    edges: dict[tuple[str, str], dict[str, float]] = {}
    for series in found:
        ends = series.labels["source"], series.labels["target"]
        edges.setdefault(ends, {})[series.ref] = series.points[-1][1]
    at = _places(box, layers(edges))
    units = panel["options"]["edges"]["mainStatUnit"], panel["options"]["edges"]["secondaryStatUnit"]
    for (source, target), values in edges.items():
        main, failed = values.get(first, 0.0), values.get(second, 0.0)
        _edge(canvas, at[source], at[target], main, failed, units)
    for node, (x, y) in at.items():
        arriving = [values for (_, target), values in edges.items() if target == node]
        main, failed = (sum(values.get(ref, 0.0) for values in arriving) for ref in (first, second))
        ring = COLOURS["red" if arriving and failed >= FAILING * main > 0 else "green"]
        canvas.area(_circle(x, y, RADIUS), ring, 1, box)
        canvas.area(_circle(x, y, RADIUS - 3), PANEL, 1, box)
        if arriving:
            canvas.text(x, y, f"{main:.2f}", 11, TEXT, align="center", bold=True)
        canvas.text(x, y + RADIUS + 10, node, 11, TEXT, align="center", within=_room(box, at))


def layers(edges: Mapping[tuple[str, str], object]) -> list[list[str]]:
    """The nodes, each in a layer after those that call it; calls in a circle do not count."""
    nodes = list(dict.fromkeys(node for ends in edges for node in ends))
    depth = dict.fromkeys(nodes, 0)
    for _ in nodes:
        for source, target in edges:
            if source != target and depth[target] <= depth[source] < len(nodes) - 1:
                depth[target] = depth[source] + 1
    used = sorted(set(depth.values()))
    return [[node for node in nodes if depth[node] == one] for one in used]


def _places(box: Box, found: Sequence[Sequence[str]]) -> dict[str, tuple[float, float]]:
    """The middle of each node."""
    wide, inner = box.w / len(found), box.h - 2 * 10
    return {
        node: (box.x + (column + 0.5) * wide, box.y + (row + 0.5) * inner / len(layer))
        for column, layer in enumerate(found)
        for row, node in enumerate(layer)
    }


def _room(box: Box, at: Mapping[str, tuple[float, float]]) -> float:
    """Width of a node's name."""
    return box.w / len({x for x, _ in at.values()}) - 10


def _edge(
    canvas: Canvas,
    start: tuple[float, float],
    end: tuple[float, float],
    main: float,
    failed: float,
    units: tuple[str, str],
) -> None:
    colour = COLOURS["red"] if failed >= FAILING * main > 0 else FAINT
    length = math.dist(start, end) or 1.0
    dx, dy = (end[0] - start[0]) / length, (end[1] - start[1]) / length
    tip = end[0] - dx * (RADIUS + 2), end[1] - dy * (RADIUS + 2)
    canvas.line([(start[0] + dx * RADIUS, start[1] + dy * RADIUS), tip], colour, 1.4)
    for side in (1, -1):
        canvas.line([tip, (tip[0] - 9 * dx - side * 5 * dy, tip[1] - 9 * dy + side * 5 * dx)], colour, 1.4)
    words = [f"{main:.2f} {units[0]}", *([f"{failed:.2f} {units[1]}"] if failed else [])]
    # Nearer to the end: edges from one node lie apart there. Above the line, which would strike the words out.
    x, y = start[0] + 0.6 * (end[0] - start[0]), start[1] + 0.6 * (end[1] - start[1]) - 13 * len(words)
    for row, one in enumerate(words):
        canvas.text(x, y + 13 * row, one, 9.5, colour if failed else TEXT, align="center")


def _circle(x: float, y: float, radius: float) -> list[tuple[float, float]]:
    turns = [2 * math.pi * step / _POINTS for step in range(_POINTS)]
    return [(x + radius * math.cos(turn), y + radius * math.sin(turn)) for turn in turns]
