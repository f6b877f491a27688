"""One panel as a picture of its own."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from observability.pictures.graph import graph
from observability.pictures.pencil import Pencil
from observability.pictures.series import Series, Span
from observability.pictures.theme import EDGE, FAINT, PANEL, Box

WIDTH: Final = 720
HEIGHT: Final = 320
MARGIN: Final = 10
HEAD: Final = 34

PIXELS: Final = WIDTH - 2 * MARGIN
"""Width of the graph, which decides the step of its queries."""


def picture(panel: Mapping[str, Any], found: Sequence[Series], span: Span, since: float) -> bytes:
    """A panel of type `timeseries` as a PNG, with the time from `since` (Unix seconds) marked."""
    canvas = Pencil(WIDTH, HEIGHT)
    box = Box(0, 0, WIDTH, HEIGHT)
    canvas.rect(box, PANEL, EDGE)
    moment = datetime.fromtimestamp(span.end, UTC).strftime("%Y-%m-%d %H:%M UTC")
    canvas.text(MARGIN, HEAD / 2, str(panel["title"]), 13, bold=True, within=WIDTH - 170)
    canvas.text(WIDTH - MARGIN, HEAD / 2, moment, 11, FAINT, align="right")
    marked = [(max(since, span.start), span.end)]
    graph(canvas, box.inset(MARGIN, HEAD, MARGIN, 6), panel, found, span, marked)
    return canvas.png({"Title": str(panel["title"]), "Drawn": moment})
