"""The agent on another host: what runs there, what it scrapes, and where it sends."""

import json
from typing import Any, Final

from observability.collector import configuration
from observability.core.documents import load_yaml
from observability.core.naming import agent
from observability.logs import loki
from observability.operations.hosts import Hosts, agent_images
from observability.scrape import agents
from observability.scrape.prometheus import host_of
from observability.settings.hosts import token
from observability.synth.declared import CONTAINER, Declared
from observability.synth.record import HIDDEN, on
from observability.synth.write import generated_files
from tests.unit.conftest import declared, stack_config

PLAIN: Final[dict[str, Any]] = {"grafana": {"enabled": False}}
HOSTS: Final[dict[str, Any]] = {
    **PLAIN,
    "hosts": {
        "web": {"docker": "tcp://10.0.0.3:2376", "tls": "/etc/obs/web"},
        "web-2": {"docker": "ssh://root@10.0.0.2", "subnet": "10.9.0.0/24"},
    },
    "edge": {"address": "monitoring.example.com", "port": 9443},
}


def services(resources: list[Declared]) -> dict[str, Declared]:
    """The containers that run until they are stopped, by Docker's name without the stack's."""
    return {
        one.inputs["name"].removeprefix("obs-dev-"): one
        for one in resources
        if one.type == CONTAINER and not one.inputs.get("attach")
    }


def test_without_hosts_there_is_no_resource_of_one() -> None:
    assert not [one for one in declared("dev", PLAIN) if one.host or "host-" in one.name]


def test_hosts_change_no_name_and_no_parent_of_the_stacks_own_resources() -> None:
    def known(values: dict[str, Any]) -> set[tuple[str, str, str | None]]:
        return {(one.type, one.name, one.parent) for one in declared("dev", values)}

    assert known(PLAIN) <= known(HOSTS)


def test_each_host_has_a_provider_that_does_not_need_the_host_to_answer() -> None:
    found = {one.name: dict(one.inputs) for one in declared("dev", HOSTS) if one.type == "pulumi:providers:docker"}
    assert found == {
        "host-web": {"host": "tcp://10.0.0.3:2376", "certPath": "/etc/obs/web", "disableDockerDaemonCheck": "true"},
        "host-web-2": {"host": "ssh://root@10.0.0.2", "disableDockerDaemonCheck": "true"},
    }


def test_an_agent_has_the_parts_that_read_a_host_and_a_prometheus() -> None:
    found = services(on(declared("dev", HOSTS), "web-2"))
    assert set(found) == {"node-exporter", "cadvisor", "docker-proxy", "collector", "prometheus"}
    assert not [one for one in found.values() if one.inputs.get("ports")]


def test_without_logs_and_container_metrics_an_agent_has_the_hosts_metrics_alone() -> None:
    found = services(on(declared("dev", {**HOSTS, "profile": "minimal"}), "web"))
    assert set(found) == {"node-exporter", "prometheus"}


def test_every_resource_of_an_agent_is_on_its_host_and_no_other_is() -> None:
    for one in declared("dev", HOSTS):
        if one.type.startswith("docker:"):
            expected = next((name for name in ("web-2", "web") if one.name.startswith(f"{agent(name)}-")), None)
            assert one.host == expected


def test_an_agents_network_has_the_subnet_of_its_host() -> None:
    (network,) = (one for one in on(declared("dev", HOSTS), "web-2") if one.type.endswith("Network"))
    assert network.inputs["ipamConfigs"] == [{"subnet": "10.9.0.0/24", "gateway": "10.9.0.1"}]
    exporter = services(on(declared("dev", HOSTS), "web-2"))["node-exporter"]
    assert "--web.listen-address=10.9.0.1:9100" in exporter.inputs["command"]


def test_prometheus_there_is_an_agent_that_keeps_samples_for_hours() -> None:
    command = services(on(declared("dev", HOSTS), "web"))["prometheus"].inputs["command"]
    assert command[0] == "--agent"
    assert "--storage.agent.retention.max-time=12h" in command


