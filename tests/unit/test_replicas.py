"""One Alertmanager or several: what changes with their number, and what must not."""

from collections.abc import Mapping
from typing import Any

import pytest

from dashboards.linked_rules import files
from observability.core.documents import load_yaml
from observability.core.errors import ConfigError
from observability.logs import formats, loki
from observability.scrape import prometheus
from observability.synth.declared import CONTAINER, Declared
from tests.unit.conftest import declared, stack_config


def values(replicas: int) -> dict[str, Any]:
    return {"alertmanager": {"replicas": replicas}}


def containers(replicas: int) -> dict[str, Mapping[str, Any]]:
    """Inputs of the containers of Alertmanager, by name."""
    found = {one.inputs["name"]: one.inputs for one in declared("dev", values(replicas)) if one.type == CONTAINER}
    return {name: inputs for name, inputs in found.items() if name.startswith("obs-dev-alertmanager")}


def named(resources: list[Declared]) -> dict[str, str]:
    """Name of each of Alertmanager's resources, and its name in Docker."""
    return {one.name: str(one.inputs.get("name")) for one in resources if one.name.startswith("alertmanager")}


def test_a_single_alertmanager_has_no_cluster_peers() -> None:
    found = containers(1)
    assert found.keys() == {"obs-dev-alertmanager", "obs-dev-alertmanager-config"}
    command = found["obs-dev-alertmanager"]["entrypoints"]
    assert [argument for argument in command if argument.startswith("--cluster")] == ["--cluster.listen-address="]


@pytest.mark.parametrize("number", [1, 2, 3])
def test_each_of_three_has_the_two_others_as_peers(number: int) -> None:
    services = ["alertmanager", "alertmanager-2", "alertmanager-3"]
    own = services[number - 1]
    command = containers(3)[f"obs-dev-{own}"]["entrypoints"]
    assert [argument for argument in command if argument.startswith("--cluster")] == [
        "--cluster.listen-address=0.0.0.0:9094",
        "--cluster.peer-timeout=4s",
        *(f"--cluster.peer={other}:9094" for other in services if other != own),
    ]


def test_each_has_its_own_volume_and_loader_and_the_same_files() -> None:
    found = containers(2)
    assert {name for name in found if name.endswith("-config")} == {
        "obs-dev-alertmanager-config",
        "obs-dev-alertmanager-2-config",
    }
    first, second = (found[f"obs-dev-{name}-config"] for name in ("alertmanager", "alertmanager-2"))
    assert first["uploads"] == second["uploads"]
    assert first["entrypoints"][-1] == "http://alertmanager:9093/-/reload"
    assert second["entrypoints"][-1] == "http://alertmanager-2:9093/-/reload"
    volumes = [found[f"obs-dev-{name}"]["volumes"] for name in ("alertmanager", "alertmanager-2")]
    assert not {mount["volumeName"] for mount in volumes[0]} & {mount["volumeName"] for mount in volumes[1]}


def test_adding_a_second_one_changes_only_the_arguments_of_the_first() -> None:
    before, after = named(declared("dev", values(1))), named(declared("dev", values(2)))
    assert before.items() <= after.items()
    one, two = containers(1)["obs-dev-alertmanager"], containers(2)["obs-dev-alertmanager"]
    assert {key for key in one if one[key] != two[key]} == {"entrypoints"}


def test_only_the_first_is_published() -> None:
    found = containers(3)
    assert [port["external"] for port in found["obs-dev-alertmanager"]["ports"]] == [9093]
    assert not found["obs-dev-alertmanager-2"].get("ports")
    assert not found["obs-dev-alertmanager-3"].get("ports")


def test_prometheus_and_loki_send_to_all_of_them() -> None:
    config = stack_config("dev", values(2))
    document = load_yaml(prometheus.files(config, files(config))["prometheus.yaml"])
    (told,) = document["alerting"]["alertmanagers"]
    assert told["static_configs"] == [{"targets": ["alertmanager:9093", "alertmanager-2:9093"]}]
    ruler = load_yaml(loki.files(config)["loki.yaml"])["ruler"]
    assert ruler["alertmanager_url"] == "http://alertmanager:9093,http://alertmanager-2:9093"


def test_all_are_watched_under_one_job() -> None:
    config = stack_config("dev", values(2))
    document = load_yaml(prometheus.files(config, files(config))["prometheus.yaml"])
    (job,) = (job for job in document["scrape_configs"] if job["job_name"].startswith("alertmanager"))
    assert [target["labels"]["instance"] for target in job["static_configs"]] == [
        "alertmanager:9093",
        "alertmanager-2:9093",
    ]
    assert formats.SERVICES["alertmanager(?:-.+)?"] == "logfmt"


@pytest.mark.parametrize("replicas", [0, 4])
def test_an_invalid_number_of_replicas_is_refused(replicas: int) -> None:
    with pytest.raises(ConfigError, match=r"observability:alertmanager\.replicas"):
        stack_config("dev", values(replicas))
