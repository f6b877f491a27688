"""The contract of every container, in every environment."""

import json
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from functools import wraps
from typing import Any

import pytest
from pydantic import TypeAdapter

from components.exceptions import ALLOWANCES
from observability.core.naming import LABEL_COPIES, LABEL_INSTALLS, LABEL_SERVICE, LABEL_STACK
from observability.core.types import ImageRef
from observability.logs.otel import CONTAINERS
from observability.parts.docker_proxy import SOCKET
from observability.parts.model import Rule
from observability.settings.load import ROOT
from observability.synth.declared import CONTAINER, Declared
from observability.synth.record import HIDDEN, on, record
from tests.garbage import collected_at_the_end
from tests.unit.conftest import FULL, declared, stack_config

SECRET_INPUTS = {
    f"{CONTAINER}.uploads[].content",
    "pulumi:providers:grafana.auth",
    *(
        f"grafana:alerting/contactPoint:ContactPoint.{field}"
        for field in (
            *("webhooks[].url", "slacks[].url", "slacks[].token", "pagerduties[].integrationKey", "teams[].url"),
            *("discords[].url", "telegrams[].token", "opsgenies[].apiKey", "pushovers[].apiToken"),
            "pushovers[].userKey",
        )
    ),
    "grafana:oss/dataSource:DataSource.secureJsonDataEncoded",
}
"""Where a secret may be: Docker keeps no record of an upload, and the others are encrypted in the state."""


CASES = [("dev", {}), ("staging", {}), ("prod", {}), ("dev", FULL)]


def containers(resources: list[Declared]) -> list[Declared]:
    found = [resource for resource in resources if resource.type == CONTAINER]
    assert found
    return found


def service_of(container: Declared) -> str:
    return str(next(label["value"] for label in container.inputs["labels"] if label["label"] == LABEL_SERVICE))


def folders(container: Declared) -> set[str]:
    """The host's folders that a container sees."""
    return {volume["hostPath"] for volume in container.inputs.get("volumes", []) if "hostPath" in volume}


def excused(container: Declared, rule: Rule) -> bool:
    """Whether the list of exceptions has the container for the rule."""
    service = service_of(container)
    names = [service]
    for exporter in FULL["exporters"]:
        if exporter["name"] == service:
            names = ["exporters", *(["exporters with capabilities"] if exporter.get("capabilities") else [])]
    if service == "collector" and folders(container) != {CONTAINERS}:
        names.append("collector with files")
    return any(
        fnmatchcase(name, allowance.service) and allowance.rule == rule for allowance in ALLOWANCES for name in names
    )


def sees_socket(inputs: Mapping[str, Any]) -> bool:
    """Whether the host's Docker socket, or the folder it is in, is mounted by name."""
    return any(volume.get("hostPath") in ("/var/run", SOCKET) for volume in inputs.get("volumes", []))


each_stack = pytest.mark.parametrize(("stack", "values"), CASES, ids=["dev", "staging", "prod", "dev-full"])


def every_container(test: Callable[[Declared], None]) -> Callable[[str, dict[str, Any]], None]:
    """A test of each stack that makes the assertions of `test` about each of its containers."""

    @wraps(test)
    def of_stack(stack: str, values: dict[str, Any]) -> None:
        for container in containers(declared(stack, values)):
            try:
                test(container)
            except Exception as error:
                raise AssertionError(f"{container.name} of {stack}: {error}") from error

    del vars(of_stack)["__wrapped__"]  # pytest would take the arguments of `test` for this one's.
    marked: Callable[[str, dict[str, Any]], None] = each_stack(of_stack)
    return marked


@every_container
def test_its_image_is_pinned(container: Declared) -> None:
    TypeAdapter(ImageRef).validate_python(container.inputs["image"])


@every_container
def test_it_does_not_run_as_root_or_the_exception_is_listed(container: Declared) -> None:
    uid = container.inputs["user"].partition(":")[0]
    assert uid.isdigit()
    assert (int(uid) == 0) == excused(container, "not root")


@every_container
def test_it_does_not_mount_the_docker_socket_or_the_exception_is_listed(container: Declared) -> None:
    assert excused(container, "no Docker socket") == sees_socket(container.inputs)


@every_container
def test_it_has_no_capability_or_the_exception_is_listed(container: Declared) -> None:
    capabilities = container.inputs["capabilities"]
    assert capabilities["drops"] == ["ALL"]
    assert bool(capabilities.get("adds")) == excused(container, "no capability")


