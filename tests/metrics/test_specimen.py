"""Rules and runbooks are checked for every signal, even if no watched system has it."""

from functools import cache

import pytest

from observability.check import specimen
from observability.check.catalogue import Catalogue
from observability.check.contract import check_query, check_rules, of_another_system
from observability.check.lint import lint
from observability.check.readers import in_runbooks
from observability.check.rulefile import read
from observability.core.types import seconds
from observability.settings.load import validate
from observability.systems.thresholds import THRESHOLDS
from rules import load
from tests.metrics.conftest import Judged, judge
from tests.unit.conftest import REFERENCE


@cache
def bare() -> Judged:
    """A stack that watches one system, which has few signals."""
    return judge(validate("dev", {"systems": {"hospital": {}}}, frozenset(), REFERENCE))


@cache
def catalogue(*, examples: bool = False) -> Catalogue:
    """Its series, with those of the specimen treated as known."""
    of = bare()
    every = {name: source.text for name, source in load().items()}
    plain = read(every, seconds(of.config.settings.prometheus.evaluation_interval))
    return Catalogue(of.config, [*of.rules, *plain], specimen.catalogue(), examples=examples)


def said(query: str, *, examples: bool = False) -> list[str]:
    return [finding.what for finding in check_query(query, "here", catalogue(examples=examples))]


def test_the_specimen_has_every_signal_and_a_value_for_every_threshold() -> None:
    config = specimen.config()
    system = config.systems[specimen.NAME]
    assert [name for name in type(system.signals).model_fields if not getattr(system.signals, name)] == []
    assert {one.name for one in config.thresholds} == set(THRESHOLDS)


def test_every_series_that_a_plain_rule_reads_is_possible() -> None:
    of = bare()
    every = {name: source.text for name, source in load().items()}
    rules = read(every, seconds(of.config.settings.prometheus.evaluation_interval))
    assert len(rules) > 100
    assert [str(one) for one in check_rules(rules, catalogue())] == []
    generated = [rule for rule in of.rules if rule.file not in every]
    assert [str(one) for one in lint([*generated, *rules], catalogue())] == []


def test_every_series_that_a_runbook_reads_is_possible() -> None:
    found = [
        str(finding)
        for query in in_runbooks()
        if not of_another_system(query.text, catalogue())
        for finding in check_query(query.text, query.where, catalogue(examples=True))
    ]
    assert found == []


@pytest.mark.parametrize("query", ["app:goroutines:count", "app:threshold:stock", "app:db_pool:ratio > 1"])
def test_a_recorded_series_that_no_watched_system_has_is_known(query: str) -> None:
    assert said(query) == []


def test_a_raw_series_of_a_system_is_accepted_only_as_an_example() -> None:
    assert "there is no metric orders_total" in said("orders_total")[0]
    assert said("orders_total", examples=True) == []


def test_a_mistyped_series_that_no_watched_system_has_is_found() -> None:
    assert said("app:goroutine:count") == [
        "there is no metric app:goroutine:count; did you mean app:goroutines:count?"
    ]
    assert "there is no label tabel" in said("sum by (tabel) (app:db_latency_seconds_by_operation:quantile5m)")[0]
