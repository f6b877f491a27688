"""Grafana's server and its declared content."""

import json
from typing import Any

import pytest

from components.grafana import environment as variables
from dashboards.registry import dashboards, folders
from observability.core.errors import ConfigError
from observability.settings.load import StackConfig, validate
from observability.settings.secrets import stated_secrets
from observability.synth.declared import Declared
from observability.synth.record import HIDDEN
from tests.unit.conftest import declared_by, stack_config

EXTERNAL = {"grafana": {"url": "https://grafana.example.com/"}}
OIDC: dict[str, Any] = {
    "clientId": "grafana",
    "authUrl": "https://id.example.com/auth",
    "tokenUrl": "https://id.example.com/token",
    "apiUrl": "https://id.example.com/userinfo",
}
PROVIDER = "pulumi:providers:grafana"


def recorded(config: StackConfig) -> list[Declared]:
    return declared_by(config)


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
        "grafana:alerting/messageTemplate:MessageTemplate",
        "grafana:alerting/notificationPolicy:NotificationPolicy",
        "grafana:oss/dashboard:Dashboard",
        "grafana:oss/dataSource:DataSource",
        "grafana:oss/folder:Folder",
        "grafana:oss/folderPermission:FolderPermission",
        "grafana:oss/serviceAccount:ServiceAccount",
        PROVIDER,
    ]


@every_case
def test_folders_have_their_uids_and_titles(config: StackConfig) -> None:
    declared = [resource.inputs for resource in in_grafana(config) if resource.type.endswith(":Folder")]
    assert {folder["uid"]: folder["title"] for folder in declared} == folders(config)


@every_case
def test_every_dashboard_is_in_its_folder_as_generated(config: StackConfig) -> None:
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


def test_the_stacks_grafana_uses_service_names_an_external_one_published_ports() -> None:
    def urls(config: StackConfig) -> dict[str, str]:
        found = [resource.inputs for resource in in_grafana(config) if resource.type.endswith(":DataSource")]
        return {source["uid"]: source["url"] for source in found}

    assert urls(CASES["dev"])["prometheus"] == "http://prometheus:9090"
    ports = {"prometheus": {"port": 19090}, "loki": {"port": 13100}, "alertmanager": {"port": 19093}}
    edge = {"enabled": True, "address": "monitoring.example.com"}
    assert urls(stack_config("dev", {**EXTERNAL, **ports, "bindAddress": "10.1.2.3", "edge": edge})) == {
        "prometheus": "http://10.1.2.3:19090",
        "loki": "http://10.1.2.3:13100",
        "alertmanager": "http://10.1.2.3:19093",
    }


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


def test_an_external_grafana_needs_no_container_volume_or_image() -> None:
    config = CASES["external"]
    assert config.grafana_url == "https://grafana.example.com"
    assert not config.runs("grafana")
    assert "grafana" not in config.images
    docker = [resource for resource in recorded(config) if resource.type.startswith("docker:")]
    assert not [resource for resource in docker if "grafana" in resource.name]


@pytest.mark.parametrize("url", ["grafana.example.com", "http://admin:secret@grafana.example.com", "ftp://x"])
def test_an_invalid_address_or_one_with_a_password_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match=r"grafana\.url"):
        stack_config("dev", {"grafana": {"url": url}})


def test_an_external_grafana_without_credentials_is_refused_with_the_fix() -> None:
    with pytest.raises(ConfigError) as caught:
        validate("dev", EXTERNAL, frozenset(stated_secrets()) - {"grafanaAuth"})
    assert "./obs secret set grafanaAuth dev" in caught.value.fix


@pytest.mark.parametrize(
    "config",
    [
        stack_config("dev", {"grafana": {"enabled": False}}),
        stack_config("dev", {"grafana": {"enabled": False, **EXTERNAL["grafana"]}}),
        stack_config("dev").without({"grafana": "no registry"}),
    ],
    ids=["switched off", "external switched off", "image not available"],
)
def test_without_grafana_nothing_is_declared_not_even_a_provider(config: StackConfig) -> None:
    assert config.grafana_url is None
    assert not [r for r in recorded(config) if "grafana" in r.type.lower() or "grafana" in r.name]


@every_case
def test_viewers_read_and_editors_write_in_every_folder(config: StackConfig) -> None:
    rights = [resource.inputs for resource in in_grafana(config) if resource.type.endswith(":FolderPermission")]
    assert {one["folderUid"] for one in rights} == set(folders(config))
    assert all(
        one["permissions"] == [{"role": "Viewer", "permission": "View"}, {"role": "Editor", "permission": "Edit"}]
        for one in rights
    )


