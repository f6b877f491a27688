"""What `obs preview` reports for each change: from steps of the engine, recorded in files/preview.json."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pulumi.automation.events import DiffKind, EngineEvent, PropertyDiff, StepEventMetadata

from observability.cli import preview
from observability.operations import containers
from observability.operations.changes import Change, Changes, Recorded, line, records
from observability.operations.differences import SECRET, Difference, differences, masked
from observability.operations.engine import Engine
from observability.synth.declared import Declared
from tests.unit.operation_double import NOW, RECORDED, completed, recorded_steps, run

STORED = ("first-password-1", "same-password", "hush-0", "hush-1", "pw0", "pw1")


@pytest.fixture(scope="module")
def changes() -> dict[str, Change]:
    known = Changes(
        again={},
        recorded=records(RECORDED["deployment"]["resources"]),
        declared={"server-config-loader": NOW},
        secrets=STORED,
    )
    return {one.name: one for one in known.of(recorded_steps())}


def test_the_steps_of_a_preview_are_those_that_the_engine_counts() -> None:
    provider = "urn:pulumi:dev::observability::pulumi:providers:docker::default_5_2_0"
    made = {"op": "create", "urn": provider, "type": "pulumi:providers:docker"}

    def run(*, on_event: Any, **_: object) -> None:  # noqa: ANN401 - a function
        for number, step in enumerate([made, *RECORDED["steps"]]):
            event = {"sequence": number, "timestamp": 0, "resourcePreEvent": {"metadata": step}}
            on_event(EngineEvent.from_json(event))
        counts = {"create": 1, "update": 1, "replace": 4, "delete": 1, "same": 1}
        on_event(EngineEvent.from_json({"sequence": 99, "timestamp": 0, "summaryEvent": {"resourceChanges": counts}}))

    engine = object.__new__(Engine)
    engine._stack = SimpleNamespace(preview=run)  # type: ignore[assignment]  # as much of a stack as is used
    outcome = engine.preview()
    assert [step.urn.rpartition("::")[2] for step in outcome.steps] == [
        step.urn.rpartition("::")[2] for step in recorded_steps()
    ]
    assert (outcome.changed, outcome.unchanged, len(outcome.steps)) == (7, 1, 7)


def test_each_resource_that_changes_is_named_once_with_its_operation(changes: dict[str, Change]) -> None:
    assert {name: one.operation for name, one in changes.items()} == {
        "settings-container": "replace",
        "shared-network": "replace",
        "added-volume": "create",
        "kept-container": "update",
        "server-config-loader": "replace",
        "member-container": "replace",
        "removed-volume": "delete",
    }


def test_an_update_names_the_properties_with_old_and_new_value(changes: dict[str, Change]) -> None:
    assert [*map(line, changes["kept-container"].differences)] == ["memory: 32 → 48", "memorySwap: 32 → 48"]
    assert changes["kept-container"].because == ()


def test_a_replacement_names_the_properties_that_require_it(changes: dict[str, Change]) -> None:
    found = changes["settings-container"]
    assert found.because == ("envs, healthcheck cannot change on an existing container",)
    assert "healthcheck.retries: 3 → 4" in map(line, found.differences)
    assert "envs.COLOUR: added red" in map(line, found.differences)


def test_a_resource_replaced_because_of_another_names_that_resource(changes: dict[str, Change]) -> None:
    assert changes["member-container"].because == ("it needs shared-network, which is replaced",)
    assert changes["shared-network"].because == ("labels cannot change on an existing network",)


def test_changed_rules_and_jobs_of_a_file_next_to_a_secret_are_named(changes: dict[str, Change]) -> None:
    assert [*map(line, changes["server-config-loader"].differences)] == [
        "/staging/rules/shop.yaml: groups[shop].rules[QueueTooLong].expr: queue > 5 → queue > 6",
        "/staging/rules/shop.yaml: groups[shop].rules[QueueTooLong].for: 5m → 10m",
        "/staging/prometheus.yaml: scrape_configs[shop].scrape_interval: 15s → 30s",
        "/staging/prometheus.yaml: scrape_configs[shop].static_configs[0].targets: shop:8080 → shop:8081",
        "/staging/rules/new.yaml: added",
        "/staging/rules/old.yaml: removed",
        "/staging/secrets/password: differs, value not shown",
    ]


@pytest.mark.parametrize("secrets", [STORED, ()])
def test_no_old_or_new_secret_is_in_a_change(secrets: tuple[str, ...]) -> None:
    known = Changes(
        again={},
        recorded=records(RECORDED["deployment"]["resources"]),
        declared={"server-config-loader": NOW},
        secrets=secrets,
    )
    shown = repr(known.of(recorded_steps()))
    for value in ("first-password", "same-password", "hush", "pw0", "pw1"):
        assert value not in shown


def test_a_file_that_was_a_secret_before_is_not_shown() -> None:
    was = [{"file": "/run/token", "content": "forgotten"}, {"file": "/run/key", "content": "-- PRIVATE KEY\nabc\n"}]
    now = [{"file": "/run/token", "content": "/path"}, {"file": "/run/key", "content": "# none\n# any more\n"}]
    step = update("server", {"uploads": HIDDEN}, {"uploads": HIDDEN}, "uploads")
    (found,) = Changes(again={}, recorded={"server": Recorded(uploads=was)}, declared={"server": now}).of([step])
    assert [one.file for one in found.differences] == ["/run/token", "/run/key"]
    assert {one.old for one in found.differences} == {SECRET}


def test_a_container_that_is_missing_or_failed_is_replaced_for_that_reason() -> None:
    step = update("server-container", {"memory": 32}, {"memory": 32}, op="replace")
    again = {"server-container": "obs-dev-server is exited, not running"}
    (found,) = Changes(again=again, recorded={}, declared={}).of([step])
    assert found.because == ("obs-dev-server is exited, not running",)


HIDDEN = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": SECRET}
"""The engine's representation of a property with a secret in it."""