def test_an_agent_scrapes_with_the_hosts_name_in_every_instance() -> None:
    targets = {
        (job.name, target.labels["instance"]): target
        for job in agents.jobs(stack_config("dev", HOSTS), "web-2")
        for target in job.targets
    }
    assert set(targets) == {
        ("prometheus", "web-2:9090"),
        ("node", "web-2"),
        ("docker", "web-2:8080"),
        ("docker-proxy", "web-2:8404"),
        ("collector", "web-2:8888"),
        ("collector", "web-2:8889"),
    }
    assert {target.labels["host"] for target in targets.values()} == {"web-2"}
    assert {host_of(instance) for _, instance in targets} == {"web-2"}


def test_an_agent_sends_samples_to_the_edge_with_its_own_credential() -> None:
    config = stack_config("dev", HOSTS)
    (write,) = load_yaml(agents.files(config, "web")["prometheus.yaml"])["remote_write"]
    assert write["url"] == "https://monitoring.example.com:9443/api/v1/write"
    secrets = agents.secret_files(config, "web")
    assert secrets[write["authorization"]["credentials_file"]] == token("web")
    assert secrets[write["tls_config"]["ca_file"]] == config.settings.edge.authority


def test_an_agent_sends_lines_to_the_edge_with_its_own_credential() -> None:
    config = stack_config("dev", HOSTS).on("web-2")
    document = configuration.document(config, "web-2")
    exporter = document["exporters"]["otlp_http/loki"]
    assert exporter["endpoint"] == "https://monitoring.example.com:9443/otlp"
    extension = exporter["auth"]["authenticator"]
    assert extension in document["service"]["extensions"]
    name = document["extensions"][extension]["filename"].rpartition("/")[2]
    assert configuration.secret_files(config, "web-2")[name] == token("web-2")


def test_a_stack_with_hosts_labels_every_stream_with_its_host() -> None:
    config = stack_config("dev", HOSTS)
    for host, name in ((None, "docker-host"), ("web", "web")):
        text = json.dumps(configuration.document(config.on(host) if host else config, host))
        assert f'set(resource.attributes[\\"host\\"], \\"{name}\\")' in text
    assert loki.indexed(config) == (*loki.INDEXED, "host")
    alone = stack_config("dev", PLAIN)
    assert loki.indexed(alone) == loki.INDEXED
    assert 'resource.attributes[\\"host\\"]' not in json.dumps(configuration.document(alone))


def test_a_credential_is_in_an_upload_and_nowhere_else() -> None:
    for one in on(declared("dev", HOSTS), "web"):
        uploads = {upload["file"]: upload["content"] for upload in one.inputs.get("uploads", ())}
        secret = {path for path, content in uploads.items() if content == HIDDEN}
        assert secret == {path for path in uploads if "edge-" in path}
        assert HIDDEN not in json.dumps({key: value for key, value in one.inputs.items() if key != "uploads"})


def test_synth_writes_the_files_of_each_agent_to_a_folder_of_its_own() -> None:
    config = stack_config("dev", HOSTS)
    found = {path for path in generated_files(config, {}) if path.startswith("hosts/web-2/")}
    assert found == {
        "hosts/web-2/prometheus/prometheus.yaml",
        "hosts/web-2/collector/collector.yaml",
        "hosts/web-2/docker-proxy/haproxy.cfg",
    }


def test_alerts_on_an_address_of_a_host_name_the_host() -> None:
    assert agents.addresses(stack_config("dev", HOSTS)) == {"10.0.0.3": "web", "10.0.0.2": "web-2"}


def test_only_the_host_that_does_not_answer_is_left_alone() -> None:
    hosts = Hosts(config=stack_config("dev", HOSTS), silent={"web": "no route to host"})
    resources = declared("dev", HOSTS)
    alone = set(hosts.left_alone(resources))
    assert alone == {one.name for one in resources if one.name == "host-web" or one.host == "web"} | {
        one.name for one in resources if one.name.startswith("host-web-") and not one.name.startswith("host-web-2")
    }


def test_an_agent_needs_the_images_of_its_parts_alone() -> None:
    found = agent_images(stack_config("dev", HOSTS).on("web"))
    assert {reference.rpartition("/")[2].partition(":")[0] for reference in found} == {
        *("prometheus", "cadvisor", "opentelemetry-collector-contrib", "busybox", "haproxy", "node-exporter"),
    }
