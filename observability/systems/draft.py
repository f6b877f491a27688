"""A system's file generated from a live page: its series, and the recognised signals."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from observability.systems.exposed import LIBRARIES, Exposed, counts_of_summaries, exposed
from observability.systems.exposition import Page
from observability.systems.model import BUCKETS, PER_SECOND, UNBOUNDED, unit_of
from observability.systems.recognise import Candidate, Recognised, recognise
from observability.systems.signals import Kind, Unit

_SERIES: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{0,126}")
_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9 ,.()/'%-]*")
_RESERVED: Final = frozenset({"yes", "no", "true", "false", "null", "on", "off", "y", "n"})

WIDTH: Final = 119
"""Maximum length of a line, as in the rest of the repository."""

SHOWN: Final = 20
"""Maximum number of a label's values that are read to recognise the label."""


def draft(name: str, page: Page, address: str) -> str:
    """The text of `systems/<name>.yaml` for a system that responds with this page at this address.

    Every choice that the page does not determine is marked with a comment that begins with `guess:`.
    """
    live = exposed(page)
    found = {**live, **counts_of_summaries(live)}
    candidates = {series: one for series, known in found.items() if (one := _candidate(series, known))}
    recognised = recognise(candidates)
    declared = {
        series: one
        for series, one in candidates.items()
        if series in recognised.used() or (series in live and not LIBRARIES.match(series))
    }
    lines = [
        *_head(name, address),
        "",
        *_series_lines(declared, live, found, recognised),
        "",
        *_signal_lines(recognised),
        *_demands(declared, recognised),
    ]
    return "\n".join(lines) + "\n"


def _candidate(name: str, live: Exposed) -> Candidate | None:
    """The series as a file can declare it; None where it cannot."""
    kind = _kind(name, live)
    if kind is None or not _SERIES.fullmatch(name) or _unbounded(live):
        return None
    labels = tuple(label for label in sorted(live.labels) if _SERIES.fullmatch(label))
    values = {label: frozenset(sorted(live.labels[label])[:SHOWN]) for label in labels}
    return Candidate(
        name=name, kind=kind, unit=_unit(name, kind, live), labels=labels, values=values, bounds=live.bounds
    )


def _kind(name: str, live: Exposed) -> Kind | None:
    """The kind as a file states it; None: a kind that files do not have."""
    if live.kind == "counter":
        return "counter"
    if live.kind == "gauge":
        return "gauge"
    if live.kind == "histogram" or (live.kind == "unknown" and live.counts):
        return "histogram"
    if live.kind == "unknown":
        return "counter" if name.endswith("_total") else "gauge"
    return None


def _unit(name: str, kind: Kind, live: Exposed) -> Unit:
    """The unit in the name, else the one that a histogram's bounds suggest."""
    said = unit_of(name)
    timed = re.search(r"duration|latency|_time$|_time_", name)
    if said == "count" and kind == "histogram" and timed and live.bounds:
        return "ms" if live.bounds[-1] > 300 else "seconds"
    return said


def _unbounded(live: Exposed) -> str | None:
    return next((label for label in sorted(live.labels) if label in UNBOUNDED), None)


# The text


def _head(name: str, address: str) -> Iterator[str]:
    parts = urlsplit(address)
    path = (parts.path or "/metrics") + (f"?{parts.query}" if parts.query else "")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    title = name.replace("-", " ").title()
    yield "# yaml-language-server: $schema=schema.json"
    yield f"# {title}, as it answered when this file was made by: ./obs system new {name} --from URL"
    yield "# What begins with `guess:` was chosen by names alone: read it, correct it, then take the comment away."
    yield f"# Check it against the running system with: ./obs system check systems/{name}.yaml --against URL"
    yield f"title: {_text(title)}"
    yield 'description: ""'
    yield "# guess: who owns it. Alerts carry it in the label `team`."
    yield f"team: {name}"
    if parts.scheme in ("http", "https"):
        yield f"scrape: {{job: backend, port: {port}, path: {_text(path)}}}"
    else:
        yield "# guess: made from a saved answer, which does not say where it came from."
        yield "scrape: {job: backend, port: 8080, path: /metrics}"


