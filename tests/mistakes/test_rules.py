"""Mistakes in rules: the result of the original's alert on some data, and of ours on the same data, by promtool."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import promql_parser as pp
import yaml

from observability.check.contract import check_rules
from observability.check.lint import lint
from observability.check.promql import Node, grouping, matchers, parse, walk
from observability.check.readers import on_dashboards
from tests.metrics.conftest import Judged
from tests.rules.harness import rule_groups
from tests.rules.raw import counter, gauge, histogram, series
from tests.tools import run_tool

MADE: Final = ("thresholds", "signals")
"""Generated rules that the alerts here read."""

AT: Final = "25m"
"""When it is evaluated: long after any wait."""

ORIGINAL: Final = "Original"
"""Name of the alert in the original's form."""


@dataclass(frozen=True, kw_only=True)
class Course:
    """Some data of one system, the original's alert, and ours, of the rule file named."""

    system: str
    series: Mapping[str, str]
    original: str
    alert: str
    file: str

    def only_ours_fires(self) -> str:
        """promtool's failures; empty if it holds."""
        return self._against(self.alert)

    def only_the_original_fires(self) -> str:
        """promtool's failures; empty if it holds."""
        return self._against(ORIGINAL)

    def _against(self, alert: str) -> str:
        found = rule_groups("{}")
        groups = [
            *(group for file in MADE for group in found[f"{file}.yaml"] if group["name"] == f"{file}-{self.system}"),
            *found[self.file],
            {"name": "original", "rules": [{"alert": ORIGINAL, "expr": self.original, "for": "2m"}]},
        ]
        both = f'ALERTS{{alertname=~"{ORIGINAL}|{self.alert}",alertstate="firing"}}'
        fires = {
            "expr": f"count by (alertname) ({both})",
            "eval_time": AT,
            "exp_samples": [{"labels": f'{{alertname="{alert}"}}', "value": 1}],
        }
        test = {
            "rule_files": ["rules.yaml"],
            "evaluation_interval": "30s",
            "group_eval_order": [group["name"] for group in groups],
            "tests": [
                {
                    "interval": "30s",
                    "input_series": [{"series": name, "values": values} for name, values in self.series.items()],
                    "promql_expr_test": [fires],
                }
            ],
        }
        written = {"rules.yaml": yaml.safe_dump({"groups": groups}), "test.yaml": yaml.safe_dump(test)}
        result = run_tool("prometheus", ["promtool", "test", "rules", "test.yaml"], written)
        return "" if result.code == 0 else result.output


def said(dev: Judged, expr: str) -> str:
    """The findings of contract and lint for an alert in the original's form."""
    labels = {"severity": "warning", "component": "application", "condition": "original", "team": "original"}
    rules, catalogue = dev.with_group({"alert": ORIGINAL, "expr": expr, "labels": labels, "for": "2m"})
    return "\n".join(str(finding) for finding in [*check_rules(rules, catalogue), *lint(rules, catalogue)])


def test_a_percentile_is_computed_from_the_rates_of_buckets(dev: Judged) -> None:
    times = histogram(
        "http_request_duration_seconds",
        "studio",
        {"method": "GET", "route": "/api/meetings", "status": "200"},
        quantile=0.99,
        at=2.4,
        rate=5,
    )
    course = Course(
        system="studio",
        series=times,
        original="histogram_quantile(0.99, http_request_duration_seconds) > 2",
        alert="HighResponseTime",
        file="applications.yaml",
    )
    assert not course.only_ours_fires()
    assert "without rate" in said(dev, course.original)
    assert not lint(dev.rules, dev.catalogue, "histogram")


def test_the_cpu_usage_of_a_host_excludes_idle_time(everything: Judged) -> None:
    cpu = {
        f'node_cpu_seconds_total{{job="node",system="academy",instance="host",cpu="0",mode="{mode}"}}': counter(share)
        for mode, share in (("idle", 0.95), ("user", 0.05))
    }
    course = Course(
        system="academy",
        series=cpu,
        original="rate(node_cpu_seconds_total[5m]) > 0.8",
        alert="HighCPUUsage",
        file="host.yaml",
    )
    assert not course.only_the_original_fires()
    assert list(_without_mode(parse(course.original)))
    read = [rule.node for rule in everything.rules] + [parse(one.text) for one in on_dashboards(everything.config)]
    assert any("node_cpu_seconds_total" in str(node) for node in read)
    assert not [str(found) for node in read for found in _without_mode(node)]


