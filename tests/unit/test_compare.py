"""What `obs dashboards --diff` reports for each kind of change."""

import copy
import json
from collections.abc import Callable
from typing import Any

from dashboards.compare import Change, compare, markdown
from dashboards.registry import Entry, dashboards
from tests.unit.conftest import stack_config

Document = dict[str, Any]


def panel(number: int, title: str, **more: Any) -> Document:  # noqa: ANN401 - a panel's options
    return {
        "id": number,
        "title": title,
        "type": "timeseries",
        "description": f"About {title}.",
        "gridPos": {"x": 0, "y": 1, "w": 8, "h": 7},
        "fieldConfig": {"defaults": {"unit": "short"}, "overrides": []},
        "targets": [{"refId": "A", "expr": f"{title.lower()}_total", "legendFormat": "{{route}}"}],
        **more,
    }


def row(title: str, *folded: Document) -> Document:
    place = {"x": 0, "y": 0, "w": 24, "h": 1}
    return {
        "id": len(title),
        "title": title,
        "type": "row",
        "collapsed": bool(folded),
        "panels": list(folded),
        "gridPos": place,
    }


BEFORE: Document = {
    "uid": "shop-application",
    "title": "Shop",
    "description": "Whether users are served.",
    "tags": ["observability"],
    "time": {"from": "now-1h", "to": "now"},
    "templating": {"list": [{"name": "system", "query": "label_values(up, system)"}]},
    "panels": [
        row("State"),
        panel(1, "Errors"),
        panel(2, "Requests"),
        panel(3, "Latency"),
        row("More", panel(4, "Memory"), panel(5, "Threads")),
    ],
}


def entry(document: Document, folder: str = "shop") -> Entry:
    return Entry(folder=folder, uid=document["uid"], text=json.dumps(document))


def after(change: Callable[[Document], object]) -> list[Change]:
    """What is reported for this change of the dashboard."""
    changed = copy.deepcopy(BEFORE)
    change(changed)
    found = compare([entry(BEFORE)], [entry(changed)])
    assert [one.uids for one in found] == [("shop-application",)]
    return list(found[0].changes)


def lines(change: Callable[[Document], object]) -> list[str]:
    return [one.what for one in after(change)]


def test_without_a_change_nothing_is_reported() -> None:
    assert compare([entry(BEFORE)], [entry(copy.deepcopy(BEFORE))]) == []


def test_without_a_change_the_output_says_so() -> None:
    assert markdown([]) == "no change\n"


def test_an_added_dashboard_is_reported_with_its_folder_and_size() -> None:
    (found,) = compare([], [entry(BEFORE)])
    assert found.changes == (Change(what="dashboard added: folder shop, 5 panels"),)


def test_a_removed_dashboard_is_reported() -> None:
    (found,) = compare([entry(BEFORE)], [])
    assert found.changes == (Change(what="dashboard removed: folder shop, 5 panels"),)


def test_a_renamed_dashboard_is_reported_with_both_titles() -> None:
    assert lines(lambda made: made.update(title="The Shop")) == ["dashboard renamed: 'Shop' → 'The Shop'"]


def test_a_dashboard_in_another_folder_is_reported() -> None:
    (found,) = compare([entry(BEFORE)], [entry(BEFORE, folder="store")])
    assert [one.what for one in found.changes] == ["dashboard moved: folder shop → store"]


def test_a_changed_description_of_a_dashboard_is_reported() -> None:
    changed = lines(lambda made: made.update(description="How fast it is."))
    assert changed == ["description: Whether users are served. → How fast it is."]


def test_a_changed_time_range_is_reported() -> None:
    assert lines(lambda made: made["time"].update({"from": "now-6h"})) == ["time shown from: now-1h → now-6h"]


def test_an_added_panel_is_reported_with_its_row_and_query() -> None:
    (change,) = after(lambda made: made["panels"].insert(2, panel(6, "Users")))
    assert change == Change(what="panel 'Users' added to row 'State'", new="users_total")


def test_an_added_panel_does_not_report_its_neighbours_as_moved() -> None:
    def insert(made: Document) -> None:
        made["panels"].insert(1, panel(6, "Users"))
        for number, one in enumerate(made["panels"]):
            one["gridPos"]["y"] = number + 3

    assert lines(insert) == ["panel 'Users' added to row 'State'"]


