"""A canvas of the gallery, drawn by matplotlib."""

import functools
import io
from collections.abc import Mapping, Sequence
from typing import Final

from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon, Rectangle
from matplotlib.transforms import Affine2D
from PIL import Image

from observability.pictures.theme import GROUND, SCALE, TEXT, Box, png, shortened

POINTS_PER_INCH: Final = 72


class Canvas:
    """The canvas."""

    def __init__(self, width: float, height: float) -> None:
        self.box = Box(0, 0, width, height)
        self._figure = Figure(
            figsize=(width / POINTS_PER_INCH, height / POINTS_PER_INCH), dpi=POINTS_PER_INCH * SCALE, facecolor=GROUND
        )
        self._pixels = (
            Affine2D().scale(1, -1).translate(0, height).scale(1 / POINTS_PER_INCH) + self._figure.dpi_scale_trans
        )

    def rect(self, box: Box, colour: str, edge: str | None = None, alpha: float = 1) -> None:
        """A filled rectangle."""
        patch = Rectangle(
            (box.x, box.y),
            box.w,
            box.h,
            facecolor=colour,
            edgecolor=edge or "none",
            linewidth=0.8 if edge else 0,
            alpha=alpha,
            antialiased=False,
        )
        patch.set_transform(self._pixels)
        self._figure.add_artist(patch)

    def line(
        self,
        points: Sequence[tuple[float, float]],
        colour: str,
        width: float = 1,
        *,
        dash: Sequence[float] | None = None,
        alpha: float = 1,
        clip: Box | None = None,
    ) -> None:
        """A line through points; a NaN interrupts it."""
        drawn = Line2D(
            [x for x, _ in points],
            [y for _, y in points],
            color=colour,
            linewidth=width,
            alpha=alpha,
            solid_capstyle="butt",
            solid_joinstyle="round",
        )
        if dash:
            drawn.set_linestyle((0, tuple(dash)))
        drawn.set_transform(self._pixels)
        self._figure.add_artist(drawn)
        if clip:
            drawn.set_clip_path(self._clip(clip))

    def area(self, points: Sequence[tuple[float, float]], colour: str, alpha: float, clip: Box) -> None:
        """A filled shape."""
        drawn = Polygon(list(points), closed=True, facecolor=colour, edgecolor="none", alpha=alpha)
        drawn.set_transform(self._pixels)
        self._figure.add_artist(drawn)
        drawn.set_clip_path(self._clip(clip))

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
        drawn = self._figure.text(
            x,
            y,
            words,
            color=colour,
            ha=align,
            va="center_baseline",
            fontproperties=_font(size, bold, mono),
            parse_math=False,
        )
        drawn.set_transform(self._pixels)

    def png(self, facts: Mapping[str, str]) -> bytes:
        """The canvas as a PNG file, with metadata that can be read back."""
        drawn = io.BytesIO()
        # Without hinting, letters are as wide as measured.
        with rc_context({"text.hinting": "none"}):
            self._figure.savefig(drawn, format="png", facecolor=GROUND, pil_kwargs={"compress_level": 1})
        return png(Image.open(drawn).convert("RGB"), facts)

    def _clip(self, box: Box) -> Rectangle:
        return Rectangle((box.x, box.y), box.w, box.h, transform=self._pixels)


@functools.cache
def _font(size: float, bold: bool, mono: bool) -> FontProperties:
    # The font that comes with matplotlib: the same picture on every machine.
    return FontProperties(
        family="DejaVu Sans Mono" if mono else "DejaVu Sans", size=size, weight="bold" if bold else "normal"
    )
