"""Which dashboards a stack gets, and which panels are on them."""

import json
from dataclasses import replace
from typing import Any

import pytest

from dashboards.common import GREY, SEVERITIES
from dashboards.layout import FOLD
from dashboards.links import panel_id
from dashboards.queries import of_dashboard, panels, queries
from dashboards.registry import dashboards, files, folders
from observability.core.errors import ConfigError
from observability.pictures.fields import field
from observability.pictures.theme import COLOURS, width
from observability.settings.load import StackConfig
from observability.systems.model import System
from tests.unit.conftest import FULL, stack_config

DEV = stack_config("dev")
EVERYTHING = stack_config("prod", FULL)


def documents(config: StackConfig = DEV) -> dict[str, dict[str, Any]]:
    return {entry.uid: json.loads(entry.text) for entry in dashboards(config)}


def titles(document: dict[str, Any]) -> list[str]:
    return [panel["title"] for panel in panels(document)]


def sixth(**values: object) -> System:
    """A system whose file declares almost nothing."""
    known: dict[str, Any] = {
        "name": "sixth",
        "title": "The Sixth",
        "team": "sixth",
        "scrape": {"port": 80},
        "series": {
            "requests_total": {"kind": "counter", "labels": ["route", "status"], "help": "Requests answered."},
            "sold_total": {"kind": "counter", "help": "Things sold."},
        },
        "signals": {"httpRequests": {"series": "requests_total", "route": "route", "status": "status"}},
    }
    return System.model_validate({**known, **values})


def with_sixth(**values: object) -> StackConfig:
    return replace(DEV, systems={**DEV.systems, "sixth": sixth(**values)})


def test_the_dashboards_for_all_systems_are_those_required() -> None:
    assert {uid for uid in documents(EVERYTHING) if uid.startswith("obs-")} == {
        "obs-overview",
        "obs-status",
        "obs-slos",
        "obs-logs",
        "obs-errors",
        "obs-endpoints",
        "obs-containers",
        "obs-capacity",
        "obs-cloudwatch",
        "obs-cost",
        "obs-alerts",
        "obs-sentry",
        "obs-stack",
        "obs-traces",
        "obs-service-graph",
    }


@pytest.mark.parametrize(
    ("system", "own"),
    [
        ("academy", {"database", "business"}),
        ("depot", {"database", "business", "security"}),
        ("hospital", {"database", "business", "modules"}),
        ("print-shop", {"database", "business", "postgres", "redis"}),
        ("studio", {"database", "business", "external-apis"}),
    ],
)
def test_a_system_gets_the_dashboards_for_which_it_has_data(system: str, own: set[str]) -> None:
    found = {entry.uid.removeprefix(f"{system}-") for entry in dashboards(DEV) if entry.folder == system}
    assert found - {"redis"} == {"overview", "application", "system"} | own - {"redis"}


def test_every_system_has_a_folder_named_after_it() -> None:
    assert folders(DEV) == {
        "observability": "Observability",
        "platform": "Platform",
        **{name: system.title for name, system in DEV.systems.items()},
    }
    assert {entry.folder for entry in dashboards(DEV)} == set(folders(DEV))
    assert all(
        entry.uid.startswith(f"{entry.folder}-") for entry in dashboards(DEV) if entry.folder != "observability"
    )


@pytest.mark.parametrize("config", [DEV, EVERYTHING], ids=["dev", "everything"])
def test_the_title_of_every_number_fits_its_panel(config: StackConfig) -> None:
    # On a page of 1600 pixels: Grafana's grid unit, and the room that the panel's border and description take.
    unit, taken = 65.3, 77
    for uid, document in documents(config).items():
        for panel in (one for one in panels(document) if one["type"] == "stat"):
            room = unit * panel["gridPos"]["w"] - taken
            assert width(panel["title"], 14) <= room, f"{uid}: {panel['title']}"


def test_dependencies_are_on_the_first_screen_of_a_system_that_has_any() -> None:
    shown = documents(EVERYTHING)["depot-overview"]["panels"]
    found = next(one for one in shown if one["title"] == "Data Stores and Dependencies")
    assert found["gridPos"]["y"] + found["gridPos"]["h"] <= FOLD // 2
    assert 'pg_up{system="depot"' in found["targets"][0]["expr"]


def test_an_error_budget_is_limited_to_one_budget_overdrawn() -> None:
    budget = "slo:period_error_budget_remaining:ratio"
    for query in queries(DEV):
        shown = query.expr.count(budget) - query.expr.count(f"sum({budget}") - query.expr.count("bool 0")
        assert query.expr.count("clamp_min(") >= shown, query


@pytest.mark.parametrize("uid", ["obs-overview", "depot-application"])
def test_failing_routes_say_that_none_fails(uid: str) -> None:
    (found,) = (one for one in panels(documents()[uid]) if one["title"] == "Failing Routes")
    assert found["fieldConfig"]["defaults"]["noValue"] == "No route fails"


def test_a_number_without_data_is_not_green() -> None:
    for document in documents(EVERYTHING).values():
        for panel in (one for one in panels(document) if one["type"] == "stat"):
            assert field(panel).colour(None) == GREY, panel["title"]