def _series_lines(
    declared: Mapping[str, Candidate],
    live: Mapping[str, Exposed],
    found: Mapping[str, Exposed],
    recognised: Recognised,
) -> Iterator[str]:
    yield "series:" if declared else "series: {}"
    for name in sorted(declared):
        one, known = declared[name], found[name]
        if known.kind == "unknown":
            yield f"  # guess: the page has no TYPE line for it, so {one.kind} is by its name."
        if one.unit != unit_of(name):
            yield f"  # guess: its name has no unit; its bounds look like {one.unit}."
        if not known.samples:
            yield "  # guess: it has no sample yet, so its labels are not known."
        yield from _entry(name, one, known)
    if "httpLatency" not in recognised.signals and (timed := _timed_summary(live)):
        yield f"  # {timed} is a summary: nobody can combine its percentiles over instances and time, so it can be no"
        yield f"  # httpLatency. Have the library send a histogram{_how(timed)}."
    for name in sorted(live.keys() - declared.keys()):
        if not LIBRARIES.match(name):
            yield f"  # left out: {name}, {_why_not(name, live[name])}"


def _timed_summary(live: Mapping[str, Exposed]) -> str | None:
    timed = [
        name for name, one in live.items() if one.kind == "summary" and re.search(r"http.*(second|dur|lat)", name)
    ]
    return min(timed, default=None)


def _how(name: str) -> str:
    if name == "http_server_requests_seconds":
        return " (Spring Boot: management.metrics.distribution.percentiles-histogram.http.server.requests=true)"
    return ""


def _why_not(name: str, live: Exposed) -> str:
    if not _SERIES.fullmatch(name):
        return "a name that Prometheus stores, and PromQL needs in quotes: send it with underscores"
    if live.kind == "summary":
        return "a summary: its percentiles cannot be combined over instances"
    if live.kind in ("info", "stateset", "gaugehistogram"):
        return f"its type is {live.kind}"
    return f"it has the label {_unbounded(live)}, with a value for each user or event"


def _entry(name: str, one: Candidate, known: Exposed) -> Iterator[str]:
    """The series, split over several lines where one would be too long."""
    parts = _spec(one, known)
    line = f"  {name}: {{{', '.join(parts)}}}"
    if len(line) <= WIDTH:
        yield line
        return
    yield f"  {name}:"
    rest = "    {"
    for index, part in enumerate(parts):
        piece = part + ("}" if index == len(parts) - 1 else ",")
        if rest.strip("{ ") and len(rest) + len(piece) >= WIDTH:
            yield rest.rstrip()
            rest = "     "
        rest += f"{piece} "
    yield rest.rstrip()


def _spec(one: Candidate, known: Exposed) -> list[str]:
    parts = [f"kind: {one.kind}"]
    if one.labels:
        parts.append(f"labels: [{', '.join(one.labels)}]")
    if one.unit != unit_of(one.name):
        parts.append(f"unit: {one.unit}")
    if one.kind == "histogram" and one.bounds:
        parts.append(f"buckets: {_buckets(one)}")
    parts.append(f"help: {_text(known.help or 'No help text is sent.')}")
    return parts


def _buckets(one: Candidate) -> str:
    scale = PER_SECOND.get(one.unit)
    for name, bounds in BUCKETS.items():
        if scale and one.bounds == tuple(bound * scale for bound in bounds):
            return name
    return f"[{', '.join(_number(bound) for bound in one.bounds)}]"


def _number(value: float) -> str:
    """In a form that YAML reads back as a number: 1e-05 would be a text."""
    text = f"{value:.12g}"
    return re.sub(r"^(-?\d+)e", r"\1.0e", text)


