"""New Relic: a receiver of samples where its section is there, and the variables of its agents in applications."""

import json
from typing import Any, Final

import pytest
from typer.testing import CliRunner

from observability.apm import new_relic
from observability.cli import apm
from observability.cli.app import app
from observability.core.documents import load_yaml
from observability.core.errors import ConfigError
from observability.operations.home import Home
from observability.scrape import prometheus
from observability.settings.load import StackConfig, secret_specs, validate
from tests.unit.conftest import REFERENCE, declared, stack_config

ON: Final[dict[str, Any]] = {"newRelic": {"region": "eu", "keep": [{"metrics": ["up"]}]}}


def receivers(config: StackConfig) -> list[dict[str, Any]]:
    document: dict[str, Any] = load_yaml(prometheus.files(config, {})["prometheus.yaml"])
    found: list[dict[str, Any]] = document.get("remote_write", [])
    return found


def test_without_its_section_there_is_no_trace_of_it() -> None:
    config = stack_config("dev")
    text = json.dumps([[one.name, one.inputs] for one in declared("dev")], default=str)
    assert "newrelic" not in text.lower().replace("-", "")
    assert (new_relic.variables(config, "depot"), new_relic.secrets(config)) == ({}, {})
    assert "newRelicLicenseKey" not in prometheus.secret_files(config).values()


def test_prometheus_sends_to_the_regions_address_with_the_license_key_from_a_file() -> None:
    config = stack_config("prod", ON)
    (found,) = receivers(config)
    assert found["name"] == "new-relic"
    assert found["url"] == "https://metric-api.eu.newrelic.com/prometheus/v1/write?prometheus_server=obs-prod"
    assert found["authorization"] == {"credentials_file": "secrets/remote-write-new-relic-token"}
    assert found["protobuf_message"] == "prometheus.WriteRequest"
    assert found["write_relabel_configs"] == [{"source_labels": ["__name__"], "regex": "(?:up)", "action": "keep"}]
    assert prometheus.secret_files(config)["secrets/remote-write-new-relic-token"] == "newRelicLicenseKey"
    (american,) = receivers(stack_config("prod", {"newRelic": {}}))
    assert american["url"] == "https://metric-api.newrelic.com/prometheus/v1/write?prometheus_server=obs-prod"


def test_without_the_license_key_the_section_is_refused_with_the_command() -> None:
    with pytest.raises(ConfigError) as caught:
        validate("dev", ON, frozenset(), REFERENCE)
    assert "observability:newRelic needs the secret observability:newRelicLicenseKey" in caught.value.what
    assert "./obs secret set newRelicLicenseKey dev" in caught.value.fix


@pytest.mark.parametrize(
    ("values", "path", "said"),
    [
        ({"newRelic": {"region": "asia"}}, "newRelic.region", "eu"),
        ({"newRelic": {"keep": [{}]}}, "newRelic.keep[0]", "add metrics or labels"),
        ({"newRelic": {"licenseKey": "a"}}, "newRelic.licenseKey", ""),
        (
            {**ON, "remoteWrite": [{"name": "new-relic", "url": "https://metrics.example.com"}]},
            "remoteWrite[0].name",
            "remove this entry",
        ),
    ],
    ids=["region", "selection", "key in the clear", "a receiver of its name"],
)
def test_a_wrong_setting_is_refused_with_its_path(values: dict[str, Any], path: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        validate("dev", values, frozenset(secret_specs(values)), REFERENCE)
    assert f"observability:{path}" in caught.value.what
    assert said in f"{caught.value.what} {caught.value.fix}"


def test_an_applications_agent_is_told_what_document_004_asks_for() -> None:
    told = new_relic.variables(stack_config("prod", ON), "depot")
    assert told["NEW_RELIC_APP_NAME"] == "depot-prod"
    assert told["NEW_RELIC_LABELS"] == "system:depot;environment:prod;team:depot;cluster:obs-prod"
    assert told["NEW_RELIC_DISTRIBUTED_TRACING_ENABLED"] == "true"
    assert told["NEW_RELIC_RECORD_SQL"] == "obfuscated"
    assert told["NEW_RELIC_ERROR_COLLECTOR_IGNORE_ERROR_CODES"] == "404"
    assert told["NEW_RELIC_ATTRIBUTES_EXCLUDE"].split(",") == [
        f"{side}.headers.{name}"
        for side in ("request", "response")
        for name in ("cookie", "authorization", "proxyAuthorization", "setCookie*", "x*")
    ]


def run(monkeypatch: pytest.MonkeyPatch, values: dict[str, Any], *arguments: str) -> str:
    monkeypatch.setattr(Home, "config", lambda *_: stack_config("prod", values))
    done = CliRunner().invoke(app, ["apm", *arguments, "prod"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_obs_apm_prints_the_variables_and_names_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = run(monkeypatch, ON, "depot").splitlines()
    told = new_relic.variables(stack_config("prod", ON), "depot")
    assert [line for line in lines if not line.startswith("#")] == [f"{name}={value}" for name, value in told.items()]
    assert "# NEW_RELIC_LICENSE_KEY: the value of the secret newRelicLicenseKey" in lines[-1]
    assert json.loads(run(monkeypatch, ON, "depot", "--json")) == {
        "variables": told,
        "secrets": {"NEW_RELIC_LICENSE_KEY": "newRelicLicenseKey"},
    }


def test_obs_apm_refuses_an_unknown_system_and_a_stack_without_vendors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Home, "config", lambda *_: stack_config("prod", ON))
    with pytest.raises(ConfigError, match="has no system 'dpot'") as caught:
        apm.apm("dpot", "prod")
    assert "did you mean 'depot'" in caught.value.fix
    monkeypatch.setattr(Home, "config", lambda *_: stack_config("prod"))
    with pytest.raises(ConfigError, match="no vendor") as caught:
        apm.apm("depot", "prod")
    assert "observability:newRelic" in caught.value.fix
