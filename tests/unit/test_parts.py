"""Parts: what is left out leaves no trace, and what is watched depends on the environment."""

import json
from typing import Any

import pytest

from dashboards.linked_rules import files as rule_files
from observability.core.errors import ConfigError
from observability.operations.home import Home
from observability.scrape.jobs import jobs
from observability.settings.load import StackConfig
from observability.settings.parts import LEAVABLE, PARTS
from observability.synth.record import CONTAINER, record
from observability.synth.write import generated_files
from tests.unit.conftest import FULL, stack_config

JOBS = {
    "node-exporter": {"node"},
    "cadvisor": {"docker"},
    "blackbox-exporter": {"blackbox"},
    "postgres-exporter": {"postgres"},
    "redis-exporter": {"redis"},
    "nginx-exporter": {"nginx"},
    "mongodb-exporter": {"mongodb"},
    "elasticsearch-exporter": {"elasticsearch"},
    "loki": {"loki", "alloy"},
    "collector": {"alloy"},
    "grafana": {"grafana"},
    "goalert": {"goalert"},
    "demo": {"backend", "syncup-api", "blackbox", "postgres", "redis", "nginx"},
}
"""Jobs that go with each part of a dev stack; without the demo its exporters have nothing to watch."""

BEYOND_DEMO = {
    **{section: FULL[section] for section in ("mongodbExporter", "elasticsearchExporter")},
    "goalert": {"enabled": True},
}
"""Settings of the exporters to which the demo brings no targets, and of what no profile has."""


def job_names(config: StackConfig) -> set[str]:
    return {job.name for job in jobs(config)}


def images_of(config: StackConfig) -> set[str]:
    return {resource.inputs["image"] for resource in record(config, rule_files(config)) if resource.type == CONTAINER}


def test_every_part_has_its_jobs_in_the_table() -> None:
    assert JOBS.keys() == PARTS.keys()


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_is_switched_off_takes_its_jobs_and_nothing_else_with_it(part: str) -> None:
    whole = stack_config("dev", BEYOND_DEMO)
    section = "".join(word.title() if index else word for index, word in enumerate(part.split("-")))
    without = stack_config("dev", {**BEYOND_DEMO, section: {**BEYOND_DEMO.get(section, {}), "enabled": False}})
    assert whole.runs(part)
    assert not without.runs(part)
    assert job_names(whole) - job_names(without) == JOBS[part]


@pytest.mark.parametrize("part", ["mongodb-exporter", "elasticsearch-exporter"])
def test_an_exporter_without_targets_does_not_run(part: str) -> None:
    assert not stack_config().runs(part)
    assert not job_names(stack_config()) & JOBS[part]
    assert stack_config("dev", BEYOND_DEMO).runs(part)


@pytest.mark.parametrize("image", sorted(LEAVABLE - {"alloy", "promtail"}))
def test_an_image_that_is_not_to_be_had_takes_its_part_out(image: str) -> None:
    config = stack_config("dev", BEYOND_DEMO).without({image: "no such host"})
    (part,) = (name for name, spec in PARTS.items() if image in spec.images)
    assert not config.runs(part)
    # Two parts may run the same image.
    assert images_of(config) == set(config.images.values())
    assert image not in config.images


@pytest.mark.parametrize(
    ("stack", "values"), [("dev", {}), ("prod", {}), ("dev", FULL), ("dev", {"profile": "minimal"})]
)
def test_the_images_obtained_are_those_the_containers_run(stack: str, values: dict[str, Any]) -> None:
    config = stack_config(stack, values)
    assert images_of(config) == set(config.images.values())


@pytest.mark.parametrize(
    ("profile", "absent", "present"),
    [
        ("metrics", {"loki", "alloy"}, {"backend", "postgres", "node"}),
        ("minimal", {"loki", "alloy", "docker", "grafana", "backend", "postgres"}, {"node", "prometheus"}),
    ],
)
def test_a_profile_leaves_parts_out(profile: str, absent: set[str], present: set[str]) -> None:
    found = job_names(stack_config("dev", {"profile": profile}))
    assert not absent & found
    assert present <= found


