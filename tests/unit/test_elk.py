"""Elasticsearch, Logstash and Kibana: nothing without their section; what they are given with it, and who may what."""

import base64
import hashlib
import json
import re
from typing import Any, Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from dashboards.datasources import data_sources
from dashboards.linked_rules import files as rule_files
from observability.alerting.grafana_rules import rule_groups
from observability.core.documents import load_yaml
from observability.core.errors import ConfigError
from observability.elk import access, indices, logstash, servers
from observability.operations.preflight import bindings
from observability.parts import authority, elk
from observability.parts.probe import Probe
from observability.parts.registry import parts
from observability.scrape.jobs import jobs
from observability.settings.load import StackConfig, secret_specs, validate
from observability.settings.secrets import stated_secrets
from observability.synth.declared import CONTAINER, Declared
from observability.synth.record import HIDDEN
from observability.synth.write import generated_files
from tests.unit.conftest import REFERENCE, declared, declared_by, stack_config

ON: Final[dict[str, Any]] = {"elk": {}}
EXTERNAL: Final[dict[str, Any]] = {
    "elk": {"external": {"url": "https://search.example.com:9200", "user": "writer", "ca": "files/ca.pem"}}
}
SERVICES: Final = ("elasticsearch", "logstash", "kibana")
NAMES: Final = tuple(stated_secrets())
VALUES: Final = {name: f"value-of-{name}" for name in NAMES}


def containers(values: dict[str, Any]) -> dict[str, Declared]:
    """The containers of a stack in staging, by the name of their service."""
    found = (one for one in declared("staging", values) if one.type == CONTAINER)
    return {one.inputs["name"].removeprefix("obs-staging-"): one for one in found}


def refused(values: dict[str, Any], stack: str = "dev") -> str:
    """The error for these settings."""
    with pytest.raises(ConfigError) as error:
        validate(stack, values, frozenset(secret_specs(values, REFERENCE)), REFERENCE)
    return f"{error.value.what} | {error.value.fix}"


def probes(config: StackConfig) -> list[Probe]:
    return [placed.server for placed in config.servers("blackbox-exporter")]


