"""Raw series that change over time, in promtool's notation: pieces of so many values each."""

from typing import Final

Piece = tuple[int, float | None]
"""How many values, and what each of them adds (for a counter) or is (for a gauge); None: no sample."""

EXACT: Final = 2**16
"""Counters rise by multiples of 1 divided by this: sums are exact, and no rounding looks like a reset."""


def counter(*pieces: Piece, start: float = 0) -> str:
    """A counter that rises by so much with each value; where samples are missing it does not rise."""
    written: list[str] = []
    value = start
    for count, rise in pieces:
        if rise is None:
            written.append(f"_x{count}")
        else:
            exact = round(rise * EXACT) / EXACT
            written.append(f"{value + exact!r}+{exact!r}x{count - 1}")
            value += exact * count
    return " ".join(written)


def gauge(*pieces: Piece) -> str:
    """A gauge that is constant for a while."""
    return " ".join(f"_x{count}" if value is None else f"{value:.12g}x{count - 1}" for count, value in pieces)
