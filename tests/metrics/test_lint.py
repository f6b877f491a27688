"""Every check of the lint finds an invalid rule and passes a valid one; the rules of every stack pass all checks."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from shutil import copy
from typing import Any

import pytest

from dashboards.linked_rules import files
from observability.check.catalogue import Catalogue
from observability.check.contract import check_rules
from observability.check.lint import ACCEPTED, CHECKS, lint
from observability.check.readers import in_runbooks, on_dashboards
from observability.check.rulefile import Rule, read
from observability.core.types import seconds
from observability.settings.load import from_file
from rules import FOLDER
from tests.metrics.conftest import Judged, judged
from tests.metrics.lint_cases import OF_QUERIES, Case
from tests.metrics.lint_cases_alerts import OF_ALERTS

CASES = [*OF_QUERIES, *OF_ALERTS]


def found(dev: Judged, case: Case, rule: Mapping[str, Any]) -> list[str]:
    """The check's findings for a rule together with all the others."""
    rules, catalogue = dev.with_group(*case.beside, rule, interval=case.interval)
    assert not check_rules(rules, catalogue) or case.check in ("external labels", "template", "histogram")
    return [finding.what for finding in lint(rules, catalogue, case.check)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.check}: {case.says}")
def test_it_finds_the_invalid_rule(dev: Judged, case: Case) -> None:
    said = found(dev, case, case.bad)
    assert len(said) == 1, said
    assert case.says in said[0]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.check}: {case.says}")
def test_it_passes_the_valid_rule(dev: Judged, case: Case) -> None:
    assert found(dev, case, case.good) == []


def test_it_finds_a_job_whose_loss_no_alert_detects(dev: Judged) -> None:
    rules = [rule for rule in dev.rules if rule.name != "ServiceDown"]
    said = [str(finding) for finding in lint(rules, Catalogue(dev.config, rules), "unwatched")]
    assert any("nobody notices when the targets of job blackbox are gone" in line for line in said)
    assert not any("job node " in line for line in said)


def test_every_check_has_a_case() -> None:
    assert CHECKS.single.keys() | CHECKS.all.keys() == {case.check for case in CASES} | {"unwatched"}


def test_no_check_finds_anything_in_the_rules_of_a_stack(everything: Judged) -> None:
    assert len(everything.rules) > 400
    assert [str(finding) for finding in lint(everything.rules, everything.catalogue)] == []


def test_panels_and_runbooks_read_counters_and_histograms_as_rules_do(everything: Judged) -> None:
    queries = [
        Rule(file="", group="", interval=0, name=one.where, alert=False, expr=one.text)
        for one in (*on_dashboards(everything.config), *in_runbooks())
    ]
    found = lint(queries, everything.catalogue, "counter", "histogram", "external labels")
    assert [str(finding) for finding in found] == []


@cache
def as_written() -> Judged:
    """The rules as the files have them: a system's wait or paging splits an alert into rules with more conditions."""
    plain = {file.name: file.read_text() for file in FOLDER.glob("*.yaml")}
    config = from_file("dev", complete=False)
    rules = read({**files(config), **plain}, 15)
    return Judged(config=config, rules=rules, catalogue=Catalogue(config, rules))


@pytest.mark.parametrize(("name", "check"), sorted(ACCEPTED))
def test_an_accepted_finding_would_be_reported_otherwise(name: str, check: str) -> None:
    everything, written = judged("dev"), as_written()
    said = [
        *lint(everything.rules, everything.catalogue, check, accepted={}),
        *lint(written.rules, written.catalogue, check, accepted={}),
    ]
    assert any(f": {name}: " in str(finding) for finding in said)


def test_a_file_in_upstream_format_put_into_the_folder_is_linted_like_the_rest(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    for path in FOLDER.glob("*.yaml"):
        copy(path, tmp_path / "rules")
    (tmp_path / "rules" / "upstream.yaml").write_text(
        "groups:\n"
        "- name: node-exporter\n"
        "  rules:\n"
        "  - alert: NodeCpuBusy\n"
        '    expr: rate(node_cpu_seconds_total{job="node"}[30s]) > 0.8\n'
        "    for: 5m\n"
        "    labels: {severity: warning, component: host, condition: cpu_usage}\n"
        "    annotations: {summary: '{{ $labels.instance }} is busy.'}\n"
    )
    config = judged("dev").config
    rules = read(files(config, tmp_path), seconds(config.settings.prometheus.evaluation_interval))
    said = [str(one) for one in lint(rules, Catalogue(config, rules)) if one.where.startswith("rules/upstream.yaml")]
    where = "rules/upstream.yaml: group node-exporter: NodeCpuBusy: "
    assert said == [
        f"{where}rate of node_cpu_seconds_total over 30 s, which has a sample every 15 s: take at least 60 s [window]",
        f"{where}has no label team: the expression does not keep it, and the rule does not give it [labels]",
    ]
