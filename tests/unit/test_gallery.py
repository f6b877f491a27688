"""The gallery's calculations: queries, the format of values, positions; and that no picture is missing."""

import io
import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from dashboards.queries import panels
from dashboards.registry import dashboards
from observability.core import http
from observability.core.errors import ConfigError
from observability.pictures import units
from observability.pictures.fields import field, no_value
from observability.pictures.series import Series
from observability.pictures.theme import SCALE, Box, facts
from observability.settings.load import ROOT
from tests.unit.conftest import FULL, stack_config
from tools.gallery import nodes, page
from tools.gallery.__main__ import drawable
from tools.gallery.figures import LEAST_COLUMN, cells, column_widths
from tools.gallery.nodes import layers
from tools.gallery.page import CAPTION, KINDS, WIDTH, draw, unfolded
from tools.gallery.source import Source
from tools.gallery.view import View

DEV = stack_config("dev")
EVERYWHERE = [*drawable(DEV), *drawable(stack_config("prod", FULL))]
SERVICE_GRAPH = next(entry for entry in EVERYWHERE if entry.uid == "obs-service-graph")
PICTURES = ROOT / "docs" / "gallery"

HOUR = View(start=36000, end=39600, values={"system": ".*", "search": ""}, scrape=15)


def test_every_unit_on_any_dashboard_is_known() -> None:
    known = units.UNITS.keys() | {units.FROM_NOW}
    for entry in EVERYWHERE:
        for panel in panels(json.loads(entry.text)):
            overrides = panel.get("fieldConfig", {}).get("overrides", ())
            used = {prop["value"] for one in overrides for prop in one["properties"] if prop["id"] == "unit"}
            assert used | {field(panel).unit} <= known, f"{entry.uid}: {panel['title']}"


def test_every_kind_of_panel_on_any_dashboard_can_be_drawn() -> None:
    assert {panel["type"] for entry in EVERYWHERE for panel in panels(json.loads(entry.text))} <= KINDS


@pytest.mark.parametrize(("pixels", "step"), [(100, 30), (300, 15), (1200, 15), (50, 60)])
def test_the_step_is_round_and_not_shorter_than_the_scrape_interval(pixels: float, step: float) -> None:
    assert HOUR.step(pixels) == step


def test_a_dashboard_shows_its_own_time_range_up_to_now() -> None:
    view = View.of({"time": {"from": "now-6h"}, "templating": {"list": []}}, at=1_000_000, scrape=15)
    assert (view.start, view.end) == (1_000_000 - 21600, 1_000_000)


def test_the_rate_interval_is_at_least_four_scrapes() -> None:
    assert HOUR.query("rate(x[$__rate_interval])", 300) == "rate(x[60s])"


def test_the_range_variable_is_the_time_range_shown() -> None:
    assert HOUR.query("changes(x[$__range])", 300) == "changes(x[3600s])"


def test_a_variable_is_filled_with_all_values_and_a_search_is_empty() -> None:
    assert HOUR.query('x{system=~"$system"} |~ `(?i)$search`', 300) == 'x{system=~".*"} |~ `(?i)`'


def test_every_query_on_any_dashboard_can_be_filled() -> None:
    for entry in EVERYWHERE:
        document = json.loads(entry.text)
        view = View.of(document, at=1_000_000, scrape=15)
        for panel in panels(document):
            for target in panel["targets"]:
                filled = view.query(target["expr"], 300)
                assert not re.search(r"\$[A-Za-z_{]", filled), f"{entry.uid}: {panel['title']}"


def test_an_override_by_name_applies_only_to_that_series() -> None:
    panel = panel_of(
        "timeseries",
        overrides=[override("byName", "critical threshold", color={"mode": "fixed", "fixedColor": "red"})],
    )
    assert field(panel, "critical threshold").fixed_colour == "#f2495c"
    assert field(panel, "errors").fixed_colour is None


def test_an_override_by_pattern_applies_to_all_that_match() -> None:
    style = {"fill": "dash", "dash": [10, 10]}
    panel = panel_of("timeseries", overrides=[override("byRegexp", "/ threshold$/", **{"custom.lineStyle": style})])
    assert field(panel, "warning threshold").dash == [10, 10]
    assert field(panel, "threshold of pain").dash is None


