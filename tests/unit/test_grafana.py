"""Grafana's server and what is declared to be in it."""

import json
from typing import Any

import pytest

from components.grafana.resources import CONTACT_POINT
from config.errors import ConfigError
from config.load import StackConfig, validate
from config.secrets import SECRETS
from dashboards.registry import dashboards, folders
from rules import files as rule_files
from synth.record import HIDDEN, Declared, record
from tests.unit.conftest import stack_config

EXTERNAL = {"grafana": {"url": "https://grafana.example.com/"}}
PROVIDER = "pulumi:providers:grafana"


def recorded(config: StackConfig) -> list[Declared]:
    return record(config, rule_files(config))


def in_grafana(config: StackConfig) -> list[Declared]:
    return [resource for resource in recorded(config) if resource.type.startswith(("grafana:", PROVIDER))]


def only(resources: list[Declared], kind: str) -> dict[str, Any]:
    (found,) = [resource for resource in resources if resource.type.rpartition(":")[2] == kind]
    return dict(found.inputs)


def server(config: StackConfig) -> dict[str, Any]:
    (found,) = [resource for resource in recorded(config) if resource.name == "grafana-server-container"]
    return dict(found.inputs)


CASES = {"dev": stack_config("dev"), "prod": stack_config("prod"), "external": stack_config("dev", EXTERNAL)}
every_case = pytest.mark.parametrize("config", [pytest.param(config, id=name) for name, config in CASES.items()])


@every_case
def test_address_and_credentials_are_known_before_anything_runs(config: StackConfig) -> None:
    provider = only(in_grafana(config), "grafana")
    assert provider["url"] == config.grafana_url
    assert provider["auth"] == HIDDEN


@every_case
def test_every_resource_is_of_a_kind_that_is_expected(config: StackConfig) -> None:
    kinds = sorted({resource.type for resource in in_grafana(config)})
    assert kinds == [
        "grafana:alerting/contactPoint:ContactPoint",
        "grafana:alerting/notificationPolicy:NotificationPolicy",
        "grafana:oss/dashboard:Dashboard",
        "grafana:oss/dataSource:DataSource",
        "grafana:oss/folder:Folder",
        PROVIDER,
    ]


@every_case
def test_folders_have_their_uids_and_titles(config: StackConfig) -> None:
    declared = [resource.inputs for resource in in_grafana(config) if resource.type.endswith(":Folder")]
    assert {folder["uid"]: folder["title"] for folder in declared} == folders(config)


@every_case
def test_every_dashboard_lies_in_its_folder_as_it_was_generated(config: StackConfig) -> None:
    declared = [resource.inputs for resource in in_grafana(config) if resource.type.endswith(":Dashboard")]
    expected = {entry.uid: entry for entry in dashboards(config)}
    assert len(declared) == len(expected)
    for inputs in declared:
        entry = expected[json.loads(inputs["configJson"])["uid"]]
        assert inputs["configJson"] == entry.text
        assert inputs["folder"] == entry.folder


@every_case
def test_data_sources_have_fixed_uids_and_one_is_the_default(config: StackConfig) -> None:
    sources = [resource.inputs for resource in in_grafana(config) if resource.type.endswith(":DataSource")]
    assert {source["uid"] for source in sources} == {"prometheus", "alertmanager", "loki"}
    assert all(source["uid"] == source["type"] for source in sources)
    assert [source["uid"] for source in sources if source["isDefault"]] == ["prometheus"]
    assert all(isinstance(json.loads(source["jsonDataEncoded"]), dict) for source in sources)


def test_loki_is_a_data_source_only_where_it_runs() -> None:
    without = in_grafana(stack_config("dev", {"loki": {"enabled": False}}))
    assert "loki" not in {resource.inputs.get("uid") for resource in without}


def test_the_stacks_own_grafana_reaches_services_by_name_and_an_external_one_by_published_port() -> None:
    def urls(config: StackConfig) -> dict[str, str]:
        found = [resource.inputs for resource in in_grafana(config) if resource.type.endswith(":DataSource")]
        return {source["uid"]: source["url"] for source in found}

    assert urls(CASES["dev"])["prometheus"] == "http://prometheus:9090"
    ports = {"prometheus": {"port": 19090}, "loki": {"port": 13100}, "alertmanager": {"port": 19093}}
    assert urls(stack_config("dev", {**EXTERNAL, **ports, "bindAddress": "10.1.2.3"})) == {
        "prometheus": "http://10.1.2.3:19090",
        "loki": "http://10.1.2.3:13100",
        "alertmanager": "http://10.1.2.3:19093",
    }


@every_case
def test_the_one_policy_leads_to_the_one_contact_point(config: StackConfig) -> None:
    assert only(in_grafana(config), "NotificationPolicy")["contactPoint"] == CONTACT_POINT
    assert only(in_grafana(config), "ContactPoint")["name"] == CONTACT_POINT


