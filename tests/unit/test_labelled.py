"""Containers that are scraped because of their Docker labels: which are reached, and why others are not."""

import re
from typing import Any

import pytest

from dashboards.linked_rules import files
from observability.core import naming
from observability.core.documents import load_yaml
from observability.core.errors import ConfigError
from observability.scrape import agents, labelled
from tests.unit.conftest import FULL, stack_config

GATEWAY = "172.30.90.1"


def container(
    *,
    labels: dict[str, str] | None = None,
    ports: dict[str, list[dict[str, str]] | None] | None = None,
    network: str = "shop_default",
    mode: str = "shop_default",
) -> dict[str, Any]:
    """A container as `docker inspect` shows it."""
    return {
        "Name": "/shop-api-1",
        "Config": {"Labels": {naming.LABEL_SCRAPE: "true", **(labels or {})}},
        "HostConfig": {"NetworkMode": mode},
        "NetworkSettings": {"Ports": ports or {}, "Networks": {network: {}}},
    }


def bound(address: str) -> list[dict[str, str]]:
    return [{"HostIp": address, "HostPort": "18080"}]


@pytest.mark.parametrize(
    "found",
    [
        container(labels={"obs.port": "8080"}, network="obs-staging"),
        container(ports={"8080/tcp": None}, network="obs-staging"),
        container(labels={"obs.port": "8080"}, ports={"8080/tcp": bound(labelled.EVERYWHERE[0]), "9000/tcp": None}),
        container(ports={"8080/tcp": bound(GATEWAY), "53/udp": None}),
        container(ports={"8080/tcp": bound(GATEWAY), "9093/tcp": None}),
        container(labels={"obs.port": "8080"}, network="host", mode="host"),
    ],
)
def test_a_container_that_is_reached_is_an_instance_by_name_and_port(found: dict[str, Any]) -> None:
    one = labelled.labelled(stack_config("staging"), found)
    assert one == labelled.Labelled(name="shop-api-1", instance="shop-api-1:8080")


@pytest.mark.parametrize(
    ("found", "problem"),
    [
        (container(network="obs-staging"), "it exposes no port; state one in the label obs.port"),
        (
            container(labels={"obs.port": "http"}, network="obs-staging"),
            "obs.port is 'http'; write the number of a port",
        ),
        (container(ports={"80/tcp": None, "9100/tcp": None}, network="obs-staging"), "it exposes 80, 9100; state one"),
        (
            container(labels={"obs.port": "9100"}, ports={"80/tcp": None}, network="obs-staging"),
            "port 9100 is not exposed",
        ),
        (container(ports={"8080/tcp": bound("127.0.0.1")}), f"publish port 8080 on {GATEWAY}"),
        (container(labels={"obs.port": "8080"}), "join the network obs-staging"),
    ],
)
def test_a_container_that_is_not_reached_is_named_with_the_fix(found: dict[str, Any], problem: str) -> None:
    one = labelled.labelled(stack_config("staging"), found)
    assert one is not None
    assert one.instance is None
    assert problem in str(one.problem)


def test_a_container_without_the_label_is_not_scraped() -> None:
    found = container(labels={naming.LABEL_SCRAPE: "yes"}, network="obs-staging")
    assert labelled.labelled(stack_config("staging"), found) is None


def test_an_agents_discovery_names_its_host_and_its_own_network() -> None:
    config = stack_config("dev", FULL)
    (host, *_) = config.settings.hosts
    (job,) = (job.to_config() for job in agents.jobs(config, host) if job.name == labelled.JOB)
    relabelled = {
        rule["target_label"]: rule.get("replacement") for rule in job["relabel_configs"] if "target_label" in rule
    }
    assert relabelled["host"] == host
    assert relabelled["instance"] == f"{host}:$1:$2"
    assert any(config.on(host).settings.network.gateway in str(rule) for rule in job["relabel_configs"])


def test_the_discovery_grows_by_a_constant_with_each_system() -> None:
    """Systems of one job and path share their rules, so that thousands of systems stay possible."""
    config = stack_config("staging", {"systems": {"depot": {}}})
    few = [rule for job in labelled.jobs(config) for rule in job.to_config()["relabel_configs"]]
    assert len(few) < 12 + 8 + 5 * len(config.systems)


def test_a_container_is_expected_on_a_known_host_once() -> None:
    def refused(*containers: dict[str, str], **more: Any) -> str:  # noqa: ANN401 - settings
        with pytest.raises(ConfigError) as error:
            stack_config("staging", {"systems": {"depot": {"containers": list(containers)}}, **more})
        return str(error.value)

    assert re.search(
        r"systems\.depot\.containers\[0\]\.host: 'web-9': there is no such host",
        refused({"name": "a", "host": "web-9"}),
    )
    assert "two entries are the container a" in refused({"name": "a"}, {"name": "a"})
    assert "cadvisor is disabled" in refused({"name": "a"}, cadvisor={"enabled": False})


def test_an_expected_container_is_a_series_of_its_host() -> None:
    hosts = {"web-2": {"docker": "ssh://root@web-2.example.com"}}
    own = {"depot": {"containers": [{"name": "shop-db-1"}, {"name": "shop-db-1", "host": "web-2"}]}}
    config = stack_config("staging", {"systems": own, "hosts": hosts, "edge": {"address": "192.0.2.1"}})
    (group,) = (
        one for one in load_yaml(files(config)["thresholds.yaml"])["groups"] if one["name"] == "expected-containers"
    )
    assert [rule["labels"] for rule in group["rules"]] == [
        {"system": "depot", "team": "depot", "instance": instance, "name": "shop-db-1"}
        for instance in ("cadvisor:8080", "web-2:8080")
    ]