def test_a_removed_panel_is_reported_with_its_row() -> None:
    assert lines(lambda made: made["panels"].pop(2)) == ["panel 'Requests' removed from row 'State'"]


def test_a_panel_in_a_collapsed_row_is_reported_like_any_other() -> None:
    assert lines(lambda made: made["panels"][4]["panels"].pop()) == ["panel 'Threads' removed from row 'More'"]


def test_a_renamed_panel_with_the_same_id_is_reported_with_both_titles() -> None:
    assert lines(lambda made: made["panels"][1].update(title="Failures")) == ["panel 'Errors' renamed: 'Failures'"]


def test_a_panel_in_another_row_is_reported_with_both_rows() -> None:
    def move(made: Document) -> None:
        made["panels"].insert(4, made["panels"][4]["panels"].pop(0))

    assert lines(move) == ["panel 'Memory' moved: row 'More' → 'State'"]


def test_of_reordered_panels_only_the_one_that_moved_is_reported() -> None:
    def move(made: Document) -> None:
        made["panels"].insert(3, made["panels"].pop(1))

    assert lines(move) == ["panel 'Errors' moved within row 'State'"]


def test_resized_panels_are_reported_together() -> None:
    def widen(made: Document) -> None:
        for one in made["panels"][1:3]:
            one["gridPos"]["w"] = 12

    assert lines(widen) == ["wider, narrower, higher or lower: 'Errors', 'Requests'"]


def test_a_changed_query_is_reported_with_the_old_and_the_new_one() -> None:
    (change,) = after(lambda made: made["panels"][1]["targets"][0].update(expr="sum(errors_total)"))
    assert change == Change(what="panel 'Errors': query A changed", old="errors_total", new="sum(errors_total)")


def test_an_added_query_is_reported() -> None:
    (change,) = after(lambda made: made["panels"][1]["targets"].append({"refId": "B", "expr": "up"}))
    assert change == Change(what="panel 'Errors': query B added", new="up")


def test_a_removed_query_is_reported() -> None:
    (change,) = after(lambda made: made["panels"][1]["targets"].pop())
    assert change == Change(what="panel 'Errors': query A removed", old="errors_total")


def test_a_changed_legend_is_reported_with_its_query() -> None:
    changed = lines(lambda made: made["panels"][1]["targets"][0].update(legendFormat="{{path}}"))
    assert changed == ["panel 'Errors': query A, legend: {{route}} → {{path}}"]


def test_a_changed_unit_is_reported() -> None:
    changed = lines(lambda made: made["panels"][1]["fieldConfig"]["defaults"].update(unit="s"))
    assert changed == ["panel 'Errors': unit: short → s"]


def test_changed_thresholds_are_described_in_words() -> None:
    limits = {"mode": "absolute", "steps": [{"value": None, "color": "green"}, {"value": 0.9, "color": "red"}]}
    changed = lines(lambda made: made["panels"][1]["fieldConfig"]["defaults"].update(thresholds=limits))
    assert changed == ["panel 'Errors': thresholds: none → green, red from 0.9"]


def test_changed_value_mappings_are_reported() -> None:
    mapping = [{"type": "value", "options": {"0": {"text": "down", "color": "red", "index": 0}}}]
    changed = lines(lambda made: made["panels"][1]["fieldConfig"]["defaults"].update(mappings=mapping))
    assert changed == ["panel 'Errors': words for values: none → 0: down (red)"]


def test_a_changed_description_of_a_panel_is_reported() -> None:
    changed = lines(lambda made: made["panels"][1].update(description="What fails."))
    assert changed == ["panel 'Errors': description: About Errors. → What fails."]


def test_a_changed_panel_type_is_reported() -> None:
    assert lines(lambda made: made["panels"][1].update(type="stat")) == [
        "panel 'Errors': drawn as stat, no longer as timeseries"
    ]


def test_an_option_without_a_description_is_reported_by_its_path() -> None:
    changed = lines(lambda made: made["panels"][1]["fieldConfig"]["defaults"].update(custom={"fillOpacity": 10}))
    assert changed == ["panel 'Errors': fieldConfig.defaults.custom: none → {\"fillOpacity\": 10}"]


def test_of_a_long_option_only_the_changed_lines_are_reported() -> None:
    def change(made: Document) -> None:
        made["panels"][1]["fieldConfig"]["overrides"] = [
            {"matcher": {"id": "byName", "options": "a"}, "properties": [{"id": "unit", "value": "s"}]}
        ]

    (found,) = after(change)
    assert (found.what, found.old) == ("panel 'Errors': overrides changed", "[]")
    assert '"byName"' in found.new


