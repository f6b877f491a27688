"""`obs mcp`, asked by the client of the official SDK before doubles of the servers.

One session is over standard input and output, with the command as its own process; the others are in this process.
"""

import asyncio
import builtins
import json
import os
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from mcp import Client, StdioServerParameters
from mcp.server.mcpserver import MCPServer
from typer.testing import CliRunner

from observability.cli.app import app
from observability.cli.mcp import server
from observability.cli.mcp.tools import Tools
from observability.core import project
from observability.core.documents import load_yaml
from observability.core.errors import ConfigError
from observability.operations.answer_size import LIMIT
from observability.operations.bounded import Servers
from observability.operations.home import Home
from observability.operations.journal import Journal
from observability.settings.load import ROOT
from tests.unit.conftest import REFERENCE
from tests.unit.servers_double import Doubles, serving

NAMES = ["list_systems", "firing_alerts", "explain_alert", "query_metrics", "query_logs", "compare_windows"]

LABELS = {"alertname": "HighErrorRate", "severity": "warning", "system": "depot", "component": "application"}


@dataclass
class Stack:
    """Doubles of a stack's servers, and the server of the protocol for it, or how it is started as a process."""

    prometheus: Doubles
    alertmanager: Doubles
    loki: Doubles
    server: MCPServer[Any] | StdioServerParameters
    audit: Journal

    def session(self, steps: Callable[[Client], Coroutine[Any, Any, Any]]) -> Any:  # noqa: ANN401 - what it returns
        """The result of these steps of a client of the server."""

        async def run() -> Any:  # noqa: ANN401
            async with Client(self.server) as client:
                return await steps(client)

        return asyncio.run(run())

    def call(self, name: str, **arguments: Any) -> tuple[bool, Any]:  # noqa: ANN401 - any JSON
        """Whether a call succeeded, and its answer; of one that failed its text."""
        (found,) = self.calls((name, arguments))
        return found

    def calls(self, *wanted: tuple[str, dict[str, Any]]) -> list[tuple[bool, Any]]:
        """The same of several calls of one session."""

        async def steps(client: Client) -> list[tuple[bool, Any]]:
            found = []
            for name, arguments in wanted:
                answer = await client.call_tool(name, arguments)
                (content,) = answer.content
                text = str(getattr(content, "text", ""))
                found.append((not answer.is_error, text if answer.is_error else json.loads(text)))
            return found

        result: list[tuple[bool, Any]] = self.session(steps)
        return result


@contextmanager
def served(folder: Path, server_of: Callable[[Path], MCPServer[Any] | StdioServerParameters]) -> Iterator[Stack]:
    """The doubles and a project folder with their addresses, for which `server_of` gives the server."""
    prometheus, alertmanager, loki = Doubles(), Doubles(), Doubles()
    with serving(prometheus), serving(alertmanager), serving(loki):
        root = folder / "project"
        root.mkdir()
        (root / "systems").symlink_to(REFERENCE / "systems")
        document = load_yaml((REFERENCE / "Pulumi.dev.yaml").read_text(encoding="utf-8"))
        for name, double in (("prometheus", prometheus), ("alertmanager", alertmanager), ("loki", loki)):
            document["config"][f"observability:{name}"] = {"port": double.port}
        (root / "Pulumi.dev.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
        audit = Journal(path=folder / "data" / "audit" / "dev.jsonl")
        yield Stack(prometheus=prometheus, alertmanager=alertmanager, loki=loki, server=server_of(folder), audit=audit)
        assert prometheus.sent == alertmanager.sent == loki.sent == []


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """With the server in this process, made as the command makes it."""

    def made(folder: Path) -> MCPServer[Any]:
        monkeypatch.setenv(project.VARIABLE, str(folder / "project"))
        monkeypatch.setenv("OBS_DATA_DIR", str(folder / "data"))
        home = Home.find()
        config = home.config("dev")
        return server(Tools(config=config, servers=Servers(addresses=config.addresses)), home.audit("dev"))

    with served(tmp_path, made) as found:
        yield found


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Stack]:
    """With the command as a process, asked over standard input and output."""

    def start(folder: Path) -> StdioServerParameters:
        environment = {
            "OBS_DATA_DIR": str(folder / "data"),
            project.VARIABLE: str(folder / "project"),
            "PYTHONPATH": str(ROOT),
        }
        return StdioServerParameters(
            command=sys.executable,
            args=["-P", "-m", "observability.cli", "mcp", "dev"],
            env={**os.environ, **environment},
            cwd=folder,
        )

    with served(tmp_path, start) as found:
        yield found