def test_the_unit_of_a_table_is_that_of_its_values_only() -> None:
    for document in documents(EVERYTHING).values():
        for panel in (one for one in panels(document) if one["type"] == "table"):
            assert panel["fieldConfig"]["defaults"].get("unit", "short") == "short", panel["title"]


def test_the_database_of_an_application_whose_queries_fail_is_red() -> None:
    (found,) = (one for one in panels(documents()["depot-database"]) if one["title"] == "Failed Queries Now")
    look = field(found)
    assert look.colour(1.0) == COLOURS["red"]
    assert look.text(-1.0, 0) == "No queries"


def test_firing_alerts_are_counted_in_the_colours_of_their_severities() -> None:
    (found,) = (one for one in panels(documents()["depot-database"]) if one["title"] == "Alerts Firing")
    assert {name: field(found, name).fixed_colour for name in SEVERITIES} == {
        name: COLOURS[color] for name, color in SEVERITIES.items()
    }


def test_only_outages_are_marked_until_all_alerts_are_switched_on() -> None:
    found = {one["name"]: one for one in documents()["depot-application"]["annotations"]["list"]}
    assert found["Alerts"]["enable"]
    assert not found["All Alerts"]["enable"]
    # One point for each start: a band would cover the graph.
    assert found["Alerts"]["expr"].endswith("offset $__interval)")


@pytest.mark.parametrize(
    ("uid", "order"),
    [
        ("obs-overview", ["Current State", "User Impact", "Infrastructure"]),
        ("depot-overview", ["Health", "Users", "Top Errors"]),
        # Rate, errors and duration; then the resources, by utilisation, saturation and errors.
        ("depot-application", ["State", "Requests", "Dependencies", "Process"]),
        ("depot-system", ["State", "Utilisation", "Saturation", "Errors and Limits"]),
    ],
)
def test_rows_go_from_symptoms_to_causes(uid: str, order: list[str]) -> None:
    found = [one["title"] for one in documents()[uid]["panels"] if one["type"] == "row"]
    assert found[: len(order)] == order


def test_the_panels_of_the_owners_databases_exist_where_they_are_watched() -> None:
    config = stack_config(
        "prod",
        {
            "systems": {
                "studio": {"postgres": [{"address": "db.example.com:5432"}]},
                "academy": {"mongodb": [{"address": "mongo.example.com:27017"}]},
            }
        },
    )
    found = documents(config)
    assert {"Slow Queries", "Replication Lag", "Index Usage"} <= set(titles(found["studio-database"]))
    assert "MongoDB Connections" in titles(found["academy-database"])
    assert "Active Database Connections" in titles(found["academy-application"])


def test_a_signal_that_is_not_declared_has_no_panel() -> None:
    found = documents()
    assert "Goroutines" not in titles(found["studio-application"])
    assert "Cache Hit Rate" not in titles(found["studio-application"])
    assert "Failures" not in titles(found["depot-application"])
    assert "hospital-security" not in found


def test_a_sixth_system_gets_its_dashboards_from_its_file_only() -> None:
    config = with_sixth(figures=[{"title": "Sold", "series": "sold_total"}])
    found = {entry.uid: json.loads(entry.text) for entry in dashboards(config) if entry.folder == "sixth"}
    assert set(found) == {"sixth-overview", "sixth-application", "sixth-business"}
    assert "Request Rate" in titles(found["sixth-application"])
    assert "Sold" in titles(found["sixth-business"])
    assert folders(config)["sixth"] == "The Sixth"


def test_two_panels_with_the_same_title_are_refused_with_the_fix() -> None:
    config = with_sixth(figures=[{"title": "Request Rate", "series": "sold_total", "dashboard": "application"}])
    with pytest.raises(ConfigError, match="sixth-application: 2 panels have the title 'Request Rate'"):
        dashboards(config)


@pytest.mark.parametrize(
    ("figure", "expr", "unit", "kind"),
    [
        ({"series": "sold_total"}, "sum by (system) (increase(sold_total{S}[1h]))", "short", "timeseries"),
        ({"series": "sold_total", "over": "24h"}, "sum by (system) (increase(sold_total{S}[24h]))", "short", "stat"),
        (
            {"series": "sold_usd", "by": ["shop"]},
            "sum by (system, shop) (increase(sold_usd{S}[1h]))",
            "currencyUSD",
            "timeseries",
        ),
        ({"series": "here"}, "(sum by (system) (here{S}))", "short", "timeseries"),
        ({"series": "here", "over": "7d"}, "max_over_time((sum by (system) (here{S}))[7d:1m])", "short", "stat"),
        ({"series": "up_seconds"}, "(min by (system) (up_seconds{S}))", "s", "timeseries"),
    ],
)
def test_a_figure_is_queried_by_its_kind_and_shown_in_its_unit(
    figure: dict[str, Any], expr: str, unit: str, kind: str
) -> None:
    series = {
        "sold_total": {"kind": "counter", "help": "Things sold."},
        "sold_usd": {"kind": "counter", "labels": ["shop"], "help": "Money taken."},
        "here": {"kind": "gauge", "help": "People here."},
        "up_seconds": {"kind": "gauge", "help": "Time since the start."},
    }
    config = with_sixth(series=series, signals={}, figures=[{"title": "Figure", **figure}])
    panel = next(one for one in panels(documents(config)["sixth-business"]) if one["title"] == "Figure")
    assert panel["targets"][0]["expr"] == expr.replace("{S}", '{system="sixth",job="backend"}')
    assert panel["fieldConfig"]["defaults"]["unit"] == unit
    assert panel["type"] == kind


