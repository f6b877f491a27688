"""No dashboard of any stack has a fault that the lint detects, and the lint finds each of these faults."""

import copy
import functools
import json
from collections.abc import Callable
from typing import Any

import pytest

from dashboards.registry import dashboards
from observability.check.dashboard_queries import QUERIES
from observability.check.dashboards import STRUCTURE, Check, Document, Surroundings, surroundings
from observability.settings.load import ROOT
from tests.unit.conftest import FULL, stack_config

CHECKS = (*STRUCTURE, *QUERIES)

PAGES = "https://git.example.com/monitoring/runbooks"

CONFIGS = {
    "dev": stack_config("dev", {"links": {"runbooks": PAGES}}),
    "prod-with-everything": stack_config("prod", {**FULL, "links": {"runbooks": PAGES}}),
    "minimal": stack_config("dev", {"profile": "minimal", "grafana": {"enabled": True}}),
    "no-host": stack_config("dev", {"nodeExporter": {"enabled": False}}),
}


@functools.cache
def documents(name: str) -> list[Document]:
    return [json.loads(entry.text) for entry in dashboards(CONFIGS[name])]


@functools.cache
def around(name: str) -> Surroundings:
    pages = frozenset(path.stem for path in (ROOT / "runbooks").glob("*.md"))
    return surroundings(documents(name), frozenset(CONFIGS[name].systems), pages)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", CONFIGS)
def test_no_dashboard_has_the_fault(name: str, check: Check) -> None:
    known = around(name)
    assert [f"{one['uid']}: {found}" for one in documents(name) for found in check(one, known)] == []


def test_no_two_dashboards_have_the_same_uid() -> None:
    for name in CONFIGS:
        uids = [one["uid"] for one in documents(name)]
        assert len(set(uids)) == len(uids)


# Faults, each introduced into a dashboard that has none.


def _panel(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in document["panels"] if one["type"] == "timeseries")
    return found


def _asking(expr: str, source: str = "prometheus") -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        target = _panel(document)["targets"][0]
        target["expr"] = expr
        target["datasource"] = {"type": source, "uid": source}

    return change


def _of_panel(**values: object) -> Callable[[dict[str, Any]], None]:
    return lambda document: _panel(document).update(values)


def _of_document(**values: object) -> Callable[[dict[str, Any]], None]:
    return lambda document: document.update(values)


def _same_id(document: dict[str, Any]) -> None:
    first, second = (one for one in document["panels"] if one["type"] == "stat"), _panel(document)
    second["id"] = next(first)["id"]


def _same_title(document: dict[str, Any]) -> None:
    _panel(document)["title"] = next(one for one in document["panels"] if one["type"] == "stat")["title"]


def _too_many(document: dict[str, Any]) -> None:
    document["panels"] += [copy.deepcopy(_panel(document)) for _ in range(33)]


def _unfolded(document: dict[str, Any]) -> None:
    tall = copy.deepcopy(_panel(document))
    tall["gridPos"] = {"x": 0, "y": 60, "w": 24, "h": 8}
    document["panels"].append(tall)


def _no_unit(document: dict[str, Any]) -> None:
    _panel(document)["fieldConfig"]["defaults"]["unit"] = "Percent"


def _unknown_source(document: dict[str, Any]) -> None:
    _panel(document)["datasource"]["uid"] = "graphite"


def _mixed_sources(document: dict[str, Any]) -> None:
    _panel(document)["targets"][0]["datasource"]["uid"] = "loki"


def _variable(**values: object) -> Callable[[dict[str, Any]], None]:
    return lambda document: document["templating"]["list"][0].update(values)


def _link(url: str) -> Callable[[dict[str, Any]], None]:
    return lambda document: document["links"].append({"title": "x", "type": "link", "url": url, "tags": []})


def _covering(document: dict[str, Any]) -> None:
    first = next(one for one in document["panels"] if one["type"] == "stat")
    _panel(document)["gridPos"] = dict(first["gridPos"])


def _empty_row(document: dict[str, Any]) -> None:
    document["panels"].append({**document["panels"][0], "id": 1, "collapsed": False})


def _folded_in_the_middle(document: dict[str, Any]) -> None:
    next(one for one in document["panels"] if one["type"] == "row")["collapsed"] = True