def matrix(*series: dict[str, Any], kind: str = "matrix") -> dict[str, Any]:
    return {"data": {"resultType": kind, "result": list(series)}}


def test_the_command_speaks_the_protocol_over_its_standard_streams(started: Stack) -> None:
    started.prometheus.documents = {"/api/v1/query": matrix(kind="vector")}

    async def steps(client: Client) -> Any:  # noqa: ANN401
        listed = await client.list_tools()
        answered = await client.call_tool("query_metrics", {"query": "up"})
        refused = await client.call_tool("query_metrics", {"query": "sum("})
        return [tool.name for tool in listed.tools], answered.is_error, refused.is_error

    assert started.session(steps) == (NAMES, False, True)
    records = started.audit.records()
    assert [(one["tool"], one["ok"], one["arguments"]) for one in records] == [
        ("query_metrics", True, {"query": "up"}),
        ("query_metrics", False, {"query": "sum("}),
    ]


def test_the_tools_are_listed_as_reading_only_with_their_limits(stack: Stack) -> None:
    async def steps(client: Client) -> Any:  # noqa: ANN401
        return (await client.list_tools()).tools

    tools = stack.session(steps)
    assert [tool.name for tool in tools] == NAMES
    assert all(tool.annotations.read_only_hint and not tool.annotations.destructive_hint for tool in tools)
    assert all(tool.description for tool in tools)
    assert set(tools[3].input_schema["properties"]) == {"query", "start", "end"}
    assert tools[3].input_schema["required"] == ["query"]


def test_systems_are_listed_with_what_is_up_and_what_fires(stack: Stack) -> None:
    stack.prometheus.results = {
        "app:system:up": [
            {"metric": {"system": "depot"}, "value": [0, "0"]},
            {"metric": {"system": "academy"}, "value": [0, "1"]},
        ]
    }
    stack.prometheus.evaluate(LABELS)
    ok, answer = stack.call("list_systems")
    assert ok
    rows = {row["system"]: row for row in answer["systems"]}
    assert {name: (rows[name]["up"], rows[name]["alerts_firing"]) for name in ("depot", "academy", "studio")} == {
        "depot": (False, 1),
        "academy": (True, 0),
        "studio": (None, 0),
    }
    assert rows["depot"]["not_watched"] == ["postgres", "redis"]


def test_firing_alerts_are_those_of_alertmanager_by_system_and_severity(stack: Stack) -> None:
    for system, severity in (("depot", "warning"), ("academy", "critical")):
        alert = stack.alertmanager.fire({**LABELS, "system": system, "severity": severity})
        alert |= {"status": {"silencedBy": [], "inhibitedBy": [], "mutedBy": []}, "receivers": [{"name": "ops"}]}
    stack.alertmanager.documents = {"/api/v2/silences": [], "/api/v2/alerts/groups": []}
    every, own, none, strange = stack.calls(
        ("firing_alerts", {}),
        ("firing_alerts", {"system": "depot"}),
        ("firing_alerts", {"severity": "info"}),
        ("firing_alerts", {"system": "depto"}),
    )
    assert [row["severity"] for row in every[1]["alerts"]] == ["critical", "warning"]
    assert [(row["system"], row["receivers"]) for row in own[1]["alerts"]] == [("depot", ["ops"])]
    assert none[1]["count"] == 0
    assert strange[0] is False
    assert "did you mean 'depot'?" in strange[1]


