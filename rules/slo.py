"""Service level objectives: the share of bad requests over eight windows, and the burn rate of the error budget.

Every window is computed from two cheap recordings, requests per second and bad requests per second over five minutes:
the mean of one divided by the mean of the other is the share over the window, with the same weight for each request.
A mean of shares would give a quiet night the weight of a busy day, and raw counters over days are expensive. Windows
over a day are computed from hourly means of the two, so that 30 days are some 20,000 samples per series. A window
covers only recorded time, so all windows have values from the start; the means blur its edge by five minutes, or by
an hour.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from observability.core.types import seconds
from observability.systems.model import PER_SECOND, System
from observability.systems.signals import Selector
from rules.promql import matchers

PERIOD: Final = "30d"
"""What an objective is about."""

INTERVAL: Final = "30s"
DAYS_INTERVAL: Final = "2m"
"""Evaluation interval of each; with more than five minutes, a series would be absent in between."""

Rule = dict[str, Any]


def groups(system: System) -> list[dict[str, Any]]:
    """The rule groups `slo-<system>` and `slo-<system>/days`; none where the system has no objectives."""
    sources = list(_sources(system))
    if not sources:
        return []
    of = matchers({"system": system.name})
    short = [*sources, *_shares("5m", ("5m", "30m", "1h", "2h", "6h"), of), _burn("current", "5m", of)]
    days = [*_shares("5m", ("1d",), of), *_hourly(of), *_shares("1h", ("3d", PERIOD), of)]
    days += [_burn("period", PERIOD, of), _remaining(of)]
    # No system name contains a slash, so group names are unique.
    return [_group(system, "", INTERVAL, short), _group(system, "/days", DAYS_INTERVAL, days)]


def _sources(system: System) -> Iterator[Rule]:
    """For each objective: its target, the events per second, and the bad events per second."""
    of, slos = matchers({"system": system.name}), system.slos
    if slos.availability is not None:
        requests, errors = f"app:http_requests:rate5m{of}", f"app:http_errors:rate5m{of}"
        yield from _objective("availability", slos.availability.objective, requests, errors)
    if slos.latency is not None and (histogram := system.signals.http_latency) is not None:
        target = seconds(slos.latency.target) * _per_second(system, histogram)
        events = f"app:http_latency:events_rate5m{of}"
        share = f"histogram_fraction(0, {target:g}, app:http_latency:bucket_rate5m{of})"
        # A share of zero events is NaN, and so would be every mean over it.
        slow = f"{events} * (1 - {share}) >= 0 or 0 * {events}"
        yield from _objective("latency", slos.latency.objective, events, slow)


def _objective(slo: str, objective: float, events: str, errors: str) -> Iterator[Rule]:
    for name, expr in (
        ("slo:objective:ratio", f"vector({objective:.10g})"),
        ("slo:error_budget:ratio", f"vector({1 - objective:.10g})"),
        ("slo:sli_events:rate5m", events),
        ("slo:sli_errors:rate5m", errors),
    ):
        yield {"record": name, "expr": expr, "labels": {"slo": slo}}


def _hourly(of: str) -> Iterator[Rule]:
    for what in ("events", "errors"):
        yield {"record": f"slo:sli_{what}:rate1h", "expr": f"avg_over_time(slo:sli_{what}:rate5m{of}[1h])"}


def _shares(base: str, windows: Iterable[str], of: str) -> Iterator[Rule]:
    """The share of bad events over each window, computed from the rates over the base; absent without events."""
    errors, events = f"slo:sli_errors:rate{base}{of}", f"slo:sli_events:rate{base}{of}"
    for window in windows:
        expr = f"avg_over_time({errors}[{window}]) / (avg_over_time({events}[{window}]) > 0)"
        if window == base:
            expr = f"{errors} / ({events} > 0)"
        yield {"record": f"slo:sli_error:ratio_rate{window}", "expr": expr}


def _burn(name: str, window: str, of: str) -> Rule:
    """Burn rate of the error budget."""
    expr = f"slo:sli_error:ratio_rate{window}{of} / slo:error_budget:ratio{of}"
    return {"record": f"slo:{name}_burn_rate:ratio", "expr": expr}


def _remaining(of: str) -> Rule:
    """The share of the period's error budget that is left; below 0 when it is overspent."""
    return {"record": "slo:period_error_budget_remaining:ratio", "expr": f"1 - slo:period_burn_rate:ratio{of}"}


def _group(system: System, suffix: str, interval: str, rules: list[Rule]) -> dict[str, Any]:
    labelled = [{**rule, "labels": {"system": system.name, **rule.get("labels", {})}} for rule in rules]
    return {"name": f"slo-{system.name}{suffix}", "interval": interval, "rules": labelled}


def _per_second(system: System, histogram: Selector) -> int:
    """How many of the histogram's unit make a second; an exporter's histograms are in seconds."""
    return 1 if histogram.job else PER_SECOND[system.series[histogram.series].unit]
