"""Compares a system's file with what Prometheus stores of the responses to some scrapes."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from observability.core.documents import nearest
from observability.core.types import seconds
from observability.systems import scrapes
from observability.systems.exposed import LIBRARIES, Exposed, exposed, find
from observability.systems.exposition import Page, RefusedError
from observability.systems.model import PER_SECOND, SeriesSpec, System
from observability.systems.resolve import SPECS, amount, of_signal, selectors
from observability.systems.signals import HttpRequests, Kind, Outcomes, Unit
from observability.systems.thresholds import SEVERITIES

Verdict = Literal["agrees", "differs", "doubtful", "undeclared"]
"""differs: the file or the system is wrong; doubtful: check it; undeclared: exposed, and not read by anything here."""

PAGE: Final = "the page"
"""The `series` of a finding about a whole response."""

ENOUGH: Final = 20
"""Minimum number of observations from which a histogram's values show its unit."""

_RAW: Final = re.compile(r"/(\d+|[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|[0-9a-f]{24,})(/|$)")
"""A part of a path that identifies one object: a number, a UUID, a long hexadecimal id."""

_HELP: Final[Mapping[Unit, re.Pattern[str]]] = {
    "seconds": re.compile(r"\b(ms|milliseconds?)\b", re.IGNORECASE),
    "ms": re.compile(r"\bseconds?\b", re.IGNORECASE),
    "bytes": re.compile(r"\b([KMG]i?B|kilobytes|megabytes|gigabytes)\b", re.IGNORECASE),
}
"""Text that contradicts that unit in the help text of a series."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A finding about one series, or about the page.

    `blind` says what rules cannot read because of it: None nothing, no labels the whole series, else these labels.
    """

    series: str
    verdict: Verdict
    detail: str = ""
    blind: frozenset[str] | None = None


WHOLE: Final[frozenset[str]] = frozenset()
"""Rules find nothing of the series."""


def compare(system: System, pages: Sequence[Page], at: int | None = None) -> list[Finding]:
    """Findings about the page, then about each series that the file declares, then about undeclared ones.

    `pages` are responses in order; the first is compared, the others show how it changes. `at` is when the first was
    received, in milliseconds since 1970; None: unknown. RefusedError: there is no series at all.
    """
    first, *later = pages
    live = exposed(first)
    if not live:
        raise RefusedError("it holds no series")
    found = [Finding(series=PAGE, verdict="doubtful", detail=doubt) for doubt in first.doubts]
    found += [Finding(series=PAGE, verdict="doubtful", detail=doubt) for doubt in scrapes.changes(pages)]
    after = [exposed(page) for page in later]
    for name, spec in system.series.items():
        found += _series(system, name, spec, live, at, after)
    known = system.series.keys() | {name.removesuffix("_count") for name in system.series}
    others = [name for name in sorted(live.keys() - known) if not LIBRARIES.match(name)]
    return found + [Finding(series=name, verdict="undeclared", detail=live[name].kind) for name in others]


def refused(system: System, reason: RefusedError) -> list[Finding]:
    """The finding where Prometheus refuses the page: nothing of it is stored."""
    detail = f"Prometheus refuses it, the target is down: {reason}" + (f"; {reason.fix}" if reason.fix else "")
    nothing = "nothing of the page is stored"
    return [
        Finding(series=PAGE, verdict="differs", detail=detail),
        *(Finding(series=name, verdict="differs", detail=nothing, blind=WHOLE) for name in system.series),
    ]


def of_libraries(page: Page) -> int:
    """How many series of a page belong to a client library."""
    return sum(1 for name in exposed(page) if LIBRARIES.match(name))