@every_container
def test_it_has_no_device_of_the_host_or_a_listed_one_that_it_may_only_read(container: Declared) -> None:
    devices = container.inputs.get("devices", [])
    assert bool(devices) == excused(container, "no device")
    assert {device["permissions"] for device in devices} <= {"r"}


def test_cadvisor_reads_the_kernels_log_of_out_of_memory_kills() -> None:
    # On the stack's own host and on both others.
    cadvisor, *others = (one for one in containers(declared("dev", FULL)) if service_of(one) == "cadvisor")
    assert [one.inputs["devices"] for one in others] == [cadvisor.inputs["devices"]] * 2
    device = {"hostPath": "/dev/kmsg", "containerPath": "/dev/kmsg", "permissions": "r"}
    assert cadvisor.inputs["devices"] == [device]
    assert cadvisor.inputs["capabilities"]["adds"] == ["SYSLOG"]


@every_container
def test_it_cannot_gain_privileges(container: Declared) -> None:
    assert "no-new-privileges:true" in container.inputs["securityOpts"]
    assert not container.inputs.get("privileged")


@every_container
def test_its_root_is_read_only_or_the_exception_is_listed(container: Declared) -> None:
    assert container.inputs.get("readOnly", False) != excused(container, "read-only root")


@every_container
def test_its_memory_is_limited_with_swap_so_that_previews_stay_stable(container: Declared) -> None:
    assert container.inputs["memory"] >= 16
    assert container.inputs["memorySwap"] == container.inputs["memory"]


@every_container
def test_its_log_is_rotated(container: Declared) -> None:
    assert container.inputs["logDriver"] == "json-file"
    assert {"max-size", "max-file"} <= container.inputs["logOpts"].keys()


@every_container
def test_it_waits_for_its_health_check_or_the_exception_is_listed(container: Declared) -> None:
    checked = bool(container.inputs.get("healthcheck", {}).get("tests"))
    assert checked != excused(container, "health check")
    assert bool(container.inputs.get("wait")) == checked


@every_container
def test_it_restarts_automatically_unless_it_is_to_run_once(container: Declared) -> None:
    once = container.inputs.get("attach", False)
    assert container.inputs["restart"] == ("no" if once else "unless-stopped")


@every_container
def test_its_ports_are_published_on_loopback_or_where_the_settings_state_it(container: Declared) -> None:
    elsewhere = {(port["ip"], port["external"]) for port in container.inputs.get("ports", [])}
    elsewhere = {(address, port) for address, port in elsewhere if address != "127.0.0.1"}
    # A port of syslog with `bindAddress`, the edge, to which other hosts send, and traces, on a network's gateway.
    known = {("192.0.2.1", 5515), ("0.0.0.0", 8443), ("172.30.90.1", 8126)}  # noqa: S104
    gateways = ("172.30.90.1", "172.30.91.1", "172.30.92.1")
    assert elsewhere <= known | {(gateway, port) for gateway in gateways for port in (4317, 4318)}


@every_container
def test_it_has_its_own_namespaces_on_the_stack_network_or_the_exception_is_listed(container: Declared) -> None:
    shares = "networkMode" in container.inputs
    assert shares == excused(container, "own network")
    assert ("networksAdvanced" in container.inputs) != shares
    assert not {"pidMode", "ipcMode"} & container.inputs.keys()


@every_container
def test_folders_of_the_host_are_read_only(container: Declared) -> None:
    volumes = container.inputs.get("volumes", [])
    written = [volume["hostPath"] for volume in volumes if "hostPath" in volume and not volume["readOnly"]]
    # The repository of backups.
    assert written == (["/var/backups/monitoring"] if service_of(container) == "backup" else [])
    assert "mounts" not in container.inputs


@every_container
def test_it_is_labelled_with_its_stack_and_service(container: Declared) -> None:
    labels = {label["label"] for label in container.inputs["labels"]} - {LABEL_COPIES}
    assert labels == {LABEL_STACK, LABEL_SERVICE, *((LABEL_INSTALLS,) if container.inputs.get("attach") else ())}


def test_every_listed_exception_is_used_and_has_a_reason() -> None:
    everything = [*containers(declared("dev", FULL)), *containers(declared("dev", {}))]
    rules: dict[Rule, Any] = {
        "read-only root": lambda inputs: not inputs.get("readOnly"),
        "health check": lambda inputs: not inputs.get("healthcheck"),
        "own network": lambda inputs: "networkMode" in inputs,
        "no capability": lambda inputs: inputs["capabilities"].get("adds"),
        "no device": lambda inputs: inputs.get("devices"),
        "not root": lambda inputs: inputs["user"].startswith("0"),
        "no Docker socket": sees_socket,
    }
    for allowance in ALLOWANCES:
        assert len(allowance.reason) > 20
        assert any(
            excused(container, allowance.rule) and rules[allowance.rule](container.inputs) for container in everything
        ), allowance