def test_an_added_variable_is_reported_with_its_query() -> None:
    new = {"name": "instance", "query": "label_values(up, instance)"}
    (change,) = after(lambda made: made["templating"]["list"].append(new))
    assert change == Change(what="variable `instance` added", new="label_values(up, instance)")


def test_a_removed_variable_is_reported() -> None:
    assert lines(lambda made: made["templating"]["list"].clear()) == ["variable `system` removed"]


def test_a_changed_variable_is_reported() -> None:
    changed = lines(lambda made: made["templating"]["list"][0].update(query="label_values(system)"))
    assert changed == ["variable `system`: query: label_values(up, system) → label_values(system)"]


def test_a_row_that_is_now_collapsed_is_reported() -> None:
    def fold(made: Document) -> None:
        made["panels"][0].update(collapsed=True, panels=made["panels"][1:4])
        del made["panels"][1:4]

    assert lines(fold) == ["row 'State' now folded at first"]


def test_an_added_row_is_reported() -> None:
    added = row("Traces", panel(7, "Spans"))
    assert lines(lambda made: made["panels"].append(added)) == [
        "row 'Traces' added",
        "panel 'Spans' added to row 'Traces'",
    ]


def test_reordered_rows_are_reported() -> None:
    def swap(made: Document) -> None:
        made["panels"].insert(0, made["panels"].pop())

    assert lines(swap) == ["rows in another order: More, State"]


def test_the_same_change_of_several_systems_is_reported_once() -> None:
    def of(system: str, unit: str) -> Entry:
        document = copy.deepcopy(BEFORE) | {"uid": f"{system}-application", "title": system.title()}
        document["panels"][1]["targets"][0]["expr"] = f'errors_total{{system="{system}"}} > {unit}'
        return entry(document, folder=system)

    found = compare([of("shop", "1"), of("bank", "1")], [of("shop", "2"), of("bank", "2")])
    assert [(one.title, one.uids) for one in found] == [("Bank", ("bank-application", "shop-application"))]


def test_different_changes_of_several_systems_are_reported_separately() -> None:
    def of(system: str, unit: str) -> Entry:
        document = copy.deepcopy(BEFORE) | {"uid": f"{system}-application"}
        document["panels"][1]["fieldConfig"]["defaults"]["unit"] = unit
        return entry(document, folder=system)

    found = compare([of("shop", "s"), of("bank", "s")], [of("shop", "ms"), of("bank", "ns")])
    assert [one.uids for one in found] == [("bank-application",), ("shop-application",)]


def test_the_list_is_markdown_with_old_and_new_marked() -> None:
    changed = copy.deepcopy(BEFORE)
    changed["panels"][1]["targets"][0]["expr"] = "sum(errors_total)"
    assert markdown(compare([entry(BEFORE)], [entry(changed)])) == (
        "Dashboards changed: 1\n"
        "\n"
        "### Shop (`shop-application`)\n"
        "\n"
        "- panel 'Errors': query A changed\n"
        "  ```diff\n"
        "  - errors_total\n"
        "  + sum(errors_total)\n"
        "  ```\n"
    )


def test_every_difference_in_a_real_dashboard_is_reported() -> None:
    """Except for the position of a panel, which follows from its row, its neighbours and their sizes."""
    (real,) = (one for one in dashboards(stack_config("dev")) if one.uid == "obs-slos")
    unseen = []
    for path in leaves(json.loads(real.text)):
        changed = json.loads(real.text)
        *above, last = path
        inner = changed
        for key in above:
            inner = inner[key]
        inner[last] = other(inner[last])
        if not compare([real], [Entry(folder=real.folder, uid=real.uid, text=json.dumps(changed))]):
            unseen.append(path)
    assert {path[-2:] for path in unseen} <= {("gridPos", side) for side in "xywh"}


def leaves(node: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:  # noqa: ANN401 - JSON
    """The path of every leaf value, except those that identify an object."""
    if isinstance(node, dict | list):
        inner = node.items() if isinstance(node, dict) else enumerate(node)
        return [path for key, value in inner for path in leaves(value, (*above, key))]
    return [] if above[-1] in ("id", "type", "uid") else [above]


def other(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Another value of the same type."""
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int | float) else f"{value}x"
