"""Texts and colours of the page."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from observability.status_page.model import Incident, Maintenance, State

WORDS: Final[Mapping[State, str]] = {
    "operational": "Operational",
    "maintenance": "Under maintenance",
    "unknown": "Unknown",
    "degraded": "Degraded",
    "down": "Down",
}

WHOLE: Final[Mapping[State, str]] = {
    "operational": "All components are operational",
    "maintenance": "Maintenance is under way",
    "unknown": "The state of some components is unknown",
    "degraded": "Some components are degraded",
    "down": "Some components are down",
}

UNKNOWN: Final = "The current state is unknown"
"""The state of the whole where the page is stale."""

NO_DATA: Final = "no data"


@dataclass(frozen=True, kw_only=True)
class Colours:
    """Colours of one scheme. Text on `ground` and on `card` has a contrast of at least 4.5, marks one of 3."""

    ground: str
    card: str
    text: str
    quiet: str
    line: str
    states: Mapping[State, str]


LIGHT: Final = Colours(
    ground="#f6f7f9",
    card="#ffffff",
    text="#1b1f24",
    quiet="#57606a",
    line="#8c959f",
    states={
        "operational": "#1a7f37",
        "maintenance": "#0969da",
        "unknown": "#6e7781",
        "degraded": "#9a6700",
        "down": "#cf222e",
    },
)
DARK: Final = Colours(
    ground="#0d1117",
    card="#161b22",
    text="#e6edf3",
    quiet="#9aa4af",
    line="#6e7681",
    states={
        "operational": "#3fb950",
        "maintenance": "#58a6ff",
        "unknown": "#9aa4af",
        "degraded": "#d8a01d",
        "down": "#ff7b72",
    },
)


def utc(at: datetime) -> str:
    """A time to the minute."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def span(start: datetime, end: datetime) -> str:
    """A time from and until; the day is not repeated."""
    if start.astimezone(UTC).date() == end.astimezone(UTC).date():
        return f"{start.astimezone(UTC):%Y-%m-%d %H:%M} to {end.astimezone(UTC):%H:%M} UTC"
    return f"{start.astimezone(UTC):%Y-%m-%d %H:%M} to {utc(end)}"


def length(seconds: int) -> str:
    """A length of time, rounded to minutes."""
    minutes = max(1, round(seconds / 60))
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def percent(share: float) -> str:
    """A share with two decimals, rounded down: 99.999 % is not 100 %."""
    return f"{int(share * 10_000 + 1e-9) / 100:.2f} %"


def course(one: Incident) -> str:
    """The state of an incident."""
    return f"Resolved, {span(one.began, one.ended)}" if one.ended else f"Open since {utc(one.began)}"


def planned(one: Maintenance, now: datetime) -> str:
    """The state of maintenance."""
    word = "Planned" if now < one.start else "Under way" if now < one.end else "Ended"
    return f"{word}, {span(one.start, one.end)}"
