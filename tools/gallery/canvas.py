"""A canvas, in pixels from its upper left corner, and the colours of Grafana's dark theme."""

import functools
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon, Rectangle
from matplotlib.transforms import Affine2D
from PIL import Image, ImageColor, ImageFont
from PIL.PngImagePlugin import PngInfo

GROUND: Final = "#111217"
PANEL: Final = "#181b1f"
EDGE: Final = "#25272c"
GRID: Final = "#26292e"
TEXT: Final = "#ccccdc"
FAINT: Final = "#8e8f9b"

COLOURS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "green": "#73bf69",
        "yellow": "#fade2a",
        "blue": "#5794f2",
        "orange": "#ff9830",
        "red": "#f2495c",
        "purple": "#b877d9",
    }
)
"""Grafana's named colours in its dark theme."""

PALETTE: Final = (
    *COLOURS.values(),
    *("#37872d", "#e0b400", "#1f60c4", "#fa6400", "#c4162a", "#8f3bb8"),
    *("#c8f2c2", "#fff899", "#c0d8ff", "#ffcb7d", "#ffa6b0", "#deb6f2"),
)
"""The colours of series, in their order."""

POINTS_PER_INCH: Final = 72
SCALE: Final = 1.1
"""Pixels of the picture for one pixel of the canvas."""

MEASURED: Final = 100
"""Font size for measuring text, large enough that rounding to whole pixels has no effect."""

TONES: Final = 72
"""Number of colours in the file: enough for smooth edges, few enough for a small file."""


@dataclass(frozen=True)
class Box:
    """A rectangle on the canvas."""

    x: float
    y: float
    w: float
    h: float

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.x + self.w

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.y + self.h

    def inset(
        self, left: float, top: float | None = None, right: float | None = None, bottom: float | None = None
    ) -> "Box":
        """The box within it at these distances from its edges; by default right is as left, and bottom as top."""
        top = left if top is None else top
        right = left if right is None else right
        bottom = top if bottom is None else bottom
        return Box(self.x + left, self.y + top, self.w - left - right, self.h - top - bottom)


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
        image = Image.open(drawn).convert("RGB")
        few = image.quantize(palette=_palette(image), dither=Image.Dither.NONE)
        info = PngInfo()
        for key, value in facts.items():
            info.add_text(key, value)
        file = io.BytesIO()
        few.save(file, "PNG", optimize=True, pnginfo=info)
        return file.getvalue()

    def _clip(self, box: Box) -> Rectangle:
        return Rectangle((box.x, box.y), box.w, box.h, transform=self._pixels)


def _palette(image: Image.Image) -> Image.Image:
    """The theme's colours and the most frequent ones; the others are edges of letters and lines."""
    own = {ImageColor.getrgb(colour)[:3] for colour in (*PALETTE, GROUND, PANEL, EDGE, GRID, TEXT, FAINT)}
    colours = Counter(zip(*(band.tobytes() for band in image.split()), strict=True))
    most = sorted(colours.items(), key=lambda one: (one[0] not in own, -one[1], one[0]))[:TONES]
    palette = Image.new("P", (1, 1))
    palette.putpalette([tone for colour, _ in most for tone in colour])
    return palette


def facts(path: Path) -> dict[str, str]:
    """The metadata of a picture."""
    with Image.open(path) as image:
        return {str(key): value for key, value in image.info.items() if isinstance(value, str)}


@functools.lru_cache(maxsize=20000)
def width(words: str, size: float, *, bold: bool = False, mono: bool = False) -> float:
    """Width of a text in pixels."""
    font = ImageFont.truetype(findfont(_font(size, bold, mono)), MEASURED)
    return font.getlength(words) * size / MEASURED


@functools.lru_cache(maxsize=20000)
def shortened(words: str, within: float, size: float, *, bold: bool = False, mono: bool = False) -> str:
    """As much of the text as fits, with an ellipsis if it was shortened."""
    if width(words, size, bold=bold, mono=mono) <= within:
        return words
    low, high = 0, len(words)
    while low < high:
        middle = (low + high + 1) // 2
        if width(words[:middle].rstrip() + "…", size, bold=bold, mono=mono) <= within:
            low = middle
        else:
            high = middle - 1
    return words[:low].rstrip() + "…"


@functools.cache
def _font(size: float, bold: bool, mono: bool) -> FontProperties:
    # The font that comes with matplotlib: the same picture on every machine.
    return FontProperties(
        family="DejaVu Sans Mono" if mono else "DejaVu Sans", size=size, weight="bold" if bold else "normal"
    )
