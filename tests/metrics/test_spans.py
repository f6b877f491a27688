"""What rules and panels of a system read that only sends spans."""

from observability.check import specimen
from observability.check.catalogue import Catalogue
from observability.check.contract import check_query, check_rules
from observability.check.readers import on_dashboards
from tests.metrics.conftest import judge
from tests.unit.conftest import SPANNED, stack_config

FOUND = judge(stack_config("dev", {"traces": {}}, SPANNED))
KNOWN = Catalogue(FOUND.config, FOUND.rules, specimen.catalogue())
"""Its own series; rules for all systems also read those of others."""


def test_every_series_that_its_rules_read_is_exposed() -> None:
    assert any(rule.expr.count("obs_spans_http_duration_seconds") for rule in FOUND.rules)
    assert not [str(one) for one in check_rules(FOUND.rules, KNOWN)]


def test_every_series_that_its_dashboards_read_is_exposed() -> None:
    queries = [query for query in on_dashboards(FOUND.config) if "harbour" in query.where]
    assert len(queries) > 10
    assert not [str(one) for query in queries for one in check_query(query.text, query.where, KNOWN)]
