"""Values as Grafana writes them: three significant digits, scaled to the prefix that fits their unit."""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

Formatter = Callable[[float, int | None], str]


def text(value: float, unit: str, decimals: int | None = None) -> str:
    """A value in a unit of Grafana, given by its id; KeyError if the unit is not supported."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "-∞" if value < 0 else "∞"
    return UNITS[unit](value, decimals)


def ago(moment: float, now: float) -> str:
    """A time relative to another, both in seconds: `3 hours ago`, `in 2 days`."""
    apart = abs(now - moment)
    words = next((_distance(apart, *step) for step in _DISTANCES if apart < step[0]), "")
    return f"in {words}" if moment > now else f"{words} ago"


def digits(value: float, decimals: int | None = None) -> str:
    """A number with these decimals, else with three significant digits; trailing zeros are then removed."""
    if decimals is not None:
        return f"{value:.{decimals}f}"
    if value == 0:
        return "0"
    places = max(0, 2 - math.floor(math.log10(abs(value))))
    # Rounds half up, as in a browser, not half to even.
    rounded = math.floor(value * 10**places + 0.5) / 10**places
    written = f"{rounded:.{places}f}"
    return written.rstrip("0").rstrip(".") if "." in written else written


def _plain(suffix: str = "", factor: float = 1) -> Formatter:
    return lambda value, decimals: digits(value * factor, decimals) + suffix


def _scaled(base: int, prefixes: tuple[str, ...], before: str = "", after: str = "") -> Formatter:
    def write(value: float, decimals: int | None) -> str:
        power = 0 if value == 0 else math.floor(math.log(abs(value), base) + 1e-9)
        power = min(max(power, 0), len(prefixes) - 1)
        return f"{before}{digits(value / base**power, decimals)}{prefixes[power]}{after}"

    return write


def _seconds(value: float, decimals: int | None) -> str:
    size = abs(value)
    if size == 0:
        return "0 s"
    per, suffix = next(step[1:] for step in _SECONDS if size < step[0])
    return f"{digits(value / per, decimals)} {suffix}"


def _distance(apart: float, _: float, per: float, one: str, many: str) -> str:
    count = max(1, round(apart / per))
    return one if count == 1 else many.format(count)


_SECONDS: Final = (
    (1e-6, 1e-9, "ns"),
    (1e-3, 1e-6, "µs"),
    (1, 1e-3, "ms"),
    (60, 1, "s"),
    (3600, 60, "mins"),
    (86400, 3600, "hours"),
    (604800, 86400, "days"),
    (31536000, 604800, "weeks"),
    (math.inf, 31536000, "years"),
)
"""Upper limit in seconds, seconds per unit, and name of the unit."""

_DISTANCES: Final = (
    (45, 45, "a few seconds", "a few seconds"),
    (45 * 60, 60, "a minute", "{} minutes"),
    (22 * 3600, 3600, "an hour", "{} hours"),
    (26 * 86400, 86400, "a day", "{} days"),
    (320 * 86400, 30.4 * 86400, "a month", "{} months"),
    (math.inf, 365 * 86400, "a year", "{} years"),
)
"""Upper limit in seconds, seconds per unit, singular and plural text."""

_COUNTS: Final = ("", "K", "M", "B", "T")
_BINARY: Final = tuple(f" {prefix}B" for prefix in ("", "Ki", "Mi", "Gi", "Ti", "Pi"))
_DECIMAL: Final = tuple(f" {prefix}B" for prefix in ("", "k", "M", "G", "T", "P"))

UNITS: Final[Mapping[str, Formatter]] = MappingProxyType(
    {
        "none": _plain(),
        "short": _scaled(1000, ("", " K", " Mil", " Bil", " Tri")),
        "percent": _plain("%"),
        "percentunit": _plain("%", 100),
        "s": _seconds,
        "ms": lambda value, decimals: _seconds(value / 1000, decimals),
        "µs": lambda value, decimals: _seconds(value / 1e6, decimals),
        "bytes": _scaled(1024, _BINARY),
        "decbytes": _scaled(1000, _DECIMAL),
        "Bps": _scaled(1000, _DECIMAL, after="/s"),
        "binBps": _scaled(1024, _BINARY, after="/s"),
        "currencyUSD": _scaled(1000, ("", "K", "M", "B", "T"), before="$"),
        "reqps": _scaled(1000, _COUNTS, after=" req/s"),
        "ops": _scaled(1000, _COUNTS, after=" ops/s"),
        "cps": _scaled(1000, _COUNTS, after=" c/s"),
        "cpm": _scaled(1000, _COUNTS, after=" c/m"),
        "bool_on_off": lambda value, _: "On" if value else "Off",
        "bool_yes_no": lambda value, _: "Yes" if value else "No",
    }
)
"""Formatter of each unit that the dashboards use, except `dateTimeFromNow`, which also needs the current time."""

FROM_NOW: Final = "dateTimeFromNow"
"""The unit of times in milliseconds, shown relative to now."""

BINARY: Final = frozenset({"bytes", "binBps"})
"""Units whose prefixes are powers of 1024."""