def _without_mode(node: Node) -> Iterator[pp.VectorSelector]:
    """Selectors of CPU time that include every mode."""
    for found, above in walk(node):
        if not isinstance(found, pp.VectorSelector) or found.name != "node_cpu_seconds_total":
            continue
        kept = any(
            isinstance(one, pp.AggregateExpr) and (grouped := grouping(one)) is not None and "mode" in grouped[1]
            for one in above
        )
        if not kept and not any(one.name == "mode" for one in matchers(found)):
            yield found


def test_the_status_is_selected_by_the_label_that_the_system_exposes(dev: Judged) -> None:
    requests = {
        series("http_requests_total", "academy", {"method": "GET", "route": "/api/x", "status_code": code}): counter(
            rate
        )
        for code, rate in (("200", 8), ("500", 2))
    }
    course = Course(
        system="academy",
        series=requests,
        original=(
            'sum by (system) (rate(http_requests_total{system="academy",status=~"5.."}[5m]))'
            ' / sum by (system) (rate(http_requests_total{system="academy"}[5m])) > 0.05'
        ),
        alert="HighErrorRate",
        file="applications.yaml",
    )
    assert not course.only_ours_fires()
    assert "http_requests_total has no label status; did you mean status_code?" in said(dev, course.original)
    assert not check_rules(dev.rules, dev.catalogue)


def test_the_cache_hit_rate_of_a_database_is_that_of_the_last_minutes(dev: Judged) -> None:
    database = {
        f'{name}{{job="postgres",system="depot",instance="db:5432",datid="1",datname="shop"}}': values
        for name, values in (
            ("pg_stat_database_blks_hit", "1000000000+300x60"),
            ("pg_stat_database_blks_read", "1000000+2700x60"),
        )
    }
    course = Course(
        system="depot",
        series=database,
        original="pg_stat_database_blks_hit / (pg_stat_database_blks_hit + pg_stat_database_blks_read) < 0.9",
        alert="LowDatabaseCacheHitRatio",
        file="postgres.yaml",
    )
    assert not course.only_ours_fires()
    assert "pg_stat_database_blks_hit is a counter" in said(dev, course.original)
    assert not lint(dev.rules, dev.catalogue, "counter")


def test_one_slow_request_at_night_raises_no_alert(dev: Judged) -> None:
    labels = {"method": "GET", "route": "/api/products", "status_code": "200"}
    # One request of two seconds, a few minutes before the evaluation.
    once = {"+Inf": 1, "2500": 1, "1000": 0, "500": 0}
    one = {
        series("http_request_duration_ms_bucket", "print-shop", {**labels, "le": le}): f"0x43 {count}x20"
        for le, count in once.items()
    }
    one[series("http_request_duration_ms_count", "print-shop", labels)] = "0x43 1x20"
    course = Course(
        system="print-shop",
        series=one,
        original="histogram_quantile(0.95, sum by (le, route) (rate(http_request_duration_ms_bucket[5m]))) > 500",
        alert="HighResponseTime",
        file="applications.yaml",
    )
    assert not course.only_the_original_fires()
    assert "has no minimum number of events" in said(dev, course.original)
    assert not lint(dev.rules, dev.catalogue, "floor")


def test_errors_are_counted_and_not_read_from_the_applications_own_rate(everything: Judged) -> None:
    labels = {"method": "GET", "route": "/api/meetings"}
    told = {series("error_rate", "studio"): gauge(0)} | {
        series("http_requests_total", "studio", {**labels, "status": code}): counter(rate)
        for code, rate in (("200", 9.5), ("500", 0.5))
    }
    course = Course(
        system="studio",
        series=told,
        original="error_rate > 0.01",
        alert="HighErrorRate",
        file="applications.yaml",
    )
    assert not course.only_ours_fires()
    assert list(_of(parse(course.original), "error_rate"))
    assert not [rule.where for rule in everything.rules if any(_of(rule.node, "error_rate"))]
    assert not [one.where for one in on_dashboards(everything.config) if any(_of(parse(one.text), "error_rate"))]


def _of(node: Node, name: str) -> Iterator[pp.VectorSelector]:
    return (found for found, _ in walk(node) if isinstance(found, pp.VectorSelector) and found.name == name)
