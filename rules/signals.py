"""Recording rules generated from a system's signals: the same canonical series for every system.

Rates and shares are over five minutes, latencies in seconds. The rules of a group are evaluated in order, so each
may read those before it: the buckets of a histogram, which are expensive, are read once by route, and the percentiles
are computed from that. A canonical series is also selected by `system`: otherwise a group would record another
system's data.
"""

from collections.abc import Mapping
from typing import Any, Final

from observability.systems.model import PER_SECOND, System
from observability.systems.resolve import thresholds
from observability.systems.signals import DbPool, ExternalApi, Heap, Kind, Outcomes, ProcessMemory, Selector
from rules import promql

QUANTILES: Final = ("0.5", "0.95", "0.99")
"""The recorded percentiles, as values of the label `quantile`."""

INTERVAL: Final = "10s"
"""Evaluation interval of the signals, which are expensive; their alerts, which are cheap, run twice as often.

So a message leaves at most 25 seconds after the scrape that shows the problem. Alertmanager waits for ten of them.
"""


def groups(system: System) -> list[dict[str, Any]]:
    """The rule group `signals-<system>`."""
    return [_Signals(system).group()]


class _Signals:
    """The rules of one system, in the order in which they depend on each other."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.thresholds = tuple(thresholds(system))
        self.rules: list[dict[str, Any]] = []

    def group(self) -> dict[str, Any]:
        """All rules of the system's signals."""
        self._there()
        self._requests()
        self._latencies()
        self._database()
        self._process()
        self._cache()
        self._others()
        self._business()
        self._security()
        return {"name": f"signals-{self.system.name}", "interval": INTERVAL, "rules": self.rules}

    # The rules of each kind of signal

    def _there(self) -> None:
        """Whether a target is up, and whether any series that the system's file declares is present."""
        own = {"system": self.system.name, "job": self.system.job}
        up = self._record("app:system:up", f"max by (system) ({promql.up_of(self.system, self.system.job)})")
        if self.system.scrape is None and not self.system.series:
            # It has no page that could lack a series; that no spans arrive is NoTraffic.
            self._record("app:system:declared", f"group by (system) ({up})")
        if self.system.series:
            names = (name for series, spec in self.system.series.items() for name in _parts(series, spec.kind))
            declared = promql.narrowed(promql.matchers(own), f'__name__=~"{"|".join(names)}"')
            self._record("app:system:declared", f"group by (system) ({declared})")

    def _requests(self) -> None:
        signals = self.system.signals
        if (requests := signals.http_requests) is not None:
            by = {"route": requests.route}
            by_route = self._record("app:http_requests_by_route:rate5m", self._rate(requests, by=by))
            zero = self._zero(requests)
            total = self._record("app:http_requests:rate5m", f"sum by (system) ({by_route})\nor {zero}")
            failed = self._rate(requests, f'{requests.status}=~"5.."', by=by)
            failed_by_route = self._record("app:http_errors_by_route:rate5m", f"{failed}\nor 0 * {by_route}")
            errors = self._record("app:http_errors:rate5m", f"sum by (system) ({failed_by_route})\nor 0 * {total}")
            self._share("app:http_errors:ratio_rate5m", errors, total)
            refused = self._rate(requests, f'{requests.status}=~"4.."')
            client_errors = self._record("app:http_client_errors:rate5m", f"{refused}\nor 0 * {total}")
            self._share("app:http_client_errors:ratio_rate5m", client_errors, total)
            if requests.domain is not None:
                by_domain = self._rate(requests, by={"domain": requests.domain})
                self._record("app:http_requests_by_domain:rate5m", by_domain)
        self._count("app:failures:rate5m", signals.failures)

    def _latencies(self) -> None:
        if (latency := self.system.signals.http_latency) is not None:
            by = {"route": latency.route} | ({"domain": latency.domain} if latency.domain else {})
            buckets = promql.renamed(promql.bucket_rate(self.system, latency, *by.values()), by, "le")
            if latency.domain is not None:
                fine = self._record("app:http_latency_by_route_and_domain:bucket_rate5m", buckets)
                buckets = promql.merged(fine, "route")
                self._percentiles("http_latency", "_by_domain", latency, promql.merged(fine, "domain"))
            by_route = self._percentiles("http_latency", "_by_route", latency, buckets)
            self._slow("http_latency", "_by_route", latency, "response_time")
            self._percentiles("http_latency", "", latency, promql.merged(by_route))

    def _database(self) -> None:
        signals = self.system.signals
        if (latency := signals.db_latency) is not None:
            by = {"operation": latency.operation} | ({"table": latency.table} if latency.table else {})
            buckets = promql.renamed(promql.bucket_rate(self.system, latency, *by.values()), by, "le")
            by_operation = self._percentiles("db_latency", "_by_operation", latency, buckets)
            self._slow("db_latency", "_by_operation", latency, "db_query_time")
            self._percentiles("db_latency", "", latency, promql.merged(by_operation))
        if (queries := signals.db_queries) is not None:
            made = self._outcomes("app:db_queries", "app:db_query_failures", queries)
            if signals.http_requests is not None:
                requests = "app:http_requests:rate5m" + promql.matchers({"system": self.system.name})
                self._record("app:db_queries_per_request:ratio_rate5m", f"{made} / ({requests} > 0)")
        if (timeouts := signals.db_timeouts) is not None:
            self._record("app:db_timeouts:increase5m", f"{self._events(timeouts)}\nor {self._zero(timeouts)}")
        if (pool := signals.db_pool) is not None:
            self._record("app:db_pool:ratio", self._pool(pool))

    def _process(self) -> None:
        signals = self.system.signals
        if (memory := signals.process_memory) is not None:
            self._memory("app:process_memory", memory)
        if (heap := signals.heap) is not None:
            self._memory("app:heap", heap)
        if (lag := signals.event_loop_lag) is not None:
            expr = f"max by (system, instance) ({promql.selector(self.system, lag)})"
            self._record("app:event_loop_lag:seconds", self._in_seconds(lag, expr))
        if (goroutines := signals.goroutines) is not None:
            self._record("app:goroutines:count", self._sum(goroutines, "instance"))

    def _cache(self) -> None:
        if (cache := self.system.signals.cache) is not None:
            # The counter of hits, or of misses, may be absent before its first event.
            found, missed = self._rate(cache.hits), self._rate(cache.misses)
            hits = self._record("app:cache_hits:rate5m", f"{found}\nor 0 * {missed}")
            lookups = self._record("app:cache_lookups:rate5m", f"{hits}\n+ ({missed} or 0 * {hits})")
            self._record("app:cache_hits:ratio_rate5m", f"{hits} / ({lookups} > 0)")

    def _others(self) -> None:
        """The external APIs and integrations, each by its name."""
        for name, api in sorted(self.system.signals.external_apis.items()):
            self._external_api(api, {"api": name})
        for name, events in sorted(self.system.signals.integrations.items()):
            self._outcomes("app:integration_events", "app:integration_failures", events, {"integration": name})

    def _external_api(self, api: ExternalApi, labels: Mapping[str, str]) -> None:
        self._outcomes("app:external_api_calls", "app:external_api_failures", api.calls, labels)
        if api.latency is not None:
            buckets = promql.bucket_rate(self.system, api.latency)
            self._percentiles("external_api_latency", "", api.latency, buckets, labels)
            self._slow("external_api_latency", "", api.latency, "external_api_time", labels)

    def _business(self) -> None:
        signals = self.system.signals
        orders = self._count("app:orders:rate5m", signals.orders)
        cancellations = self._count("app:cancellations:rate5m", signals.cancellations)
        if orders and cancellations:
            self._share("app:cancellations:ratio_rate5m", cancellations, orders)
        self._count("app:revenue_usd:rate5m", signals.revenue)
        self._count("app:transactions:rate5m", signals.transactions)
        if signals.meetings is not None:
            self._outcomes("app:meetings", "app:meeting_failures", signals.meetings)
        self._count("app:api_tokens:rate5m", signals.api_tokens)
        if signals.active_users is not None:
            self._record("app:active_users:count", self._sum(signals.active_users))
        if (inventory := signals.inventory) is not None:
            # Every instance reports the same inventory, so the values are not summed.
            stock = promql.selector(self.system, inventory)
            self._record("app:inventory:count", f"min by ({_list('system', *inventory.item)}) ({stock})")

    def _security(self) -> None:
        signals = self.system.signals
        if (attempts := signals.auth_attempts) is not None:
            total = self._record("app:auth_attempts:rate5m", self._rate(attempts))
            self._record("app:auth_failures:rate5m", f"{self._failed(attempts)}\nor 0 * {total}")
        self._count("app:rate_limited:rate5m", signals.rate_limited)
        if (suspicious := signals.suspicious_activity) is not None:
            labels = self.system.series[suspicious.series].labels if suspicious.job is None else ()
            self._record("app:suspicious_activity:increase5m", self._events(suspicious, *labels))

    # Common forms

    def _record(self, name: str, expr: str, labels: Mapping[str, str] | None = None) -> str:
        """Add a rule; returns a selector of the series it records."""
        own = {"system": self.system.name, **(labels or {})}
        # The expression has the label `system` already; without it here, promtool reports duplicate rules.
        self.rules.append({"record": name, "expr": expr, "labels": own})
        return name + promql.matchers(own)

    def _count(self, name: str, counter: Selector | None) -> str | None:
        """Events per second; 0 while the target is up and has not counted any yet."""
        return self._record(name, f"{self._rate(counter)}\nor {self._zero(counter)}") if counter else None

    def _outcomes(
        self, total_name: str, failures_name: str, outcomes: Outcomes, labels: Mapping[str, str] | None = None
    ) -> str:
        """Attempts, failures, and the share of failures; returns a selector of the attempts per second."""
        total = self._record(f"{total_name}:rate5m", self._rate(outcomes), labels)
        failed = f"{self._failed(outcomes)}\nor 0 * sum by (system) ({total})"
        failures = self._record(f"{failures_name}:rate5m", failed, labels)
        self._share(f"{failures_name}:ratio_rate5m", failures, total, labels)
        return total

    def _share(self, name: str, part: str, whole: str, labels: Mapping[str, str] | None = None) -> None:
        """Part divided by whole; 0 where the whole is 0."""
        self._record(name, f"{part} / ({whole} > 0)\nor 0 * {part}", labels)

    def _percentiles(
        self, stem: str, suffix: str, histogram: Selector, buckets: str, labels: Mapping[str, str] | None = None
    ) -> str:
        """The rates of the buckets, the percentiles, the observations per second; returns a selector of the first."""
        labels = labels or {}
        rates = self._record(f"app:{stem}{suffix}:bucket_rate5m", buckets, labels)
        for quantile in QUANTILES:
            # Without observations a percentile is NaN, and so would be any average over it.
            expr = self._in_seconds(histogram, f"histogram_quantile({quantile}, {rates})") + " >= 0"
            self._record(f"app:{stem}_seconds{suffix}:quantile5m", expr, {**labels, "quantile": quantile})
        every, native = promql.narrowed(rates, 'le="+Inf"'), promql.narrowed(rates, 'le=""')
        expr = f"sum without (le) ({every})\nor histogram_count({native})"
        self._record(f"app:{stem}{suffix}:events_rate5m", expr, labels)
        return rates

    def _slow(
        self,
        stem: str,
        suffix: str,
        histogram: Selector,
        threshold: str,
        labels: Mapping[str, str] | None = None,
    ) -> None:
        """The share of observations that took longer than the threshold of each severity, after `_percentiles`.

        It is read from the bucket that ends at the threshold, and interpolated where the system's file has none. Where
        the bucket that the file declares does not arrive, there is no result.
        """
        rates = f"app:{stem}{suffix}:bucket_rate5m" + promql.matchers({"system": self.system.name, **(labels or {})})
        for one in self.thresholds:
            if one.name != threshold:
                continue
            limit = f"{one.value * self._per_second(histogram):.10g}"
            # A share of zero events is NaN.
            share = f"clamp_min(1 - histogram_fraction(0, {limit}, {{}}), 0) >= 0"
            if one.estimated:
                expr = share.format(rates)
            else:
                bound = limit if "." in limit else f"{limit}([.]0)?"
                within = f"sum without (le) ({promql.narrowed(rates, f'le=~{promql.quoted(bound)}')})"
                every = "sum without (le) (" + promql.narrowed(rates, 'le="+Inf"') + ")"
                native = share.format(promql.narrowed(rates, 'le=""'))
                expr = f"clamp_min(1 - {within} / ({every} > 0), 0)\nor {native}"
            self._record(f"app:{stem}{suffix}:slow_ratio5m", expr, {**(labels or {}), "severity": one.severity})

    def _rate(self, counter: Selector, *matchers: str, by: Mapping[str, str] | None = None) -> str:
        """Events per second by system and labels: canonical name → own name."""
        by = by or {}
        rate = promql.rate(self.system, counter, *matchers)
        return promql.renamed(f"sum by ({_list('system', *by.values())}) ({rate})", by)

    def _failed(self, outcomes: Outcomes) -> str:
        """Failures per second."""
        ((label, value),) = outcomes.ok.items()
        return self._rate(outcomes, f"{label}!={promql.quoted(value)}")

    def _events(self, counter: Selector, *labels: str) -> str:
        """Events of five minutes, including those of a counter that is new in them: `increase` misses its first value.

        Where the target was not up five minutes ago, its counters may have existed before, so none counts as new.
        """
        raw, up = promql.selector(self.system, counter), promql.up(self.system, counter)
        unread = f"({up} unless ({up} offset 5m == 1))"
        born = f"({raw}\n   unless {raw} offset 5m\n   unless on (system, job, instance) {unread})"
        return f"sum by ({_list('system', *labels)}) (\n  {born}\n  or increase({raw}[5m])\n)"

    def _zero(self, counter: Selector) -> str:
        """0 while the target is present."""
        return f"0 * sum by (system) ({promql.up(self.system, counter)})"

    def _sum(self, gauge: Selector, *labels: str) -> str:
        return f"sum by ({_list('system', *labels)}) ({promql.selector(self.system, gauge)})"

    def _pool(self, pool: DbPool) -> str:
        size = f"({self._sum(pool.size, 'instance')} > 0)"
        if pool.used is not None:
            return f"{self._sum(pool.used, 'instance')} / {size}"
        assert pool.available is not None  # noqa: S101 - a system's file with neither is refused
        return f"1 - {self._sum(pool.available, 'instance')} / {size}"

    def _memory(self, name: str, memory: ProcessMemory | Heap) -> None:
        """Usage, and its share of the limit where that is known."""
        used = self._record(f"{name}:bytes", self._sum(memory.used, "instance"))
        if memory.limit is not None:
            limit = f"({self._sum(memory.limit, 'instance')} > 0)"
            self._record(f"{name}:ratio", f"{used} / {limit}")

    def _per_second(self, times: Selector) -> int:
        """How many of the series' unit make a second; an exporter's series are in seconds."""
        return 1 if times.job else PER_SECOND[self.system.series[times.series].unit]

    def _in_seconds(self, times: Selector, expr: str) -> str:
        """The expression converted from the series' unit to seconds."""
        return expr if self._per_second(times) == 1 else f"{expr} / {self._per_second(times)}"


def _parts(series: str, kind: Kind) -> tuple[str, ...]:
    """The stored names of one declared series; a histogram's as classic or native."""
    return (series, f"{series}_count") if kind == "histogram" else (series,)


def _list(*labels: str) -> str:
    return ", ".join(labels)
