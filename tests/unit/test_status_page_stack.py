"""The status page in a stack: settings, queries, resources, the edge, what `obs` declares for it."""

import json
import re
import tarfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import promql_parser as pp
import pytest
from docker.errors import NotFound
from typer.testing import CliRunner

from dashboards.linked_rules import files as rule_files
from observability.cli.app import app
from observability.core.alert import IMPACT
from observability.core.errors import ConfigError
from observability.operations.home import Home
from observability.operations.status_page import declared as public
from observability.parts.status_page import DATA, KEY, RECIPE
from observability.settings.load import ROOT, StackConfig
from observability.status_page.facts import FILE, files, impacts
from observability.status_page.model import Declared, Settings
from observability.status_page.writer import DECLARED
from observability.synth.write import generated_files
from rules import alerts
from rules.form import check
from tests.unit.conftest import declared_by, stack_config

PAGE: Final[dict[str, Any]] = {
    "enabled": True,
    "url": "https://status.example.com/",
    "title": "Example",
    "components": {"shop": {"title": "Web shop", "system": "depot"}},
}
PROBES: Final = {
    "depot": {
        "probes": [
            {"name": "orders", "url": "https://shop.example.com/orders", "interval": "20s"},
            {"name": "home", "url": "https://shop.example.com/", "interval": "1h"},
        ]
    }
}


def config(page: Mapping[str, Any] | None = None, **more: Any) -> StackConfig:  # noqa: ANN401
    return stack_config("dev", {"statusPage": {**PAGE, **(page or {})}, **more})


def document(found: StackConfig) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(files(found, alerts(found))[FILE])
    return made


def query(found: StackConfig, component: str = "shop") -> str:
    (one,) = (one for one in document(found)["components"] if one["id"] == component)
    text: str = one["query"]
    pp.parse(text)
    return text


# Settings


