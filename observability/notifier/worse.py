"""When an alert got much worse than its last message said, and how that is said. Pure, only the standard library."""

import re
from dataclasses import dataclass
from typing import Final

FACTOR: Final = 2
"""Much worse is this many times the value of the last message, or that part of it where a low value is bad."""


@dataclass(frozen=True, kw_only=True)
class Level:
    """An alert whose value is a level: whether a high one is bad, and the format that its texts use for it."""

    high: bool
    form: str
    """A function of Prometheus' templates, or a format of printf."""


def much_worse(level: Level, told: float, now: float) -> bool:
    """Whether a value is much worse than the one that the last message told."""
    if told <= 0:
        return False
    return now >= told * FACTOR if level.high else 0 <= now <= told / FACTOR


def said(level: Level, told: float, now: float) -> str:
    """The two values as text."""
    return f"{written(level.form, now)} now, {written(level.form, told)} in the last message"


def written(form: str, value: float) -> str:
    """A value in the format of an alert's texts."""
    match form:
        case "humanizePercentage":
            return f"{value * 100:.4g}%"
        case "humanizeDuration":
            return _duration(value)
        case "humanize1024":
            return _scaled(value, 1024, ("", "ki", "Mi", "Gi", "Ti", "Pi"))
        case "humanize":
            return _scaled(value, 1000, ("", "k", "M", "G", "T", "P"))
    # Only what both printf's have: a precision and one of three letters.
    return form % value if re.fullmatch(r"%(\.\d+)?[fge]", form) else f"{value:.4g}"


def _scaled(value: float, base: int, prefixes: tuple[str, ...]) -> str:
    place = 0
    while abs(value) >= base and place < len(prefixes) - 1:
        value, place = value / base, place + 1
    return f"{value:.4g}{prefixes[place]}"


def _duration(seconds: float) -> str:
    if abs(seconds) < 1:
        return f"{seconds * 1000:.4g}ms"
    whole = int(abs(seconds))
    if whole < 60:
        return f"{seconds:.4g}s"
    parts = [(whole // 86400, "d"), (whole // 3600 % 24, "h"), (whole // 60 % 60, "m"), (whole % 60, "s")]
    first = next(place for place, (count, _) in enumerate(parts) if count)
    return ("-" if seconds < 0 else "") + " ".join(f"{count}{unit}" for count, unit in parts[first:])
