"""Grafana's dark theme: colours, the sizes of texts, and how a picture becomes a small file."""

import functools
import importlib.util
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final, Protocol

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


class Canvas(Protocol):
    """What is drawn on, in pixels from its upper left corner."""

    box: Box

    def rect(self, box: Box, colour: str, edge: str | None = None, alpha: float = 1) -> None:
        """A filled rectangle."""

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
        """A line through points; a NaN interrupts it. `dash` is the length of its parts, in widths of the line."""

    def area(self, points: Sequence[tuple[float, float]], colour: str, alpha: float, clip: Box) -> None:
        """A filled shape."""

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


def png(image: Image.Image, facts: Mapping[str, str]) -> bytes:
    """A picture as a PNG file of few colours, with metadata that can be read back."""
    few = image.quantize(palette=_palette(image), dither=Image.Dither.NONE)
    info = PngInfo()
    for key, value in facts.items():
        info.add_text(key, value)
    file = io.BytesIO()
    few.save(file, "PNG", optimize=True, pnginfo=info)
    return file.getvalue()


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
    return font(MEASURED, bold=bold, mono=mono).getlength(words) * size / MEASURED


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
def font_file(*, bold: bool, mono: bool) -> str:
    """DejaVu, as it comes with matplotlib, else as Debian installs it: the same picture on every machine."""
    name = f"DejaVuSans{'Mono' if mono else ''}{'-Bold' if bold else ''}.ttf"
    found = importlib.util.find_spec("matplotlib")
    if found and found.origin:
        return str(Path(found.origin).parent / "mpl-data" / "fonts" / "ttf" / name)
    return f"/usr/share/fonts/truetype/dejavu/{name}"


@functools.cache
def font(size: int, *, bold: bool = False, mono: bool = False) -> ImageFont.FreeTypeFont:
    """The font in a size in pixels."""
    return ImageFont.truetype(font_file(bold=bold, mono=mono), size)