FAULTS: list[tuple[str, Callable[[dict[str, Any]], None], str]] = [
    ("titled", _of_panel(title=""), "has no title"),
    ("titled", _same_title, "is the title of two panels"),
    ("described", _of_panel(description=""), "does not describe it"),
    ("described", _of_panel(title="Requests", description="Requests."), "does not describe it"),
    ("described", _of_document(description="no sentence"), "does not describe it"),
    ("in_a_unit", _no_unit, "its unit is Percent"),
    ("asks", _of_panel(targets=[]), "asks nothing"),
    ("asks", lambda d: _panel(d)["targets"].append(_panel(d)["targets"][0]), "one refId"),
    ("from_known_sources", _unknown_source, "its own source is graphite"),
    ("from_known_sources", _mixed_sources, "asks ['loki'"),
    ("from_known_sources", _variable(datasource={"uid": "graphite"}), "asks graphite"),
    ("within_limits", _too_many, "more than 32"),
    ("within_limits", _unfolded, "two screens"),
    ("numbered", _same_id, "the id of two panels"),
    ("numbered", _of_panel(id=0), "not above 0"),
    ("placed", _covering, "covers"),
    ("placed", _of_panel(gridPos={"x": 20, "y": 90, "w": 8, "h": 8}), "leaves the grid"),
    ("in_rows", lambda d: d["panels"].pop(0), "does not begin with a row"),
    ("in_rows", _empty_row, "without panels"),
    ("in_rows", _folded_in_the_middle, "an open row below"),
    ("uneditable", _of_document(editable=True), "may be edited"),
    ("addressed", _of_document(uid="With Spaces"), "its uid is"),
    ("addressed", _of_document(uid="a" * 41), "its uid is"),
    ("marked", lambda d: d["annotations"]["list"].pop(0), "does not mark Alerts"),
    ("choosable", _variable(name="other"), "$system is used and not declared"),
    ("choosable", _variable(name="other"), "$other is declared and not used"),
    ("choosable", _variable(refresh=1), "does not follow the time"),
    ("choosable", _variable(includeAll=False), "does not begin with all"),
    ("linked", _link("/d/obs-nowhere"), "there is no dashboard obs-nowhere"),
    ("linked", _link("/d/obs-slos?var-planet=earth"), "has no variable planet"),
    ("linked", _link("/d/${__data.fields.system}-security"), "there is no dashboard academy-security"),
    ("linked", _link(f"{PAGES}/NoSuchAlert.md"), "neither a dashboard nor a runbook"),
    ("linked", _link("https://example.com/"), "neither a dashboard nor a runbook"),
    ("fresh", _of_document(refresh="1s"), "refreshes every '1s'"),
    ("small", _of_document(notes="x" * 600_000), "takes"),
    ("parsed", _asking("sum(rate(x[5m])"), ""),
    ("rated", _asking('rate(x_total{job="x"}[1m])'), "shorter than five minutes"),
    ("rated", _asking('irate(x_total{job="x"}[$__rate_interval])'), "two samples"),
    ("counted", _asking('sum(x_total{job="x"})'), "the counter x_total as it stands"),
    ("counted", _asking('histogram_quantile(0.9, x_bucket{job="x"})'), "the counter x_bucket"),
    ("narrowed", _asking("node_load1"), "names neither system nor job"),
    ("without_external_labels", _asking('up{cluster="obs-dev",job="x"}'), "external label cluster"),
    ("log_queries", _asking('{system=~".*"}', "loki"), "selects every stream"),
    ("log_queries", _asking('rate({system="a"}[$__auto]', "loki"), "not closed"),
    ("log_queries", _asking('sum(rate({system="a"}[30s]))', "loki"), "has the range 30s"),
]


@pytest.mark.parametrize(("check", "fault", "found"), FAULTS, ids=[f"{name}-{found}" for name, _, found in FAULTS])
def test_the_lint_finds_it(check: str, fault: Callable[[dict[str, Any]], None], found: str) -> None:
    known = around("dev")
    good = next(one for one in documents("dev") if one["uid"] == "obs-overview")
    run = next(one for one in CHECKS if one.__name__ == check)
    assert list(run(good, known)) == []
    bad = json.loads(json.dumps(good))
    fault(bad)
    assert [message for message in run(bad, known) if found in message]


def test_every_check_has_a_fault_that_it_finds() -> None:
    assert {check.__name__ for check in CHECKS} == {name for name, _, _ in FAULTS}
