"""Checks of a system's file that concern more than one field."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from observability.core.documents import nearest
from observability.core.guesses import candidates
from observability.core.types import seconds
from observability.systems.model import ApiValues, SeriesSpec, System, ThresholdValues
from observability.systems.resolve import SPECS, amount, bounds, is_bound, of_signal, selectors
from observability.systems.signals import HttpLatency, Selector, Signals
from observability.systems.spans import declared
from observability.systems.thresholds import SEVERITIES, Severity, ThresholdSpec, Unit


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One problem: its place, the problem, and the fix."""

    path: str
    what: str
    fix: str


def problems(system: System) -> Iterator[Problem]:
    """All problems of a system."""
    for path, selector in selectors(system.signals, "signals"):
        yield from _of_selector(system, path, selector)
    yield from _of_pool(system.signals)
    yield from threshold_problems(system.thresholds, "thresholds", system)
    yield from _of_slos(system)
    titles: set[tuple[str, str]] = set()
    for index, figure in enumerate(system.figures):
        path = f"figures[{index}]"
        if (figure.dashboard, figure.title) in titles:
            yield Problem(
                path=f"{path}.title",
                what=f"{figure.title!r}: is there twice on the dashboard {figure.dashboard}",
                fix="give one of the two another title",
            )
        titles.add((figure.dashboard, figure.title))
        if figure.series not in system.series:
            yield _unknown(f"{path}.series", "series", figure.series, system.series)
            continue
        for label in figure.by:
            yield from _of_label(f"{path}.by", label, figure.series, system.series[figure.series])


def _unknown(path: str, what: str, name: str, known: Mapping[str, object]) -> Problem:
    return Problem(
        path=path,
        what=f"{name!r}: unknown {what}",
        fix=f"{nearest(name, known)}known here: {', '.join(sorted(known))}",
    )


def _of_selector(system: System, path: str, selector: Selector) -> Iterator[Problem]:
    if selector.job is not None and declared(system, selector) is None:
        if selector.job not in system.exporters:
            yield Problem(
                path=f"{path}.job",
                what=f"{selector.job!r}: is none of the system's exporters",
                fix=f"add it to exporters, or take it out; exporters now: {', '.join(system.exporters) or 'none'}",
            )
        return
    spec = declared(system, selector)
    if spec is None:
        yield _unknown(f"{path}.series", "series", selector.series, system.series)
        return
    # A histogram of spans is counted like one of requests.
    if selector.job is None and spec.kind not in selector.kinds:
        yield Problem(
            path=f"{path}.series",
            what=f"{selector.series!r}: is a {spec.kind}, and the signal wants a {' or a '.join(selector.kinds)}",
            fix=f"name another series, or correct series.{selector.series}.kind",
        )
    if selector.units and spec.unit not in selector.units:
        yield Problem(
            path=f"{path}.series",
            what=f"{selector.series!r}: is in {spec.unit}, and the signal wants {' or '.join(selector.units)}",
            fix=f"name another series, or correct series.{selector.series}.unit",
        )
    for field, label in selector.labels():
        yield from _of_label(f"{path}.{field}", label, selector.series, spec)


def _of_label(path: str, label: str, series: str, spec: SeriesSpec) -> Iterator[Problem]:
    if label not in spec.labels:
        yield Problem(
            path=path,
            what=f"{label!r}: {series} has no such label",
            fix=f"{nearest(label, spec.labels)}its labels: {', '.join(spec.labels) or 'none'}",
        )


def _of_pool(signals: Signals) -> Iterator[Problem]:
    pool = signals.db_pool
    if pool and (pool.used is None) == (pool.available is None):
        yield Problem(
            path="signals.dbPool",
            what="wants either used or available",
            fix="name the gauge of connections in use, or that of free ones where use is not exposed",
        )


def threshold_problems(demanded: Mapping[str, ThresholdValues], path: str, system: System | None) -> Iterator[Problem]:
    """The problems of thresholds, of a system or (None) of the stack's own parts."""
    for name, values in demanded.items():
        if name not in SPECS:
            yield _unknown(f"{path}.{name}", "threshold", name, SPECS)
            continue
        yield from _of_threshold(name, values, f"{path}.{name}", system)


