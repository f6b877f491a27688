"""A canvas drawn by Pillow alone, for the container of the notifier: matplotlib's packages are a gigabyte."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

from PIL import Image, ImageDraw

from observability.pictures.theme import GROUND, SCALE, TEXT, Box, font, png, shortened

FINER: Final = 4
"""Everything is drawn this many times larger, and reduced: Pillow's lines have no smooth edges."""

_ANCHORS: Final = {"left": "lm", "center": "mm", "right": "rm"}

Point = tuple[float, float]

Drawn = Callable[[ImageDraw.ImageDraw, int], None]
"""Draws on a mask with an ink from 0 to 255."""


class Pencil:
    """The canvas."""

    def __init__(self, width: float, height: float) -> None:
        self.box = Box(0, 0, width, height)
        self._factor = SCALE * FINER
        self._image = Image.new("RGB", (round(width * self._factor), round(height * self._factor)), GROUND)
        self._draw = ImageDraw.Draw(self._image)

    def rect(self, box: Box, colour: str, edge: str | None = None, alpha: float = 1) -> None:
        """A filled rectangle."""
        corners = [self._at((box.x, box.y)), self._at((box.right, box.bottom))]
        self._paint(colour, alpha, lambda mask, ink: mask.rectangle(corners, fill=ink))
        if edge:
            self._draw.rectangle(corners, outline=edge, width=FINER)

    def line(
        self,
        points: Sequence[Point],
        colour: str,
        width: float = 1,
        *,
        dash: Sequence[float] | None = None,
        alpha: float = 1,
        clip: Box | None = None,
    ) -> None:
        """A line through points; a NaN interrupts it. `dash` is the length of its parts, in widths of the line."""
        thick = max(1, round(width * self._factor))
        parts = [part for whole in _unbroken(points) for part in _dashed(whole, [one * width for one in dash or ()])]

        def drawn(mask: ImageDraw.ImageDraw, ink: int) -> None:
            for part in parts:
                mask.line([self._at(point) for point in part], fill=ink, width=thick, joint="curve")

        self._paint(colour, alpha, drawn, clip)

    def area(self, points: Sequence[Point], colour: str, alpha: float, clip: Box) -> None:
        """A filled shape."""
        corners = [self._at(point) for point in points]
        self._paint(colour, alpha, lambda mask, ink: mask.polygon(corners, fill=ink), clip)

    def text(
        self,
        x: float,
        y: float,
        words: str,
        size: float = 11,
        colour: str = TEXT,
        *,
        align: str = "left",
        bold: bool = False,
        mono: bool = False,
        within: float | None = None,
    ) -> None:
        """Text centred at this height; shortened with an ellipsis if it is wider than `within`."""
        if within is not None:
            words = shortened(words, within, size, bold=bold, mono=mono)
        letters = font(round(size * self._factor), bold=bold, mono=mono)
        self._draw.text(self._at((x, y)), words, fill=colour, font=letters, anchor=_ANCHORS[align])

    def png(self, facts: Mapping[str, str]) -> bytes:
        """The canvas as a PNG file, with metadata that can be read back."""
        size = (round(self.box.w * SCALE), round(self.box.h * SCALE))
        return png(self._image.resize(size, Image.Resampling.BOX), facts)

    def _at(self, point: Point) -> Point:
        return point[0] * self._factor, point[1] * self._factor

    def _paint(self, colour: str, alpha: float, drawn: Drawn, clip: Box | None = None) -> None:
        """Paint through a mask, within `clip`."""
        mask = Image.new("L", self._image.size, 0)
        drawn(ImageDraw.Draw(mask), round(255 * alpha))
        if clip is None:
            self._image.paste(colour, (0, 0), mask)
            return
        left, top = (round(one) for one in self._at((clip.x, clip.y)))
        right, bottom = (round(one) for one in self._at((clip.right, clip.bottom)))
        self._image.paste(colour, (left, top), mask.crop((left, top, right, bottom)))


def _unbroken(points: Sequence[Point]) -> Iterator[list[Point]]:
    part: list[Point] = []
    for point in (*points, (math.nan, math.nan)):
        if all(map(math.isfinite, point)):
            part.append(point)
        elif part:
            yield part
            part = []


def _dashed(points: list[Point], lengths: Sequence[float]) -> Iterator[list[Point]]:
    """The parts of a line that are drawn; all of it without lengths."""
    if not lengths:
        yield points
        return
    left, place = lengths[0], 0
    part = [points[0]]
    for start, end in pairwise(points):
        apart = math.dist(start, end)
        done = 0.0
        while apart - done > left:
            done += left
            share = done / apart
            corner = (start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share)
            if place % 2 == 0:
                yield [*part, corner]
            part, place = [corner], place + 1
            left = lengths[place % len(lengths)]
        left -= apart - done
        part.append(end)
    if place % 2 == 0 and len(part) > 1:
        yield part
