"""`obs secret import`: several secrets as one JSON object, all or nothing."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from observability.cli.app import app
from observability.core.errors import ConfigError
from observability.operations.home import Home

HIDDEN = "hidden-value"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("OBS_DATA_DIR", str(tmp_path / "data"))
    found = Home.find()
    found.set_secret("dev", "smtpPassword", "before")
    return found


def give(text: str) -> str:
    done = CliRunner().invoke(app, ["secret", "import", "dev"], input=text, catch_exceptions=False)
    assert done.exit_code == 0
    return done.output


def test_every_secret_of_the_object_is_stored(home: Home) -> None:
    values = {"alertWebhookUrl": f"https://{HIDDEN}", "smtpPassword": "after", "edgeKey": "-----BEGIN\nkey\n"}
    said = give(json.dumps(values))
    assert "dev: 3 secrets stored" in said
    assert HIDDEN not in said
    assert home.secrets("dev") == {**values, "edgeKey": "-----BEGIN\nkey"}
    assert all(path.stat().st_mode & 0o077 == 0 for path in (home.folder / "secrets/dev").iterdir())


@pytest.mark.parametrize(
    ("text", "what", "fix"),
    [
        (
            '{"smtpPassword": "hidden-value", "alertWebhokUrl": "x"}',
            "there is no secret 'alertWebhokUrl'",
            "'alertWeb",
        ),
        ('{"smtpPassword": "hidden-value", "alertWebhookUrl": " "}', "the value of alertWebhookUrl is empty", "leave"),
        ('{"smtpPassword": "hidden-value", "heartbeatUrl": 1}', "the value of heartbeatUrl is no text", "in quotes"),
        ('{"smtpPassword": "hidden-value", "smtpPassword": "x"}', "has the secret smtpPassword twice", "leave one"),
        (
            '{"smtpPassword": "hidden-value",',
            "standard input is no JSON at line 1, column ",
            "./obs secret import dev",
        ),
        ('["hidden-value"]', "is no JSON object with secrets", "./obs secret import dev"),
        ("{}", "is no JSON object with secrets", "./obs secret import dev"),
        ("smtpPassword=hidden-value", "standard input is no JSON at line 1", "./obs secret import dev"),
        ("", "standard input is no JSON", "./obs secret import dev"),
    ],
)
def test_with_one_that_is_wrong_none_is_stored(text: str, what: str, fix: str, home: Home) -> None:
    with pytest.raises(ConfigError) as error:
        give(text)
    assert what in error.value.what
    assert fix in error.value.fix
    assert HIDDEN not in str(error.value)
    assert home.secrets("dev") == {"smtpPassword": "before"}


def test_all_that_is_wrong_is_said_at_once(home: Home) -> None:
    with pytest.raises(ConfigError) as error:
        give('{"alertWebhokUrl": "x", "smtpPasword": "x", "heartbeatUrl": ""}')
    assert len(error.value.all) == 3
    assert "did you mean 'smtpPassword'?" in error.value.all[1].fix
    assert home.secrets("dev") == {"smtpPassword": "before"}