def update(
    name: str,
    old: dict[str, Any],
    new: dict[str, Any],
    *paths: str,
    op: str = "update",
    kind: str = "docker:x:Container",
) -> StepEventMetadata:
    """A step as the engine reports it."""
    urn = f"urn:pulumi:dev::observability::{kind}::{name}"
    state = {"type": kind, "urn": urn}
    step = StepEventMetadata.from_json(
        {"op": op, "urn": urn, "type": kind, "old": {**state, "inputs": old}, "new": {**state, "inputs": new}}
    )
    step.detailed_diff = {path: PropertyDiff(DiffKind.UPDATE, False) for path in paths}
    return step


# Dashboards


def panel(number: int, title: str, unit: str, query: str) -> dict[str, Any]:
    return {
        "id": number,
        "type": "timeseries",
        "title": title,
        "gridPos": {"x": 0, "y": 0, "w": 12, "h": 8},
        "targets": [{"refId": "A", "expr": query}],
        "fieldConfig": {"defaults": {"unit": unit}, "overrides": []},
    }


def page(*panels: dict[str, Any]) -> str:
    return json.dumps({"title": "Shop", "uid": "shop", "panels": panels, "templating": {"list": []}})


def test_the_changed_panels_of_a_dashboard_and_their_fields_are_named() -> None:
    old = page(panel(1, "Requests", "reqps", "rate(a[5m])"), panel(2, "Errors", "short", "b"))
    new = page(panel(1, "Requests", "short", "rate(a[1m])"), panel(3, "Latency", "s", "c"))
    step = update("dash", {"configJson": old}, {"configJson": new}, "configJson", kind="grafana:oss/x:Dashboard")
    (found,) = Changes(again={}, recorded={}, declared={}).of([step])
    assert found.properties == ("configJson",)
    assert set(found.described) == {
        "panel 'Errors' removed from row ''",
        "panel 'Requests': query A changed: rate(a[5m]) → rate(a[1m])",
        "panel 'Requests': unit: reqps → short",
        "panel 'Latency' added to row '':  → c",
    }


