"""Every series that a rule, a panel or a runbook reads is exposed; a series that is not exposed is found."""

import re
from collections.abc import Iterable
from pathlib import Path
from shutil import copy

import pytest

from dashboards.linked_rules import files
from observability.check import specimen
from observability.check.catalogue import Catalogue
from observability.check.contract import Finding, check_query, check_rules, of_another_system
from observability.check.promql import selectors
from observability.check.readers import in_runbooks, on_dashboards
from observability.check.rulefile import read
from observability.core.types import seconds
from rules import FOLDER
from tests.metrics.conftest import Judged, judged

READ = {
    name: rule
    for rule in judged("dev").rules
    if (FOLDER / rule.file).is_file()
    for name in sorted({selector.name for selector in selectors(rule.node) if selector.name})
}
"""Every metric that a file of the repository reads, with one of the rules that read it."""


def lines(findings: Iterable[Finding]) -> str:
    return "\n".join(str(finding) for finding in findings)


def test_every_metric_and_label_that_a_rule_reads_is_exposed(everything: Judged) -> None:
    assert not lines(check_rules(everything.rules, everything.catalogue))


def test_every_metric_and_label_that_a_dashboard_reads_is_exposed(everything: Judged) -> None:
    queries = list(on_dashboards(everything.config))
    assert len(queries) > 10
    assert not lines(
        finding for query in queries for finding in check_query(query.text, query.where, everything.catalogue)
    )


def test_every_metric_and_label_that_a_runbook_reads_is_exposed(dev: Judged) -> None:
    catalogue = Catalogue(dev.config, dev.rules, specimen.catalogue(), examples=True)
    queries = [query for query in in_runbooks() if not of_another_system(query.text, catalogue)]
    assert len(queries) > 100
    assert not lines(finding for query in queries for finding in check_query(query.text, query.where, catalogue))


@pytest.mark.parametrize("name", sorted(READ))
def test_a_misspelled_metric_is_found_and_the_correct_name_suggested(name: str) -> None:
    rule = READ[name]
    mistyped = re.sub(rf"(?<![\w:]){name}(?![\w:])", f"{name}z", rule.expr)
    (first, *_) = check_query(mistyped, rule.where, judged("dev").catalogue)
    assert str(first).startswith(f"rules/{rule.file}: group {rule.group}: {rule.name}: ")
    assert f"there is no metric {name}z; did you mean {name}" in str(first)


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ('http_requests_totl{system="depot",job="backend"}', "there is no metric http_requests_totl; did you mean"),
        ('rate(http_requests_total{system="depot",code="500"}[5m])', "http_requests_total has no label code"),
        ('http_requests_total{system="academy",status="500"}', "no label status; did you mean status_code?"),
        ('http_requests_total{system="hospital"}', "system is one of academy, depot, print-shop, studio"),
        ('http_requests_total{system="depot",job="bakend"}', "did you mean backend?"),
        ("sum by (sytem) (app:goroutines:count)", "sum by (sytem): there is no label sytem here"),
        ("sum without (instnce) (app:goroutines:count)", "sum without (instnce): there is no label instnce here"),
        ("app:goroutines:count * on (sytem) group_left (team) app:system:info", "* on (sytem)"),
        ("app:goroutines:count * on (system) group_left (tem) app:system:info", "group_left (tem)"),
        ("app:goroutines:count * ignoring (instnce) app:goroutines:count", "* ignoring (instnce)"),
        ('label_replace(up, "host", "$1", "instnce", "(.*)")', "label_replace (instnce)"),
        ('label_join(up, "host", "-", "job", "instnce")', "label_join (instnce)"),
        ('app:threshold:error_ratio{severity="criticl"}', "did you mean critical?"),
        ('up{job="prometeus"}', "did you mean prometheus?"),
        ('ALERTS{alertname="HighErorRate"}', "did you mean HighErrorRate?"),
        ('{__name__=~"app:htp_.*"}', "no metric has such a name"),
        ('{job="node"}', "names no metric"),
        ("node_cpu_seconds_total{mod='idle'}", "node_cpu_seconds_total has no label mod; did you mean mode?"),
        ("rate(http_requests_total[5m)", "does not parse"),
        # What the parser cannot parse is refused, never skipped.
        ("rate(http_requests_total[2 * 5m])", "does not parse"),
        ("rate(http_requests_total[5m] smoothed)", "does not parse"),
        ("count(up{job=~`a\\.b`})", "does not parse"),
    ],
)
def test_a_series_that_is_not_exposed_is_found(dev: Judged, query: str, says: str) -> None:
    found = lines(check_query(query, "here", dev.catalogue))
    assert says in found
    assert found.startswith("here: ")