def test_a_threshold_is_drawn_only_where_one_is_set() -> None:
    def limits(uid: str, title: str) -> list[str]:
        panel = next(one for one in panels(documents()[uid]) if one["title"] == title)
        return [target["expr"] for target in panel["targets"] if target["refId"] == "Limit"]

    assert limits("depot-application", "Error Rate") == ['app:threshold:error_ratio{system="depot"}']
    assert limits("hospital-application", "Error Rate") == []


def test_a_part_left_out_has_no_panel() -> None:
    less = json.dumps(documents(stack_config("dev", {"nodeExporter": {"enabled": False}})))
    assert "node_" in json.dumps(documents())
    assert "node_" not in less
    without = json.dumps(documents(stack_config("dev", {"loki": {"enabled": False}})))
    assert "obs-logs" not in without
    assert "errors_by_fingerprint" not in without
    assert "obs-containers" not in documents(DEV.without({"cadvisor": "no registry"}))


def test_a_database_of_the_platform_has_a_dashboard_too() -> None:
    config = stack_config("prod", {"systems": {"platform": {"elasticsearch": [{"address": "es.example.com:9200"}]}}})
    assert "platform-elasticsearch" in documents(config)
    assert "platform-application" not in documents(config)


def test_without_grafana_there_is_no_dashboard() -> None:
    for config in (stack_config("dev", {"grafana": {"enabled": False}}), DEV.without({"grafana": "no registry"})):
        assert files(config) == {}
        assert folders(config) == {}


def test_a_panel_keeps_its_id_when_others_are_added_or_removed() -> None:
    with_hosts, without = documents(), documents(stack_config("dev", {"nodeExporter": {"enabled": False}}))
    one, other = (
        {panel["title"]: panel["id"] for panel in panels(found["obs-capacity"])} for found in (with_hosts, without)
    )
    assert set(other) < set(one)
    assert all(one[title] == number for title, number in other.items())


def test_a_panel_whose_title_differs_by_system_has_one_id() -> None:
    ids = {
        panel["title"]: panel["id"]
        for uid in ("depot-application", "studio-application")
        for panel in panels(documents()[uid])
        if panel["title"].startswith("Response Time (")
    }
    assert ids == {f"Response Time ({p})": panel_id("Response Time") for p in ("p95", "p99")}


def test_a_dashboard_lists_all_queries_with_variables_filled() -> None:
    found = {(query.dashboard, query.owner): query for query in queries(EVERYTHING)}
    drawn = found["platform-system", "Network Traffic"]
    assert drawn.variables == {"instance"}
    assert 'instance=~".*"' in drawn.filled
    assert "[1m]" in drawn.filled
    assert "$" not in "".join(query.filled.replace('$1"', "") for query in found.values())
    assert ("obs-overview", "annotation Alerts") in found
    assert ("obs-endpoints", "variable instance") in found
    document = documents(EVERYTHING)["obs-logs"]
    assert {query.source for query in of_dashboard(document)} == {"loki", "prometheus"}


def test_every_panel_links_to_the_runbooks_of_its_alerts_if_they_have_a_url() -> None:
    config = stack_config("dev", {"links": {"runbooks": "https://git.example.com/runbooks/"}})
    panel = next(one for one in panels(documents(config)["depot-application"]) if one["title"] == "Error Rate")
    assert [link["url"] for link in panel["links"]] == [
        "https://git.example.com/runbooks/HighErrorRate.md",
        "https://git.example.com/runbooks/CriticalErrorRate.md",
    ]
    assert "runbooks" not in json.dumps(documents())


def test_the_same_configuration_gives_the_same_bytes() -> None:
    assert files(stack_config("dev", FULL)) == files(stack_config("dev", FULL))


def test_the_graph_of_services_has_its_values_under_the_names_that_grafana_reads() -> None:
    (found,) = (one for one in panels(documents(EVERYTHING)["obs-service-graph"]) if one["type"] == "nodeGraph")
    # A field that is only renamed keeps its own name, by which Grafana looks.
    made = {
        one["options"]["binary"]["left"]["matcher"]["options"]: one["options"]["alias"]
        for one in found["transformations"]
        if one["id"] == "calculateField"
    }
    assert made == {"Value #A": "mainstat", "Value #B": "secondarystat"}
    assert next(one["id"] for one in found["transformations"]) == "merge"
    assert all("sum by (id, source, target)" in target["expr"] for target in found["targets"])
    assert all(target["format"] == "table" and target["instant"] for target in found["targets"])