def of_kibana(values: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = load_yaml(servers.kibana_text(stack_config("staging", values)).text(VALUES))
    return found


def test_without_the_section_nothing_of_it_is_in_any_file_or_resource() -> None:
    config = stack_config("dev")
    texts = generated_files(config, rule_files(config))
    texts |= {one.name: json.dumps(one.inputs, default=str) for one in declared("dev")}
    assert not [path for path, text in texts.items() if re.search(r"logstash|kibana|\belk", text, re.IGNORECASE)]
    off = stack_config("dev", {"elk": {"enabled": False}})
    assert [one.name for one in declared_by(off)] == [one.name for one in declared("dev")]


def test_each_server_is_confined_and_published_at_the_bind_address_alone() -> None:
    found = containers(ON)
    for service, port in zip(SERVICES, (9200, 5000, 5601), strict=True):
        given = found[service].inputs
        assert given["image"] == f"docker.elastic.co/{service}/{service}:9.5.2"
        assert given["ports"] == [{"internal": port, "external": port, "ip": "127.0.0.1"}]
        assert given["user"].startswith("1000:")
        assert (given["readOnly"], given["capabilities"]) == (True, {"drops": ["ALL"]})
        assert given["healthcheck"]["tests"]
        assert [one["containerPath"] for one in given["volumes"] if not one["readOnly"]] == [
            f"/usr/share/{service}/data"
        ]
    assert not {rule.service for rule in parts()["elk"].allowances}


def test_a_port_that_is_taken_is_named_with_its_setting() -> None:
    found = {one.service: one.setting for one in bindings(stack_config("staging", ON), declared("staging", ON))}
    assert {name: found[name] for name in SERVICES} == {name: f"observability:elk.{name}.port" for name in SERVICES}


def test_a_heap_is_half_of_the_memory_of_its_container() -> None:
    values = {"elk": {"elasticsearch": {"memoryMb": 4096}, "kibana": {"memoryMb": 768}}}
    found = {name: containers(values)[name].inputs for name in SERVICES}
    assert {name: one["memory"] for name, one in found.items()} == {
        "elasticsearch": 4096,
        "logstash": 1024,
        "kibana": 768,
    }
    envs = {name: dict(one.split("=", 1) for one in given["envs"]) for name, given in found.items()}
    assert envs["elasticsearch"]["ES_JAVA_OPTS"].startswith("-Xms2048m -Xmx2048m ")
    assert envs["logstash"]["LS_JAVA_OPTS"] == "-Xms512m -Xmx512m"
    assert envs["kibana"]["NODE_OPTIONS"] == "--max-old-space-size=384"


def test_no_secret_is_in_an_environment_a_label_or_a_command() -> None:
    shown = {}
    for service, one in containers({"elk": {"collector": True}}).items():
        kept = {key: value for key, value in one.inputs.items() if key != "uploads"}
        assert HIDDEN not in json.dumps(kept, default=str), service
        shown[service] = {upload["file"] for upload in one.inputs.get("uploads", []) if HIDDEN in upload["content"]}
    assert shown["logstash-config"] == {
        f"/staging/{name}" for name in ("pipeline.conf", "server.pem", "server-key.pem", "ca.pem")
    }
    assert shown["elk-setup-config"] == {"/staging/password", "/staging/ca.pem"}


def test_elasticsearch_has_security_and_tls_and_needs_nothing_of_the_hosts_kernel() -> None:
    found = load_yaml(servers.elasticsearch(stack_config("staging", ON))["elasticsearch.yml"])
    assert found["xpack.security.enabled"] is True
    for layer in ("http", "transport"):
        tls = found[f"xpack.security.{layer}.ssl"]
        assert (tls["enabled"], tls["certificate"], tls["key"]) == (True, "server.pem", "server-key.pem")
    assert (found["discovery.type"], found["transport.host"]) == ("single-node", "127.0.0.1")
    assert found["node.store.allow_mmap"] is False
    uploads = {one["file"] for one in containers(ON)["elasticsearch-config"].inputs["uploads"]}
    names = ("server.pem", "server-key.pem", "ca.pem", "users", "users_roles", "roles.yml", "curl.conf", "start.sh")
    assert {f"/staging/{name}" for name in names} < uploads


def test_passwords_are_stored_as_hashes_in_the_form_that_elasticsearch_reads() -> None:
    text = access.users().text(VALUES)
    lines = dict(line.split(":", 1) for line in text.splitlines())
    assert lines.keys() == elk.USERS.keys() == set(access.ROLES_OF.values())
    assert not [value for value in VALUES.values() if value in text]
    assert access.users().text(VALUES) == text
    for user, stored in lines.items():
        kind, salt, key = stored.split("$")
        assert kind == "{PBKDF2}10000"
        raw = base64.b64decode(salt)
        assert len(raw) == 32
        made = hashlib.pbkdf2_hmac("sha512", VALUES[elk.USERS[user]].encode(), raw, 10_000, 32)
        assert base64.b64decode(key) == made
    assert len({stored.split("$")[1] for stored in lines.values()}) == len(lines)


def test_each_user_may_do_its_own_work_and_no_more() -> None:
    roles = load_yaml(access.roles_yaml())
    assert roles["obs_logstash"]["indices"][0]["privileges"] == ["auto_configure", "create_index", "create_doc"]
    assert roles["obs_grafana"]["indices"][0]["names"] == ["logs-*", "other-*", "lines-*"]
    assert "indices" not in roles["obs_setup"]
    given = dict(line.split(":") for line in access.users_roles().splitlines())
    own = {"superuser": "obs-admin", "kibana_system": "obs-kibana"}
    assert given == {**own, **{role: role.replace("_", "-") for role in roles}}


def test_the_certificates_are_of_one_authority_whose_key_is_kept_nowhere() -> None:
    specs = stated_secrets()
    made = (specs[elk.AUTHORITY].together or dict)()
    assert set(made) == {name for name, spec in specs.items() if elk.AUTHORITY in (name, spec.made_with)}
    ours = x509.load_pem_x509_certificate(made[elk.AUTHORITY].encode())
    for server, (certificate, key) in elk.SERVERS.items():
        found = x509.load_pem_x509_certificate(made[certificate].encode())
        found.verify_directly_issued_by(ours)
        assert load_pem_private_key(made[key].encode(), None).public_key() == found.public_key()
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names.get_values_for_type(x509.DNSName) == [server, "localhost"]
        assert [str(one) for one in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
        assert not found.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert not authority.due(made[elk.AUTHORITY])


@pytest.mark.parametrize(
    ("stack", "values", "kept"), [("dev", {}, 7), ("prod", {}, 31), ("staging", {"retention": "30d"}, 30)]
)
def test_an_index_is_deleted_a_day_after_its_newest_line_is_old_enough(
    stack: str, values: dict[str, Any], kept: int
) -> None:
    wanted = json.loads(indices.requests(stack_config(stack, {"elk": values})))
    assert [one["path"] for one in wanted] == ["/_ilm/policy/obs-lines", "/_index_template/obs-lines"]
    phases = wanted[0]["document"]["policy"]["phases"]
    assert phases["delete"] == {"min_age": f"{kept + 1}d", "actions": {"delete": {}}}
    assert phases.keys() == {"hot", "delete"}
    template = wanted[1]["document"]
    assert template["template"]["settings"]["index.lifecycle.name"] == "obs-lines"
    assert template["template"]["settings"]["index.number_of_replicas"] == 0


def test_the_template_is_for_indices_of_a_day_and_no_data_stream() -> None:
    patterns = indices.template(stack_config("staging", ON))["index_patterns"]
    named = [re.compile(pattern.replace(".", r"\.").replace("*", ".*")) for pattern in patterns]
    for index in ("logs-2026.12.01", "other-2026.12.01", "lines-2026.12.01"):
        assert [one for one in named if one.fullmatch(index)]
    assert not [one for one in named if one.fullmatch("logs-nginx-default")]


def test_an_external_elasticsearch_takes_the_place_of_the_node() -> None:
    config, found = stack_config("staging", EXTERNAL), containers(EXTERNAL)
    assert "elasticsearch" not in found
    assert "elasticsearch" not in config.images
    assert {"logstash", "kibana", "elk-setup-config"} <= found.keys()
    files, secrets = servers.setup(config)
    assert (files["address"], files["user"]) == ("https://search.example.com:9200", "writer")
    assert (secrets, "BEGIN CERTIFICATE" in files["ca.pem"]) == ({"password": "elkExternalPassword"}, True)
    assert of_kibana(EXTERNAL)["elasticsearch.username"] == "kibana_system"
    assert of_kibana(EXTERNAL)["elasticsearch.password"] == VALUES["elkExternalKibanaPassword"]
    assert 'user => "writer"' in logstash.pipeline(config).text(VALUES)
    assert indices.template(config)["template"]["settings"]["index.number_of_replicas"] == 1
    missing = validate("dev", EXTERNAL, frozenset(), REFERENCE, complete=False).missing
    assert {"elkExternalPassword", "elkExternalKibanaPassword"} <= missing.keys()


def test_kibana_signs_in_by_tls_and_can_be_left_out() -> None:
    found = of_kibana(ON)
    assert found["elasticsearch.hosts"] == ["https://elasticsearch:9200"]
    assert found["elasticsearch.ssl.certificateAuthorities"] == ["/etc/kibana/current/ca.pem"]
    assert (found["server.ssl.enabled"], found["elasticsearch.username"]) == (True, "obs-kibana")
    assert stack_config("staging", ON).addresses["kibana"] == "https://127.0.0.1:5601"
    without: dict[str, Any] = {"elk": {"kibana": {"enabled": False}}}
    assert "kibana" not in containers(without)
    assert "kibana" not in stack_config("staging", without).addresses


def test_it_is_watched_again_once_its_images_are_there() -> None:
    config = stack_config("dev", {"elk": {}})
    again = config.without({"logstash": "no such host"}).without({})
    assert again.settings == config.settings
    assert again.settings.systems != config.without({"logstash": "no such host"}).settings.systems


def test_the_exporter_and_a_probe_watch_the_servers_of_the_stack() -> None:
    config = stack_config("staging", ON)
    found = {job.name: job.targets for job in jobs(config)}
    (target,) = [one for one in found["elasticsearch"] if one.labels["system"] == "platform"]
    assert target.labels["__param_target"] == "https://elasticsearch:9200"
    assert target.labels["__param_auth_module"] == "elasticsearch:9200"
    (probe,) = [one for one in found["blackbox"] if one.labels["instance"] == "http://logstash:9600/_health_report"]
    assert probe.labels["system"] == "platform"
    (module,) = [one for one in probes(config) if one.name == "logstash"]
    assert (module.json_values, module.interval) == ({"status": "green"}, "1m")
    given = containers(ON)["elasticsearch-exporter"].inputs
    assert "SSL_CERT_DIR=/etc/ssl/certs:/etc/elasticsearch-exporter/current" in given["envs"]
    uploads = {one["file"] for one in containers(ON)["elasticsearch-exporter-config"].inputs["uploads"]}
    assert uploads == {"/staging/ca.pem", "/staging/sign-in.yaml"}
    # Where an image is missing, none of it runs, and none of it is watched.
    without = config.without({"logstash": "no such host"})
    assert "elasticsearch" not in {job.name for job in jobs(without)}


def test_grafana_reads_the_lines_with_a_user_of_its_own() -> None:
    (found,) = [one for one in data_sources(stack_config("staging", ON)) if one.uid == "elasticsearch"]
    assert (found.url, found.user) == ("https://elasticsearch:9200", "obs-grafana")
    assert found.secrets == {"basicAuthPassword": "elkGrafanaPassword", "tlsCACert": "elkAuthority"}
    assert found.options["index"] == "logs-*,other-*,lines-*"
    assert found.options["tlsAuthWithCACert"] is True
    (group,) = rule_groups(stack_config("staging", ON))
    assert [rule.name for rule in group.rules] == ["ElasticsearchErrorBurst"]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"elk": {"retention": "36h"}}, "elk.retention"),
        ({"elk": {"logstash": {"port": 9200}}}, "another port of this section"),
        ({"elk": {"kibana": {"port": 9090}}}, "elk.kibana.port and prometheus.port are both 9090"),
        ({"elk": {"collector": True}, "profile": "metrics"}, "elk.collector: the collector"),
        ({"elk": {}, "grafana": {"dataSources": {"elasticsearch": {"url": "http://x"}}}}, "elk is this data source"),
        ({"elk": {"types": []}}, "elk.types"),
        ({"elk": {"types": ['a" or true']}}, "elk.types"),
        (
            {"elk": {}, "systems": {"platform": {"probes": [{"name": "logstash", "url": "http://x"}]}}},
            "'logstash' is the server of elk",
        ),
    ],
)
def test_settings_that_do_not_fit_are_refused(values: dict[str, Any], said: str) -> None:
    assert said in refused(values)


@pytest.mark.parametrize("value", ['a"b', "a\\b", "a\nb", "a${HOME}b"])
def test_a_password_that_a_file_would_read_otherwise_is_refused(value: str) -> None:
    config: StackConfig = stack_config("staging", ON)
    with pytest.raises(ConfigError, match="elkLogstashPassword"):
        logstash.pipeline(config).text({**VALUES, "elkLogstashPassword": value})
