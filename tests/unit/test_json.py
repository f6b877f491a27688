"""--json: every command that prints a table or a list supports it, and then prints JSON."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, Final

import pytest
import typer
from typer.core import TyperGroup
from typer.testing import CliRunner

from observability.cli import alert_test, lifecycle, route, silences
from observability.cli.app import app
from observability.operations.alertmanager import Alertmanager
from observability.operations.deliveries import Post, Row, Tally, Watch
from observability.operations.home import Home
from tests.unit.conftest import stack_config

WITHOUT: Final = {
    "init": "writes files and lists their names",
    "system new": "writes one file and says what to do next",
    "new alert": "writes files and lists the lines to fill in",
    "new panel": "writes one file and lists the lines to fill in",
    "secret set": "stores one value and says so",
    "secret import": "stores the values of a JSON object and says how many",
    "secret rotate": "runs `up`, and says what restarts before it",
    "secret remove": "removes one value and says so",
    "host add": "writes one setting and says what to do next",
    "host remove": "takes one setting out and says what to do next",
    "down": "removes, and says so in one line",
    "unlock": "repairs, and says what it did and what to do next",
    "logs": "prints lines as the service wrote them",
    "runbook": "prints a page",
    "silence expire": "ends one silence and says so",
    "incident postmortem": "writes a page",
    "oncall verify": "confirms one address and says so",
    "grafana-token": "prints a token",
    **{f"{one.name} up": "prints the steps and an address" for one in lifecycle.BESIDE},
    **{f"{one.name} down": "removes, and says so in one line" for one in lifecycle.BESIDE},
    "synth": "writes files; resources.json among them is the list",
    "env": "prints lines for a shell",
    "mcp": "speaks a protocol, in JSON",
    "completion": "prints a script for a shell",
}
"""Commands without --json, with the reason."""


def commands(group: TyperGroup, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every listed command, by the words that call it."""
    for name, found in group.commands.items():
        if found.hidden:
            continue
        if isinstance(found, TyperGroup):
            yield from commands(found, (*path, name))
        else:
            yield " ".join((*path, name)), found


def takes_json(command: Any) -> bool:  # noqa: ANN401 - typer's own command
    return any("--json" in parameter.opts for parameter in command.params)


ALL = dict(commands(typer.main.get_group(app)))


@pytest.mark.parametrize("name", ALL)
def test_a_command_supports_json_unless_it_is_listed_with_a_reason(name: str) -> None:
    assert takes_json(ALL[name]) != (name in WITHOUT)


def test_every_command_listed_as_an_exception_exists() -> None:
    assert set(WITHOUT) <= set(ALL)


# Output


@pytest.fixture(autouse=True)
def _known(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:  # noqa: ANN401 - a path
    """A stack with one receiver by mail, and one that is unreachable."""
    monkeypatch.setenv("OBS_DATA_DIR", str(tmp_path))
    smtp = {"host": "smtp.example.com", "sender": "alerts@example.com"}
    receivers = {"ops": {"email": {"to": ["ops@example.com"]}}, "chat": {"msteams": {}}}
    notifications = {"smtp": smtp, "receivers": receivers, "default": ["ops"], "critical": ["ops", "chat"]}
    config = stack_config("staging", {"notifications": notifications})
    monkeypatch.setattr(Home, "config", lambda *_, **__: config)


def run(*arguments: str, code: int = 0) -> Any:  # noqa: ANN401 - any JSON
    done = CliRunner().invoke(app, [*arguments, "--json"])
    assert done.exit_code == code, done.output
    return json.loads(done.stdout)


def silence(**labels: str) -> dict[str, Any]:
    """A silence as returned by Alertmanager."""
    now = datetime.now(UTC)
    matchers = [{"name": name, "value": value, "isRegex": False, "isEqual": True} for name, value in labels.items()]
    return {
        "id": "0123456789",
        "status": {"state": "active"},
        "matchers": matchers,
        "createdBy": "ann",
        "comment": "deploying",
        "startsAt": now.isoformat(),
        "endsAt": (now + timedelta(hours=1)).isoformat(),
    }


def test_route_as_json_has_receivers_times_and_silences(monkeypatch: pytest.MonkeyPatch) -> None:
    found = silences.Silence.read(silence(severity="critical"))
    monkeypatch.setattr(route, "_silences", lambda _: [found])
    answer = run("route", "severity=critical,component=database", "staging")
    assert answer["silences_considered"] is True
    (alert,) = answer["alerts"]
    assert alert["labels"] == {"severity": "critical", "component": "database"}
    assert alert["delivered"] is True
    destinations = {name for one in alert["deliveries"] for name in one["destinations"]}
    assert destinations >= {"ops", "chat"}
    assert [(one["id"], one["author"], one["certain"]) for one in alert["silences"]] == [("0123456789", "ann", True)]


def test_route_as_json_says_where_silences_are_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(route, "_silences", lambda _: None)
    assert run("route", "severity=critical,component=database", "staging")["silences_considered"] is False


def test_alert_test_as_json_has_a_row_for_each_receiver(monkeypatch: pytest.MonkeyPatch) -> None:
    posts = (
        Post(name="ops", receiver="only-ops", integration="email", index=0),
        Post(name="chat", receiver="only-chat", integration="msteamsv2", index=0),
    )
    verdicts = [Row(post=posts[0], verdict="ok", detail="in 0.4 s"), Row(post=posts[1], verdict="FAIL", detail="403")]
    watch = Watch(tallies={("only-ops", "email"): Tally(accepted=1, refused=0, given_up=0)})
    monkeypatch.setattr(alert_test, "_check_known", lambda *_: None)
    monkeypatch.setattr(alert_test, "_send", lambda *_: watch)
    monkeypatch.setattr(alert_test, "judge", lambda *_: verdicts)
    answer = run("alert-test", "staging", code=1)
    assert answer["delivered"] == 1
    assert [(one["receiver"], one["verdict"], one["detail"]) for one in answer["results"]] == [
        ("ops", "ok", "in 0.4 s"),
        ("chat", "FAIL", "403"),
    ]


def test_silence_add_as_json_has_what_it_mutes_and_its_id(monkeypatch: pytest.MonkeyPatch) -> None:
    firing = {"labels": {"alertname": "HostDown", "severity": "critical"}, "fingerprint": "f", "status": {}}
    sent: list[Any] = []

    def add(document: Any) -> str:  # noqa: ANN401 - a silence
        sent.append(document)
        return "0123456789"

    server = SimpleNamespace(alerts=lambda: [firing], silence=add, url="http://127.0.0.1:9093")
    monkeypatch.setattr(Alertmanager, "of", lambda _: server)
    arguments = ("silence", "add", "HostDown", "--for", "2h", "--reason", "moving", "staging")
    answer = run(*arguments, "--dry-run")
    assert (answer["added"], sent) == ([], [])
    assert answer["mutes_now"] == [{"alertname": "HostDown", "severity": "critical"}]
    assert answer["mutes_when_they_fire"] == ["HostDown"]
    assert run(*arguments)["added"] == ["0123456789"]