def _series(
    system: System,
    name: str,
    spec: SeriesSpec,
    page: Mapping[str, Exposed],
    at: int | None,
    later: Sequence[Mapping[str, Exposed]],
) -> Iterator[Finding]:
    live = find(page, name)
    if live is None:
        yield Finding(series=name, verdict="differs", detail=_missing(name, spec, page), blind=WHOLE)
        return
    wrong: list[tuple[str, frozenset[str] | None]] = [
        *((detail, WHOLE) for detail in _kind(spec.kind, live)),
        *_labels(spec, live),
        *((detail, None) for detail in _buckets(spec, live)),
        *((detail, WHOLE) for detail in scrapes.times(live, at)),
        *((detail, None) for detail in scrapes.duplicates(live)),
        *((detail, WHOLE) for detail in scrapes.falls(name, live, later)),
    ]
    yield from (Finding(series=name, verdict="differs", detail=detail, blind=blind) for detail, blind in wrong)
    doubts = [
        *_untyped(spec, live),
        *_unit(spec, live),
        *_raw_paths(system, name, live),
        *_values(system, name, live),
        *_between_bounds(system, name, spec, live),
    ]
    if not live.samples:
        doubts.append("has no sample yet, so its labels are not known")
    yield from (Finding(series=name, verdict="doubtful", detail=detail) for detail in doubts)
    if not wrong and not doubts:
        yield Finding(series=name, verdict="agrees")


def _missing(name: str, spec: SeriesSpec, page: Mapping[str, Exposed]) -> str:
    """Why nothing is stored under the name: another spelling or another name, if one exists."""
    for other in page:
        if other != name and other.strip() == name:
            return f"is stored as {other!r}: Prometheus takes blanks before a name for a part of it, leave them out"
        if other != name and re.sub(r"\W", "_", other) == name:
            return (
                f"is stored as {other!r}, a name that no rule reads: Prometheus asks for underscores "
                "(escaping=underscores), and the system does not heed it"
            )
    kind = [other for other, live in page.items() if live.kind == spec.kind and not LIBRARIES.match(other)]
    return f"is not exposed; or it is, but only once it has something to count {_hint(nearest(name, kind))}".rstrip()


def _hint(question: str) -> str:
    return f"({question.strip()})" if question else ""


def _kind(kind: Kind, live: Exposed) -> Iterator[str]:
    if live.kind not in (kind, "unknown"):
        yield f"is exposed as {live.kind}, the file says {kind}"
    elif live.kind == "unknown" and kind == "histogram" and not live.counts:
        yield "is exposed without a TYPE line and without buckets, the file says histogram"
    elif live.kind == "unknown" and kind == "histogram":
        plain = sorted(bound for bound in live.raw_bounds if bound.isdecimal())
        if plain:
            yield f'has no TYPE line, so its bounds are stored as written: le="{plain[0]}", not le="{plain[0]}.0"'


def _untyped(spec: SeriesSpec, live: Exposed) -> Iterator[str]:
    if live.kind == "unknown" and spec.kind != "histogram":
        yield f"has no type; Prometheus stores it all the same, but nothing says that it is a {spec.kind}"


def _labels(spec: SeriesSpec, live: Exposed) -> Iterator[tuple[str, frozenset[str] | None]]:
    if not live.samples:
        return
    missing = [label for label in spec.labels if label not in live.labels]
    unknown = sorted(live.labels.keys() - set(spec.labels))
    if missing:
        dotted = {re.sub(r"\W", "_", label): label for label in unknown}
        said = [f"{label} (sent as {dotted[label]!r})" if label in dotted else label for label in missing]
        yield f"lacks the labels {', '.join(said)}", frozenset(missing)
    if unknown:
        yield f"has labels that the file does not know: {', '.join(unknown)}", None


def _buckets(spec: SeriesSpec, live: Exposed) -> Iterator[str]:
    histogram = live.kind == "histogram" or (live.kind == "unknown" and live.counts)
    if histogram and spec.kind == "histogram" and live.samples and live.bounds != tuple(map(float, spec.bounds)):
        yield f"has the bounds {_list(live.bounds)}, the file says {_list(spec.bounds)}"


def _list(bounds: tuple[float, ...]) -> str:
    return ", ".join(f"{bound:g}" for bound in bounds) or "none"


