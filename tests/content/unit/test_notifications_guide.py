"""docs/notifications.md is correct: its settings are valid, its commands exist and print what it shows."""

import re
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from observability.cli.app import app
from observability.core.documents import load_yaml
from observability.operations.home import Home
from observability.settings.load import ROOT, StackConfig, secret_specs, validate
from tests.unit.conftest import base

GUIDE = (ROOT / "docs" / "notifications.md").read_text(encoding="utf-8")

EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
SHOWN = re.findall(r"^```\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)


def merged(below: Any, above: Any) -> Any:  # noqa: ANN401 - YAML
    """One document merged over another, key by key."""
    if isinstance(below, dict) and isinstance(above, dict):
        return {**below, **{key: merged(below.get(key), value) for key, value in above.items()}}
    return above


def config(example: str) -> StackConfig:
    """The stack of the guide's first example with another merged over it."""
    documents = [load_yaml(text) for text in (EXAMPLES[0], example)]
    values = base("prod", ROOT)
    values |= {key.removeprefix("observability:"): value for key, value in merged(*documents).items()}
    return validate("prod", values, frozenset(secret_specs(values)) - {"alertWebhookUrl"})


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_of_settings_is_valid(example: str) -> None:
    of = config(example)
    for section, value in load_yaml(example).items():
        assert section == "observability:notifications"
        assert value.keys() <= of.notifications.model_dump(by_alias=True).keys()


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 5


def test_the_output_of_route_in_the_guide_is_the_real_output(monkeypatch: pytest.MonkeyPatch) -> None:
    (shown,) = [text for text in SHOWN if text.startswith("$ ./obs route")]
    command, _, expected = shown.partition("\n")
    of = config(EXAMPLES[0])
    monkeypatch.setattr(Home, "config", lambda _home, _stack: of)
    monkeypatch.setattr("observability.cli.route._silences", lambda _: [])
    done = CliRunner().invoke(app, command.removeprefix("$ ./obs ").split())
    assert done.exit_code == 0, done.output
    assert done.output == expected


def test_every_command_that_is_named_exists_with_its_options() -> None:
    group: Any = typer.main.get_command(app)
    lines = re.findall(r"\./obs ([^\n`…]+)", GUIDE)
    assert len(lines) > 15
    for line in lines:
        words = line.split("#")[0].split()
        command = group.commands[words[0]]
        if hasattr(command, "commands") and len(words) > 1:
            command = command.commands[words[1]]
        options = {name for parameter in command.params for name in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options, line


def test_every_page_that_is_linked_exists() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", GUIDE):
        assert (ROOT / "docs" / target).resolve().is_file(), target


def test_every_receiver_secret_that_is_named_belongs_to_a_channel() -> None:
    named = set(re.findall(r"`<receiver>(\w+)`", GUIDE))
    assert named == {"Url", "Token", "Key", "User"}