def test_an_alert_is_explained_by_rule_threshold_route_runbook_and_evidence(stack: Stack) -> None:
    stack.prometheus.evaluate(LABELS, 0.2)
    stack.alertmanager.documents = {"/api/v2/silences": []}
    ok, answer = stack.call("explain_alert", alert="higherrorrate", system="depot")
    assert ok
    assert answer["alert"] == "HighErrorRate"
    assert "app:threshold:error_ratio" in answer["rules"][0]["expr"]
    assert {"name": "error_ratio", "system": "depot", "severity": "warning", "value": 0.05} in answer["thresholds"]
    assert answer["runbook"].startswith("# HighErrorRate")
    (route,) = answer["routes"]["of_severities"]
    assert (route["labels"]["team"], answer["routes"]["silences_considered"]) == ("depot", True)
    assert answer["evidence"]["active"] is True
    assert answer["evidence"]["of_systems"][0]["summary"] == "HighErrorRate said"


def test_an_alert_that_does_not_exist_is_named_with_a_similar_one(stack: Stack) -> None:
    ok, text = stack.call("explain_alert", alert="HostDwn")
    assert (ok, "did you mean 'HostDown'?" in text) == (False, True)


def test_a_query_of_metrics_has_few_series_and_few_points(stack: Stack) -> None:
    many = [
        {"metric": {"instance": str(number)}, "values": [[at, str(number)] for at in range(60)]}
        for number in range(31)
    ]
    stack.prometheus.documents = {"/api/v1/query_range": matrix(*many)}
    ok, answer = stack.call("query_metrics", query="up", start="6h")
    assert ok
    assert answer["step_seconds"] == 360
    assert any("the first 30 are shown, there are more" in note for note in answer["left_out"])
    assert len(json.dumps(answer)) < LIMIT + 1000
    assert len(answer["series"]) <= 30
    assert any(note.startswith("series: ") and note.endswith(" of 30 shown") for note in answer["left_out"])


def test_an_instant_query_gives_the_value_of_each_series(stack: Stack) -> None:
    one = {"metric": {"instance": "a"}, "value": [0, "0.123456789"]}
    other = {"metric": {"instance": "b"}, "value": [0, "NaN"]}
    time = {"metric": {"instance": "c"}, "value": [0, "1796048377.25"]}
    stack.prometheus.documents = {"/api/v1/query": matrix(one, other, time, kind="vector")}
    ok, answer = stack.call("query_metrics", query="up")
    assert ok
    assert answer["series"] == [
        {"labels": {"instance": "a"}, "value": 0.123457},
        {"labels": {"instance": "b"}, "value": "NaN"},
        {"labels": {"instance": "c"}, "value": 1796048377.25},
    ]


@pytest.mark.parametrize(
    ("tool", "arguments", "says"),
    [
        ("query_metrics", {"query": "sum("}, "not PromQL"),
        ("query_metrics", {"query": "up", "start": "8d"}, "longer than 168 h"),
        ("query_metrics", {"query": "up", "start": "1h", "end": "2h"}, "is empty"),
        ("query_metrics", {"query": "up", "start": "yesterday"}, "is not a time"),
        ("query_metrics", {"query": "up", "start": "2026-01-01T00:00:00"}, "has no time zone"),
        ("query_metrics", {"query": "up", "start": "1h", "end": "2099-01-01T00:00:00Z"}, "is in the future"),
        ("query_metrics", {"query": 'sum(rate(x{a="[9d]"}[30d]))'}, "the range [30d] is longer than 168 h"),
        ("query_metrics", {"query": "max_over_time(up[8d:1m])"}, "the range [8d] is longer than 168 h"),
        ("query_logs", {"query": 'count_over_time({a="b"} |= `[9d]` [2d])'}, "the range [2d] is longer than 24 h"),
        ("query_logs", {"query": '{system="depot"}', "start": "2d"}, "longer than 24 h"),
        ("query_logs", {"query": '{system="depot"}', "limit": 1000}, "ask for 1 to 100 lines"),
        ("compare_windows", {"query": "up"}, "first_start"),
        ("delete_everything", {}, "delete_everything"),
    ],
)
def test_a_call_that_is_refused_says_why_and_is_in_the_audit(
    stack: Stack, tool: str, arguments: dict[str, Any], says: str
) -> None:
    ok, text = stack.call(tool, **arguments)
    assert (ok, says in text) == (False, True), text
    (record,) = stack.audit.records()
    assert (record["tool"], record["ok"], says in record["error"]) == (tool, False, True)
    assert record["arguments"] == {key: str(value) for key, value in arguments.items()}


