"""Recording rules over the past hour, day and week, to compare current values with the usual ones.

Alerts compare the current value with a recording `offset 1w`, with a mean of the last days, or with a day ago.
"""

from collections.abc import Iterator
from typing import Any, Final

from observability.systems.model import System
from observability.systems.signals import Selector
from rules.promql import count, matchers, selector

INTERVAL: Final = "1m"
"""Evaluation interval of the history: nothing here changes faster."""

DAYS: Final = 7
"""Number of past days from which the usual value is computed."""

Rule = dict[str, Any]


def groups(system: System) -> list[dict[str, Any]]:
    """The rule group `history-<system>`; none where no signal of the system has a history."""
    rules = [{**rule, "labels": {"system": system.name, **rule.get("labels", {})}} for rule in _rules(system)]
    return [{"name": f"history-{system.name}", "interval": INTERVAL, "rules": rules}] if rules else []


def _rules(system: System) -> Iterator[Rule]:
    yield from _totals(system)
    if system.signals.http_requests is not None:
        yield from _usual_traffic(matchers({"system": system.name}))
        yield from _client_errors(matchers({"system": system.name}))
        if system.signals.db_queries is not None:
            yield from _queries_of_a_week(matchers({"system": system.name}))
    if system.signals.http_latency is not None:
        yield _latency_of_a_day(system.name)
    yield from _errors(system)


def _totals(system: System) -> Iterator[Rule]:
    """Sums and means over a past hour or day, read from the raw counters: a gap in the samples loses no events."""
    signals, of = system.signals, matchers({"system": system.name})
    for name, counter, window in (
        ("app:orders:increase1h", signals.orders, "1h"),
        ("app:revenue_usd:increase1h", signals.revenue, "1h"),
        ("app:transactions:increase1h", signals.transactions, "1h"),
        ("app:transactions:increase15m", signals.transactions, "15m"),
        ("app:api_tokens:increase1d", signals.api_tokens, "1d"),
    ):
        if counter is not None:
            yield _rule(name, f"sum by (system) (increase({selector(system, counter)}[{window}]))")
    if signals.active_users is not None:
        yield _rule("app:active_users:avg1h", f"avg_over_time(app:active_users:count{of}[1h])")


def _usual_traffic(of: str) -> Iterator[Rule]:
    """Mean and standard deviation of the request rate at this hour of day, pooled over the last days.

    The hour is centred on the current time of day: an hour that ends now would lag behind traffic that rises or
    falls. A sum is absent while one of its terms is, so fewer days yield no result; the last condition requires
    the first of the hours to be complete.
    """
    yield _rule("app:http_requests:avg1h", f"avg_over_time(app:http_requests:rate5m{of}[1h])")
    yield _rule("app:http_requests:stddev1h", f"stddev_over_time(app:http_requests:rate5m{of}[1h])")
    mean, deviation = f"app:http_requests:avg1h{of}", f"app:http_requests:stddev1h{of}"
    offsets = [f"offset {24 * day - 1}h30m" for day in range(1, DAYS + 1)]
    means = "\n  + ".join(f"{mean} {offset}" for offset in offsets)
    squares = "\n  + ".join(f"({mean} {offset}) ^ 2 + ({deviation} {offset}) ^ 2" for offset in offsets)
    yield _rule("app:http_requests:usual_mean", f"(\n  {means}\n) / {DAYS}\nand {mean} offset {DAYS}d")
    usual = f"app:http_requests:usual_mean{of}"
    # The variance of even traffic consists of rounding errors only. It may be below 0, and any difference is large
    # relative to it. So the minimum deviation is a hundredth of the mean.
    yield _rule(
        "app:http_requests:usual_stddev",
        f"sqrt(clamp_min((\n  {squares}\n) / {DAYS} - {usual} ^ 2, 0)) > 0.01 * {usual}\nor 0.01 * {usual}",
    )


def _client_errors(of: str) -> Iterator[Rule]:
    """The mean share of 4xx over the last day, computed from hourly means; absent until there is a day of them."""
    hourly = f"app:http_client_errors:ratio_avg1h{of}"
    yield _rule("app:http_client_errors:ratio_avg1h", f"avg_over_time(app:http_client_errors:ratio_rate5m{of}[1h])")
    # The last hour is excluded: the current values are not the usual ones.
    daily = f"avg_over_time({hourly}[1d] offset 1h) and on (system) {hourly} offset 1d"
    yield _rule("app:http_client_errors:ratio_avg1d", daily)


def _queries_of_a_week(of: str) -> Iterator[Rule]:
    """Database queries per request over the last week, from hourly means; absent until there is a week of data."""
    queries, requests = f"app:db_queries:avg1h{of}", f"app:http_requests:avg1h{of}"
    yield _rule("app:db_queries:avg1h", f"avg_over_time(app:db_queries:rate5m{of}[1h])")
    # The last hour is excluded: the current values are not the usual ones.
    mean = f"avg_over_time({queries}[1w] offset 1h)\n  / (avg_over_time({requests}[1w] offset 1h) > 0)"
    yield _rule("app:db_queries_per_request:avg1w", f"{mean}\nand last_over_time({queries}[1h] offset 1w)")


def _latency_of_a_day(name: str) -> Rule:
    """The mean of the 95th percentile over the last day; absent until there is a day of data."""
    percentile = "app:http_latency_seconds:quantile5m" + matchers({"system": name, "quantile": "0.95"})
    seen = f"last_over_time(app:http_latency:events_rate5m{matchers({'system': name})}[1h] offset 1d)"
    return _rule(
        "app:http_latency_seconds:p95_avg1d",
        f"sum by (system) (avg_over_time({percentile}[1d])) and on (system) {seen}",
    )


def _errors(system: System) -> Iterator[Rule]:
    """The counter values of each type of error and of each route's 5xx, and whether the system is present."""
    signals = system.signals
    types = [_named(system, errors, errors.type) for errors in signals.error_types]
    if types:
        yield _rule("app:error_series:count", f"sum by (system, name) ({' or '.join(types)})", kind="type")
    if signals.new_routes and (requests := signals.http_requests) is not None:
        routes = _named(system, requests, requests.route, f'{requests.status}=~"5.."')
        yield _rule("app:error_series:count", f"sum by (system, name) ({routes})", kind="route")
    if types or signals.new_routes:
        own = [signals.http_requests or signals.http_latency, signals.failures, *signals.error_types]
        there = dict.fromkeys(count(system, source) for source in own if source is not None)
        yield _rule("app:system:present", " or ".join(f"group by (system) ({series})" for series in there))


def _named(system: System, source: Selector, label: str, *narrower: str) -> str:
    """The counts of a series, with one of its labels as `name`; `series` distinguishes two counters of errors."""
    renamed = f'label_replace({count(system, source, *narrower)}, "name", "$1", "{label}", "(.*)")'
    return f'label_replace({renamed}, "series", "{source.series}", "", "")'


def _rule(name: str, expr: str, **labels: str) -> Rule:
    return {"record": name, "expr": expr, **({"labels": labels} if labels else {})}