def test_a_part_can_be_added_to_a_profile() -> None:
    assert stack_config("dev", {"profile": "minimal", "loki": {"enabled": True}}).runs("loki")


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_outside_dev_nothing_of_the_demo_is_left(stack: str) -> None:
    config = stack_config(stack)
    rules = rule_files(config)
    inputs = json.dumps([resource.inputs for resource in record(config, rules) if resource.type == CONTAINER])
    files = generated_files(config, rules)
    assert '"obs-staging-demo' not in inputs
    assert "demo-postgres:" not in inputs + "".join(files.values())
    assert job_names(config).isdisjoint({"backend", "blackbox", "postgres", "redis", "nginx"})


def test_outside_dev_targets_come_from_the_settings() -> None:
    found = {job.name: job.targets for job in jobs(stack_config("staging", FULL))}
    assert [target.labels["instance"] for target in found["postgres"]] == ["db.example.com:5432"]
    assert found["redis"][0].labels["__param_target"] == "rediss://cache.example.com:6379"
    assert found["nginx"][0].address == "nginx-exporter-shop:9113"
    assert found["mongodb"][0].address == "mongodb-exporter:9216"
    assert found["mongodb"][0].labels["__param_target"] == "mongo.example.com:27017"
    assert found["elasticsearch"][0].labels["__param_target"] == "https://search.example.com:9200"
    assert found["elasticsearch"][0].labels["__param_auth_module"] == "search.example.com:9200"
    assert {
        target.labels["system"] for name in ("postgres", "redis", "nginx", "blackbox") for target in found[name]
    } == {"erpgo"}
    assert found["mongodb"][0].labels["system"] == "alawael"


def test_promtail_takes_the_place_of_an_alloy_that_is_not_to_be_had() -> None:
    config = stack_config()
    assert config.collector == "alloy"
    assert config.instead == {"alloy": {"promtail": config.settings.image("promtail")}}
    assert config.without({"alloy": "no such host"}).collector == "promtail"
    assert config.without({"alloy": "x", "promtail": "y"}).collector is None
    assert stack_config("dev", {"collector": {"kind": "promtail"}}).collector == "promtail"


def test_the_engines_metrics_are_scraped_where_the_settings_say() -> None:
    found = {job.name: job.targets for job in jobs(stack_config("dev", {"docker": {"metricsAddress": "host:9323"}}))}
    assert [target.address for target in found["docker"]] == ["cadvisor:8080", "host:9323"]
    without = jobs(stack_config("dev", {"cadvisor": {"enabled": False}}))
    assert "docker" not in {job.name for job in without}


def test_what_was_left_out_is_remembered_beside_the_state(tmp_path: Any) -> None:  # noqa: ANN401
    home = Home(folder=tmp_path)
    home.set_left_out("dev", {"grafana": "no such host"})
    assert home.config("dev").left_out == {"grafana": "no such host"}
    assert "observability:leftOut" in (home.refresh_project("dev") / "Pulumi.dev.yaml").read_text()
    home.set_left_out("dev", {})
    assert "leftOut" not in (home.refresh_project("dev") / "Pulumi.dev.yaml").read_text()


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({"blackboxExporter": {"probes": [{"name": "a1", "url": "ftp://x", "system": "erpgo"}]}}, "probes[0].url"),
        ({"postgresExporter": {"targets": [{"address": "db", "system": "erpgo"}]}}, "targets[0].address"),
        ({"loki": {"retention": "36h"}}, "loki.retention"),
        ({"nginxExporter": {"targets": [{"name": "a1", "url": "http://a/b", "system": "x"}] * 2}}, "nginxExporter"),
    ],
)
def test_a_target_that_cannot_be_is_refused_by_path(values: dict[str, Any], path: str) -> None:
    with pytest.raises(ConfigError) as caught:
        stack_config("dev", values)
    assert path in caught.value.what
