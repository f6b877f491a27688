"""`obs checklist`: each question can be answered with yes and with no, from what the running stack says."""

import ast
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import promql_parser
import pytest
from typer.testing import CliRunner

from observability.cli import checklist
from observability.cli.app import app
from observability.core.errors import ConfigError
from observability.operations.checklist.model import Finding, Item
from observability.operations.checklist.table import ITEMS
from observability.operations.rows import Row
from tests.unit.checklist_world import World, complete, empty, series, settings

BY_ID = {item.id: item for item in ITEMS}

OF_SETTINGS = {
    *("incidents.rotation", "incidents.playbook", "incidents.templates", "incidents.matrix", "incidents.post-mortem"),
    *("alerts.escalation", "alerts.routing", "incidents.status-page"),
    *(f"dashboards.{kind}" for kind in ("system", "application", "database", "business")),
}
"""Questions that send no request of their own: settings, documents, rows of `verify`."""


@pytest.fixture(scope="module")
def good() -> World:
    return complete()


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> World:
    return empty(tmp_path_factory.mktemp("documents"))


def answered(world: World, name: str, monkeypatch: pytest.MonkeyPatch) -> Finding:
    with world.state(monkeypatch) as state:
        return BY_ID[name].answered(state)


def test_there_are_52_questions_in_eight_sections() -> None:
    assert len(BY_ID) == len(ITEMS) == 52
    assert list(Counter(item.section for item in ITEMS).values()) == [7, 7, 8, 6, 6, 6, 6, 6]
    assert len({item.text for item in ITEMS}) == 52


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.id)
def test_the_answer_is_yes_where_it_is_so_and_no_where_it_is_not(
    item: Item, good: World, bad: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = answered(good, item.id, monkeypatch)
    assert found.answer == "yes", found
    assert found.evidence
    found = answered(bad, item.id, monkeypatch)
    assert found.answer == "no", found
    assert item.fix.format(stack="prod")


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.id)
def test_the_answer_depends_on_what_the_question_itself_asks(
    item: Item, good: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With empty answers to its own requests alone, and with no server at all."""
    with good.state(monkeypatch) as state:
        item.answered(state)
        asked = list(state._asked)
    if item.id in OF_SETTINGS:
        assert not asked
        return
    queries: dict[str, list[Any]] = {
        query: [] for _, _, *params in asked for key, query in map(_pair, params) if key == "query"
    }
    if item.id not in ("alerts.fatigue", "dashboards.access", "dashboards.updated"):  # Tests of their own below.
        servers = replace(good.servers, results={**queries, **good.servers.results}, streams=())
        other = replace(good, servers=servers)
        if not queries or item.id == "alerts.thresholds":
            servers.documents = {**servers.documents, "/api/v1/rules": {"data": {"groups": []}}, "/config": "{}"}
        assert answered(other, item.id, monkeypatch).answer == "no"
    with replace(good, grafana=False).state(monkeypatch) as state:
        found = item.answered(replace(state, get=_refused, _asked={}))
    assert found.answer == "cannot be asked"
    assert "refused" in found.evidence or "not stored" in found.evidence


def _pair(text: str) -> tuple[str, str]:
    key, value = ast.literal_eval(text)
    return key, value


def _refused(*_: object, **__: object) -> Any:  # noqa: ANN401 - never returns
    raise httpx.ConnectError("connection refused")


@pytest.mark.parametrize("name", sorted(OF_SETTINGS - {"incidents.rotation", "alerts.escalation"}))
def test_what_verify_and_documents_say_decides_alone(
    name: str, good: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified = [Row.of(check=row.check, ok=False, detail="differs") for row in good.verified]
    documents = (tmp_path,) if name.startswith("incidents.") and "status" not in name else good.documents
    assert answered(replace(good, verified=verified, documents=documents), name, monkeypatch).answer == "no"


def test_every_query_to_prometheus_is_promql(good: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with good.state(monkeypatch) as state:
        for item in ITEMS:
            item.answered(state)
        asked = [_pair(pair) for service, path, *pairs in state._asked if service == "prometheus" for pair in pairs]
    queries = {query for key, query in asked if key == "query"}
    assert len(queries) > 30
    for query in queries:
        promql_parser.parse(query)


def test_a_missing_row_of_verify_cannot_be_asked(good: World, monkeypatch: pytest.MonkeyPatch) -> None:
    verified = [Row.of(check="declared", ok=False, detail="ConnectError: refused")]
    found = answered(replace(good, verified=verified), "alerts.routing", monkeypatch)
    assert (found.answer, "ConnectError: refused" in found.evidence) == ("cannot be asked", True)


def test_nothing_applies_to_a_stack_that_watches_no_system(good: World, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = replace(good.config, systems={}, settings=good.config.settings.model_copy(update={"systems": {}}))
    other = replace(good, config=bare)
    for name in ("application.requests", "database.deadlocks", "business.orders", "logs.access", "logs.applications"):
        found = answered(other, name, monkeypatch)
        assert found.answer == "not applicable", name
        assert found.evidence


def test_the_host_without_a_series_is_named(good: World, monkeypatch: pytest.MonkeyPatch) -> None:
    results = {"instance:node_cpu": [series(instance="docker-host")], **good.servers.results}
    found = answered(replace(good, servers=replace(good.servers, results=results)), "infrastructure.cpu", monkeypatch)
    assert (found.answer, "app-1" in found.evidence) == ("no", True)


def test_an_alert_that_prometheus_cannot_evaluate_is_named(good: World, monkeypatch: pytest.MonkeyPatch) -> None:
    rule = {"type": "alerting", "name": "HostDown", "query": "", "labels": {}, "health": "err"}
    other = {**rule, "name": "NodeExporterDown", "health": "ok"}
    documents = {**good.servers.documents, "/api/v1/rules": {"data": {"groups": [{"rules": [rule, other]}]}}}
    servers = replace(good.servers, documents=documents)
    found = answered(replace(good, servers=servers), "infrastructure.alerts-down", monkeypatch)
    assert (found.answer, found.evidence) == ("no", "Prometheus cannot evaluate HostDown")


@pytest.mark.parametrize(("count", "answer"), [("10", "yes"), ("11", "no")])
def test_more_pages_a_day_than_the_limit_are_fatigue(
    count: str, answer: str, good: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    paged = {"metric": {}, "value": [0, count]}
    servers = replace(good.servers, results={**good.servers.results, "sum_over_time((count(ALERTS": [paged]})
    found = answered(replace(good, servers=servers), "alerts.fatigue", monkeypatch)
    assert (found.answer, found.evidence.split()[0]) == (answer, count)


def test_no_samples_of_alerts_cannot_be_asked_for_fatigue(good: World, monkeypatch: pytest.MonkeyPatch) -> None:
    servers = replace(good.servers, results={})
    assert answered(replace(good, servers=servers), "alerts.fatigue", monkeypatch).answer == "cannot be asked"


def test_an_alert_that_fires_all_day_has_a_wrong_threshold(good: World, monkeypatch: pytest.MonkeyPatch) -> None:
    always = [series(alertname="HighCPUUsage", system="depot")]
    results = {"max by (alertname, system) (count_over_time(": always, **good.servers.results}
    results["max by (alertname, system) (count_over_time("] = always
    found = answered(replace(good, servers=replace(good.servers, results=results)), "alerts.thresholds", monkeypatch)
    assert (found.answer, "HighCPUUsage depot" in found.evidence) == ("no", True)


def test_a_receiver_to_which_nothing_was_delivered_is_named(good: World, monkeypatch: pytest.MonkeyPatch) -> None:
    every = [one for one in good.servers.results[""] if one["metric"].get("integration") != "pagerduty"]
    servers = replace(good.servers, results={**good.servers.results, "": every})
    found = answered(replace(good, servers=servers), "alerts.notifications", monkeypatch)
    assert (found.answer, "pagerduty" in found.evidence) == ("no", True)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("limits_config: {retention_period: 336h}\ncompactor: {retention_enabled: false}\n", "retention_enabled"),
        ("limits_config: {retention_period: 0s}\ncompactor: {retention_enabled: true}\n", "retention_period"),
    ],
)
def test_lines_that_are_never_deleted_have_no_retention(
    text: str, word: str, good: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    servers = replace(good.servers, documents={**good.servers.documents, "/config": text})
    found = answered(replace(good, servers=servers), "logs.retention", monkeypatch)
    assert (found.answer, word in found.evidence) == ("no", True)


def test_lines_without_a_level_have_no_captured_errors(good: World, monkeypatch: pytest.MonkeyPatch) -> None:
    results = {"sum by (system, level)": [series(system="depot", level="unknown")]}
    found = answered(replace(good, servers=replace(good.servers, results=results)), "logs.errors", monkeypatch)
    assert (found.answer, found.evidence) == ("no", "no level is recognised in the lines of depot")


def test_a_dashboard_with_other_queries_is_named(good: World, monkeypatch: pytest.MonkeyPatch) -> None:
    documents = dict(good.servers.documents)
    documents["/api/dashboards/uid/obs-overview"] = {"dashboard": {"uid": "obs-overview", "panels": []}}
    servers = replace(good.servers, documents=documents)
    found = answered(replace(good, servers=servers), "dashboards.updated", monkeypatch)
    assert (found.answer, "obs-overview" in found.evidence) == ("no", True)


def test_a_grafana_with_its_administrator_alone_is_not_accessible(
    good: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = settings(grafana={"publicStatus": True})
    documents = {**good.servers.documents, "/api/org/users": [{"login": "admin"}]}
    other = replace(good, config=config, servers=replace(good.servers, documents=documents))
    assert answered(other, "dashboards.access", monkeypatch).answer == "no"


def test_a_stack_without_grafana_has_no_dashboards_and_says_why(good: World, monkeypatch: pytest.MonkeyPatch) -> None:
    other = replace(good, config=good.config.without({"grafana": "its image cannot be pulled"}))
    for name in ("dashboards.system", "dashboards.access", "incidents.status-page"):
        found = answered(other, name, monkeypatch)
        assert (found.answer, found.evidence) == ("no", "no Grafana here: its image cannot be pulled")


@pytest.mark.parametrize(("healthy", "answer"), [(True, "yes"), (False, "no")])
def test_a_status_page_of_the_stack_counts_without_grafana(
    good: World, monkeypatch: pytest.MonkeyPatch, healthy: bool, answer: str
) -> None:
    page = {"url": "https://status.example.com", "components": {"shop": {"title": "Shop", "system": "depot"}}}
    config = settings(statusPage={"enabled": True, **page}).without({"grafana": "its image cannot be pulled"})
    row = Row.of(check="container status-page", ok=healthy, detail="healthy" if healthy else "unhealthy")
    found = answered(replace(good, config=config, verified=[row]), "incidents.status-page", monkeypatch)
    assert (found.answer, found.evidence) == (answer, f"container status-page: {row.detail}")


def test_the_schedule_of_a_pager_cannot_be_asked(good: World, monkeypatch: pytest.MonkeyPatch) -> None:
    other = replace(good, config=settings(onCall={}))
    for name in ("incidents.rotation", "alerts.escalation"):
        found = answered(other, name, monkeypatch)
        assert (found.answer, "pager" in found.evidence) == ("cannot be asked", True)


def test_a_person_who_is_never_relieved_is_no_rotation(good: World, monkeypatch: pytest.MonkeyPatch) -> None:
    rota = {
        "people": {"anna": {"name": "Anna Berg", "email": "anna@example.com"}},
        "rotations": {"one": {"people": ["anna"], "start": "2026-01-05", "handover": "09:00", "zone": "UTC"}},
        "schedules": {"depot": {"zone": "UTC", "layers": [{"rotation": "one"}]}},
    }
    other = replace(good, config=settings(onCall=rota))
    found = answered(other, "incidents.rotation", monkeypatch)
    assert (found.answer, found.evidence) == ("no", "depot: anna is always on call, nobody takes turns")
    assert answered(other, "alerts.escalation", monkeypatch).answer == "no"
    found = answered(other, "incidents.matrix", monkeypatch)
    assert (found.answer, "0 steps" in found.evidence) == ("no", True)


# The command


@pytest.mark.parametrize(("world", "code"), [("good", 0), ("empty", 1)])
def test_the_command_exits_with_0_only_where_every_answer_is_settled(
    world: str, code: int, good: World, bad: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = good if world == "good" else bad
    with chosen.state(monkeypatch) as state:
        monkeypatch.setattr(checklist, "_state", lambda _: state)
        done = CliRunner().invoke(app, ["checklist", "prod", "--json"], catch_exceptions=False)
        shown = CliRunner().invoke(app, ["checklist", "prod"], catch_exceptions=False)
    assert (done.exit_code, shown.exit_code) == (code, code)
    rows = json.loads(done.stdout)
    assert [row["id"] for row in rows] == list(BY_ID)
    assert all(bool(row["fix"]) == (row["answer"] == "no") for row in rows)
    assert "{stack}" not in done.stdout
    last = "52 yes" if code == 0 else "52 no"
    assert shown.stdout.splitlines()[-1] == f"prod: 52 questions: {last}"
    assert all(item.text in shown.stdout for item in ITEMS)


def test_an_unknown_stack_is_wrong_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBS_DATA_DIR", str(tmp_path))
    with pytest.raises(ConfigError, match="there is no stack 'nowhere'"):
        CliRunner().invoke(app, ["checklist", "nowhere"], catch_exceptions=False)
