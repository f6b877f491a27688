"""The Datadog agent: where its site is stated, its configuration from the systems' targets, and its confinement."""

import json
from typing import Any, Final

import pytest

from observability.apm import datadog as apm
from observability.core.documents import load_yaml
from observability.core.errors import ConfigError
from observability.scrape import datadog
from observability.settings.load import secret_specs, validate
from tests.unit.conftest import FULL, REFERENCE, declared, declared_by, stack_config

ON: Final[dict[str, Any]] = {"datadogAgent": {"site": "datadoghq.eu", "tags": ["cost-center:shop"]}}
SECURED: Final = {"systems": {name: FULL["systems"][name] for name in ("depot", "hospital")}}
FOLDER: Final = "/etc/obs-datadog/current"


def document(values: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = load_yaml(datadog.files(stack_config("dev", values))["datadog.yaml"])
    return found


def instances(values: dict[str, Any], system: str) -> list[dict[str, Any]]:
    """The instances of the check for a system."""
    text = datadog.files(stack_config("dev", {**ON, **values}))["conf.d/openmetrics.d/conf.yaml"]
    listed: list[dict[str, Any]] = load_yaml(text)["instances"]
    return [one for one in listed if f"system:{system}" in one["tags"]]


def test_without_a_site_there_is_no_trace_of_it() -> None:
    text = json.dumps([[one.name, one.inputs] for one in declared("dev")], default=str)
    assert "datadog" not in text.lower()
    assert apm.variables(stack_config("dev"), "depot") == {}
    config = stack_config("dev", {"datadogAgent": {"site": "datadoghq.eu", "enabled": False}})
    assert not config.runs("datadog-agent")
    assert not [one for one in declared_by(config) if "datadog" in one.name]


def test_the_agent_is_told_the_site_the_tags_and_where_its_key_is() -> None:
    found = document(ON)
    assert (found["site"], found["env"]) == ("datadoghq.eu", "dev")
    assert found["tags"] == ["environment:dev", "cluster:obs-dev", "cost-center:shop"]
    assert found["api_key"] == "ENC[datadog_api_key]"
    assert found["secret_backend_type"] == "file.text"  # noqa: S105 - the name of a kind
    assert found["secret_backend_config"] == {"secrets_path": f"{FOLDER}/secrets"}
    assert datadog.secret_files(stack_config("dev", ON))["secrets/datadog_api_key"] == "datadogApiKey"
    assert found["logs_enabled"] is True
    assert found["logs_config"]["container_collect_all"] is True
    assert found["container_labels_as_tags"]["obs.system"] == "system"
    assert found["apm_config"] == {"enabled": True, "apm_non_local_traffic": True, "receiver_port": 8126}


def test_every_target_of_a_system_is_read_with_the_tags_of_the_system() -> None:
    (found,) = instances({"systems": {"depot": {"instances": {"static": ["erp-1.example.com:8080"]}}}}, "depot")
    assert found == {
        "openmetrics_endpoint": "http://erp-1.example.com:8080/metrics",
        "namespace": "depot",
        "metrics": [".+"],
        "tags": ["system:depot", "team:depot", "job:backend", "instance:erp-1.example.com:8080"],
    }


def test_targets_of_files_are_read_and_credentials_are_files_or_references() -> None:
    (first, *_) = instances(SECURED, "depot")
    assert first["openmetrics_endpoint"] == "https://erp-1.example.com:8080/metrics"
    assert first["auth_token"]["reader"] == {"type": "file", "path": f"{FOLDER}/secrets/depot-token"}
    assert first["auth_token"]["writer"]["value"] == "Bearer <TOKEN>"
    assert first["tls_ca_cert"] == f"{FOLDER}/files/files/ca.pem"
    assert (first["headers"], first["tls_use_host_header"]) == ({"Host": "erp.example.com"}, True)
    found = instances(SECURED, "hospital")
    assert len(found) > 1
    assert {(one["username"], one["password"]) for one in found} == {("prometheus", "ENC[hospital-password]")}


def test_the_container_has_no_secret_in_its_variables_and_is_confined() -> None:
    (agent,) = (one for one in declared("dev", ON) if one.name == "datadog-agent-server-container")
    assert agent.inputs["image"] == "gcr.io/datadoghq/agent:7.84.6"
    assert {word.partition("=")[0] for word in agent.inputs["envs"]} == {"DOCKER_HOST", "OBS_FILES_INSTALLED_BY"}
    assert "DOCKER_HOST=tcp://docker-proxy:2375" in agent.inputs["envs"]
    assert agent.inputs["entrypoints"] == ["bash", f"{FOLDER}/run.sh"]
    assert [(one["internal"], one["external"], one["ip"]) for one in agent.inputs["ports"]] == [
        (8126, 8126, "172.30.90.1")
    ]
    mounts = {one.get("hostPath"): one.get("readOnly") for one in agent.inputs["volumes"] if one.get("hostPath")}
    assert mounts == {"/var/lib/docker/containers": True}
    assert agent.inputs["healthcheck"]["tests"] == ["CMD", "agent", "health", "-c", FOLDER]


def test_logs_and_traces_can_be_left_out() -> None:
    values = {"datadogAgent": {"site": "datadoghq.com", "logs": False, "apm": False}}
    (agent,) = (one for one in declared("dev", values) if one.name == "datadog-agent-server-container")
    assert not agent.inputs.get("ports")
    assert not [one for one in agent.inputs["volumes"] if one.get("hostPath")]
    script = datadog.files(stack_config("dev", values))["run.sh"]
    assert "agent run -c" in script
    assert "trace-agent" not in script
    assert (document(values)["logs_enabled"], document(values)["apm_config"]["enabled"]) == (False, False)
    assert apm.variables(stack_config("dev", values), "depot") == {}


def test_an_applications_library_is_told_the_agent_and_the_tags() -> None:
    told = apm.variables(stack_config("dev", ON), "depot")
    assert (told["DD_SERVICE"], told["DD_ENV"]) == ("depot", "dev")
    assert (told["DD_AGENT_HOST"], told["DD_TRACE_AGENT_PORT"]) == ("172.30.90.1", "8126")
    assert told["DD_TAGS"] == "system:depot,team:depot,environment:dev"


@pytest.mark.parametrize(
    ("own", "path", "said"),
    [
        ({"site": "datadoghq.de"}, ".site", "datadoghq.eu"),
        ({"enabled": True}, "", "add the site of the account"),
        ({"site": "datadoghq.eu", "tags": ["shop"]}, ".tags[0]", ""),
        ({"site": "datadoghq.eu", "apiKey": "a"}, ".apiKey", ""),
    ],
    ids=["site", "no site", "tag", "key in the clear"],
)
def test_a_wrong_setting_is_refused_with_its_path(own: dict[str, Any], path: str, said: str) -> None:
    values = {"datadogAgent": own}
    with pytest.raises(ConfigError) as caught:
        validate("dev", values, frozenset(secret_specs(values)), REFERENCE)
    assert f"observability:datadogAgent{path}" in caught.value.what
    assert said in f"{caught.value.what} {caught.value.fix}"


def test_without_the_api_key_the_site_is_refused_with_the_command() -> None:
    with pytest.raises(ConfigError) as caught:
        validate("dev", ON, frozenset(), REFERENCE)
    assert "observability:datadogAgent.site needs the secret observability:datadogApiKey" in caught.value.what
    assert "./obs secret set datadogApiKey dev" in caught.value.fix