def test_a_team_may_edit_its_own_folders() -> None:
    config = stack_config("dev", {"grafana": {"teams": {"erp": {"folders": ["depot"], "members": ["a@b.example"]}}}})
    team = only(in_grafana(config), "Team")
    assert (team["name"], team["members"]) == ("erp", ["a@b.example"])
    may = {
        resource.inputs["folderUid"]: [one for one in resource.inputs["permissions"] if "teamId" in one]
        for resource in in_grafana(config)
        if resource.type.endswith(":FolderPermission")
    }
    assert {uid for uid, teams in may.items() if teams} == {"depot"}
    assert may["depot"] == [{"teamId": "grafana-content-team-erp-id", "permission": "Edit"}]


def test_a_team_of_a_folder_that_does_not_exist_is_refused_with_its_path() -> None:
    with pytest.raises(ConfigError) as caught:
        stack_config("dev", {"grafana": {"teams": {"erp": {"folders": ["observability", "depoto"]}}}})
    assert "observability:grafana.teams.erp.folders[1]: 'depoto'" in caught.value.what
    assert "did you mean 'depot'?" in caught.value.fix


@pytest.mark.parametrize(
    ("asked", "roles"),
    [
        ({}, {"ci-viewer": "Viewer", "ci-editor": "Editor"}),
        ({"serviceAccounts": {"backup": {"role": "admin"}}}, {"backup": "Admin"}),
        ({"serviceAccounts": {}}, {}),
    ],
)
def test_programs_have_service_accounts_and_no_token_is_in_the_state(
    asked: dict[str, Any], roles: dict[str, str]
) -> None:
    found = in_grafana(stack_config("dev", {"grafana": asked}))
    accounts = [resource.inputs for resource in found if resource.type.endswith(":ServiceAccount")]
    assert {account["name"]: account["role"] for account in accounts} == roles
    assert not [resource for resource in found if "Token" in resource.type]


def test_the_status_dashboard_is_public_only_where_configured() -> None:
    assert not [r for r in in_grafana(CASES["prod"]) if r.type.endswith(":DashboardPublic")]
    public = only(in_grafana(stack_config("prod", {"grafana": {"publicStatus": True}})), "DashboardPublic")
    assert public == {"dashboardUid": "obs-status", "isEnabled": True}


def test_what_is_public_names_no_host_route_or_error_and_has_no_variables() -> None:
    (entry,) = [entry for entry in dashboards(CASES["dev"]) if entry.uid == "obs-status"]
    status = json.loads(entry.text)
    assert status["templating"]["list"] == []
    legends = {target["legendFormat"] for panel in status["panels"] for target in panel.get("targets", ())}
    assert legends == {"{{system}}"}


def environment(oidc: dict[str, Any] | None = None, **values: dict[str, Any]) -> dict[str, str]:
    config = stack_config("dev", {"grafana": {"oidc": oidc}, **values})
    return variables.environment(config, "/etc/grafana/provisioning/current")


def test_the_server_has_every_variable_and_a_file_for_each_secret() -> None:
    values = {
        "grafana": {"oidc": OIDC},
        "notifications": {"smtp": {"host": "h", "sender": "a@b.example", "user": "u"}},
    }
    config = stack_config("dev", values)
    envs = dict(variable.split("=", 1) for variable in server(config)["envs"])
    files = {value for name, value in envs.items() if name.endswith("__FILE")}
    assert environment(OIDC, notifications=values["notifications"]).items() <= envs.items()
    assert files == {f"/etc/grafana/provisioning/current/{path}" for path in variables.secret_files(config)}
    assert len(files) == 3


def test_people_sign_in_with_the_identity_provider_that_is_configured() -> None:
    envs = environment(oidc=OIDC)
    assert envs["GF_AUTH_GENERIC_OAUTH_ENABLED"] == "true"
    assert envs["GF_AUTH_GENERIC_OAUTH_CLIENT_ID"] == "grafana"
    assert envs["GF_AUTH_GENERIC_OAUTH_TOKEN_URL"] == OIDC["tokenUrl"]
    assert envs["GF_AUTH_GENERIC_OAUTH_SCOPES"] == "openid profile email"
    assert envs["GF_AUTH_GENERIC_OAUTH_CLIENT_SECRET__FILE"].endswith("/secrets/oidc_secret")
    # A strict cookie is not sent after the redirect from the provider's page.
    assert envs["GF_SECURITY_COOKIE_SAMESITE"] == "lax"
    assert envs["GF_AUTH_DISABLE_LOGIN_FORM"] == "false"
    assert environment(oidc={**OIDC, "only": True})["GF_AUTH_DISABLE_LOGIN_FORM"] == "true"


def test_without_an_identity_provider_no_variable_configures_one() -> None:
    envs = environment()
    assert not [name for name in envs if "OAUTH" in name]
    assert envs["GF_SECURITY_COOKIE_SAMESITE"] == "strict"


