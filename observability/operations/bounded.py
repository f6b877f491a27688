"""Queries to Prometheus and Loki with limits on time, series, points and lines; the comparison of two windows."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx
import promql_parser

from observability.core import http
from observability.core.errors import ConfigError
from observability.core.types import seconds

LONGEST: Final = timedelta(days=7)
"""Longest range of a query of metrics, and longest window of a comparison."""

LONGEST_OF_LINES: Final = timedelta(days=1)
"""Longest range of a query of log lines."""

SERIES: Final = 30
"""Most series of an answer."""

POINTS: Final = 60
"""Most points of a series; the step follows from it."""

COMPARED: Final = 240
"""Points of a series by which a window is compared."""

LINES: Final = 100
"""Most lines of an answer."""

TIMEOUT: Final = 10.0
"""Seconds that a query may take, in the server and in all."""

_QUOTED: Final = re.compile(r"""\"(?:[^"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`[^`]*`""")
_RANGE: Final = re.compile(r"\[\s*(\w+)\s*(?::\s*\w*\s*)?\]")

_TIME: Final = 'write RFC 3339 like 2026-03-01T10:00:00Z, "now", or how long ago, like 30m or 2h'


@dataclass(frozen=True, kw_only=True)
class Servers:
    """The servers of a stack, by their addresses. Only GET is sent."""

    addresses: Mapping[str, str]

    def get(self, service: str, path: str, params: Mapping[str, str]) -> Any:  # noqa: ANN401 - any JSON
        """The JSON of a response; ConfigError where the server refuses the query, or does not answer."""
        if service not in self.addresses:
            raise ConfigError(f"the stack has no {service}", "ask for something else")
        try:
            answer = http.get(self.addresses[service] + path, params=dict(params), timeout=TIMEOUT, trust_env=False)
        except httpx.HTTPError as error:
            what = str(error).partition("\n")[0] or type(error).__name__
            raise ConfigError(f"{service} does not answer: {what}", "./obs status shows how it is") from error
        if answer.is_error:
            raise ConfigError(f"{service} refuses the query: {_said(answer)}", "correct the query, or ask for less")
        return answer.json()


def _said(answer: httpx.Response) -> str:
    try:
        found = answer.json()
    except ValueError:
        found = {}
    text = found.get("error") if isinstance(found, dict) else None
    return str(text or answer.text.strip() or answer.status_code)[:300]


def moment(text: str, now: datetime) -> datetime:
    """A time: RFC 3339, `now`, or a duration ago. ConfigError for anything else, and for one in the future."""
    if text.strip().lower() == "now":
        return now
    try:
        return now - timedelta(seconds=seconds(text.strip().removeprefix("-")))
    except (ValueError, OverflowError):
        pass
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ConfigError(f"{text!r} is not a time", _TIME) from None
    if found.tzinfo is None:
        raise ConfigError(f"{text!r} has no time zone", _TIME)
    if found > now + timedelta(minutes=1):
        raise ConfigError(f"{text} is in the future", _TIME)
    return found.astimezone(UTC)


def window(start: str, end: str, now: datetime, longest: timedelta) -> tuple[datetime, datetime]:
    """Start and end of a range; ConfigError where it is empty or longer than allowed."""
    begin, stop = moment(start, now), moment(end, now)
    if begin >= stop:
        raise ConfigError(f"the range from {start} to {end} is empty", "give a start before the end")
    if stop - begin > longest:
        hours = f"{longest / timedelta(hours=1):.0f} h"
        raise ConfigError(
            f"the range from {start} to {end} is longer than {hours}",
            f"ask for at most {hours}, or for an aggregate like avg_over_time(…[1d])",
        )
    return begin, stop


def check(query: str) -> None:
    """ConfigError where a query is no PromQL, with the parser's words, or reads more than the longest range."""
    try:
        promql_parser.parse(query)
    except ValueError as error:
        raise ConfigError(f"not PromQL: {str(error).strip()}", "correct the query") from None
    check_ranges(query, LONGEST)


def check_ranges(query: str, longest: timedelta) -> None:
    """ConfigError where a range in brackets is longer than allowed, in PromQL or LogQL."""
    for text in _RANGE.findall(_QUOTED.sub('""', query)):
        try:
            length = timedelta(seconds=seconds(text))
        except (ValueError, OverflowError):
            continue  # The server says what is wrong with it.
        if length > longest:
            hours = f"{longest / timedelta(hours=1):.0f} h"
            raise ConfigError(f"the range [{text}] is longer than {hours}", f"ask for at most {hours}")


def metrics(servers: Servers, query: str, start: str | None, end: str, now: datetime) -> dict[str, Any]:
    """An instant query at `end`, or with `start` a range; limits of series and points are stated in the answer."""
    check(query)
    params = {"query": query, "timeout": f"{TIMEOUT:.0f}s", "limit": str(SERIES + 1)}
    if start is None:
        params["time"] = f"{moment(end, now).timestamp():.3f}"
        data = servers.get("prometheus", "/api/v1/query", params)["data"]
        answer: dict[str, Any] = {"query": query, "at": _iso(moment(end, now))}
        if data["resultType"] in ("scalar", "string"):
            return {**answer, "value": data["result"][1]}
        found = [{"labels": one["metric"], "value": _last(one)} for one in data["result"]]
        return {**answer, **_limited("series", found, SERIES)}
    begin, stop = window(start, end, now, LONGEST)
    step = _step(begin, stop, POINTS)
    params |= {"start": f"{begin.timestamp():.3f}", "end": f"{stop.timestamp():.3f}", "step": str(step)}
    data = servers.get("prometheus", "/api/v1/query_range", params)["data"]
    found = [{"labels": one["metric"], "values": _points(one)} for one in data["result"]]
    answer = {"query": query, "start": _iso(begin), "end": _iso(stop), "step_seconds": step}
    return {**answer, **_limited("series", found, SERIES)}


def lines(servers: Servers, query: str, start: str, end: str, limit: int, now: datetime) -> dict[str, Any]:
    """Log lines, the newest first; of a query that counts, its series."""
    begin, stop = window(start, end, now, LONGEST_OF_LINES)
    check_ranges(query, LONGEST_OF_LINES)
    if not 1 <= limit <= LINES:
        raise ConfigError(f"limit is {limit}", f"ask for 1 to {LINES} lines")
    params = {
        "query": query,
        "start": f"{int(begin.timestamp() * 1000)}000000",
        "end": f"{int(stop.timestamp() * 1000)}000000",
        "limit": str(limit),
        "direction": "backward",
        "step": str(_step(begin, stop, POINTS)),
    }
    data = servers.get("loki", "/loki/api/v1/query_range", params)["data"]
    answer: dict[str, Any] = {"query": query, "start": _iso(begin), "end": _iso(stop)}
    if data.get("resultType") == "matrix":
        found = [{"labels": one["metric"], "values": _points(one)} for one in data["result"]]
        return {**answer, **_limited("series", found, SERIES)}
    stored = [(int(at), stream["stream"], text) for stream in data["result"] for at, text, *_ in stream["values"]]
    newest = sorted(stored, key=lambda one: -one[0])
    shown = [
        {"at": _iso(datetime.fromtimestamp(at / 1e9, UTC)), "labels": labels, "line": text}
        for at, labels, text in newest[:limit]
    ]
    note = [f"lines: the newest {limit} are shown, there may be more"] if len(newest) >= limit else []
    return {**answer, "lines": shown, **({"left_out": note} if note else {})}


def comparison(servers: Servers, query: str, windows: Sequence[tuple[str, str]], now: datetime) -> dict[str, Any]:
    """Average, lowest and highest value of each series in two windows, the largest change of the average first."""
    check(query)
    bounds = [window(start, end, now, LONGEST) for start, end in windows]
    figures = [_figures(servers, query, begin, stop) for begin, stop in bounds]
    rows = []
    for key in dict.fromkeys(key for one in figures for key in one):
        before, after = (one.get(key) for one in figures)
        ratio = after["average"] / before["average"] if before and after and before["average"] else None
        rows.append({"labels": dict(key), "first": before, "second": after, "ratio": _rounded(ratio)})
    rows.sort(key=_change, reverse=True)
    named = [{"start": _iso(begin), "end": _iso(stop)} for begin, stop in bounds]
    return {"query": query, "first": named[0], "second": named[1], **_limited("series", rows, SERIES)}


def _figures(
    servers: Servers, query: str, begin: datetime, stop: datetime
) -> dict[tuple[tuple[str, str], ...], dict[str, float]]:
    params = {
        "query": query,
        "start": f"{begin.timestamp():.3f}",
        "end": f"{stop.timestamp():.3f}",
        "step": str(_step(begin, stop, COMPARED)),
        "timeout": f"{TIMEOUT:.0f}s",
        "limit": str(10 * SERIES),
    }
    found = {}
    for one in servers.get("prometheus", "/api/v1/query_range", params)["data"]["result"]:
        values = [value for _, text in one["values"] if math.isfinite(value := float(text))]
        if values:
            average = sum(values) / len(values)
            figures = {"average": average, "lowest": min(values), "highest": max(values), "points": len(values)}
            found[tuple(sorted(one["metric"].items()))] = {
                name: _rounded(value) or 0.0 for name, value in figures.items()
            }
    return found


def _change(row: Mapping[str, Any]) -> float:
    """How much a series changed: by which factor, in either direction; one that appeared or ended is first."""
    if row["first"] is None or row["second"] is None:
        return math.inf
    before, after = abs(row["first"]["average"]), abs(row["second"]["average"])
    if before == after:
        return 0.0
    return abs(math.log(after / before)) if before and after else math.inf


def _limited(name: str, found: list[Any], most: int) -> dict[str, Any]:
    """The first entries, with a note where there are more."""
    if len(found) <= most:
        return {name: found}
    return {
        name: found[:most],
        "left_out": [f"{name}: the first {most} are shown, there are more: aggregate with sum by"],
    }


def _step(begin: datetime, stop: datetime, points: int) -> int:
    """Seconds between two points; no fewer than a scrape is long."""
    return max(15, math.ceil((stop - begin).total_seconds() / points))


def _points(one: Mapping[str, Any]) -> list[list[Any]]:
    return [[int(float(at)), _number(value)] for at, value in one.get("values") or ()]


def _last(one: Mapping[str, Any]) -> float | str:
    return _number(one["value"][1]) if "value" in one else "a native histogram: use histogram_quantile"


def _number(text: str) -> float | str:
    """A value in six digits, or in more if it is large, like a time; NaN and infinities as text: JSON has none."""
    value = float(text)
    return _shortened(value) if math.isfinite(value) else text


def _rounded(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else _shortened(value)


def _shortened(value: float) -> float:
    return round(value, 2) if abs(value) >= 1e5 else float(f"{value:.6g}")


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
