"""`obs incident`: the timeline of an incident, what the stack adds to it, and the draft of its post-mortem."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from observability.cli.app import app
from observability.core.errors import ConfigError
from observability.operations.checklist.table import ITEMS
from observability.operations.home import Home
from observability.operations.incident_timeline import FINEST
from observability.operations.incidents import DUE, Incidents, overdue
from observability.operations.playbook import FORM, PLAYBOOK, sections, table
from observability.operations.post_mortem import FILL
from observability.settings.load import ROOT, StackConfig
from tests.unit.checklist_world import complete
from tests.unit.conftest import stack_config
from tests.unit.servers_double import Doubles, serving

BEGUN = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)


@pytest.fixture(autouse=True)
def servers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Doubles]:
    """Doubles of the stack's servers, and a data folder."""
    monkeypatch.setenv("OBS_DATA_DIR", str(tmp_path / "data"))
    config = stack_config("dev")
    monkeypatch.setattr(Home, "config", lambda *_, **__: config)
    doubles = Doubles(documents={"/api/v2/silences": []})
    with serving(doubles) as places:
        known = {kind: address for kind, (address,) in places.items()}
        monkeypatch.setattr(StackConfig, "addresses", known)
        yield doubles


def run(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["incident", *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def read(*arguments: str) -> Any:  # noqa: ANN401 - any JSON
    return json.loads(run(*arguments, "--json"))


def texts(found: dict[str, Any]) -> list[str]:
    return [event["text"] for event in found["timeline"]]


def ago(minutes: float) -> str:
    return (BEGUN + timedelta(hours=1) - timedelta(minutes=minutes)).isoformat()


def samples(start: datetime, end: datetime, value: float = 1) -> list[list[Any]]:
    """The points of a query over a range, at its finest step."""
    count = int((end - start).total_seconds() // FINEST)
    return [[start.timestamp() + FINEST * number, str(value)] for number in range(count + 1)]


# Records


@pytest.mark.parametrize(
    ("severity", "page", "priority"),
    [("critical", "yes", "P1"), ("critical", "no", "P2"), ("warning", "no", "P3"), ("info", "no", "P4")],
)
def test_an_alert_gives_priority_system_and_beginning(
    servers: Doubles, severity: str, page: str, priority: str
) -> None:
    servers.evaluate({"alertname": "HighErrorRate", "severity": severity, "page": page, "system": "depot"})
    found = read("open", "Orders fail", "--alert", "higherrorrate")
    assert (found["priority"], found["systems"], found["alert"]) == (priority, ["depot"], "HighErrorRate")
    active = datetime.fromisoformat(servers.rules[0]["activeAt"])
    assert abs(datetime.fromisoformat(found["since"]) - active) < timedelta(seconds=1)


def test_a_priority_that_is_given_stands_above_that_of_the_alert(servers: Doubles) -> None:
    servers.evaluate({"alertname": "HighErrorRate", "severity": "info", "system": "depot"})
    assert read("open", "Data was lost", "--alert", "HighErrorRate", "--priority", "p1")["priority"] == "P1"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("open", "Orders fail"), "no priority is given"),
        (("open", "Orders fail", "--priority", "P5"), "--priority P5: there is no such priority"),
        (("open", "Orders fail", "--priority", "P1", "--system", "depto"), "--system depto: there is no such system"),
        (("open", " ", "--priority", "P1"), "the title is empty"),
        (("open", "Orders fail", "--priority", "P1", "--since", "soon"), "'soon' is not a time"),
        (("open", "Orders fail", "--alert", "HostDown"), "no alert 'HostDown' is active"),
        (("note", "rolled back"), "no incident of dev is open"),
        (("note", "rolled back", "--id", "2026-01-01-1"), "dev has no incident '2026-01-01-1'"),
        (("close",), "no incident of dev is open"),
        (("show", "2026-01-01-1"), "dev has no incident '2026-01-01-1'"),
    ],
)
def test_wrong_use_is_refused_and_nothing_is_recorded(arguments: tuple[str, ...], says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        CliRunner().invoke(app, ["incident", *arguments], catch_exceptions=False)
    assert says in caught.value.what
    assert caught.value.fix
    assert read("list") == []


def test_notes_priorities_and_the_end_are_in_the_timeline_in_order() -> None:
    one = read("open", "Orders fail", "--priority", "P2", "--since", "1h", "--by", "anna")["id"]
    run("note", "rolled back", "--by", "ben")
    run("note", "first complaint", "--at", "50m")
    run("note", "data is safe", "--priority", "P3")
    found = read("close", "--text", "a release; rolled back")
    assert (found["open"], found["priority"], found["ended"] is not None) == (False, "P3", True)
    shown = read("show", one)
    assert texts(shown) == [
        "first complaint",
        "P2: Orders fail",
        "rolled back",
        "data is safe",
        "P2 becomes P3",
        "a release; rolled back",
    ]
    assert [event["by"] for event in shown["timeline"][1:3]] == ["anna", "ben"]
    assert "rolled back" in run("show", one)


def test_the_only_open_incident_needs_no_id_and_of_two_one_must_be_named() -> None:
    first = read("open", "Orders fail", "--priority", "P2")["id"]
    second = read("open", "Mail is late", "--priority", "P3")["id"]
    assert first != second
    with pytest.raises(ConfigError, match="2 incidents of dev are open"):
        run("note", "restarted")
    run("note", "restarted", "--id", second)
    run("close", first)
    assert "restarted" in texts(read("show", second))
    with pytest.raises(ConfigError, match=f"incident {first} is closed since"):
        run("close", first)
    assert [(one["id"], one["open"]) for one in read("list")] == [(second, True), (first, False)]
    assert "2 incidents, 1 open" in run("list")


def test_an_end_before_the_beginning_is_refused() -> None:
    run("open", "Orders fail", "--priority", "P2")
    with pytest.raises(ConfigError, match="is before incident"):
        run("close", "--at", "2h")
    assert read("list")[0]["open"] is True


def test_a_stack_in_place_of_the_id_is_the_stack() -> None:
    run("open", "Orders fail", "prod", "--priority", "P2")
    assert read("list") == []
    assert read("show", "prod")["title"] == "Orders fail"
    assert Home.find().incidents("prod").path.stat().st_mode & 0o077 == 0


# What the stack knows


def filled(servers: Doubles) -> None:
    """An alert that fires twice, one that fired before, a silence, a deployment, a restart, an `obs up`."""
    labels = {"__name__": "ALERTS", "alertstate": "firing", "severity": "critical", "system": "depot"}
    first = samples(BEGUN + timedelta(minutes=5), BEGUN + timedelta(minutes=10))
    again = samples(BEGUN + timedelta(minutes=20), BEGUN + timedelta(minutes=25))
    before = samples(BEGUN - timedelta(minutes=10), BEGUN + timedelta(minutes=2))
    old, new = (BEGUN - timedelta(days=9)).timestamp(), (BEGUN - timedelta(minutes=7)).timestamp()
    containers = [
        {"metric": {"name": "web", "image": "web:1"}, "values": [[BEGUN.timestamp() - 900, str(old)]]},
        {"metric": {"name": "web", "image": "web:2"}, "values": [[BEGUN.timestamp(), str(new)]]},
        {"metric": {"name": "steady", "image": "db:1"}, "values": samples(BEGUN, BEGUN + timedelta(minutes=1), old)},
    ]
    process = {"job": "backend", "instance": "depot:8080", "system": "depot"}
    restarted = (BEGUN + timedelta(minutes=15)).timestamp()
    servers.results = {
        "ALERTS{": [
            {"metric": {**labels, "alertname": "CriticalErrorRate"}, "values": [*first, *again]},
            {"metric": {**labels, "alertname": "HostLoadHigh"}, "values": before},
        ],
        "max by (system, name, image)": containers,
        "max by (system, job, instance)": [{"metric": process, "values": [[0, str(old)], [1, str(restarted)]]}],
        "max(prometheus_config": [{"metric": {}, "values": [[0, str(new)]]}],
    }
    matcher = {"name": "alertname", "value": "CriticalErrorRate", "isRegex": False, "isEqual": True}
    silence = {
        "id": "0123456789",
        "matchers": [matcher],
        "comment": "known",
        "createdBy": "anna",
        "startsAt": (BEGUN + timedelta(minutes=12)).isoformat(),
        "endsAt": (BEGUN + timedelta(hours=9)).isoformat(),
    }
    older = {**silence, "id": "9876543210", "startsAt": (BEGUN - timedelta(days=2)).isoformat()}
    older["endsAt"] = (BEGUN - timedelta(days=1)).isoformat()
    servers.documents = {"/api/v2/silences": [silence, older]}


EXPECTED = [
    "HostLoadHigh (critical, depot) fires since before",
    "container web was started, image web:1 before and web:2 now",
    "Prometheus has loaded its configuration",
    "HostLoadHigh (critical, depot) has ended",
    "CriticalErrorRate (critical, depot) fires",
    "CriticalErrorRate (critical, depot) has ended",
    "silence 01234567 of alertname=CriticalErrorRate: known",
    "process backend depot:8080 of depot was started",
    "CriticalErrorRate (critical, depot) fires",
    "CriticalErrorRate (critical, depot) has ended",
    "P2: Orders fail",
]


def test_the_timeline_has_alerts_silences_starts_images_and_configuration(servers: Doubles) -> None:
    filled(servers)
    run("open", "Orders fail", "--priority", "P2", "--since", BEGUN.isoformat(), "--system", "depot")
    found = read("show")
    assert texts(found) == EXPECTED
    times = [datetime.fromisoformat(event["at"]) for event in found["timeline"]]
    assert times == sorted(times)
    assert times[4] == BEGUN + timedelta(minutes=5)
    assert times[5] == BEGUN + timedelta(minutes=10, seconds=FINEST)
    assert found["missing"] == []


def test_updates_of_the_stack_that_changed_something_are_deployments() -> None:
    folder = Home.find().folder / "state" / ".pulumi" / "history" / "observability" / "dev"
    folder.mkdir(parents=True)

    def record(name: int, minutes: float, result: str, **changes: int) -> None:
        at = int((BEGUN - timedelta(minutes=minutes)).timestamp())
        document = {"kind": "update", "startTime": at - 9, "endTime": at, "result": result, "resourceChanges": changes}
        (folder / f"dev-{name}.history.json").write_text(json.dumps(document))

    record(1, 90, "succeeded", update=1)
    record(2, 20, "succeeded", same=9)
    record(3, 10, "succeeded", same=8, update=2, create=1)
    record(4, 5, "failed", same=3)
    (folder / "dev-5.history.json").write_text('{"kind": "upd')
    (folder / "dev-6.history.json.attrs").write_text("{}")
    one = read("open", "Orders fail", "--priority", "P2", "--since", BEGUN.isoformat())["id"]
    expected = ["obs up succeeded: create 1, update 2", "obs up failed: no resource changed", "P2: Orders fail"]
    assert texts(read("show")) == expected
    assert expected[0] in sections(run("postmortem", one))["Cause"]


def test_an_alert_that_still_fires_has_no_end(servers: Doubles) -> None:
    now = datetime.now(UTC)
    metric = {"alertname": "HostDown", "severity": "critical", "system": "platform"}
    values = samples(BEGUN + timedelta(minutes=5), now + timedelta(hours=1))
    servers.results = {"ALERTS{": [{"metric": metric, "values": values}]}
    run("open", "Everything is down", "--priority", "P1", "--since", BEGUN.isoformat())
    assert texts(read("show")) == ["HostDown (critical, platform) fires", "P1: Everything is down"]


def test_only_the_systems_concerned_their_dependencies_and_the_stack_are_asked_for(
    servers: Doubles, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    real = servers.answer

    def answer(path: str, query: dict[str, str]) -> object:
        asked.append(query.get("query", ""))
        return real(path, query)

    monkeypatch.setattr(servers, "answer", answer)
    run("open", "Orders fail", "--priority", "P2", "--system", "depot")
    run("show")
    assert all('system=~"depot|platform"' in query for query in asked if query and "config_last" not in query)
    assert len([query for query in asked if query.startswith("ALERTS{")]) == 1


def test_what_the_stack_knew_is_kept_when_the_incident_is_closed(servers: Doubles) -> None:
    filled(servers)
    one = read("open", "Orders fail", "--priority", "P2", "--since", BEGUN.isoformat())["id"]
    run("close", "--text", "rolled back")
    servers.results, servers.documents = {}, {"/api/v2/silences": []}
    run("note", "users confirmed it", "--id", one)
    assert texts(read("show", one)) == [*EXPECTED, "rolled back", "users confirmed it"]


def test_without_an_answer_nothing_is_kept_and_later_it_is_asked_again(
    servers: Doubles, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(servers)
    one = read("open", "Orders fail", "--priority", "P2", "--since", BEGUN.isoformat())["id"]
    with monkeypatch.context() as without:
        without.setattr(StackConfig, "addresses", dict.fromkeys(("prometheus", "alertmanager"), "http://[::1]:9"))
        done = CliRunner().invoke(app, ["incident", "close"], catch_exceptions=False)
    assert done.exit_code == 0
    assert "prometheus does not answer" in done.stderr
    assert texts(read("show", one))[: len(EXPECTED) - 1] == EXPECTED[:-1]
    servers.results = {}
    assert texts(read("show", one))[: len(EXPECTED) - 1] == EXPECTED[:-1]


# The post-mortem


def form() -> list[str]:
    text = (ROOT / PLAYBOOK).read_text(encoding="utf-8")
    return [row[0] for row in table(sections(text)[FORM])]


def test_the_draft_has_every_part_of_the_playbooks_form_and_the_timeline(servers: Doubles) -> None:
    filled(servers)
    one = read("open", "Orders | fail", "--priority", "P2", "--since", BEGUN.isoformat(), "--system", "depot")["id"]
    run("close", "--text", "rolled back")
    text = run("postmortem", one)
    parts = sections(text)
    assert list(parts) == form()
    assert text.startswith("# Post-mortem: Orders | fail\n")
    assert all(FILL in body for body in parts.values())
    rows = list(table(parts["Timeline"]))
    assert [row[2] for row in rows][:3] == EXPECTED[:3]
    assert "P2: Orders \\| fail" in parts["Timeline"]
    assert "image web:1 before and web:2 now" in parts["Cause"]
    assert "The first alert was CriticalErrorRate (critical, depot) at " in parts["Detection"]
    assert "5 min after the beginning" in parts["Detection"]
    assert len(list(table(parts["Actions"]))) == 3


def test_an_incident_without_an_alert_says_so_in_its_detection() -> None:
    one = read("open", "Orders fail", "--priority", "P2")["id"]
    parts = sections(run("postmortem", one))
    assert "No alert began to fire in this time." in parts["Detection"]
    assert f"| Ended | {FILL} it is still open |" in run("postmortem", one)


def test_a_draft_is_written_once_and_the_list_says_so(tmp_path: Path) -> None:
    one = read("open", "Orders fail", "--priority", "P1")["id"]
    run("close")
    assert "post-mortem due" in read("list")[0]["state"]
    page = tmp_path / "page.md"
    run("postmortem", one, "--out", str(page))
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# Post-mortem: Orders fail")
    assert read("list")[0]["post_mortem"] == "post-mortem page.md"
    with pytest.raises(ConfigError, match="the file exists"):
        run("postmortem", one, "--out", str(page))
    with pytest.raises(ConfigError, match="No such file or directory"):
        run("postmortem", one, "--out", str(tmp_path / "none" / "page.md"))
    assert page.read_text(encoding="utf-8") == text


def test_a_project_folder_may_have_a_form_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = read("open", "Orders fail", "--priority", "P2")["id"]
    folder = tmp_path / "project"
    (folder / "docs").mkdir(parents=True)
    (folder / PLAYBOOK).write_text(
        "# Ours\n\n## Post-mortem\n\n| part | content |\n|---|---|\n| Lessons | what else |\n"
    )
    monkeypatch.setenv("OBS_PROJECT", str(folder))
    assert sections(run("postmortem", one)) == {"Lessons": f"\n{FILL} what else\n"}
    (folder / PLAYBOOK).write_text("# Ours\n")
    with pytest.raises(ConfigError, match="has no section 'Post-mortem'"):
        run("postmortem", one)


def test_a_post_mortem_that_is_not_written_within_two_days_is_overdue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(folder=tmp_path)
    journal = home.incidents("dev")
    world = complete()
    begun = world.now - DUE - timedelta(hours=3)
    store = Incidents(journal=journal, stack="dev", by="anna", now=begun)
    for title, priority in (("Orders fail", "P2"), ("A typo", "P4")):
        one = store.open(title, priority, begun)
        store.close(one.id, "", begun + timedelta(hours=1))
    (late,) = overdue(journal, world.now)
    assert (late.title, "overdue since" in late.state(world.now)) == ("Orders fail", True)
    world.folder = tmp_path
    (item,) = (item for item in ITEMS if item.id == "incidents.post-mortem")
    with world.state(monkeypatch) as state:
        found = item.answered(state)
        assert (found.answer, found.evidence) == ("no", f"none was written for {late.id}")
        store.written(late, "page.md")
        assert item.answered(state).answer == "yes"


def test_where_no_incident_is_open_the_last_is_shown_and_none_is_changed() -> None:
    for title in ("Orders fail", "Pages are slow"):
        read("open", title, "--priority", "P2")
        read("close")
    ids = [one["id"] for one in read("list")]
    assert ids[0] in run("postmortem")
    assert read("show")["id"] == ids[0]
    for command in (("note", "rolled back"), ("close",)):
        with pytest.raises(ConfigError, match="no incident of dev is open"):
            CliRunner().invoke(app, ["incident", *command], catch_exceptions=False)
