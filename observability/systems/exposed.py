"""The series of a page by the names in a system's file: a counter by its own name, a histogram by its base name."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from observability.systems.exposition import Page, Sample

_PARTS: Final = {
    "histogram": ("_bucket", "_sum", "_count", "_created"),
    "gaugehistogram": ("_bucket", "_gsum", "_gcount"),
    "summary": ("_sum", "_count", "_created"),
    "counter": ("_total", "_created"),
    "info": ("_info",),
}
"""Suffixes of the names of a metric's samples, besides the name itself, by its type."""

LIBRARIES: Final = re.compile(
    r"(process|go|nodejs|python|ruby|promhttp|scrape|jvm|dotnet|net_conntrack|otel_scope|otel_sdk|prometheus_sdk)_"
    # Of Micrometer and Spring Boot.
    r"|(system|disk|tomcat|jetty|logback_events|log4j2_events|executor|hikaricp|jdbc|application_(started|ready)"
    r"|spring_security|tasks_scheduled|lettuce|http_client_requests)_"
    # Of .NET and ASP.NET.
    r"|(kestrel|aspnetcore|microsoft_aspnetcore|system_net|system_runtime|signalr)_"
    r"|(target|python|build|version)_info$|up$"
)
"""Default series of a client library or framework, which need not be declared."""


@dataclass(kw_only=True)
class Exposed:
    """One series of a page; a histogram as a whole."""

    kind: str
    help: str = ""
    samples: list[Sample] = field(default_factory=list)
    labels: dict[str, set[str]] = field(default_factory=dict)
    """Values by label, without a histogram's `le` and a summary's `quantile`."""
    counts: dict[float, float] = field(default_factory=dict)
    """Observations of a histogram up to each bound, over all its label values."""
    total: float = 0.0
    """Sum of a histogram's observations; for other types the highest value."""
    raw_bounds: set[str] = field(default_factory=set)
    """Bounds of a histogram as they are stored."""

    @property
    def bounds(self) -> tuple[float, ...]:
        """Upper bounds without +Inf, from the lowest."""
        return tuple(sorted(bound for bound in self.counts if math.isfinite(bound)))


def find(page: Mapping[str, Exposed], name: str) -> Exposed | None:
    """The series of this name; also `<summary>_count`, a counter within a summary."""
    base = name.removesuffix("_count")
    if name not in page and base in page and page[base].kind == "summary":
        return _counted(page[base], name)
    return page.get(name)


def counts_of_summaries(page: Mapping[str, Exposed]) -> dict[str, Exposed]:
    """The counters within the summaries of a page, by their own names."""
    return {f"{name}_count": _counted(one, f"{name}_count") for name, one in page.items() if one.kind == "summary"}


def _counted(summary: Exposed, name: str) -> Exposed:
    found = Exposed(kind="counter", help=summary.help)
    for sample in summary.samples:
        if sample.name == name:
            _add(found, sample)
    return found


def exposed(page: Page) -> dict[str, Exposed]:
    """All series of a page, by their names in a system's file, including those with a type and no sample yet."""
    found: dict[str, Exposed] = {}
    untyped = _untyped_histograms(page)
    for sample in page.samples:
        family, kind = _family(sample.name, page.kinds, untyped)
        if _is_birth(sample.name, page.kinds):
            continue
        name = sample.name if kind in ("counter", "info") else family
        one = found.setdefault(name, Exposed(kind=kind, help=page.helps.get(family, page.helps.get(name, ""))))
        _add(one, sample)
    for family, kind in page.kinds.items():
        ending = {"counter": "_total", "info": "_info"}.get(kind, "") if page.form == "openmetrics" else ""
        name = family if family.endswith(ending) else f"{family}{ending}"
        if not ({name, family} & found.keys() or _is_birth(family, page.kinds)):
            found[name] = Exposed(kind=kind, help=page.helps.get(family, ""))
    return found


def _is_birth(name: str, kinds: Mapping[str, str]) -> bool:
    """Whether it only states when a series was created."""
    base = name.removesuffix("_created")
    return base != name and not {base, f"{base}_total"}.isdisjoint(kinds)


def _add(one: Exposed, sample: Sample) -> None:
    one.samples.append(sample)
    histogram = one.kind in ("histogram", "gaugehistogram") or (one.kind == "unknown" and _is_part(sample))
    for label, value in sample.labels:
        if label == "le" and histogram and sample.name.endswith("_bucket"):
            try:
                bound = float(value)
            except ValueError:
                continue
            one.counts[bound] = one.counts.get(bound, 0.0) + sample.value
            one.raw_bounds.add(value)
        elif not (label == "quantile" and one.kind == "summary"):
            one.labels.setdefault(label, set()).add(value)
    if histogram and sample.name.endswith("_sum"):
        one.total += sample.value
    elif not histogram:
        one.total = max(one.total, sample.value)


def _is_part(sample: Sample) -> bool:
    return sample.name.endswith(_PARTS["histogram"])


def _family(name: str, kinds: Mapping[str, str], untyped: frozenset[str]) -> tuple[str, str]:
    """The metric of a sample, and its type."""
    if name in kinds:
        return name, kinds[name]
    for kind, suffixes in _PARTS.items():
        for suffix in suffixes:
            base = name.removesuffix(suffix)
            if base != name and kinds.get(base) == kind:
                return base, kind
            if base != name and kind == "histogram" and base in untyped:
                return base, "unknown"
    return name, "unknown"


def _untyped_histograms(page: Page) -> frozenset[str]:
    """Base names of the histograms by their samples, even without a TYPE line."""
    names = {sample.name for sample in page.samples if sample.name.endswith(("_sum", "_count"))}
    bases = {
        sample.name.removesuffix("_bucket")
        for sample in page.samples
        if sample.name.endswith("_bucket") and any(label == "le" for label, _ in sample.labels)
    }
    return frozenset(base for base in bases if base not in page.kinds and {f"{base}_sum", f"{base}_count"} & names)
