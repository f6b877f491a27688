"""A token for one of Grafana's service accounts."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from observability.cli.app import app
from observability.cli.grafana_token import make
from observability.core import http
from observability.core.errors import ConfigError
from observability.operations.grafana import Grafana

GRAFANA = Grafana(url="http://grafana.example.com", auth="admin:right")
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def answering(monkeypatch: pytest.MonkeyPatch, accounts: list[dict[str, Any]], status: int = 200) -> list[Any]:
    """A Grafana with these accounts, and what is posted to it."""
    posted: list[Any] = []

    def get(url: str, **_: object) -> httpx.Response:
        return httpx.Response(200, json={"serviceAccounts": accounts}, request=httpx.Request("GET", url))

    def post(url: str, json: object, **_: object) -> httpx.Response:
        posted.append((url, json))
        return httpx.Response(status, json={"key": "glsa_1"}, request=httpx.Request("POST", url))

    monkeypatch.setattr(http, "get", get)
    monkeypatch.setattr(http, "post", post)
    return posted


def test_the_account_with_exactly_that_name_gets_a_token_that_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    posted = answering(monkeypatch, [{"name": "ci-viewer-2", "id": 4}, {"name": "ci-viewer", "id": 7}])
    assert make(GRAFANA, "ci-viewer", 30, NOW) == "glsa_1"
    ((url, body),) = posted
    assert url == "http://grafana.example.com/api/serviceaccounts/7/tokens"
    assert body == {"name": "ci-viewer 2026-11-21 12:00:00", "secondsToLive": 30 * 86_400}


def test_an_account_not_created_yet_is_an_error_that_says_how_to_create_it(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, [{"name": "ci-viewer-2", "id": 4}])
    with pytest.raises(ConfigError) as caught:
        make(GRAFANA, "ci-viewer", 30, NOW)
    assert caught.value.fix == "run ./obs up first"


def test_an_error_of_grafana_is_reported_without_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, [{"name": "ci-viewer", "id": 7}], status=403)
    with pytest.raises(ConfigError, match="Grafana answers 403"):
        make(GRAFANA, "ci-viewer", 30, NOW)


def test_an_account_not_in_the_settings_is_refused_with_the_valid_names(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Any,  # noqa: ANN401
) -> None:
    monkeypatch.setenv("OBS_DATA_DIR", str(tmp_path))
    result = CliRunner().invoke(app, ["grafana-token", "ci-view", "dev"])
    assert isinstance(result.exception, ConfigError)
    assert "did you mean 'ci-viewer'?" in result.exception.fix