def test_alerts_go_to_the_webhook_where_there_is_one_and_by_mail_otherwise() -> None:
    with_secret = only(in_grafana(stack_config("dev")), "ContactPoint")
    assert with_secret["webhooks"] == [{"httpMethod": "POST", "url": HIDDEN}]
    without = only(
        in_grafana(validate("dev", {"grafana": {"alertEmail": "a@b.example"}}, frozenset())), "ContactPoint"
    )
    assert without["emails"] == [{"addresses": ["a@b.example"]}]
    assert "webhooks" not in without


@every_case
def test_no_secret_is_outside_the_inputs_made_for_one(config: StackConfig) -> None:
    def hidden(value: object, path: str) -> set[str]:
        if isinstance(value, dict):
            return set().union(*(hidden(inner, f"{path}.{key}") for key, inner in value.items()))
        if isinstance(value, list):
            return set().union(*(hidden(inner, path) for inner in value))
        return {path} if value == HIDDEN else set()

    resources = in_grafana(config)
    found = {path for resource in resources for path in hidden(resource.inputs, resource.type.rpartition(":")[2])}
    assert found == {"grafana.auth", "ContactPoint.webhooks.url"}
    assert "value of" not in json.dumps([resource.inputs for resource in resources])


def test_an_external_grafana_brings_no_container_volume_or_image() -> None:
    config = CASES["external"]
    assert config.grafana_url == "https://grafana.example.com"
    assert not config.runs("grafana")
    assert "grafana" not in config.images
    docker = [resource for resource in recorded(config) if resource.type.startswith("docker:")]
    assert not [resource for resource in docker if "grafana" in resource.name]


@pytest.mark.parametrize("url", ["grafana.example.com", "http://admin:secret@grafana.example.com", "ftp://x"])
def test_an_address_that_is_none_or_holds_a_password_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match=r"grafana\.url"):
        stack_config("dev", {"grafana": {"url": url}})


def test_an_external_grafana_without_credentials_is_refused_with_the_command_that_sets_them() -> None:
    with pytest.raises(ConfigError) as caught:
        validate("dev", EXTERNAL, frozenset(SECRETS) - {"grafanaAuth"})
    assert "./obs secret set grafanaAuth dev" in caught.value.mend


@pytest.mark.parametrize(
    "config",
    [
        stack_config("dev", {"grafana": {"enabled": False}}),
        stack_config("dev", {"grafana": {"enabled": False, **EXTERNAL["grafana"]}}),
        stack_config("dev").without({"grafana": "no registry"}),
    ],
    ids=["switched off", "external switched off", "image not to be had"],
)
def test_left_out_it_declares_nothing_not_even_a_provider(config: StackConfig) -> None:
    assert config.grafana_url is None
    assert not [r for r in recorded(config) if "grafana" in r.type.lower() or "grafana" in r.name]


def test_nobody_gets_in_without_an_account_and_nothing_is_asked_of_the_internet() -> None:
    envs = dict(variable.split("=", 1) for variable in server(CASES["dev"])["envs"])
    assert envs["GF_AUTH_ANONYMOUS_ENABLED"] == "false"
    assert envs["GF_USERS_ALLOW_SIGN_UP"] == "false"
    assert envs["GF_UNIFIED_ALERTING_ENABLED"] == "true"
    asking = ("CHECK_FOR", "REPORTING", "FEEDBACK", "NEWS_FEED", "EXTERNAL")
    assert {value for name, value in envs.items() if any(word in name for word in asking)} == {"false"}


def test_the_password_reaches_the_server_as_a_file_in_a_volume_it_cannot_write_to() -> None:
    inputs = server(CASES["dev"])
    envs = dict(variable.split("=", 1) for variable in inputs["envs"])
    path = envs["GF_SECURITY_ADMIN_PASSWORD__FILE"]
    (mount,) = [volume for volume in inputs["volumes"] if path.startswith(volume["containerPath"])]
    assert mount["readOnly"]
    assert inputs["entrypoints"][-1] == path
    assert not [
        name
        for name in envs
        if "PASSWORD" in name and name not in ("GF_SECURITY_ADMIN_PASSWORD__FILE", "OBS_PASSWORD_INSTALLED_BY")
    ]


def test_another_password_makes_another_server_so_that_it_is_taken() -> None:
    loader = next(r for r in recorded(CASES["dev"]) if r.name == "grafana-config-loader")
    assert [upload["content"] for upload in loader.inputs["uploads"]] == [HIDDEN]
    assert f"OBS_PASSWORD_INSTALLED_BY={loader.name}-id" in server(CASES["dev"])["envs"]
