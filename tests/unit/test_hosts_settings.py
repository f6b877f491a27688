"""The settings of other hosts: what is accepted, and what is refused with the fix."""

from typing import Any

import pytest

from observability.core.errors import ConfigError
from observability.settings import hosts
from observability.settings.load import StackConfig, secret_specs, validate

EDGE = {"address": "monitoring.example.com"}
SSH = {"docker": "ssh://root@10.0.0.2"}


def config(listed: dict[str, Any], **more: Any) -> StackConfig:  # noqa: ANN401
    return validate("dev", {"hosts": listed, "edge": EDGE, **more}, frozenset())


def refused(listed: dict[str, Any], **more: Any) -> ConfigError:  # noqa: ANN401
    with pytest.raises(ConfigError) as caught:
        config(listed, **more)
    return caught.value


def test_a_host_needs_only_the_address_of_its_docker_engine() -> None:
    host = config({"web-2": SSH}).settings.hosts["web-2"]
    assert (host.docker, host.named, str(host.subnet)) == ("ssh://root@10.0.0.2", "10.0.0.2", "172.30.91.0/24")


@pytest.mark.parametrize(
    ("docker", "named"),
    [
        ("ssh://root@web-2.example.com:2222", "web-2.example.com"),
        ("tcp://10.0.0.2:2376", "10.0.0.2"),
        ("unix:///run/web-2.sock", None),
    ],
)
def test_a_host_is_known_by_the_address_of_its_engine(docker: str, named: str | None) -> None:
    tls = {"tls": "~/.docker/web-2"} if docker.startswith("tcp") else {}
    assert config({"web-2": {"docker": docker, **tls}}).settings.hosts["web-2"].named == named


def test_a_hosts_own_address_overrides_that_of_its_engine() -> None:
    assert config({"web-2": {**SSH, "address": "web-2.lan"}}).settings.hosts["web-2"].named == "web-2.lan"


@pytest.mark.parametrize(
    ("docker", "said"),
    [
        ("10.0.0.2", "write it like ssh://root@10.0.0.2"),
        ("http://10.0.0.2:2375", "write it like ssh://root@10.0.0.2"),
        ("ssh://", "write it like ssh://10.0.0.2"),
        ("ssh://root:secret@10.0.0.2", "holds a password"),
        ("ssh://10.0.0.2/var/run", "write it like ssh://10.0.0.2"),
        ("tcp://10.0.0.2", "has no port"),
        ("unix://docker.sock", "names no socket"),
    ],
)
def test_what_is_no_address_of_an_engine_is_refused_with_an_example(docker: str, said: str) -> None:
    error = refused({"web-2": {"docker": docker}})
    assert "observability:hosts.web-2.docker" in error.what
    assert said in f"{error.what} {error.fix}"


def test_tcp_without_tls_is_refused() -> None:
    error = refused({"web-2": {"docker": "tcp://10.0.0.2:2376"}})
    assert "observability:hosts.web-2" in error.what
    assert "add tls" in f"{error.what} {error.fix}"


def test_tls_with_another_scheme_is_refused() -> None:
    assert "tls belongs to tcp:// only" in refused({"web-2": {**SSH, "tls": "certs"}}).what


def test_two_names_of_one_engine_are_refused() -> None:
    assert "are one engine" in refused({"web-2": SSH, "web-3": SSH}).what


def test_two_names_that_differ_in_hyphens_alone_are_refused() -> None:
    error = refused({"web-2": SSH, "web2": {"docker": "ssh://10.0.0.3"}})
    assert "hosts.web2 and hosts.web-2 differ in '-' alone" in error.what


def test_a_host_with_the_name_of_the_stacks_own_is_refused() -> None:
    assert "nodeExporter.hostName" in refused({"docker-host": SSH}).what


def test_hosts_without_an_address_of_the_edge_are_refused() -> None:
    assert "hosts need edge.address" in refused({"web-2": SSH}, edge={}).what


def test_hosts_with_the_edge_switched_off_are_refused() -> None:
    assert "edge.enabled" in refused({"web-2": SSH}, edge={**EDGE, "enabled": False}).what


def test_each_host_has_a_generated_credential() -> None:
    specs = secret_specs({"hosts": {"web-2": {}, "db-1": None}})
    assert specs["hostWeb2EdgeToken"].generated
    assert specs[hosts.token("db-1")].generated
    assert not config({"web-2": SSH}).missing


def test_a_system_may_run_on_a_host_with_an_agent() -> None:
    systems = {"platform": {"hosts": [{"name": "web-2"}]}}
    assert config({"web-2": SSH}, systems=systems).settings.systems
    error = refused({"web-2": SSH}, systems={"platform": {"hosts": [{"name": "web-3"}]}})
    assert "nor one of hosts" in error.what
    assert "docker-host or web-2" in error.fix


def test_on_a_host_the_configuration_has_its_network_and_its_name() -> None:
    there = config({"web-2": {**SSH, "subnet": "10.9.0.0/24"}}).on("web-2").settings
    assert there.network.gateway == "10.9.0.1"
    assert there.node_exporter.host_name == "web-2"
