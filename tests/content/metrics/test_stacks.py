"""Every series that a rule, panel or runbook of this repository's stacks reads is exposed by one of its systems."""

from functools import cache
from typing import Final

import pytest

from observability.check.contract import check_query, check_rules
from observability.check.lint import lint
from observability.check.readers import in_runbooks, on_dashboards
from observability.settings.load import ROOT
from tests.content.stacks import stack_config
from tests.metrics.conftest import Judged, judge
from tests.unit.conftest import PARTS, base

each_stack: Final = pytest.mark.parametrize("stack", ["dev", "prod"])


@cache
def judged(stack: str) -> Judged:
    """A stack with every part switched on, and a container that must run."""
    expected = {"containers": [{"name": "example"}]}
    systems = {name: {**own, **expected} for name, own in base(stack, ROOT)["systems"].items()}
    return judge(stack_config(stack, {**PARTS, "systems": systems}))


@each_stack
def test_every_metric_and_label_that_a_rule_reads_is_exposed(stack: str) -> None:
    of = judged(stack)
    assert [str(finding) for finding in check_rules(of.rules, of.catalogue)] == []


@each_stack
def test_the_lint_finds_nothing_in_the_rules(stack: str) -> None:
    of = judged(stack)
    assert len(of.rules) > 400
    assert [str(finding) for finding in lint(of.rules, of.catalogue)] == []


@each_stack
def test_every_metric_and_label_that_a_dashboard_reads_is_exposed(stack: str) -> None:
    of = judged(stack)
    queries = list(on_dashboards(of.config))
    assert len(queries) > 100
    assert [str(found) for query in queries for found in check_query(query.text, query.where, of.catalogue)] == []


def test_every_metric_and_label_that_a_runbook_reads_is_exposed() -> None:
    queries = list(in_runbooks())
    assert len(queries) > 100
    catalogue = judged("dev").catalogue
    assert [str(found) for query in queries for found in check_query(query.text, query.where, catalogue)] == []
