"""Does a system expose what its file says? A file against the text of a live `/metrics`."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from observability.systems.model import SeriesSpec, System
from observability.systems.signals import Kind, Unit

Verdict = Literal["agrees", "differs", "doubtful", "undeclared"]
"""differs: the file or the system is wrong; doubtful: look at it; undeclared: exposed, and nothing here reads it."""

ENOUGH: Final = 20
"""Observations from which on a histogram's values say something about its unit."""

_NAME: Final = re.compile(r"^(?:# TYPE )?([a-zA-Z_:][a-zA-Z0-9_:]*)", re.MULTILINE)
"""Name of a sample, or of a series that may have none yet."""

_RAW: Final = re.compile(r"/(\d+|[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|[0-9a-f]{24,})(/|$)")
"""A part of a path that names one thing: a number, a UUID, a long hexadecimal id."""

_HELP: Final[Mapping[Unit, re.Pattern[str]]] = {
    "seconds": re.compile(r"\b(ms|milliseconds?)\b", re.IGNORECASE),
    "ms": re.compile(r"\bseconds?\b", re.IGNORECASE),
    "bytes": re.compile(r"\b([KMG]i?B|kilobytes|megabytes|gigabytes)\b", re.IGNORECASE),
}
"""What the help text of a series of that unit must not say."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What was found out about one series."""

    series: str
    verdict: Verdict
    detail: str = ""


@dataclass(kw_only=True)
class _Exposed:
    """One series as it is exposed; of a histogram, all of it."""

    kind: str
    help: str
    labels: dict[str, set[str]] = field(default_factory=dict)
    counts: dict[float, float] = field(default_factory=dict)
    """Observations of a histogram up to each bound, over all its label values."""
    total: float = 0.0
    """Sum of a histogram's observations; of anything else, its highest value."""
    samples: int = 0


def compare(system: System, text: str) -> list[Finding]:
    """A row for each series the file declares, then for each that only the system knows; ValueError: not such text."""
    exposed = _read(text)
    found = [
        finding for name, spec in system.series.items() for finding in _series(system, name, spec, exposed.get(name))
    ]
    others = sorted(exposed.keys() - system.series.keys() - {f"{_base(name)}_created" for name in system.series})
    return found + [Finding(series=name, verdict="undeclared", detail=exposed[name].kind) for name in others]


def _series(system: System, name: str, spec: SeriesSpec, live: _Exposed | None) -> Iterator[Finding]:
    if live is None:
        detail = "is not exposed; or it is, but only once it has something to count"
        yield Finding(series=name, verdict="differs", detail=detail)
        return
    wrong = [*_kind(spec.kind, live), *_labels(spec, live), *_buckets(spec, live)]
    yield from (Finding(series=name, verdict="differs", detail=detail) for detail in wrong)
    doubts = [*_unit(spec, live), *_raw_paths(system, name, live)]
    if not live.samples:
        doubts.append("has no sample yet, so its labels are not known")
    yield from (Finding(series=name, verdict="doubtful", detail=detail) for detail in doubts)
    if not wrong and not doubts:
        yield Finding(series=name, verdict="agrees")


def _kind(kind: Kind, live: _Exposed) -> Iterator[str]:
    if live.kind != kind:
        yield f"is exposed as {live.kind}, the file says {kind}"


def _labels(spec: SeriesSpec, live: _Exposed) -> Iterator[str]:
    if not live.samples:
        return
    missing = [label for label in spec.labels if label not in live.labels]
    unknown = sorted(live.labels.keys() - set(spec.labels))
    if missing:
        yield f"lacks the labels {', '.join(missing)}"
    if unknown:
        yield f"has labels that the file does not know: {', '.join(unknown)}"


def _buckets(spec: SeriesSpec, live: _Exposed) -> Iterator[str]:
    bounds = tuple(sorted(bound for bound in live.counts if math.isfinite(bound)))
    if live.kind == spec.kind == "histogram" and live.samples and bounds != tuple(map(float, spec.bounds)):
        yield f"has the bounds {_list(bounds)}, the file says {_list(spec.bounds)}"


def _list(bounds: tuple[float, ...]) -> str:
    return ", ".join(f"{bound:g}" for bound in bounds) or "none"


def _unit(spec: SeriesSpec, live: _Exposed) -> Iterator[str]:
    """Signs that the values are in another unit than the name or the file says."""
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


def _raw_paths(system: System, name: str, live: _Exposed) -> Iterator[str]:
    """Route labels whose values name single things: one series for each is more than any server holds."""
    signals = (system.signals.http_requests, system.signals.http_latency)
    for label in sorted({signal.route for signal in signals if signal and signal.series == name}):
        raw = sorted(value for value in live.labels.get(label, ()) if _RAW.search(value))
        if raw:
            yield f"has raw paths in the label {label}, like {raw[0]}: name the route's template"


def _read(text: str) -> dict[str, _Exposed]:
    """Everything a text exposes, by the name that a system's file gives it."""
    # The parser gives every counter the name with `_total`, whatever the text says.
    written = set(_NAME.findall(text))
    found: dict[str, _Exposed] = {}
    for family in text_string_to_metric_families(text):
        names = {family.name, f"{family.name}_total"} & written if family.type == "counter" else {family.name}
        found |= dict.fromkeys(names, _exposed(family))
    if not found:
        raise ValueError("it holds no series")
    return found


def _base(name: str) -> str:
    return name.removesuffix("_total")


def _exposed(family: Metric) -> _Exposed:
    live = _Exposed(kind=family.type, help=family.documentation)
    for sample in family.samples:
        live.samples += 1
        for label, value in sample.labels.items():
            if not (label == "le" and family.type == "histogram"):
                live.labels.setdefault(label, set()).add(value)
        if sample.name.endswith("_bucket") and "le" in sample.labels:
            bound = float(sample.labels["le"])
            live.counts[bound] = live.counts.get(bound, 0.0) + sample.value
        elif family.type == "histogram" and sample.name.endswith("_sum"):
            live.total += sample.value
        elif family.type != "histogram":
            live.total = max(live.total, sample.value)
    return live