def test_a_dashboard_saved_in_another_format_is_compared_by_path() -> None:
    old = json.dumps({"title": "Shop", "panels": [{"id": 1, "title": "Requests", "unit": "s"}]})
    new = json.dumps({"title": "Shop", "panels": [{"id": 1, "title": "Requests", "unit": "ms"}]})
    step = update("dash", {"configJson": old}, {"configJson": new}, "configJson", kind="grafana:oss/x:Dashboard")
    (found,) = Changes(again={}, recorded={}, declared={}).of([step])
    assert found.described == ("panels[Requests].unit: s → ms",)


def test_after_a_refresh_the_value_that_grafana_has_is_the_old_one() -> None:
    step = update("team", {"name": "a"}, {"name": "a"}, "name", kind="grafana:oss/x:Team")
    assert step.old is not None
    step.old.outputs = {"name": "changed by hand"}
    (found,) = Changes(again={}, recorded={}, declared={}).of([step])
    assert [*map(line, found.differences)] == ["name: changed by hand → a"]


# Values


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"a": 1}, {"a": 2}, ["p.a: 1 → 2"]),
        ({"a": 1}, {}, ["p.a: removed 1"]),
        (["x", "y"], ["y", "z", "w"], ["p: removed x", "p: added z", "p: added w"]),
        (["B=1", "A=1"], ["B=1", "A=2"], ["p.A: 1 → 2"]),
        ([{"name": "a", "v": 1}, {"name": "b"}], [{"name": "b"}, {"name": "a", "v": 2}], ["p[a].v: 1 → 2"]),
        (
            [{"name": "a", "v": 1}, {"name": "a", "v": 2}],
            [{"name": "a", "v": 1}, {"name": "a", "v": 3}],
            ["p[a #2].v: 2 → 3"],
        ),
        ([{"v": 1}], [{"v": 1}, {"v": 2}], ['p[1]: added {"v": 2}']),
        ("a\nb\nc\n", "a\nB\nc\n", ["p: b → B"]),
        ("a: 1\nb: 2\n", "a: 1\nb: 3\n", ["p.b: 2 → 3"]),
        ('{"a": 1}', '{"a": 2}', ["p.a: 1 → 2"]),
        ("x", "04da6b54-80e4-46f7-96ec-b56ff0331ba9", ["p: x → (known after the update)"]),
        ("y" * 200, "z", [f"p: {'y' * 79}… → z"]),
    ],
)
def test_a_difference_is_reported_by_its_path(old: object, new: object, expected: list[str]) -> None:
    assert [*map(line, differences("p", old, new))] == expected


@pytest.mark.parametrize(
    ("path", "value", "shown"),
    [
        ("smtp.password", "abc", SECRET),
        ("auth", "Bearer t0ken", "Bearer t0ken"),
        ("bearer_token", "x", SECRET),
        ("password_file", "/run/a", "/run/a"),
        ("url", "https://user:pw@host/x", f"https://user:{SECRET}@host/x"),
        ("command", "--key stored-value", f"--key {SECRET}"),
        ("envs", "API_KEY=1", f"API_KEY={SECRET}"),
        ("receiver", {"apiKey": "x", "name": "n"}, {"apiKey": SECRET, "name": "n"}),
    ],
)
def test_a_secret_is_masked_by_its_name_its_place_or_its_value(path: str, value: object, shown: object) -> None:
    assert masked(Difference(path=path, old=None, new=value), ("stored-value",)).new == shown


# The commands