def test_the_colour_is_that_of_the_highest_step_reached() -> None:
    steps = [{"value": None, "color": "green"}, {"value": 0.8, "color": "orange"}, {"value": 0.9, "color": "red"}]
    look = field(panel_of("stat", thresholds={"mode": "absolute", "steps": steps}))
    assert [look.colour(value) for value in (0.5, 0.8, 2)] == ["#73bf69", "#ff9830", "#f2495c"]


def test_a_missing_value_has_the_colour_of_the_lowest_step() -> None:
    steps = [{"value": None, "color": "orange"}, {"value": 1, "color": "green"}]
    assert field(panel_of("stat", thresholds={"mode": "absolute", "steps": steps})).colour(None) == "#ff9830"


def test_a_mapped_value_is_shown_as_its_text() -> None:
    mapping = {"type": "value", "options": {"0": {"text": "down", "color": "red", "index": 0}}}
    look = field(panel_of("state-timeline", mappings=[mapping]))
    assert (look.text(0, now=0), look.colour(0), look.text(2, now=0)) == ("down", "#f2495c", "2")


def test_a_missing_value_has_the_colour_of_its_mapping() -> None:
    mapping = {"type": "special", "options": {"match": "null+nan", "result": {"color": "#6e7079", "index": 9}}}
    look = field(panel_of("stat", mappings=[mapping]))
    assert (look.colour(None), look.text(2, now=0)) == ("#6e7079", "2")


def test_a_text_is_shown_as_the_first_mapping_that_matches() -> None:
    mappings = [
        {"type": "value", "options": {"a": {"text": "first", "color": "red", "index": 0}}},
        {"type": "regex", "options": {"pattern": "/^(.);(.*)$/", "result": {"text": "$2 of $1", "index": 1}}},
    ]
    look = field(panel_of("table", mappings=mappings))
    assert [look.word(text) for text in ("a", "x;y", "other")] == ["first", "y of x", "other"]


def test_a_cell_is_painted_only_where_its_column_is() -> None:
    mapping = {"type": "value", "options": {"critical": {"text": "critical", "color": "red", "index": 0}}}
    plain = panel_of("table", mappings=[mapping])
    painted = panel_of("table", mappings=[mapping], custom={"cellOptions": {"type": "color-background"}})
    assert field(plain).paint("critical") is None
    assert field(painted).paint("critical") == "#f2495c"


def test_an_override_of_a_renamed_column_applies_by_both_names() -> None:
    panel = panel_of("table")
    panel["fieldConfig"]["overrides"] = [
        {"matcher": {"id": "byName", "options": "Value"}, "properties": [{"id": "unit", "value": "s"}]}
    ]
    assert field(panel, "since", "Value").unit == "s"
    assert field(panel, "since").unit == "short"


def test_an_empty_panel_shows_no_data_or_its_configured_text() -> None:
    assert no_value(panel_of("stat")) == "No data"
    assert no_value(panel_of("stat", noValue="Never")) == "Never"


def test_series_of_equal_labels_are_one_row_of_a_table() -> None:
    panel = panel_of("table") | {"targets": [{"refId": "A"}, {"refId": "B"}]}
    panel["transformations"] = [
        {"id": "merge", "options": {}},
        organize(exclude=["job"], rename={"Value #A": "Size", "Value #B": "Free"}),
    ]
    names, rows = cells(panel, [series("A", 5, host="a", job="node"), series("B", 2, host="a", job="node")])
    assert names == ["host", "Size", "Free"]
    assert rows == [{"host": "a", "Size": 5, "Free": 2}]


def test_rows_are_sorted_by_a_column_that_may_be_hidden() -> None:
    panel = panel_of("table") | {"targets": [{"refId": "A"}, {"refId": "Order"}]}
    panel["transformations"] = [
        {"id": "merge", "options": {}},
        {"id": "sortBy", "options": {"fields": {}, "sort": [{"field": "Value #Order", "desc": True}]}},
        organize(exclude=["Value #Order"], rename={"Value #A": "Age"}),
    ]
    found = [
        series(ref, value, alert=name)
        for name, *both in (("mild", 9, 1), ("severe", 5, 3))
        for ref, value in zip(("A", "Order"), both, strict=True)
    ]
    names, rows = cells(panel, found)
    assert names == ["alert", "Age"]
    assert rows == [{"alert": "severe", "Age": 5}, {"alert": "mild", "Age": 9}]


