"""For every check of the lint: rules that it finds, and similar rules that it passes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ERRORS = 'sum by (system) (rate(http_requests_total{system="depot",job="backend",status=~"5.."}[5m]))'
TEAM = "* on (system) group_left (team) app:system:info"
LABELS = {"severity": "warning", "component": "application", "condition": "made_up"}


def record(expr: str, name: str = "made:up:sum", **more: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of a rule
    return {"record": name, "expr": expr, **more}


def alert(expr: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of a rule
    return {"alert": "MadeUp", "expr": expr, "labels": LABELS, **more}


def says(text: str, expr: str = f"app:goroutines:count {TEAM} > 1") -> dict[str, Any]:
    return alert(expr, annotations={"description": text})


@dataclass(frozen=True, kw_only=True)
class Case:
    """A check, a rule that it finds, its message, and similar rules that it passes."""

    check: str
    bad: Mapping[str, Any]
    says: str
    good: Mapping[str, Any]
    interval: str = "10s"
    beside: tuple[Mapping[str, Any], ...] = field(default=())


OF_QUERIES = [
    # Counters by their rate, gauges not
    Case(
        check="counter",
        bad=record('rate(active_users{system="depot"}[5m])'),
        says="rate of active_users, which is a gauge: use delta or deriv",
        good=record('deriv(active_users{system="depot"}[5m])'),
    ),
    Case(
        check="counter",
        bad=record('delta(orders_created_total{system="depot"}[5m])'),
        says="delta of orders_created_total, which is a counter: use rate or increase",
        good=record('increase(orders_created_total{system="depot"}[5m])'),
    ),
    Case(
        check="counter",
        bad=alert("prometheus_tsdb_wal_corruptions_total > 0"),
        says="prometheus_tsdb_wal_corruptions_total is a counter: its value alone has no meaning",
        good=alert("increase(prometheus_tsdb_wal_corruptions_total[5m]) > 0"),
    ),
    Case(
        check="counter",
        bad=record("sum by (system) (pg_stat_database_blks_hit)"),
        says="pg_stat_database_blks_hit is a counter",
        good=record("count by (system) (pg_stat_database_blks_hit)"),
    ),
    Case(
        check="counter",
        bad=record('increase(app:http_requests:rate5m{system="depot"}[5m])'),
        says="increase of app:http_requests:rate5m, which is a gauge",
        good=record('avg_over_time(app:http_requests:rate5m{system="depot"}[5m])'),
    ),
    Case(
        check="counter",
        bad=record("rate(sum by (system) (rate(pg_stat_database_blks_hit[5m]))[5m:])"),
        says="rate of a subquery: take the rate first",
        good=record("max_over_time(sum by (system) (rate(pg_stat_database_blks_hit[5m]))[5m:])"),
    ),
    Case(
        check="counter",
        bad=record("max_over_time(pg_stat_database_deadlocks[5m])"),
        says="pg_stat_database_deadlocks is a counter",
        good=record("changes(pg_stat_database_deadlocks[5m])"),
    ),
    Case(
        check="counter",
        bad=record("avg by (system) (redis_keyspace_hits_total and redis_up)"),
        says="redis_keyspace_hits_total is a counter",
        good=record("avg by (system) (redis_up and redis_keyspace_hits_total)"),
    ),
    Case(
        check="counter",
        bad=record("pg_stat_database_deadlocks unless pg_stat_database_conflicts offset 5m"),
        says="pg_stat_database_deadlocks is a counter",
        good=record("pg_stat_database_deadlocks unless pg_stat_database_deadlocks offset 5m"),
    ),
    Case(
        check="counter",
        bad=alert("pg_index_usage_scans_total == 0"),
        says="pg_index_usage_scans_total is a counter",
        good=alert("pg_index_usage_scans_total == pg_index_usage_scans_total offset 1w"),
    ),
    Case(
        check="counter",
        bad=record("app:goroutines:count or 2 * pg_stat_database_deadlocks"),
        says="pg_stat_database_deadlocks is a counter",
        good=record("app:goroutines:count or 0 * pg_stat_database_deadlocks"),
    ),
    # Windows
    Case(
        check="window",
        bad=record('rate(node_context_switches_total{job="node"}[45s])'),
        says="over 45 s, which has a sample every 15 s: take at least 60 s",
        good=record('rate(node_context_switches_total{job="node"}[1m])'),
    ),
    Case(
        check="window",
        bad=record('rate(http_requests_failed_total{system="hospital"}[15s])'),
        says="over 15 s, which has a sample every 5 s",
        good=record('rate(http_requests_failed_total{system="hospital"}[20s])'),
    ),
    Case(
        check="window",
        bad=record("deriv(made:up:min[2m])"),
        says="which has a sample every 60 s: take at least 240 s",
        good=record("deriv(made:up:min[4m])"),
        interval="1m",
        beside=(record("min by (system) (up)", name="made:up:min"),),
    ),
    # Histograms
    Case(
        check="histogram",
        bad=record('histogram_quantile(0.95, rate(http_request_duration_seconds_sum{system="depot"}[5m]))'),
        says="without the label le",
        good=record('histogram_quantile(0.95, rate(http_request_duration_seconds_bucket{system="depot"}[5m]))'),
    ),
    Case(
        check="histogram",
        bad=record('histogram_quantile(0.95, http_request_duration_seconds_bucket{system="depot"})'),
        says="without rate",
        good=record('histogram_quantile(0.95, rate(http_request_duration_seconds{system="depot"}[5m]))'),
    ),
    # Labels that only leave Prometheus
    Case(
        check="external labels",
        bad=record('sum(up{environment="prod"})'),
        says="environment is an external label",
        good=record('sum(up{system="depot"})'),
    ),
    Case(
        check="external labels",
        bad=record("sum by (cluster) (up)"),
        says="cluster is an external label",
        good=record("max by (cluster) (elasticsearch_cluster_health_status)"),
    ),
    Case(
        check="external labels",
        bad=record("app:goroutines:count / on (environment, instance) up"),
        says="environment is an external label",
        good=record("app:goroutines:count / on (system, instance) up"),
    ),
    # Regular expressions
    Case(
        check="regexp",
        bad=record('sum(up{job=~"node"})'),
        says='job=~"node" is a plain string',
        good=record('sum(up{job=~"node|nginx"})'),
    ),
    Case(
        check="regexp",
        bad=record('sum(up{job!~"^nod.*"})'),
        says="is anchored, which Prometheus does anyway",
        good=record('sum(up{job!~"nod.*"})'),
    ),
    Case(
        check="regexp",
        bad=record('sum(up{job=~".*"})'),
        says="matches everything",
        good=record('sum(up{job=~".+"})'),
    ),
    # Matching
    Case(
        check="matching",
        bad=record("app:goroutines:count / app:http_requests:rate5m"),
        says="the sides of / never match: only one has instance; write on or ignoring",
        good=record("app:goroutines:count / on (system) group_left () app:http_requests:rate5m"),
    ),
    Case(
        check="matching",
        bad=alert("app:goroutines:count > app:threshold:goroutines"),
        says="the sides of > never match",
        good=alert("app:goroutines:count > on (system) group_left (team) app:threshold:goroutines"),
    ),
    Case(
        check="matching",
        bad=alert("app:goroutines:count > on (system) app:threshold:goroutines"),
        says="one side has instance, severity, team as well and may have many series",
        good=alert("app:http_requests:rate5m > on (system) app:db_queries:rate5m"),
    ),
    Case(
        check="matching",
        bad=record("app:http_requests:rate5m and up"),
        says="the sides of and never match",
        good=record("app:http_requests:rate5m and on (system) up"),
    ),
    Case(
        check="matching",
        bad=record("app:http_requests:rate5m or vector(0)"),
        says="or with an expression without labels adds a separate series",
        good=record("sum(app:http_requests:rate5m) or vector(0)"),
    ),
    # Missing series and labels
    Case(
        check="zero",
        bad=alert('count(up{job="node"}) == 0'),
        says="count is never 0",
        good=alert('absent(up{job="node"})'),
    ),
    Case(
        check="zero",
        bad=alert('count(up{job="node"} == 1) < 1'),
        says="count is never 0",
        good=alert('count(up{job="node"} == 1) < 2'),
    ),
    Case(
        check="wait",
        bad=alert('absent(up{job="node"})', **{"for": "20s"}),
        says="absent without a wait of 30 s",
        good=alert('absent(up{job="node"})', **{"for": "30s"}),
    ),
    # Waits
    Case(
        check="wait",
        bad=alert("app:goroutines:count > 1", **{"for": "30s"}),
        says="waits for 30 s, and is evaluated every 60 s",
        good=alert("app:goroutines:count > 1", **{"for": "1m"}),
        interval="1m",
    ),
    Case(
        check="wait",
        bad=alert("app:goroutines:count > 1", **{"for": "5s"}),
        says="waits for 5 s",
        good=alert("app:goroutines:count > 1"),
    ),
    # Names
    Case(
        check="name",
        bad=record(ERRORS, name="http_errors"),
        says="is not of the form level:metric:operations",
        good=record(ERRORS, name="system:http_errors:rate5m"),
    ),
    Case(
        check="name",
        bad=record(ERRORS, name="system:http_errors:rate1h"),
        says="is named after 1h and reads other ranges",
        good=record("avg_over_time(app:http_requests:rate5m[1h])", name="system:http_requests:avg1h"),
    ),
    # Findings that need all rules together
    Case(
        check="duplicate",
        bad=alert("app:goroutines:count > 1"),
        says="exists already: rules/made-up.yaml: group made-up: MadeUp",
        good=alert("app:goroutines:count > 2"),
        beside=(alert("app:goroutines:count > 1"),),
    ),
    Case(
        check="duplicate",
        bad=record(ERRORS, labels={"system": "depot"}),
        says="exists already",
        good=record(ERRORS, labels={"system": "studio"}),
        beside=(record("sum by (system) (up)", labels={"system": "depot"}),),
    ),
]
"""The cases of the checks of expressions."""