@pytest.mark.parametrize(
    ("page", "what", "fix"),
    [
        ({"components": {}}, "statusPage: has no components", "add components"),
        ({"url": None}, "statusPage: has no url", "add url, like https://status.example.com"),
        ({"interval": "10m"}, "interval must be between 5s and 2m", ""),
        ({"downFrom": "120%"}, "statusPage.downFrom", ""),
        (
            {"components": {"shop": {"title": "Shop", "system": "dépot"}}},
            "statusPage.components.shop.system",
            "",
        ),
        (
            {"components": {"shop": {"title": "Shop", "system": "depott"}}},
            "statusPage.components.shop.system: there is no watched system 'depott'",
            "depot",
        ),
        (
            {"components": {"shop": {"title": "Shop", "system": "depot", "probes": ["ordres"]}}},
            "statusPage.components.shop.probes: depot has no probe 'ordres'",
            "orders",
        ),
        ({"components": {"shop": {"system": "depot"}}}, "statusPage.components.shop", "title"),
        ({"publish": {"command": []}}, "statusPage.publish.command", ""),
        ({"publish": {"command": ["scp", "-i", "{key}"]}}, "names {key} in command and has no key", "key: true"),
        ({"publish": {"command": ["ssh", "{known_hosts}"]}}, "has no knownHosts", "add it"),
        ({"edgeName": "status.example.com"}, "statusPage.edgeName: the edge does not run", "edge: {enabled: true"),
        ({"edgename": "status.example.com"}, "statusPage.edgename", "edgeName"),
    ],
)
def test_a_mistake_is_refused_with_its_place_and_a_fix(page: dict[str, Any], what: str, fix: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config(page, systems=PROBES)
    assert what in caught.value.what
    assert fix in f"{caught.value.what} {caught.value.fix}"


def test_the_name_at_the_edge_is_not_that_of_the_agents_address() -> None:
    edge = {"enabled": True, "address": "monitoring.example.com"}
    with pytest.raises(ConfigError, match="is the address that agents send to"):
        config({"edgeName": "monitoring.example.com"}, edge=edge)


# Off, on, taken out


def test_a_stack_without_it_has_no_trace_of_it() -> None:
    found = stack_config("dev", {})
    assert not found.runs("status-page")
    assert not any("status-page" in one.name for one in declared_by(found))
    texts = generated_files(found, rule_files(found))
    assert not [path for path, text in texts.items() if "status-page" in path or "status-page" in text]
    assert KEY not in found.missing


def test_taken_out_it_leaves_what_was_there_without_it() -> None:
    without = {"systems": PROBES}
    on = config(systems=PROBES)
    names = {one.name for one in declared_by(on)} - {one.name for one in declared_by(stack_config("dev", without))}
    assert names
    assert all("status-page" in name for name in names)
    off = stack_config("dev", {"statusPage": {**PAGE, "enabled": False}, **without})
    assert {one.name for one in declared_by(off)} == {one.name for one in declared_by(stack_config("dev", without))}


def test_its_container_is_confined_and_has_its_configuration_and_data() -> None:
    found = config()
    made = {one.name: one.inputs for one in declared_by(found)}
    container = made["status-page-server-container"]
    assert container["readOnly"] is True
    assert not container.get("ports")
    assert container["user"] == "10002:10002"
    mounted = {one["containerPath"]: one.get("readOnly", False) for one in container["volumes"]}
    assert mounted == {"/etc/status-page": True, DATA: False}
    uploads = {one["file"] for one in made["status-page-config-loader"]["uploads"]}
    assert uploads == {f"/staging/{FILE}"}


def test_the_key_of_the_command_is_a_file_and_a_secret() -> None:
    command = ["rsync", "-e", "ssh -i {key} -o UserKnownHostsFile={known_hosts}", "{folder}/", "web@static:/srv/"]
    found = config({"publish": {"command": command, "key": True, "knownHosts": "static ssh-ed25519 AAAA"}})
    uploads = {
        one["file"]: one["content"]
        for one in next(one for one in declared_by(found) if one.name == "status-page-config-loader").inputs["uploads"]
    }
    assert uploads.keys() == {f"/staging/{FILE}", "/staging/key", "/staging/known_hosts"}
    assert uploads["/staging/key"] == "[secret]"
    assert uploads["/staging/known_hosts"] == "static ssh-ed25519 AAAA\n"
    assert document(found)["command"] == command


def test_the_edge_serves_its_files_under_a_name_of_their_own() -> None:
    edge = {"enabled": True, "address": "monitoring.example.com"}
    found = config({"edgeName": "status.example.com"}, edge=edge)
    text = generated_files(found, {})["edge/Caddyfile"]
    assert "https://status.example.com {\n" in text
    assert "root * /srv/status-page/pages\n" in text
    assert text.count("{") == text.count("}")
    container = next(one for one in declared_by(found) if one.name == "edge-server-container").inputs
    (mount,) = (one for one in container["volumes"] if one["containerPath"] == "/srv/status-page")
    assert (mount["volumeName"], mount["readOnly"]) == ("obs-dev-status-page-data", True)
    assert "status" not in generated_files(config(edge=edge), {})["edge/Caddyfile"]


def test_its_image_has_every_module_that_it_imports() -> None:
    code = {path for path in RECIPE.sources.values() if path.endswith(".py")}
    own = {str(path.relative_to(ROOT)) for path in (ROOT / "observability/status_page").iterdir() if path.is_file()}
    page = {path for path in RECIPE.sources.values() if path.startswith("observability/status_page/")}
    assert page == own - {"observability/status_page/facts.py"}
    for path in code:
        for module in re.findall(r"^(?:from|import) (observability[\w.]*)", (ROOT / path).read_text(), re.MULTILINE):
            file = module.replace(".", "/")
            assert {f"{file}.py", f"{file}/__init__.py"} & code, f"{path} imports {module}"


# Queries


def test_probes_decide_where_there_are_some_and_instances_where_there_are_none() -> None:
    found = config({"components": {**PAGE["components"], "api": {"title": "API", "system": "studio"}}}, systems=PROBES)
    assert 'probe_success{job="blackbox",system="depot",probe=~"orders"}[41s]' in query(found)
    assert 'instance_probe:probe_success:last{job="blackbox",system="depot",probe=~"home"}' in query(found)
    assert 'up{job="backend",system="depot"}[31s]' in query(found)
    assert "probe_success" not in query(found, "api")
    assert 'up{job="studio-api",system="studio"}[31s]' in query(found, "api")


def test_a_component_of_some_probes_is_decided_by_them_alone() -> None:
    component = {"title": "Orders", "system": "depot", "probes": ["orders"]}
    text = query(config({"components": {"orders": component}}, systems=PROBES), "orders")
    assert 'probe=~"orders"' in text
    assert not re.search(r"\bup\b|ALERTS|home|http_errors", text)


def test_only_alerts_that_declare_an_impact_are_asked_for() -> None:
    found = config()
    text = query(found)
    names = {name for listed in impacts(alerts(found)).values() for name in listed}
    assert {"HighErrorRate", "CriticalErrorRate", "RouteFailing"} <= names
    assert names.isdisjoint({"CriticalDiskUsage", "DatabaseDown", "HighCPUUsage"})
    asked = {name for listed in re.findall(r'alertname=~"([^"]+)"', text) for name in listed.split("|")}
    assert asked == names
    assert f'ratio_rate5m{{system="depot"}} >= {0.5}' in text
    assert 'ratio_rate5m{system="depot"} >= 0.25' in query(config({"downFrom": "25%"}))


def test_the_declared_impact_is_not_sent_to_servers() -> None:
    found = config()
    declared = [rule["alert"] for rule in alerts(found) if IMPACT in rule["annotations"]]
    assert declared
    assert not [name for name, text in rule_files(found).items() if re.search(r"^\s+impact:", text, re.MULTILINE)]


def test_a_rule_of_a_project_declares_that_its_component_is_down() -> None:
    rule = {"alert": "Closed", "labels": {"severity": "critical"}, "annotations": {IMPACT: "down"}}
    other = {"alert": "Slow", "labels": {"severity": "info"}, "annotations": {IMPACT: "degraded"}}
    assert impacts([rule, other, {"alert": "Disk", "labels": {}}]) == {
        ("degraded", "info"): ["Slow"],
        ("down", "critical"): ["Closed"],
    }
    text = json.loads(files(config(), [rule, other])[FILE])["components"][0]["query"]
    down, degraded = 'severity="critical",alertname=~"Closed"', 'severity="info",alertname=~"Slow"'
    assert f'2 * group(ALERTS{{alertstate="firing",system="depot",{down}}})' in text
    assert text.index(down) < text.index(degraded)


def test_an_unknown_impact_is_refused_with_its_place() -> None:
    rule = {"alert": "Closed", "expr": "up == 0", "annotations": {IMPACT: "total"}}
    with pytest.raises(ConfigError) as caught:
        check("rules/shop.yaml", {"groups": [{"name": "shop", "rules": [rule]}]})
    assert "rules/shop.yaml: groups[0].rules[0].annotations: impact is 'total'" in caught.value.what
    assert "degraded or down" in f"{caught.value.what}{caught.value.fix}"


def test_the_configuration_is_read_by_the_program() -> None:
    read = Settings.read(document(config()))
    assert (read.title, read.url, read.back) == ("Example", "https://status.example.com", 15)
    assert [one.id for one in read.components] == ["shop"]


# Declarations


class Container:
    """A container that takes files; `there` False: it does not run."""

    def __init__(self) -> None:
        self.there = True
        self.files: dict[str, str] = {}
        self.containers = self

    def get(self, name: str) -> "Container":
        assert name == "obs-dev-status-page"
        if not self.there:
            raise NotFound("no such container")
        return self

    def put_archive(self, folder: str, data: bytes) -> bool:
        with tarfile.open(fileobj=BytesIO(data)) as archive:
            for one in archive:
                file = archive.extractfile(one)
                assert file is not None
                assert (one.uid, one.mode) == (10002, 0o644)
                self.files[f"{folder}/{one.name}"] = file.read().decode()
        return True

    @property
    def declared(self) -> Declared:
        return Declared.read(json.loads(self.files[f"{DATA}/{DECLARED}"]))


@pytest.fixture
def container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Container:
    """Docker with the page's container, a data folder, and a stack with the page."""
    found = Container()
    monkeypatch.setenv("OBS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr("docker.from_env", lambda: found)
    stack = config()
    monkeypatch.setattr(Home, "config", lambda *_, **__: stack)
    # No server of the stack runs.
    monkeypatch.setattr(StackConfig, "addresses", {"prometheus": "http://127.0.0.1:9"})
    monkeypatch.setattr("observability.cli.incident._seen", lambda *_: ([], []))
    return found


def obs(*arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == code, done.output
    return done.output


def test_an_incident_is_public_from_its_first_public_statement(container: Container) -> None:
    obs("incident", "open", "Orders fail", "--priority", "P1", "--system", "depot")
    obs("incident", "note", "db-7.internal is full")
    assert container.files == {}
    obs("incident", "update", "Orders fail since ten.")
    obs("incident", "resolve", "Orders work again.")
    (one,) = container.declared.incidents
    assert (one.title, one.systems) == ("Orders fail", ("depot",))
    assert [said.text for said in one.updates] == ["Orders fail since ten.", "Orders work again."]
    assert one.ended is not None
    assert "internal" not in "".join(container.files.values())


def test_an_incident_can_be_opened_in_public_and_closed_without_a_word(container: Container) -> None:
    obs("incident", "open", "Orders fail", "--priority", "P1", "--public", "We are looking into it.")
    obs("incident", "close", "--text", "db-7.internal was full")
    (one,) = container.declared.incidents
    assert [said.text for said in one.updates] == ["We are looking into it."]
    assert one.ended is not None
    assert "internal" not in "".join(container.files.values())
    shown = json.loads(obs("incident", "show", "--json"))
    assert shown["public"] is True
    assert "We are looking into it." in [event["text"] for event in shown["timeline"]]


def test_what_does_not_arrive_at_the_page_is_said_and_stays_stored(container: Container) -> None:
    container.there = False
    said = obs("incident", "open", "Orders fail", "--priority", "P1", "--public", "Seen.", code=1)
    assert "the status page of dev does not show it: there is no container obs-dev-status-page" in said
    container.there = True
    obs("incident", "update", "Found.")
    assert [said.text for said in container.declared.incidents[0].updates] == ["Seen.", "Found."]


def test_maintenance_is_declared_ended_early_and_taken_back(container: Container) -> None:
    start = (datetime.now(UTC) + timedelta(hours=5)).replace(microsecond=0)
    obs("status-page", "plan", "New servers", "--start", start.isoformat(), "--for", "2h", "--system", "depot")
    obs("status-page", "plan", "Now", "--for", "1h")
    now, later = sorted(container.declared.maintenance, key=lambda one: one.start)
    assert (later.start, later.end, later.systems) == (start, start + timedelta(hours=2), ("depot",))
    assert (now.systems, now.end - now.start) == ((), timedelta(hours=1))
    assert [one["id"] for one in json.loads(obs("status-page", "plans", "--json"))] == [later.id, now.id]
    assert "is cancelled" in obs("status-page", "cancel", later.id)
    assert "has ended" in obs("status-page", "cancel", now.id)
    (only,) = container.declared.maintenance
    assert only.id == now.id
    assert only.end < datetime.now(UTC)
    obs("status-page", "plan", "Again", "--for", "1h")
    assert len({one.id for one in container.declared.maintenance} | {later.id}) == 3


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["plan", "X", "--system", "dépot"], "there is no such system"),
        (["plan", "X", "--for", "soon"], "is not a duration"),
        (["plan", "X", "--start", "tomorrow"], "is not a time"),
        (["plan", "X", "--start", "2026-01-01T10:00:00"], "has no time zone"),
        (["plan", "X", "--start", "2020-01-01T10:00:00Z"], "in the past"),
        (["plan", " "], "the title is empty"),
        (["cancel", "m-1"], "has no maintenance 'm-1'"),
        (["write", "--to", "/proc/none"], "--to /proc/none"),
        (["write", "--to", "x", "--every", "10m"], "is not between 1s and 2m"),
        (["write", "--to", "x", "--run", "a 'b"], "--run a 'b"),
    ],
)
@pytest.mark.usefixtures("container")
def test_wrong_use_is_refused(arguments: list[str], what: str) -> None:
    done = CliRunner().invoke(app, ["status-page", *arguments])
    assert isinstance(done.exception, ConfigError)
    assert what in done.exception.what


def test_the_page_is_written_by_hand_where_nothing_of_the_stack_answers(
    container: Container, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(StackConfig, "addresses", {"prometheus": "http://127.0.0.1:9"})
    container.there = False
    obs("incident", "open", "Everything is down", "--priority", "P1", "--public", "We are at it.", code=1)
    said = obs(
        "status-page",
        "write",
        "--to",
        str(tmp_path / "out"),
        "--run",
        "cp -r {folder} " + str(tmp_path / "web"),
        code=1,
    )
    assert "unknown, never checked, stale" in said
    html = (tmp_path / "web" / "index.html").read_text()
    assert "Everything is down" in html
    assert "127.0.0.1" not in html
    assert public(Home.find(), "dev").incidents[0].title == "Everything is down"
