"""Every panel of every dashboard, as Grafana is given it."""

import itertools
import json
from typing import Any

import promql_parser
import pytest

from config.load import StackConfig
from dashboards.common import GRID_WIDTH
from dashboards.datasources import data_sources
from dashboards.registry import FOLDER_TITLES, dashboards, files
from tests.unit.conftest import stack_config

CONFIGS = {
    "full": stack_config("dev"),
    "minimal": stack_config("dev", {"profile": "minimal", "grafana": {"enabled": True}}),
    "no-host": stack_config("dev", {"nodeExporter": {"enabled": False}}),
}


def documents(config: StackConfig) -> list[dict[str, Any]]:
    return [json.loads(entry.text) for entry in dashboards(config)]


def panels(document: dict[str, Any]) -> list[dict[str, Any]]:
    found = [panel for panel in document["panels"] if panel["type"] != "row"]
    assert found
    return found


every_dashboard = pytest.mark.parametrize(
    ("config", "document"),
    [
        pytest.param(config, document, id=f"{document['uid']}-{name}")
        for name, config in CONFIGS.items()
        for document in documents(config)
    ],
)

every_panel = pytest.mark.parametrize(
    ("config", "panel"),
    [
        pytest.param(config, panel, id=f"{document['uid']}-{panel['title']}-{name}")
        for name, config in CONFIGS.items()
        for document in documents(config)
        for panel in panels(document)
    ],
)


@every_panel
def test_it_says_what_it_shows_and_in_which_unit(config: StackConfig, panel: dict[str, Any]) -> None:  # noqa: ARG001
    assert panel["title"]
    assert panel["description"].endswith(".")
    assert panel["description"].rstrip(".") != panel["title"]
    assert panel["fieldConfig"]["defaults"]["unit"]


@every_panel
def test_its_data_sources_are_those_the_stack_has(config: StackConfig, panel: dict[str, Any]) -> None:
    known = {source.uid for source in data_sources(config)}
    for holder in (panel, *panel["targets"]):
        assert holder["datasource"]["uid"] in known
        assert holder["datasource"]["type"] == holder["datasource"]["uid"]


@every_panel
def test_its_queries_parse(config: StackConfig, panel: dict[str, Any]) -> None:  # noqa: ARG001
    assert panel["targets"]
    assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])
    for target in panel["targets"]:
        promql_parser.parse(target["expr"].replace("$__rate_interval", "1m"))
        assert "$" not in target["expr"].replace("$__rate_interval", "")


@every_panel
def test_its_queries_select_no_external_label(config: StackConfig, panel: dict[str, Any]) -> None:  # noqa: ARG001
    assert not [t for t in panel["targets"] if "cluster=" in t["expr"] or "environment=" in t["expr"]]


@every_dashboard
def test_its_panels_are_numbered_and_do_not_overlap(config: StackConfig, document: dict[str, Any]) -> None:  # noqa: ARG001
    numbers = [panel["id"] for panel in document["panels"]]
    assert len(numbers) == len(set(numbers))
    taken: set[tuple[int, int]] = set()
    for panel in document["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert cells
        assert max(x for x, _ in cells) < GRID_WIDTH
        assert not cells & taken, panel["title"]
        taken |= cells


@every_dashboard
def test_its_titles_are_unique_and_every_row_has_panels(config: StackConfig, document: dict[str, Any]) -> None:  # noqa: ARG001
    titles = [panel["title"] for panel in document["panels"]]
    assert len(titles) == len(set(titles))
    kinds = [panel["type"] for panel in document["panels"]]
    assert kinds[0] == "row"
    assert kinds[-1] != "row"
    assert ("row", "row") not in itertools.pairwise(kinds)


@every_dashboard
def test_it_is_not_to_be_edited_in_grafana(config: StackConfig, document: dict[str, Any]) -> None:  # noqa: ARG001
    assert document["editable"] is False
    assert document["uid"].startswith("obs-")
    assert len(document["uid"]) <= 40


def test_uids_differ_and_folders_are_known() -> None:
    entries = dashboards(CONFIGS["full"])
    assert len({entry.uid for entry in entries}) == len(entries) > 0
    assert {entry.folder for entry in entries} == set(FOLDER_TITLES)


def test_a_part_left_out_has_no_panel() -> None:
    (full,), (less,) = (documents(CONFIGS[name]) for name in ("full", "no-host"))
    assert "node_cpu_seconds_total" in json.dumps(full)
    assert "node_" not in json.dumps(less)


def test_without_grafana_there_is_no_dashboard() -> None:
    assert files(stack_config("dev", {"grafana": {"enabled": False}})) == {}
    assert files(stack_config("dev").without({"grafana": "no registry"})) == {}
    assert list(files(stack_config("dev"))) == ["dashboards/observability/obs-overview.json"]


def test_the_same_configuration_gives_the_same_bytes() -> None:
    assert files(stack_config("dev")) == files(stack_config("dev"))
