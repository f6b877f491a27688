"""PromQL generated from signals: the raw series of a signal, and its rates, whatever type the series has.

A histogram may be scraped as a classic or as a native one, independently of its system's file. So both forms are
queried; the classic one is used where a target sends both.
"""

from collections.abc import Mapping

from observability.core.naming import PLATFORM
from observability.parts.traces import JOB
from observability.systems.model import System
from observability.systems.signals import Selector
from observability.systems.spans import declared


def quoted(value: str) -> str:
    """The value as a PromQL string."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def matchers(labels: Mapping[str, str]) -> str:
    """The labels' values as PromQL matchers, in braces."""
    return "{" + ",".join(f"{label}={quoted(value)}" for label, value in labels.items()) + "}"


def narrowed(selector: str, *more: str) -> str:
    """A selector that already has matchers, with more matchers."""
    return ",".join([selector.removesuffix("}"), *more]) + "}"


def selector(system: System, chosen: Selector, *more: str, suffix: str = "") -> str:
    """The raw series of a signal, narrowed by more matchers; `suffix` is that of a histogram's part."""
    own = matchers({"system": system.name, "job": chosen.job or system.job, **chosen.where})
    return narrowed(f"{chosen.series}{suffix}{own}", *more)


def up(system: System, chosen: Selector) -> str:
    """Whether the targets of these series are up."""
    return up_of(system, chosen.job or system.job)


def up_of(system: System, job: str) -> str:
    """Whether the targets of a job are up. Spans of all systems are measured by one target of the stack."""
    if job != JOB:
        return "up" + matchers({"system": system.name, "job": job})
    return f'label_replace(up{matchers({"system": PLATFORM, "job": job})}, "system", "{system.name}", "", "")'


def is_histogram(system: System, chosen: Selector) -> bool:
    """Whether it is a histogram, as far as is known; an exporter's series are not."""
    spec = declared(system, chosen)
    return spec is not None and spec.kind == "histogram"


def count(system: System, chosen: Selector, *more: str) -> str:
    """The value of a counter, or the number of observations of a histogram, per series."""
    if not is_histogram(system, chosen):
        return selector(system, chosen, *more)
    classic = selector(system, chosen, *more, suffix="_count")
    return f"({classic} or histogram_count({selector(system, chosen, *more)}))"


def rate(system: System, chosen: Selector, *more: str, window: str = "5m") -> str:
    """Events per second, per series."""
    if not is_histogram(system, chosen):
        return f"rate({selector(system, chosen, *more)}[{window}])"
    classic = selector(system, chosen, *more, suffix="_count")
    native = selector(system, chosen, *more)
    return f"(\n  rate({classic}[{window}])\n  or histogram_count(rate({native}[{window}]))\n)"


def bucket_rate(system: System, histogram: Selector, *labels: str, window: str = "5m") -> str:
    """Rates of a histogram's buckets by system and labels, for `histogram_quantile` and `histogram_fraction`.

    A classic histogram also has the label `le`; a native one is one sample without it.
    """
    group = ", ".join(("system", *labels))
    classic = selector(system, histogram, suffix="_bucket")
    native = selector(system, histogram)
    return (
        f"sum by ({group}, le) (rate({classic}[{window}]))"
        f"\nor on ({group}) sum by ({group}) (rate({native}[{window}]))"
    )


def merged(rates: str, *labels: str) -> str:
    """Recorded rates of buckets, of either form, aggregated by system and fewer labels."""
    group = ", ".join(("system", *labels))
    classic, native = narrowed(rates, 'le!=""'), narrowed(rates, 'le=""')
    return f"sum by ({group}, le) ({classic})\nor on ({group}) sum by ({group}) ({native})"


def renamed(expr: str, names: Mapping[str, str], *kept: str) -> str:
    """The expression with its labels renamed: canonical name → own name; the labels `kept` are unchanged."""
    changed = {new: old for new, old in names.items() if new != old}
    if not changed:
        return expr
    for new, old in changed.items():
        expr = f'label_replace(\n{expr},\n"{new}", "$1", "{old}", "(.*)"\n)'
    return f"sum by ({', '.join(('system', *names, *kept))}) ({expr})"
