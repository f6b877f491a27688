"""Requirements for every query on a dashboard."""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

import promql_parser as pp

from dashboards.datasources import LOKI, PROMETHEUS
from dashboards.queries import Query
from observability.check.dashboards import Check, Document, Surroundings, asked
from observability.check.promql import QueryError, matchers, parse, walk

LEAST_RANGE: Final = 300.0
"""Seconds; a shorter fixed range misses samples where the scrape interval is long."""

OVER_RANGE: Final = frozenset({"rate", "increase", "delta", "deriv", "changes", "resets", "predict_linear"})

COUNTER: Final = re.compile(r".*_(total|bucket|sum|count)")

GAUGES: Final = frozenset({"pg_stat_activity_count", "pg_locks_count"})
"""Series that are named like a counter but are gauges."""

EVERYWHERE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "up": "is asked for whole jobs, of any system",
        "scrape_duration_seconds": "as up",
        "scrape_samples_post_metric_relabeling": "as up",
        "obs_collector_lines_unparsed_total": "has the system of the line that was read",
    }
)
"""Series that may be queried for all targets at once, and why."""


def parsed(document: Document, _: Surroundings) -> Iterator[str]:
    """Every PromQL query parses."""
    for query in asked(document, PROMETHEUS):
        try:
            parse(query.filled)
        except QueryError as error:
            yield f"{query.owner}: {error}"


def _trees(document: Document) -> Iterator[tuple[Query, pp.Expr, tuple[pp.Expr, ...]]]:
    for query in asked(document, PROMETHEUS):
        try:
            tree = parse(query.filled)
        except QueryError:
            continue
        yield from ((query, node, above) for node, above in walk(tree))


def rated(document: Document, _: Surroundings) -> Iterator[str]:
    """Rates follow the resolution or reach over five minutes at the least; none is taken of two samples alone."""
    for query in asked(document, PROMETHEUS):
        for written in re.findall(r"\[(\d+)([smhdw])\]", query.expr):
            length = int(written[0]) * {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}[written[1]]
            if length < LEAST_RANGE:
                yield f"{query.owner}: a range of {''.join(written)} is shorter than five minutes"
        if re.search(r"\birate\(|\bidelta\(", query.expr):
            yield f"{query.owner}: irate sees two samples alone"


def counted(document: Document, _: Surroundings) -> Iterator[str]:
    """A counter is never shown as it stands."""
    for query, node, above in _trees(document):
        name = node.name or "" if isinstance(node, pp.VectorSelector) else ""
        if not COUNTER.fullmatch(name) or name in GAUGES:
            continue
        over_time = any(isinstance(one, pp.Call) and one.func.name in OVER_RANGE for one in above)
        how_many = any(isinstance(one, pp.AggregateExpr) and str(one.op) in ("count", "group") for one in above)
        if not over_time and not how_many:
            yield f"{query.owner}: shows the counter {name} as it stands"


def narrowed(document: Document, _: Surroundings) -> Iterator[str]:
    """A series is asked of a system or of a job, never of whatever happens to have one of that name."""
    for query, node, _above in _trees(document):
        if not isinstance(node, pp.VectorSelector) or ":" in (node.name or "") or node.name in EVERYWHERE:
            continue
        if not {one.name for one in matchers(node)} & {"system", "job", "alertname"}:
            yield f"{query.owner}: {node.name} names neither system nor job"


def without_external_labels(document: Document, _: Surroundings) -> Iterator[str]:
    """Prometheus adds them to what it sends, so nothing here has them."""
    for query, node, _above in _trees(document):
        if isinstance(node, pp.VectorSelector):
            bad = {one.name for one in matchers(node)} & {"cluster", "environment"}
            # Some exporters have labels of these names, which are only grouped by.
            yield from (f"{query.owner}: selects on the external label {name}" for name in sorted(bad))


def log_queries(document: Document, _: Surroundings) -> Iterator[str]:
    """LogQL selects streams by one matcher at least that not all pass, and counts by the resolution."""
    for query in asked(document, LOKI):
        selector = re.search(r"\{([^{}]*)\}", query.filled)
        values = re.findall(r'\w+(?:=~|=)"([^"]*)"', selector[1] if selector else "")
        if not any(re.fullmatch(value, "") is None for value in values):
            yield f"{query.owner}: selects every stream"
        if any(query.expr.count(a) != query.expr.count(b) for a, b in ("()", "[]", "{}")) or query.expr.count('"') % 2:
            yield f"{query.owner}: a bracket or quote is not closed"
        for written in re.findall(r"\[([^\]]*)\]", query.expr):
            if written not in ("$__auto", "5m"):
                yield f"{query.owner}: has the range {written}; write $__auto"


QUERIES: Final[tuple[Check, ...]] = (
    parsed,
    rated,
    counted,
    narrowed,
    without_external_labels,
    log_queries,
)
"""The checks of queries."""