@pytest.mark.parametrize(
    "query",
    [
        'http_requests_total{system="depot",job="backend",status=~"5.."}',
        'rate(http_request_duration_seconds_bucket{system="hospital",le="0.5",domain="crm"}[5m])',
        "sum by (system, quantile) (app:http_latency_seconds:quantile5m)",
        "up + on (job) group_left () count by (job) (up)",
        'probe_success{job="blackbox",probe="shop"}',
        'node_filesystem_avail_bytes{job="node",mountpoint="/"}',
        "scrape_samples_scraped",
        'ALERTS{alertname="HighErrorRate",alertstate="firing",system="depot"}',
        '{__name__=~"app:http_.*",system="depot"}',
        'sum by (name) (label_replace(up, "name", "$1", "instance", "(.*):.*"))',
    ],
)
def test_a_series_that_is_exposed_passes(dev: Judged, query: str) -> None:
    assert not lines(check_query(query, "here", dev.catalogue))


def test_a_canonical_series_exists_only_for_systems_with_its_signal(dev: Judged) -> None:
    assert not check_query('app:db_pool:ratio{system="depot"}', "here", dev.catalogue)
    assert "system is one of depot, studio" in lines(
        check_query('app:db_pool:ratio{system="academy"}', "here", dev.catalogue)
    )


@pytest.mark.parametrize(
    ("query", "another"),
    [
        ('up{system="elsewhere"}', True),
        ('up{system=~"elsewhere|nowhere"}', True),
        ('up{system=~"elsewhere|depot"}', False),
        ('up{system="depot"}', False),
        ('up{system="platform"}', False),
        # Similar to the name of a watched system: a mistake.
        ('up{system="dept"}', False),
        ('up{system!="elsewhere"}', False),
        ("up", False),
        ("up{", False),
    ],
)
def test_a_query_for_a_system_that_is_not_watched_is_reported(dev: Judged, query: str, another: bool) -> None:
    assert of_another_system(query, dev.catalogue) is another


def test_a_file_in_upstream_format_put_into_the_folder_is_read_like_the_rest(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    for path in FOLDER.glob("*.yaml"):
        copy(path, tmp_path / "rules")
    (tmp_path / "rules" / "upstream.yaml").write_text(
        "groups:\n"
        "- name: node-exporter\n"
        "  rules:\n"
        "  - record: instance:node_num_cpu:sum\n"
        '    expr: count without (cpu, mode) (node_cpu_seconds_total{job="node",mode="idle"})\n'
        "  - alert: NodeLoad\n"
        '    expr: node_load1{job="node"} / instance:node_num_cpus:sum > 2\n'
    )
    config = judged("dev").config
    rules = read(files(config, tmp_path), seconds(config.settings.prometheus.evaluation_interval))
    added = [rule for rule in rules if rule.file == "upstream.yaml"]
    assert lines(check_rules(added, Catalogue(config, rules))) == (
        "rules/upstream.yaml: group node-exporter: NodeLoad: there is no metric instance:node_num_cpus:sum; "
        "did you mean instance:node_num_cpu:sum?"
    )
