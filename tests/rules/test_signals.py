"""The canonical series: what is recorded from each system's raw series, under which labels, in which unit."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from tests.rules.canonical import Values, case, none, of, p95, several
from tests.rules.harness import Case, promtool, rule_groups
from tests.rules.raw import DATABASE, HTTP, Series, counter, gauge, histogram, native, series

UP = "1x60"


def requests(system: str, route: str, code: str, rate: float) -> Series:
    names = {"depot": ("path", "status"), "studio": ("route", "status")}.get(system, ("route", "status_code"))
    labels = {"method": "GET", names[0]: route, names[1]: code}
    return {series("http_requests_total", system, labels): counter(rate)}


def _requests() -> Iterator[Case]:
    for system in ("depot", "academy", "studio", "print-shop"):
        found = requests(system, "/a", "200", 3) | requests(system, "/a", "503", 1) | requests(system, "/b", "404", 4)
        yield case(
            f"Requests and errors of {system} are counted by route, 4xx not as errors",
            found,
            several("app:http_requests_by_route:rate5m", system, ({"route": "/a"}, 4), ({"route": "/b"}, 4)),
            several("app:http_errors_by_route:rate5m", system, ({"route": "/a"}, 1), ({"route": "/b"}, 0)),
            of("app:http_requests:rate5m", system, 8),
            of("app:http_errors:rate5m", system, 1),
            of("app:http_errors:ratio_rate5m", system, 0.125),
        )
    yield case(
        "A share of errors is 0 where nothing failed",
        requests("depot", "/a", "200", 3),
        of("app:http_errors:rate5m", "depot", 0),
        of("app:http_errors:ratio_rate5m", "depot", 0),
    )
    yield case(
        "A share of errors is 0 where there is no traffic",
        requests("depot", "/a", "200", 0),
        of("app:http_requests:rate5m", "depot", 0),
        of("app:http_errors:ratio_rate5m", "depot", 0),
    )
    yield case(
        "What a target has not counted yet is 0",
        {series("up", "depot"): UP, series("up", "studio"): UP},
        several("app:http_requests:rate5m", "depot", ({}, 0)),
        of("app:orders:rate5m", "depot", 0),
        of("app:rate_limited:rate5m", "depot", 0),
        of("app:db_timeouts:increase5m", "depot", 0),
        systems=("depot",),
    )
    yield case(
        "Failures that are not counted yet are 0", {series("up", "studio"): UP}, of("app:failures:rate5m", "studio", 0)
    )
    yield case(
        "Several instances are added up",
        {
            text.replace("depot-1:", f"depot-{number}:"): values
            for number in (1, 2)
            for text, values in (requests("depot", "/a", "200", 3) | requests("depot", "/a", "500", 1)).items()
        },
        of("app:http_requests:rate5m", "depot", 8),
        of("app:http_errors:ratio_rate5m", "depot", 0.25),
    )
    yield case(
        "A system's group records its own series alone",
        requests("academy", "/a", "200", 3) | requests("print-shop", "/a", "200", 5),
        several("app:http_requests:rate5m", "academy", ({}, 3)),
        systems=("academy",),
    )


def _of_hospital() -> Iterator[Case]:
    """Its requests are the observations of its histogram."""
    parts = ((("/a", "200", "crm"), 3.0), (("/a", "500", "crm"), 1.0), (("/b", "200", "finance"), 4.0))
    for form in ("classic", "native"):
        found: Series = {}
        for (route, code, domain), rate in parts:
            labels = {"method": "GET", "route": route, "status_code": code, "domain": domain}
            at = 0.4 if domain == "crm" else 0.04
            found |= of_form(form, "http_request_duration_seconds", "hospital", labels, at, rate)
        yield case(
            f"Requests of hospital are counted from its {form} histogram, by route and by domain",
            found,
            several("app:http_requests_by_route:rate5m", "hospital", ({"route": "/a"}, 4), ({"route": "/b"}, 4)),
            several("app:http_errors_by_route:rate5m", "hospital", ({"route": "/a"}, 1), ({"route": "/b"}, 0)),
            several(
                "app:http_requests_by_domain:rate5m", "hospital", ({"domain": "crm"}, 4), ({"domain": "finance"}, 4)
            ),
            of("app:http_errors:ratio_rate5m", "hospital", 0.125),
            p95(
                "app:http_latency_seconds_by_domain:quantile5m",
                "hospital",
                ({"domain": "crm"}, 0.4),
                ({"domain": "finance"}, 0.04),
            ),
        )


def of_form(form: str, name: str, system: str, labels: Mapping[str, str], at: float, rate: float) -> Series:
    """A histogram whose 95th percentile is so many seconds."""
    bounds = DATABASE if name.startswith("db") else HTTP
    if form == "native":
        return native(name, system, labels, quantile=0.95, at=at, rate=rate, bounds=bounds)
    unit = 1000 if name.endswith("_ms") else 1
    found = histogram(name, system, labels, quantile=0.95, at=at, rate=rate, bounds=bounds, unit=unit)
    if form == "classic with 1.0":
        # Integer bounds as Prometheus 3 writes them, and as other clients may send them.
        found = {
            text.replace('le="1"', 'le="1.0"').replace('le="5"', 'le="5.0"'): values for text, values in found.items()
        }
    return found


def _latencies() -> Iterator[Case]:
    http, database = "http_request_duration_seconds", "db_query_duration_seconds"
    for form in ("classic", "classic with 1.0", "native"):
        found = of_form(form, http, "depot", {"method": "GET", "path": "/a"}, 1.7, 3)
        found |= of_form(form, database, "depot", {"operation": "select"}, 0.7, 2)
        yield case(f"The times of depot come from {form} histograms", found, *_times("depot", 1.7, 3, 0.7, 2))
    both = {**of_form("classic", http, "depot", {"method": "GET", "path": "/a"}, 1.7, 3)}
    both |= of_form("native", http, "depot", {"method": "GET", "path": "/a"}, 1.7, 3)
    both |= of_form("classic", database, "depot", {"operation": "select"}, 0.7, 2)
    both |= of_form("native", database, "depot", {"operation": "select"}, 0.7, 2)
    yield case("A histogram that comes in both forms counts once", both, *_times("depot", 1.7, 3, 0.7, 2))
    mixed = of_form("classic", http, "depot", {"method": "GET", "path": "/a"}, 1.7, 3)
    mixed |= {
        text.replace("depot-1:", "depot-2:"): values
        for text, values in of_form("classic with 1.0", http, "depot", {"method": "GET", "path": "/a"}, 1.7, 3).items()
    }
    mixed |= of_form("classic", database, "depot", {"operation": "select"}, 0.7, 2)
    yield case("Instances that write the same bound in two ways are one", mixed, *_times("depot", 1.7, 6, 0.7, 2))
    first = of_form("classic", http, "depot", {"method": "GET", "path": "/a"}, 1.7, 3)
    second = of_form("native", http, "depot", {"method": "GET", "path": "/b"}, 0.7, 5)
    yield case(
        "Where some routes come in either form, each has its own, and the classic ones make the total",
        first | second,
        p95("app:http_latency_seconds_by_route:quantile5m", "depot", ({"route": "/a"}, 1.7), ({"route": "/b"}, 0.7)),
        p95("app:http_latency_seconds:quantile5m", "depot", ({}, 1.7)),
        of("app:http_latency:events_rate5m", "depot", 3),
    )
    labels = {"method": "GET", "route": "/a", "status_code": "200"}
    milliseconds = of_form("classic", "http_request_duration_ms", "print-shop", labels, 0.7, 3)
    milliseconds |= of_form("classic", "db_query_duration_ms", "print-shop", {"operation": "select"}, 0.07, 2)
    yield case("Milliseconds become seconds", milliseconds, *_times("print-shop", 0.7, 3, 0.07, 2))
    yield case(
        "A route that nobody asks for has no percentile",
        of_form("classic", http, "depot", {"method": "GET", "path": "/a"}, 1.7, 0),
        none("app:http_latency_seconds_by_route:quantile5m", "app:http_latency_seconds:quantile5m"),
        of("app:http_latency_by_route:events_rate5m", "depot", 0, route="/a"),
        of("app:http_latency:events_rate5m", "depot", 0),
    )


def _times(system: str, http: float, http_rate: float, database: float, database_rate: float) -> tuple[Values, ...]:
    """What is recorded for one route and one operation: the 95th percentiles and the observations per second."""
    found: list[Values] = []
    for stem, by, label, at, rate in (
        ("http_latency", "route", {"route": "/a"}, http, http_rate),
        ("db_latency", "operation", {"operation": "select"}, database, database_rate),
    ):
        for suffix, labels in ((f"_by_{by}", label), ("", {})):
            found.append(p95(f"app:{stem}_seconds{suffix}:quantile5m", system, (labels, at)))
            found.append(of(f"app:{stem}{suffix}:events_rate5m", system, rate, **labels))
    return tuple(found)


def _quantiles() -> Iterator[Case]:
    """Nine of ten observations take up to 10 ms, the tenth between 1 and 2.5 s."""
    cumulative = {"0.01": 9.0, "0.5": 9.0, "1": 9.0, "2.5": 10.0, "+Inf": 10.0}
    labels = {"method": "GET", "path": "/a"}
    name = "app:http_latency_seconds_by_route:quantile5m"
    found = {
        series("http_request_duration_seconds_bucket", "depot", {**labels, "le": le}): counter(rate)
        for le, rate in cumulative.items()
    }
    expected = (("0.5", 0.005556), ("0.95", 1.75), ("0.99", 2.35))
    yield case(
        "The median and two high percentiles are recorded",
        found,
        several(name, "depot", *(({"route": "/a", "quantile": quantile}, at) for quantile, at in expected)),
    )


def _database_and_cache() -> Iterator[Case]:
    yield case(
        "Queries and failed ones of studio",
        {
            series("db_queries_total", "studio", {"operation": "select", "table": "a", "status": status}): counter(
                rate
            )
            for status, rate in (("success", 7.5), ("error", 1.5), ("timeout", 1))
        },
        of("app:db_queries:rate5m", "studio", 10),
        of("app:db_query_failures:rate5m", "studio", 2.5),
        of("app:db_query_failures:ratio_rate5m", "studio", 0.25),
    )
    queries = series("db_queries_total", "depot", {"operation": "select", "status": "success"})
    yield case(
        "Queries a request are those of all instances and outcomes by all requests",
        {
            queries: counter(30),
            queries.replace("depot-1:", "depot-2:"): counter(8),
            queries.replace("success", "error"): counter(2),
            **requests("depot", "/a", "200", 3),
            **requests("depot", "/b", "500", 1),
        },
        of("app:db_queries_per_request:ratio_rate5m", "depot", 10),
    )
    yield case(
        "Queries without a request have no share",
        {queries: counter(30), **requests("depot", "/a", "200", 0)},
        none("app:db_queries_per_request:ratio_rate5m"),
    )
    yield case(
        "A pool is that of each instance, and one without a size has no share",
        {
            series("db_connection_pool_size", "studio"): gauge(20),
            series("db_connection_pool_available", "studio"): gauge(5),
            series("db_connection_pool_size", "studio").replace("studio-1:", "studio-2:"): gauge(0),
            series("db_connection_pool_available", "studio").replace("studio-1:", "studio-2:"): gauge(0),
        },
        of("app:db_pool:ratio", "studio", 0.75, instance="studio-1:3000"),
    )
    hits, misses = series("cache_hits_total", "depot"), series("cache_misses_total", "depot")
    for name, found, rate, values in (
        ("A cache", {hits: counter(3), misses: counter(1)}, 4, of("app:cache_hits:ratio_rate5m", "depot", 0.75)),
        ("A cache that has not missed yet", {hits: counter(3)}, 3, of("app:cache_hits:ratio_rate5m", "depot", 1)),
        ("A cache that has not hit yet", {misses: counter(3)}, 3, of("app:cache_hits:ratio_rate5m", "depot", 0)),
        ("A cache that nobody asks", {hits: counter(0), misses: counter(0)}, 0, none("app:cache_hits:ratio_rate5m")),
    ):
        yield case(name, found, of("app:cache_lookups:rate5m", "depot", rate), values)


def _process_and_others() -> Iterator[Case]:
    one = {"instance": "depot-1:3000"}
    yield case(
        "Memory and goroutines are those of each instance",
        {
            series("process_resident_memory_bytes", "depot"): gauge(256),
            series("memory_limit_bytes", "depot"): gauge(1024),
            series("go_goroutines", "depot"): gauge(42),
            series("process_resident_memory_bytes", "depot").replace("depot-1:", "depot-2:"): gauge(128),
            series("memory_limit_bytes", "depot").replace("depot-1:", "depot-2:"): gauge(0),
        },
        several("app:process_memory:bytes", "depot", (one, 256), ({"instance": "depot-2:3000"}, 128)),
        of("app:process_memory:ratio", "depot", 0.25, **one),
        of("app:goroutines:count", "depot", 42, **one),
    )
    used, limit = series("nodejs_heap_size_used_bytes", "academy"), series("nodejs_heap_size_limit_bytes", "academy")
    lag = series("nodejs_eventloop_lag_p99_seconds", "academy")
    second = {"instance": "academy-2:3000"}
    yield case(
        "The event loop and the heap are those of each instance, and a heap without a limit has no share",
        {
            used: gauge(384),
            limit: gauge(1024),
            series("nodejs_heap_size_total_bytes", "academy"): gauge(400),
            lag: gauge(0.02),
            used.replace("academy-1:", "academy-2:"): gauge(128),
            lag.replace("academy-1:", "academy-2:"): gauge(0.7),
        },
        several("app:heap:bytes", "academy", ({"instance": "academy-1:3000"}, 384), (second, 128)),
        of("app:heap:ratio", "academy", 0.375, instance="academy-1:3000"),
        several("app:event_loop_lag:seconds", "academy", ({"instance": "academy-1:3000"}, 0.02), (second, 0.7)),
    )
    labels = {"operation": "chat", "model": "large"}
    openai = histogram("openai_api_duration_seconds", "studio", labels, quantile=0.95, at=3, rate=2)
    for status, rate in (("success", 1.5), ("error", 0.5)):
        openai |= {series("openai_api_calls_total", "studio", {**labels, "status": status}): counter(rate)}
        slack = {"event_type": "message", "status": status}
        openai |= {series("slack_integration_events_total", "studio", slack): counter(2 * rate)}
    yield case(
        "APIs and integrations of others go by their names",
        openai,
        of("app:external_api_calls:rate5m", "studio", 2, api="openai"),
        of("app:external_api_failures:rate5m", "studio", 0.5, api="openai"),
        of("app:external_api_failures:ratio_rate5m", "studio", 0.25, api="openai"),
        of("app:external_api_latency:events_rate5m", "studio", 2, api="openai"),
        p95("app:external_api_latency_seconds:quantile5m", "studio", ({"api": "openai"}, 3)),
        of("app:integration_events:rate5m", "studio", 4, integration="slack"),
        of("app:integration_failures:rate5m", "studio", 1, integration="slack"),
        of("app:integration_failures:ratio_rate5m", "studio", 0.25, integration="slack"),
    )


def _business_and_security() -> Iterator[Case]:
    stock = {"sku": "x", "warehouse": "y"}
    found = {
        series("orders_created_total", "depot"): counter(2),
        series("orders_cancelled_total", "depot"): counter(0.5),
        series("revenue_usd_total", "depot"): counter(30),
        series("inventory_stock_level", "depot", stock): gauge(12),
        series("inventory_stock_level", "depot", stock).replace("depot-1:", "depot-2:"): gauge(11),
        series("active_users", "depot"): gauge(5),
        series("active_users", "depot").replace("depot-1:", "depot-2:"): gauge(6),
        series("auth_attempts_total", "depot", {"result": "success"}): counter(3),
        series("auth_attempts_total", "depot", {"result": "failure"}): counter(1),
        series("rate_limit_exceeded_total", "depot", {"route": "/a"}): counter(0.5),
    }
    yield case(
        "Business and security of depot",
        found,
        of("app:orders:rate5m", "depot", 2),
        of("app:cancellations:rate5m", "depot", 0.5),
        of("app:cancellations:ratio_rate5m", "depot", 0.25),
        of("app:revenue_usd:rate5m", "depot", 30),
        of("app:inventory:count", "depot", 11, **stock),
        of("app:active_users:count", "depot", 11),
        of("app:auth_attempts:rate5m", "depot", 4),
        of("app:auth_failures:rate5m", "depot", 1),
        of("app:rate_limited:rate5m", "depot", 0.5),
    )
    yield case(
        "Meetings and tokens of studio, without what the types of tokens add up to",
        {
            series("meetings_processed_total", "studio", {"status": "success"}): counter(3),
            series("meetings_processed_total", "studio", {"status": "failed"}): counter(1),
            series("openai_api_tokens_total", "studio", {"type": "prompt"}): counter(60),
            series("openai_api_tokens_total", "studio", {"type": "total"}): counter(100),
        },
        of("app:meetings:rate5m", "studio", 4),
        of("app:meeting_failures:rate5m", "studio", 1),
        of("app:meeting_failures:ratio_rate5m", "studio", 0.25),
        of("app:api_tokens:rate5m", "studio", 100),
    )
    yield case(
        "Transactions of hospital over all domains, and failed requests",
        {
            series("erp_transactions_total", "hospital", {"domain": domain, "type": "invoice"}): counter(2)
            for domain in ("crm", "finance")
        }
        | {series("http_requests_failed_total", "hospital", {"domain": "crm"}): counter(0.5)},
        of("app:transactions:rate5m", "hospital", 4),
        of("app:failures:rate5m", "hospital", 0.5),
    )
    kind, name = {"kind": "sql_injection"}, "app:suspicious_activity:increase5m"
    suspicious, up = series("suspicious_activity_total", "depot", kind), series("up", "depot")
    born = case(
        "A suspicious event that is the first of its kind", {suspicious: "_x19 1x20"}, of(name, "depot", 1, **kind)
    )
    yield born
    yield replace(born, name="A first event in a target that was there", series={suspicious: "_x19 1x20", up: UP})
    yield replace(
        born,
        name="Nothing happened in a target that could not be read five minutes ago",
        series={suspicious: "7x5 _x13 7x20", up: "1x5 0x12 1x20"},
        values=of(name, "depot", 0, **kind),
    )


CASES = [
    *_requests(),
    *_of_hospital(),
    *_latencies(),
    *_quantiles(),
    *_database_and_cache(),
    *_process_and_others(),
    *_business_and_security(),
]

test_values = promtool(CASES)

EVERY = {
    "app:http_requests:rate5m",
    "app:http_latency_seconds_by_route:quantile5m",
    "app:db_latency_seconds:quantile5m",
}


@pytest.mark.parametrize("system", ["academy", "depot", "hospital", "print-shop", "studio"])
def test_a_system_records_what_it_has_signals_for_and_nothing_of_others(system: str) -> None:
    (group,) = (group for group in rule_groups("{}")["signals.yaml"] if group["name"] == f"signals-{system}")
    names = {rule["record"] for rule in group["rules"]}
    assert names >= EVERY
    assert ("app:goroutines:count" in names) == (system == "depot")
    assert ("app:external_api_calls:rate5m" in names) == (system == "studio")
    assert ("app:http_requests_by_domain:rate5m" in names) == (system == "hospital")
    assert all(rule["labels"]["system"] == system for rule in group["rules"])