def test_columns_are_in_the_order_of_the_panel_and_the_others_follow() -> None:
    panel = panel_of("table") | {"targets": [{"refId": "A"}]}
    panel["transformations"] = [organize(order={"system": 0, "alertname": 1})]
    names, _ = cells(panel, [series("A", 1, alertname="x", component="y", system="z")])
    assert names == ["system", "alertname", "component", "Value"]


def test_columns_share_the_width_but_none_is_too_narrow() -> None:
    assert column_widths([None, None], 600) == [300, 300]
    assert column_widths([None] * 5, 600) == [LEAST_COLUMN] * 5
    assert column_widths([100, None], 600) == [100, 500]


def test_a_collapsed_row_is_expanded_and_the_panels_below_move_down() -> None:
    inner = {"type": "stat", "title": "inner", "gridPos": {"x": 0, "y": 11, "w": 24, "h": 7}}
    rows = [
        {"type": "row", "collapsed": True, "title": "one", "gridPos": {"y": 10, "h": 1}, "panels": [inner]},
        {"type": "row", "collapsed": False, "title": "two", "gridPos": {"y": 11, "h": 1}, "panels": []},
    ]
    assert [(one.panel["title"], one.y) for one in unfolded(rows)] == [("one", 10), ("inner", 11), ("two", 18)]


def test_no_two_panels_of_any_dashboard_overlap_once_all_rows_are_expanded() -> None:
    for entry in EVERYWHERE:
        taken: set[tuple[float, int]] = set()
        for one in unfolded(json.loads(entry.text)["panels"]):
            place = one.panel["gridPos"]
            cells_of = {(one.y + y, place["x"] + x) for y in range(place["h"]) for x in range(place["w"])}
            assert not cells_of & taken, f"{entry.uid}: {one.panel['title']}"
            taken |= cells_of


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Source:
    """A Prometheus and a Loki that return one series, and one line, for every query."""

    def answer(url: str, params: dict[str, str], timeout: float) -> httpx.Response:  # noqa: ARG001 - httpx's
        labels = {"system": "depot", "instance": "a:80", "job": "backend"}
        if "loki" in url and "count_over_time" not in params["query"]:
            found: list[dict[str, Any]] = [{"stream": {"level": "error"}, "values": [["1700000000000000000", "lost"]]}]
        elif url.endswith("query_range"):
            start, step = float(params["start"]), float(params["step"])
            start = start / 1e9 if start > 1e12 else start
            found = [{"metric": labels, "values": [[start + step * count, str(count)] for count in range(20)]}]
        else:
            found = [{"metric": labels, "value": [float(params["time"]), "3"]}]
        return httpx.Response(200, json={"data": {"result": found}}, request=httpx.Request("GET", url))

    monkeypatch.setattr(http, "get", answer)
    return Source(prometheus="http://prometheus", loki="http://loki")


@pytest.mark.parametrize("uid", ["obs-overview", "obs-logs", "obs-slos"])
def test_a_dashboard_becomes_a_picture_that_names_its_source(stack: Source, uid: str, tmp_path: Path) -> None:
    (entry,) = (entry for entry in dashboards(DEV) if entry.uid == uid)
    document = json.loads(entry.text)
    drawn = draw(document, "Observability", stack, View.of(document, at=1_700_000_000, scrape=15))
    path = tmp_path / "picture.png"
    path.write_bytes(drawn.png)
    said = facts(path)
    assert said["Description"] == CAPTION
    assert said["Drawn"] == "2023-11-14 22:13 UTC"
    assert (said["Panels"], said["Empty"]) == (str(len(list(panels(document)))), "0")