def _unit(spec: SeriesSpec, live: Exposed) -> Iterator[str]:
    """Signs that the values are in another unit than the name or the file states."""
    said = _HELP[spec.unit].search(live.help) if spec.unit in _HELP else None
    if said:
        yield f"is in {spec.unit}, but its help text says {said[0]}"
    if spec.unit == "bytes" and live.samples and 0 < live.total < 2**16:
        yield f"is in bytes, but never above {live.total:g}"
    count = live.counts.get(math.inf, 0.0)
    if not spec.bounds or count < ENOUGH:
        return
    top = max((bound for bound in live.counts if math.isfinite(bound)), default=math.inf)
    mean = live.total / count
    if live.counts.get(top, count) < count / 2:
        yield f"has half of its observations above the highest bound, {top:g}: is it in {spec.unit}?"
    elif 0 < mean < spec.bounds[0] / 100:
        yield f"has a mean of {mean:.3g}, far below the lowest bound, {spec.bounds[0]:g}: is it in {spec.unit}?"


def _raw_paths(system: System, name: str, live: Exposed) -> Iterator[str]:
    """Route labels whose values identify single objects: one series for each is more than a server can store."""
    signals = (system.signals.http_requests, system.signals.http_latency)
    for label in sorted({signal.route for signal in signals if signal and signal.series == name}):
        raw = sorted(value for value in live.labels.get(label, ()) if _RAW.search(value))
        if raw:
            yield f"has raw paths in the label {label}, like {raw[0]}: name the route's template"


def _values(system: System, name: str, live: Exposed) -> Iterator[str]:
    """Values that a signal counts by and that do not occur: it would count nothing, or everything as a failure."""
    counted: dict[str, set[str]] = {}
    for _, one in selectors(system.signals):
        if one.series != name or one.job is not None:
            continue
        if isinstance(one, HttpRequests):
            values = live.labels.get(one.status, set())
            if values and not any(re.fullmatch(r"[1-5]..", value) for value in values):
                yield f"has no status codes in the label {one.status}, but {_some(values)}: no answer counts as 5xx"
        for label, value in (*one.where.items(), *(one.ok.items() if isinstance(one, Outcomes) else ())):
            # An empty value is a label that is not there.
            if value:
                counted.setdefault(label, set()).add(value)
    for label, wanted in counted.items():
        values = live.labels.get(label, set())
        if values and values.isdisjoint(wanted):
            yield f"has {_some(values)} in the label {label}, and its signals count {_some(wanted)}"


def _some(values: set[str]) -> str:
    shown = sorted(values)
    return ", ".join(map(repr, shown[:3])) + (f" and {len(shown) - 3} more" if len(shown) > 3 else "")


def _between_bounds(system: System, name: str, spec: SeriesSpec, live: Exposed) -> Iterator[str]:
    """Limits that are not a bound of the histogram: a percentile there is an estimate."""
    factor = PER_SECOND.get(spec.unit)
    bounds = live.bounds
    if factor is None or not bounds:
        return
    for path, limit in _limits(system, name):
        bound = limit * factor
        if bound < bounds[-1] and not any(math.isclose(bound, one) for one in bounds):
            yield f"has no bound at {bound:g}, so {path} is estimated: add the bucket {bound:g}"


def _limits(system: System, name: str) -> Iterator[tuple[str, float]]:
    """The percentile thresholds and objectives that are computed from a histogram, with their limits in seconds."""
    for threshold, values in system.thresholds.items():
        spec = SPECS.get(threshold)
        if not (spec and spec.percentile and spec.signal):
            continue
        if any(one.series == name for one in of_signal(system.signals, spec.signal)):
            for severity in SEVERITIES:
                written = getattr(values, severity)
                if written is not None:
                    yield f"thresholds.{threshold}.{severity}", amount(written, spec.unit)
    latency = system.signals.http_latency
    if system.slos.latency and latency and latency.series == name:
        yield "slos.latency.target", seconds(system.slos.latency.target)