@pytest.fixture
def operation(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:  # noqa: ANN401 - as much of one as is used
    return completed(monkeypatch, tmp_path)


@pytest.mark.usefixtures("operation")
def test_preview_prints_changes_reasons_and_what_up_would_leave_out() -> None:
    said = run("preview", "dev")
    assert "  replace        Container  member-container\n" in said
    assert "      replaced because it needs shared-network, which is replaced\n" in said
    assert "      memory: 32 → 48\n" in said
    assert "  beside: create beside-web\n" in said
    assert "left out: cadvisor: example/cadvisor:1 cannot be pulled; ./obs doctor dev says why\n" in said
    assert "not watched: postgres of shop: declared in systems/shop.yaml and placed nowhere\n" in said
    assert "dev: 7 changes, 1 unchanged (1 to create, 1 to delete, 4 to replace, 1 to update)\n" in said


@pytest.mark.usefixtures("operation")
def test_preview_as_json_has_every_difference() -> None:
    found = json.loads(run("preview", "dev", "--json"))
    assert (found["changed"], found["unchanged"]) == (7, 1)
    by_name = {one["name"]: one for one in found["changes"]}
    assert by_name["kept-container"]["differences"][0] == {"path": "memory", "old": 32, "new": 48, "file": None}
    assert by_name["member-container"]["replaced_because"] == ["it needs shared-network, which is replaced"]
    assert found["left_out"] == {"cadvisor": "example/cadvisor:1 cannot be pulled (no such host)"}
    assert found["not_watched"] == [
        {"system": "shop", "what": "postgres", "reason": None},
        {"system": "shop", "what": "redis", "reason": "shared"},
    ]
    assert found["beside"] == {"beside": ["create beside-web"]}
    assert found["refused"] == {"what": "port 9090 is already taken", "fix": "free it"}


def test_preview_offline_as_json_lists_what_is_declared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBS_DATA_DIR", str(tmp_path))
    found = json.loads(run("preview", "dev", "--offline", "--json"))
    assert {"type": "docker:index/network:Network", "name": "network"} in found["declared"]


def test_more_lines_than_are_shown_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    many = tuple(Difference(path=f"a{number}", old=1, new=2) for number in range(preview.LINES + 3))
    preview._show(Change(operation="update", type="docker:x:Container", name="c", differences=many))
    said = capsys.readouterr().out
    assert "and 3 more; --json has all of them" in said
    assert f"a{preview.LINES - 1}: 1 → 2" in said
    assert f"a{preview.LINES}: 1 → 2" not in said


def docker_with(**found: str) -> Any:  # noqa: ANN401 - stands in for Docker's client
    there = [
        {"Names": [f"/{name}"], "Status": status, "State": {"Up": "running"}.get(status.split()[0], "exited")}
        for name, status in found.items()
    ]
    none = SimpleNamespace(list=lambda **_: [])
    return SimpleNamespace(api=SimpleNamespace(containers=lambda **_: there), volumes=none, networks=none)


def test_what_up_recreates_is_named_with_its_state() -> None:
    def container(name: str, **inputs: object) -> Declared:
        kind = "docker:index/container:Container"
        return Declared(type=kind, name=name, parent=None, inputs={"name": name, **inputs})

    client = docker_with(
        fine="Up 3 minutes (healthy)",
        stopped="Exited (0) 2 seconds ago",
        loader="Exited (0) 3 minutes ago",
        failed="Exited (3) 3 minutes ago",
    )
    every = [container("fine"), container("stopped"), container("gone")]
    every += [container("loader", attach=True), container("failed", attach=True)]
    assert containers.amiss(client, "dev", every) == {
        "stopped": "stopped is exited, not running",
        "gone": "gone is missing in Docker",
        "failed": "failed ended with exit code 3",
    }


def test_what_a_bridged_provider_adds_to_its_record_is_not_a_difference() -> None:
    file = {"file": "/etc/it.yaml", "content": "a: 1\n"}
    resource = {
        "urn": "urn:pulumi:dev::obs::docker:index/container:Container::it",
        "inputs": {"uploads": [{"__defaults": [], **file}], "__defaults": []},
    }
    assert records([resource])["it"].uploads == [file]


def test_a_preview_names_the_hosts_that_do_not_answer(operation: Any) -> None:  # noqa: ANN401 - the double
    assert operation.hosts.silent
    assert "web-2 is left as it is: no route to host" in run("preview", "dev")