def test_lines_are_the_newest_first_and_long_ones_are_cut(stack: Stack) -> None:
    now = datetime.now(UTC)
    at = [f"{int((now - timedelta(minutes=age)).timestamp())}000000000" for age in (3, 1, 2)]
    stack.loki.streams = [
        {"stream": {"service": "web"}, "values": [[at[0], "oldest"], [at[1], "x" * 5000]]},
        {"stream": {"service": "api"}, "values": [[at[2], "middle"]]},
    ]
    ok, answer = stack.call("query_logs", query='{system="depot"}', limit=3)
    assert ok
    assert [one["line"][:6] for one in answer["lines"]] == ["xxxxxx", "middle", "oldest"]
    assert len(answer["lines"][0]["line"]) < 5000
    assert any("texts are cut" in note for note in answer["left_out"])
    assert any("there may be more" in note for note in answer["left_out"])


def test_two_windows_are_compared_with_the_largest_change_first(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    def values(instance: str, *numbers: float) -> dict[str, Any]:
        return {"metric": {"instance": instance}, "values": [[at, str(number)] for at, number in enumerate(numbers)]}

    turns = iter(
        [
            matrix(values("a", 1, 3), values("b", 5, 5), values("gone", 1)),
            matrix(values("a", 20, 20), values("b", 5, 5)),
        ]
    )
    answers = {"/api/v1/query_range": turns}
    monkeypatch.setattr(stack.prometheus, "answer", lambda path, _: next(answers[path]))
    ok, answer = stack.call(
        "compare_windows", query="up", first_start="3h", first_end="2h", second_start="1h", second_end="now"
    )
    assert ok
    rows = [(row["labels"]["instance"], row["ratio"]) for row in answer["series"]]
    assert rows == [("gone", None), ("a", 10), ("b", 1)]
    assert answer["series"][1]["first"] == {"average": 2, "lowest": 1, "highest": 3, "points": 2}


def test_a_server_that_does_not_answer_is_named_and_the_session_goes_on(stack: Stack) -> None:
    stack.prometheus.documents = {"/api/v1/query": None}
    (refused, still) = stack.calls(("query_metrics", {"query": "up"}), ("list_systems", {}))
    assert refused[0] is False
    assert refused[1].endswith("prometheus refuses the query: null\ncorrect the query, or ask for less")
    assert still[0]
    assert still[1]["not_answered"]


def test_every_call_is_a_line_in_the_audit_that_its_owner_alone_can_read(stack: Stack) -> None:
    stack.calls(("list_systems", {}), ("query_metrics", {"query": "up"}))
    first, second = stack.audit.records()
    assert (first["tool"], first["ok"], first["stack"]) == ("list_systems", True, "dev")
    assert second["arguments"] == {"query": "up"}
    assert first["characters"] > 0
    assert stack.audit.path.stat().st_mode & 0o077 == 0


def test_a_call_that_cannot_be_recorded_is_not_answered(stack: Stack) -> None:
    stack.audit.path.parent.mkdir(parents=True)
    stack.audit.path.mkdir()
    ok, text = stack.call("list_systems")
    assert (ok, "cannot be recorded" in text) == (False, True)


def test_without_the_package_the_command_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *more: Any, **given: Any) -> Any:  # noqa: ANN401 - Python's own
        if name.partition(".")[0] == "mcp":
            raise ModuleNotFoundError("No module named 'mcp'")
        return real(name, *more, **given)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ConfigError, match="the Python package mcp is not installed") as caught:
        CliRunner().invoke(app, ["mcp", "dev"], catch_exceptions=False)
    assert "pip install" in caught.value.fix