def test_of_the_collector_and_its_proxy_only_the_proxy_sees_the_socket() -> None:
    found = {service_of(container): container.inputs for container in containers(declared("dev", {}))}
    assert {service for service, inputs in found.items() if sees_socket(inputs)} == {"cadvisor", "docker-proxy"}
    mounted = {volume.get("hostPath"): volume for volume in found["collector"]["volumes"]}
    assert mounted["/var/lib/docker/containers"]["readOnly"]
    assert not found["docker-proxy"].get("ports")
    for service in ("collector", "docker-proxy"):
        assert found[service]["capabilities"] == {"drops": ["ALL"]}


EDGE = {"enabled": True, "address": "monitoring.example.com"}


def test_an_address_other_than_loopback_is_used_only_when_configured() -> None:
    ports = [
        port
        for container in containers(declared("dev", {"bindAddress": "10.1.2.3", "edge": EDGE}))
        for port in container.inputs.get("ports", [])
    ]
    assert {port["ip"] for port in ports if port["external"] != 8443} == {"10.1.2.3"}
    assert {port["ip"] for port in ports if port["external"] == 8443} == {"0.0.0.0"}  # noqa: S104


@pytest.mark.parametrize(("stack", "values"), CASES)
def test_no_secret_is_in_any_input_but_those_made_for_one(stack: str, values: dict[str, Any]) -> None:
    hidden = []

    def walk(value: object, path: str) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                walk(inner, f"{path}.{key}")
        elif isinstance(value, list):
            for inner in value:
                walk(inner, f"{path}[]")
        elif value == HIDDEN:
            hidden.append(path)

    resources = declared(stack, values)
    for resource in resources:
        walk(resource.inputs, resource.type)
    assert f"{CONTAINER}.uploads[].content" in hidden
    assert set(hidden) <= SECRET_INPUTS
    assert values != FULL or set(hidden) == SECRET_INPUTS
    assert "value of" not in json.dumps([resource.inputs for resource in resources])


def test_containers_and_volumes_have_names_that_contain_their_stack() -> None:
    for resource in declared("staging"):
        if resource.type.startswith("docker:"):
            assert resource.inputs["name"].startswith("obs-staging")


def test_no_two_resources_of_a_kind_on_a_host_have_the_same_name() -> None:
    resources = [resource for resource in declared("dev", FULL) if resource.type.startswith("docker:")]
    names = [(resource.host, resource.type, resource.inputs["name"]) for resource in resources]
    assert len(names) == len(set(names))


def test_node_exporter_and_its_job_are_switched_off_together() -> None:
    without = declared("dev", {"nodeExporter": {"enabled": False}})
    assert not [container for container in containers(without) if "node-exporter" in container.name]
    assert "job_name: node" not in json.dumps([resource.inputs for resource in without])
    assert "job_name: node" in json.dumps([resource.inputs for resource in declared("dev")])


def test_an_exporter_from_the_settings_is_run_and_scraped() -> None:
    resources = on(declared("dev", FULL), None)
    exporter = next(container for container in containers(resources) if service_of(container) == "rabbitmq")
    assert exporter.inputs["image"] == "mirror.example.com/library/kbudde/rabbitmq-exporter:v1.0.0"
    loader = next(container for container in containers(resources) if service_of(container) == "prometheus-config")
    assert "rabbitmq:9419" in "".join(upload["content"] for upload in loader.inputs["uploads"])


def test_a_change_of_configuration_changes_only_the_loader() -> None:
    before = {resource.name: resource.inputs for resource in declared("dev")}
    after = {resource.name: resource.inputs for resource in declared("dev", {"prometheus": {"scrapeInterval": "20s"}})}
    changed = {name for name in before if before[name] != after[name]}
    # Grafana's data source for Prometheus has the same interval.
    assert changed == {"prometheus-config-loader", "grafana-content-source-prometheus"}


def test_a_resource_declared_twice_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    import observability.synth.record as module

    build = module._build

    def twice(args: Any) -> None:  # noqa: ANN401
        build(args)
        build(args)

    monkeypatch.setattr(module, "_build", twice)
    with collected_at_the_end(), pytest.raises(Exception, match="declared twice"):
        record(stack_config("dev", {"profile": "minimal"}), {"a.yaml": "groups: []"})


def test_the_program_itself_stays_short() -> None:
    assert len((ROOT / "__main__.py").read_text().splitlines()) < 40