def _of_threshold(name: str, values: ThresholdValues, path: str, system: System | None) -> Iterator[Problem]:
    spec = SPECS[name]
    if spec.platform and system:
        yield Problem(
            path=path,
            what="it is about the stack's own parts, not about a system",
            fix=f"move it to observability:systems.platform.thresholds.{name} of the stack's file",
        )
        return
    if spec.signal and not (system and of_signal(system.signals, spec.signal)):
        yield Problem(
            path=path,
            what=f"there is no signals.{spec.signal} to hold it against",
            fix="add that signal, or take it out",
        )
        return
    if spec.percentile and values.quantile is None:
        yield Problem(path=path, what="does not say which percentile", fix="add quantile: p50, p95 or p99")
    if not spec.percentile and values.quantile is not None:
        yield Problem(path=f"{path}.quantile", what="it is not about a percentile", fix="take quantile out")
    if values.apis and not spec.per_api:
        yield Problem(path=f"{path}.apis", what="it is not about single external APIs", fix="take apis out")
        return
    found: dict[Severity, float] = dict(spec.default)
    stated: dict[str, ThresholdValues | ApiValues] = {path: values}
    for api, own in values.apis.items():
        if system and api not in system.signals.external_apis:
            yield _unknown(f"{path}.apis.{api}", "external API", api, system.signals.external_apis)
        stated[f"{path}.apis.{api}"] = own
    for where, of in stated.items():
        problem = next(_of_amounts(where, of, spec, found, system), None)
        if problem:
            yield problem
            return
    if not spec.floor:
        yield from _in_order(path, found, spec.breached)


def _of_amounts(
    path: str,
    values: ThresholdValues | ApiValues,
    spec: ThresholdSpec,
    found: dict[Severity, float],
    system: System | None,
) -> Iterator[Problem]:
    """The problems of values by severity; those without one are added to `found`."""
    for severity in SEVERITIES:
        written = getattr(values, severity)
        if written is None:
            continue
        where = f"{path}.{severity}"
        if severity not in spec.severities:
            yield _unknown(where, "severity", severity, dict.fromkeys(spec.severities))
            return
        try:
            found[severity] = amount(written, spec.unit)
        except ValueError as error:
            what, _, fix = str(error).partition("; ")
            fit = next((one for one in candidates(written) if _is_amount(one, spec.unit)), None)
            if fit is not None:
                fix = f"write it {severity}: {fit}"
            yield Problem(path=where, what=f"{written!r}: {what}", fix=fix or spec.description)
            return
        if system and spec.percentile and spec.signal:
            yield from _below_the_top(where, found[severity], of_signal(system.signals, spec.signal), system)


def _is_amount(value: object, unit: Unit) -> bool:
    """Whether this value of a threshold can be intended; a share of 100 % is no useful warning."""
    try:
        found = amount(value, unit) if isinstance(value, str | int | float) else None
    except ValueError:
        return False
    return found is not None and not (unit == "ratio" and found == 1)


def _below_the_top(path: str, value: float, found: tuple[Selector, ...], system: System) -> Iterator[Problem]:
    """Durations over the highest bound of a classic histogram are counted, but not measured."""
    for selector in found:
        measured = bounds(system, selector)
        if measured and value > measured[-1]:
            yield Problem(
                path=path,
                what=f"{selector.series} measures up to {measured[-1]:g} s: nobody sees what takes {value:g} s",
                fix="set it lower, or give the histogram a higher bucket",
            )


def _in_order(path: str, found: Mapping[Severity, float], breached: str) -> Iterator[Problem]:
    given = [severity for severity in SEVERITIES if severity in found]
    for mild, severe in pairwise(given):
        if (found[mild] >= found[severe]) if breached == "above" else (found[mild] <= found[severe]):
            yield Problem(
                path=path,
                what=f"{mild} ({found[mild]:g}) is not milder than {severe} ({found[severe]:g})",
                fix=f"{mild} must be {'below' if breached == 'above' else 'above'} {severe}",
            )


def _of_slos(system: System) -> Iterator[Problem]:
    if system.slos.availability and system.signals.http_requests is None:
        yield _without("slos.availability", "httpRequests")
    if system.slos.latency is None:
        return
    latency: HttpLatency | None = system.signals.http_latency
    if latency is None:
        yield _without("slos.latency", "httpLatency")
        return
    measured = bounds(system, latency)
    target = seconds(system.slos.latency.target)
    if measured and not is_bound(target, measured[:-1]):
        yield Problem(
            path="slos.latency.target",
            what=f"{system.slos.latency.target!r}: is none of the bounds of {latency.series} below its highest",
            fix=f"use one of these, in seconds: {', '.join(f'{bound:g}' for bound in measured[:-1])}",
        )


def _without(path: str, signal: str) -> Problem:
    return Problem(
        path=path, what=f"there is no signals.{signal} to measure it by", fix="add that signal, or take it out"
    )