def test_a_single_point_of_an_annotation_is_a_line_and_a_series_without_gaps_a_band(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = [Series(name="", ref="", labels={}, points=((36030, 1), (36090, 1), (36120, 1), (36150, 1)))]
    monkeypatch.setattr(Source, "marks", lambda *_: found)
    document = {"annotations": {"list": [{"expr": "up == 0", "enable": True}, {"expr": "up", "enable": False}]}}
    source = Source(prometheus="http://127.0.0.1:9", loki="http://127.0.0.1:9")
    assert page.marks_of(document, source, HOUR) == [(36030, 36030), (36090, 36150)]


def test_panels_without_data_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(url: str, **_: object) -> httpx.Response:
        return httpx.Response(200, json={"data": {"result": []}}, request=httpx.Request("GET", url))

    monkeypatch.setattr(http, "get", nothing)
    (entry,) = (entry for entry in dashboards(DEV) if entry.uid == "obs-slos")
    document = json.loads(entry.text)
    view = View.of(document, at=1_700_000_000, scrape=15)
    drawn = draw(document, "Observability", Source(prometheus="http://a", loki="http://b"), view)
    assert sorted(drawn.empty) == sorted(panel["title"] for panel in panels(document))


def test_a_stack_that_does_not_respond_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(url: str, **_: object) -> httpx.Response:
        raise httpx.ConnectError("refused", request=httpx.Request("GET", url))

    monkeypatch.setattr(http, "get", refuse)
    target = {"refId": "A", "expr": "up", "datasource": {"uid": "prometheus"}}
    source = Source(prometheus="http://127.0.0.1:1", loki="http://127.0.0.1:1")
    with pytest.raises(ConfigError, match="does not answer: refused"):
        source.series({"targets": [target]}, HOUR, 300)


def test_the_pictures_are_small() -> None:
    sizes = {path.name: path.stat().st_size for path in PICTURES.glob("*.png")}
    assert {name: size for name, size in sizes.items() if size > 200_000} == {}
    assert sum(sizes.values()) < 4_000_000


def test_the_pictures_are_as_wide_as_the_page_they_are_for() -> None:
    assert {Image.open(io.BytesIO(path.read_bytes())).width for path in PICTURES.glob("*.png")} == {
        round(WIDTH * SCALE)
    }


def panel_of(kind: str, overrides: list[dict[str, Any]] | None = None, **defaults: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"type": kind, "title": "x", "fieldConfig": {"defaults": defaults, "overrides": overrides or []}}


def override(matcher: str, options: str, **properties: Any) -> dict[str, Any]:  # noqa: ANN401 - of any kind
    return {
        "matcher": {"id": matcher, "options": options},
        "properties": [{"id": key, "value": value} for key, value in properties.items()],
    }


def organize(
    exclude: list[str] | None = None, rename: dict[str, str] | None = None, order: dict[str, int] | None = None
) -> dict[str, Any]:
    options = {
        "excludeByName": dict.fromkeys(exclude or [], True),
        "renameByName": rename or {},
        "indexByName": order or {},
    }
    return {"id": "organize", "options": options}


def series(ref: str, value: float, **labels: str) -> Series:
    return Series(name="", ref=ref, labels=labels, points=((0.0, value),))


def edge(ref: str, value: float, source: str, target: str) -> Series:
    return series(ref, value, id=f"{source} → {target}", source=source, target=target)


def test_a_node_is_in_a_layer_after_those_that_call_it() -> None:
    chain = {("web", "orders"): 1, ("orders", "stock"): 1, ("web", "stock"): 1, ("stock", "db"): 1}
    assert layers(chain) == [["web"], ["orders"], ["stock"], ["db"]]


def test_nodes_that_call_each_other_have_places() -> None:
    found = layers({("a", "b"): 1, ("b", "a"): 1, ("a", "a"): 1})
    assert sorted(node for layer in found for node in layer) == ["a", "b"]


def test_a_graph_names_its_nodes_and_what_fails() -> None:
    (panel,) = (one for one in panels(json.loads(SERVICE_GRAPH.text)) if one["type"] == "nodeGraph")
    canvas = Written()
    found = [edge("A", 4, "shop/orders", "depot/stock"), edge("B", 1, "shop/orders", "depot/stock")]
    nodes.graph(canvas, Box(0, 0, 900, 300), panel, found, HOUR)  # type: ignore[arg-type]  # what of it is used
    assert {"shop/orders", "depot/stock", "4.00 calls/s", "1.00 failed/s", "4.00"} <= set(canvas.words)


class Written:
    """A canvas that keeps its texts."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def text(self, _x: float, _y: float, words: str, *_: object, **__: object) -> None:
        self.words.append(words)

    def nothing(self, *_: object, **__: object) -> None:
        """Shapes are not kept."""

    line = area = rect = nothing