def _text(value: str) -> str:
    flat = " ".join(value.split())
    plain = _PLAIN.fullmatch(flat) and flat.lower() not in _RESERVED and ", " not in flat and flat == flat.strip()
    return flat if plain or re.fullmatch(r"/[\w/.-]*", flat) else json.dumps(flat, ensure_ascii=False)


def _signal_lines(recognised: Recognised) -> Iterator[str]:
    if not recognised.signals:
        yield "# No signal was recognised: see systems/schema.json for those there are, and which labels each wants."
        yield "signals: {}"
        return
    yield "signals:"
    for signal, value in recognised.signals.items():
        yield f"  # guess: {recognised.reasons[signal]}."
        yield f"  {signal}: {_flow(value)}"


def _flow(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return (
        value
        if isinstance(value, str) and _SERIES.fullmatch(value) and value.lower() not in _RESERVED
        else (json.dumps(value))
    )


def _demands(declared: Mapping[str, Candidate], recognised: Recognised) -> Iterator[str]:
    """Initial thresholds and objectives, each at an existing bound of the histogram."""
    signals = recognised.signals
    thresholds, slos = [], []
    if "httpRequests" in signals:
        thresholds.append("errorRatio: {warning: 1%, critical: 5%}")
        slos.append("availability: {objective: 99.9%}")
    if "httpLatency" in signals:
        latency = declared[signals["httpLatency"]["series"]]
        thresholds += _percentile("responseTime", latency, 1.0, both=True)
        target = _near(_below(latency), 1.0)
        if target:
            slos.append(f"latency: {{objective: 99%, target: {_duration(target)}}}")
    if "dbLatency" in signals:
        thresholds += _percentile("dbQueryTime", declared[signals["dbLatency"]["series"]], 0.5, both=False)
    for signal, line in _STARTS:
        if signal in signals and (signal != "processMemory" or "limit" in signals[signal]):
            thresholds.append(line)
    for title, lines in (("thresholds", thresholds), ("slos", slos)):
        if lines:
            yield ""
            yield f"# guess: {title} to start from; set them to what this system must hold."
            yield f"{title}:"
            yield from (f"  {line}" for line in lines)


_STARTS: Final = (
    ("dbPool", "dbPoolRatio: {warning: 80%, critical: 95%}"),
    ("dbQueries", "dbFailureRatio: {warning: 1%}"),
    ("cache", "cacheHitRatio: {warning: 80%}"),
    ("processMemory", "processMemoryRatio: {warning: 80%, critical: 95%}"),
    ("goroutines", "goroutines: {warning: 10000}"),
)


def _below(one: Candidate) -> list[float]:
    """The bounds below the highest, in seconds: possible limits of a percentile."""
    scale = PER_SECOND.get(one.unit, 1)
    return [bound / scale for bound in one.bounds[:-1]]


def _near(bounds: Sequence[float], wanted: float) -> float | None:
    return min(bounds, key=lambda bound: abs(bound - wanted), default=None)


def _percentile(name: str, one: Candidate, wanted: float, *, both: bool) -> Iterator[str]:
    bounds = _below(one)
    warning = _near(bounds, wanted)
    if warning is None or _duration(warning) == "0ms":
        return
    above = [bound for bound in bounds if bound >= 2 * warning]
    critical = f", critical: {_duration(above[0])}" if both and above else ""
    yield f"{name}: {{quantile: p95, warning: {_duration(warning)}{critical}}}"


def _duration(seconds: float) -> str:
    return f"{seconds:g}s" if seconds == int(seconds) else f"{round(seconds * 1000)}ms"


def summary(text: str) -> tuple[int, int]:
    """The number of series that a draft declares, and of guesses that it marks."""
    guesses = len(re.findall(r"^ *# guess:", text, re.MULTILINE))
    return len(re.findall(r"^(?:  \w+: |    )\{kind:", text, re.MULTILINE)), guesses