def test_groups_become_roles_and_the_highest_applies() -> None:
    roles = {"admin": ["ops"], "editor": ["dev", "qa"], "viewer": ["staff"]}
    settings = stack_config("dev", {"grafana": {"oidc": {**OIDC, "roles": roles}}}).settings.grafana.oidc
    assert settings is not None
    groups = "not_null(groups, `[]`)"
    assert variables.role_path(settings) == (
        f"(contains({groups}, 'ops')) && 'Admin'"
        f" || (contains({groups}, 'dev') || contains({groups}, 'qa')) && 'Editor'"
        f" || (contains({groups}, 'staff')) && 'Viewer'"
    )


@pytest.mark.parametrize(("viewers", "strict"), [([], "false"), (["staff"], "true")])
def test_a_user_without_a_role_is_a_viewer_unless_viewers_are_named(viewers: list[str], strict: str) -> None:
    envs = environment(oidc={**OIDC, "roles": {"admin": ["ops"], "viewer": viewers}})
    assert envs["GF_AUTH_GENERIC_OAUTH_ROLE_ATTRIBUTE_STRICT"] == strict
    assert envs["GF_AUTH_GENERIC_OAUTH_ROLE_ATTRIBUTE_PATH"].endswith(" || 'Viewer'") == (not viewers)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"authUrl": "id.example.com"}, "grafana.oidc.authUrl"),
        ({"scopes": ["email"]}, "grafana.oidc.scopes"),
        ({"roles": {"owner": ["ops"]}}, "grafana.oidc.roles.owner"),
        ({"roles": {"admin": ["it's"]}}, "grafana.oidc.roles.admin"),
        ({"clientSecret": "x"}, "grafana.oidc.clientSecret"),
    ],
)
def test_an_invalid_identity_provider_is_refused_with_the_path_to_the_field(change: dict[str, Any], path: str) -> None:
    with pytest.raises(ConfigError) as caught:
        stack_config("dev", {"grafana": {"oidc": {**OIDC, **change}}})
    assert f"observability:{path}" in caught.value.what


def test_an_identity_provider_without_its_secret_is_refused_with_the_fix() -> None:
    with pytest.raises(ConfigError) as caught:
        validate("dev", {"grafana": {"oidc": OIDC}}, frozenset())
    assert "observability:grafana.oidc needs the secret" in caught.value.what
    assert "./obs secret set grafanaOidcSecret dev" in caught.value.fix


def test_an_identity_provider_of_a_grafana_that_is_not_the_stacks_is_refused() -> None:
    with pytest.raises(ConfigError, match="oidc is for the Grafana that the stack runs"):
        stack_config("dev", {"grafana": {"url": "https://grafana.example.com", "oidc": OIDC}})


def test_mail_is_sent_by_the_server_of_the_notifications() -> None:
    smtp = {"host": "smtp.example.com", "sender": "alerts@example.com", "user": "alerts"}
    envs = environment(notifications={"smtp": smtp})
    assert envs["GF_SMTP_ENABLED"] == "true"
    assert envs["GF_SMTP_HOST"] == "smtp.example.com:587"
    assert envs["GF_SMTP_STARTTLS_POLICY"] == "MandatoryStartTLS"
    assert envs["GF_SMTP_PASSWORD__FILE"].endswith("/secrets/smtp_password")
    assert not [name for name in environment() if "SMTP" in name]


def test_the_public_url_is_grafanas_root_url() -> None:
    envs = environment(links={"grafana": "https://grafana.example.com/"})
    assert envs["GF_SERVER_ROOT_URL"] == "https://grafana.example.com/"
    assert envs["GF_SECURITY_COOKIE_SECURE"] == "true"
    assert environment()["GF_SECURITY_COOKIE_SECURE"] == "false"


def test_access_requires_an_account_and_grafana_sends_nothing_to_the_internet() -> None:
    envs = dict(variable.split("=", 1) for variable in server(CASES["dev"])["envs"])
    assert envs["GF_AUTH_ANONYMOUS_ENABLED"] == "false"
    assert envs["GF_USERS_ALLOW_SIGN_UP"] == "false"
    assert envs["GF_UNIFIED_ALERTING_ENABLED"] == "true"
    asking = ("CHECK_FOR", "REPORTING", "FEEDBACK", "NEWS_FEED", "EXTERNAL")
    assert {value for name, value in envs.items() if any(word in name for word in asking)} == {"false"}


def test_the_password_is_passed_as_a_file_in_a_read_only_volume() -> None:
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


def test_a_changed_password_replaces_the_server_so_that_it_takes_effect() -> None:
    loader = next(r for r in recorded(CASES["dev"]) if r.name == "grafana-config-loader")
    assert [upload["content"] for upload in loader.inputs["uploads"]] == [HIDDEN]
    assert f"OBS_PASSWORD_INSTALLED_BY={loader.name}-id" in server(CASES["dev"])["envs"]
