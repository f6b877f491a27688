"""What rules and panels of a system read that sends its metrics by OTLP."""

from observability.check import specimen
from observability.check.catalogue import Catalogue
from observability.check.contract import check_query, check_rules
from observability.check.readers import on_dashboards
from tests.metrics.conftest import judge
from tests.unit.conftest import SENT, stack_config

FOUND = judge(stack_config("dev", {"otlpMetrics": {}}, SENT))
KNOWN = Catalogue(FOUND.config, FOUND.rules, specimen.catalogue())
"""Its own series; rules for all systems also read those of others."""


def test_every_series_that_its_rules_read_is_sent() -> None:
    assert any("http_server_request_duration_seconds" in rule.expr for rule in FOUND.rules)
    assert not [str(one) for one in check_rules(FOUND.rules, KNOWN)]


def test_every_series_that_its_dashboards_read_is_sent() -> None:
    queries = [query for query in on_dashboards(FOUND.config) if "foundry" in query.where]
    assert len(queries) > 10
    assert not [str(one) for query in queries for one in check_query(query.text, query.where, KNOWN)]
