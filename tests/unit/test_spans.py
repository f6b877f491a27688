"""Systems whose signals are made from spans: their files, and what a stack makes of them."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards.registry import dashboards
from observability.core.errors import ConfigError
from observability.parts.traces import JOB
from observability.settings.load import validate
from observability.systems.load import load_file
from observability.systems.resolve import bounds
from observability.systems.spans import KINDS
from observability.traces import measured
from tests.unit.conftest import SPANNED, stack_config

CONFIG = stack_config("dev", {"traces": {}}, SPANNED)
HARBOUR = CONFIG.systems["harbour"]

WITH_PAGE: dict[str, Any] = {
    "title": "Shop",
    "team": "shop",
    "scrape": {"port": 8080},
    "series": {
        "requests_total": {"kind": "counter", "labels": ["route", "status"], "help": "Requests answered."},
    },
    "signals": {"httpRequests": {"series": "requests_total", "route": "route", "status": "status"}},
}


def loaded(folder: Path, document: dict[str, Any]) -> Any:  # noqa: ANN401 - a system
    (folder / "shop.yaml").write_text(yaml.safe_dump(document))
    return load_file(folder / "shop.yaml")


def refused(folder: Path, document: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as error:
        loaded(folder, document)
    return f"{error.value.what} | {error.value.fix}"


def test_a_system_that_only_sends_spans_has_the_signals_of_one_with_metrics() -> None:
    signals = HARBOUR.signals
    assert signals.http_requests is not None
    assert signals.http_latency is not None
    assert signals.db_queries is not None
    assert {selector.job for selector in (signals.http_requests, signals.http_latency, signals.db_queries)} == {JOB}
    assert bounds(HARBOUR, signals.http_latency) == KINDS["http"].bounds
    assert signals.external_apis["weather"].calls.where == {"peer": "api.weather.example.com"}


def test_a_signal_that_the_file_states_is_made_from_that(tmp_path: Path) -> None:
    system = loaded(tmp_path, {**WITH_PAGE, "spans": True})
    assert system.signals.http_requests.series == "requests_total"
    assert system.signals.http_requests.job is None
    assert system.signals.http_latency.job == JOB


def test_database_calls_are_no_signal_where_the_file_says_so(tmp_path: Path) -> None:
    system = loaded(tmp_path, {**WITH_PAGE, "spans": {"database": False}})
    assert system.signals.db_latency is None


def test_without_spans_nothing_is_made_from_them(tmp_path: Path) -> None:
    system = loaded(tmp_path, {**WITH_PAGE, "spans": False})
    assert system.spans is None
    assert system.signals.http_latency is None


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"scrape": None}, ["scrape", "spans: true"]),
        ({"scrape": None, "spans": True}, ["series", "scrape"]),
        ({"spans": {"externalApis": {"bank": "https://bank.example.com"}}}, ["spans", "externalApis", "bank"]),
        ({"signals": {"httpRequests": {"series": "x", "job": JOB, "route": "r", "status": "s"}}}, ["signals", JOB]),
        (
            {"spans": True, "slos": {"latency": {"objective": "99%", "target": "700ms"}}},
            ["slos.latency.target", "0.5"],
        ),
    ],
)
def test_a_file_that_cannot_work_is_refused(tmp_path: Path, changed: dict[str, Any], words: list[str]) -> None:
    found = {key: value for key, value in {**WITH_PAGE, **changed}.items() if value is not None}
    said = refused(tmp_path, found)
    assert not [word for word in words if word not in said], said


def test_a_system_of_spans_alone_has_no_instances_to_place() -> None:
    assert not CONFIG.unplaced
    with pytest.raises(ConfigError) as error:
        stack_config("dev", {"traces": {}, "systems": {"harbour": {"instances": {"static": ["a:80"]}}}}, SPANNED)
    assert "systems.harbour.instances" in error.value.what


def test_without_traces_its_spans_are_unwatched_and_prod_refuses_that() -> None:
    values: dict[str, Any] = {"systems": {"harbour": {}}}
    found = validate("dev", values, frozenset(), SPANNED)
    assert [(one.system, one.what) for one in found.unplaced] == [("harbour", "spans")]
    links = {name: f"https://{name}.example.com" for name in ("prometheus", "alertmanager", "grafana", "runbooks")}
    with pytest.raises(ConfigError) as error:
        validate("prod", {**values, "links": links}, frozenset(), SPANNED)
    assert "observability:traces" in f"{error.value.what} {error.value.fix}"


def test_it_has_the_dashboards_of_a_system_with_the_same_signals() -> None:
    found = {entry.uid for entry in dashboards(CONFIG) if entry.folder == "harbour"}
    assert {"harbour-overview", "harbour-application", "harbour-database", "harbour-external-apis"} <= found


def test_the_collector_measures_with_the_bounds_and_labels_that_rules_expect() -> None:
    document = measured.document(CONFIG)
    for kind, spec in KINDS.items():
        connector = document["connectors"][f"span_metrics/{kind}"]
        assert connector["histogram"]["explicit"]["buckets"] == [f"{bound:g}s" for bound in spec.bounds]
        assert [one["name"] for one in connector["dimensions"]] == ["system", *spec.labels]


def test_only_the_services_that_a_systems_file_names_have_series_of_their_own() -> None:
    groups = measured.document(CONFIG)["processors"]["transform/external"]["trace_statements"]
    others = [text for group in groups for text in group["statements"] if '"other"' in text]
    assert len(others) == 1
    assert "api.weather.example.com" in others[0]
