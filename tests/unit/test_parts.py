"""Parts: what is left out has no configuration, and what is watched depends on the environment."""

from typing import Any

import pytest

from components.grafana import resources
from observability.core.errors import ConfigError
from observability.operations.home import Home
from observability.parts.registry import parts
from observability.scrape.jobs import jobs
from observability.settings.load import StackConfig, secret_specs, validate
from observability.settings.parts import essential
from observability.synth.declared import CONTAINER
from observability.synth.record import record
from tests.unit.conftest import FULL, REFERENCE, stack_config, stack_values

OPTIONAL = [name for name, part in parts().items() if not part.essential and part.images]

_OF_THE_COLLECTOR = ("logs", "containers", "traces", "otlpMetrics")

BEYOND_PROFILES: dict[str, Any] = {
    "goalert": {"enabled": True},
    "edge": {"enabled": True, "address": "monitoring.example.com"},
    "statusPage": {
        "enabled": True,
        "url": "https://status.example.com",
        "components": {"shop": {"title": "Web shop", "system": "depot"}},
    },
    "backup": {"repository": "/var/backups/monitoring"},
    "traces": {},
    "otlpMetrics": {},
    "datadogAgent": {"site": "datadoghq.eu"},
    "elk": {},
    # Syslog and files need the collector, containers that must run need cAdvisor.
    "systems": {
        name: {key: value for key, value in system.items() if key not in _OF_THE_COLLECTOR}
        for name, system in FULL["systems"].items()
    },
}
"""Settings with which every part runs."""

BRINGS: dict[str, set[str]] = {
    "loki": {"collector", "docker-proxy", "containers", "spans", "jaeger", "otlp"},
    "collector": {"docker-proxy", "containers", "spans", "jaeger", "otlp"},
    "docker-proxy": {"collector", "containers", "spans", "jaeger", "otlp"},
}
"""Jobs of other parts that need a part."""


def job_names(config: StackConfig) -> set[str]:
    return {job.name for job in jobs(config)}


def images_of(config: StackConfig) -> set[str]:
    """Of every container. Rules and what is in Grafana take most of the time, and are none."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(resources, "GrafanaContent", lambda *_: None)
        return {resource.inputs["image"] for resource in record(config, {}) if resource.type == CONTAINER}


@pytest.mark.parametrize("part", OPTIONAL)
def test_switching_a_part_off_removes_its_job_and_no_other(part: str) -> None:
    whole = stack_config("staging", BEYOND_PROFILES)
    section = "".join(word.title() if index else word for index, word in enumerate(part.split("-")))
    # Backups need the node exporter, spans the collector and what that needs.
    others: dict[str, Any] = {"backup": {}} if part == "node-exporter" else {}
    if part in BRINGS:
        others |= {"traces": None, "otlpMetrics": None}
    without = stack_config("staging", {**BEYOND_PROFILES, **others, section: {"enabled": False}})
    assert whole.runs(part)
    assert not without.runs(part)
    gone = job_names(whole) - job_names(without)
    own = {parts()[part].job} - {None}
    # Remote hosts are scraped without a container of ours.
    assert gone == (set() if part == "node-exporter" else own | BRINGS.get(part, set()))


@pytest.mark.parametrize("part", [name for name, part in parts().items() if part.store and not part.idle])
def test_an_exporter_without_servers_does_not_run(part: str) -> None:
    assert not stack_config("staging").runs(part)
    assert parts()[part].job not in job_names(stack_config("staging"))
    assert stack_config("staging", FULL).runs(part)


@pytest.mark.parametrize("part", OPTIONAL)
def test_a_part_whose_image_is_not_available_is_left_out(part: str) -> None:
    image = parts()[part].images[0].name
    config = stack_config("staging", BEYOND_PROFILES).without({image: "no such host"})
    assert not config.runs(part)
    assert images_of(config) == set(config.images.values())
    assert image not in config.images


def test_the_servers_that_every_stack_needs_are_essential() -> None:
    assert essential() == {"prometheus", "alertmanager"}


@pytest.mark.parametrize(
    ("stack", "values"),
    [
        ("dev", {}),
        ("prod", {}),
        ("staging", FULL),
        ("dev", {"profile": "minimal"}),
    ],
)
def test_the_images_obtained_are_those_the_containers_run(stack: str, values: dict[str, Any]) -> None:
    config = stack_config(stack, values)
    assert images_of(config) == set(config.images.values())


@pytest.mark.parametrize(
    ("profile", "absent", "present"),
    [
        ("metrics", {"loki", "collector"}, {"backend", "postgres", "node"}),
        ("minimal", {"loki", "collector", "docker", "grafana", "postgres"}, {"node", "prometheus", "backend"}),
    ],
)
def test_a_profile_leaves_parts_out(profile: str, absent: set[str], present: set[str]) -> None:
    found = job_names(stack_config("prod", {"profile": profile}))
    assert not absent & found
    assert present <= found


def test_a_part_can_be_added_to_a_profile() -> None:
    assert stack_config("dev", {"profile": "minimal", "loki": {"enabled": True}}).runs("loki")


def test_servers_come_from_the_settings_of_the_system_they_belong_to() -> None:
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
    } == {"depot"}
    assert found["mongodb"][0].labels["system"] == "academy"


def test_the_collector_runs_with_the_proxy_that_it_needs() -> None:
    config = stack_config("dev")
    assert config.runs("collector")
    assert config.runs("docker-proxy")
    assert {"otel-collector", "docker-proxy", "busybox"} <= config.images.keys()
    found = {job.name: [target.address for target in job.targets] for job in jobs(config)}
    assert found["collector"] == ["collector:8888", "collector:8889"]
    assert found["docker-proxy"] == ["docker-proxy:8404"]


@pytest.mark.parametrize("image", ["otel-collector", "docker-proxy", "busybox", "loki"])
def test_the_collector_and_its_proxy_run_together_or_not_at_all(image: str) -> None:
    config = stack_config("dev").without({image: "no such host"})
    assert not config.runs("collector")
    assert not config.runs("docker-proxy")
    assert images_of(config) == set(config.images.values())


@pytest.mark.parametrize(
    "values",
    [
        {"collector": {"enabled": False}},
        {"dockerProxy": {"enabled": False}},
        {"loki": {"enabled": False}},
        {"profile": "metrics"},
        {"profile": "minimal", "loki": {"enabled": True}},
    ],
)
def test_neither_the_collector_nor_its_proxy_runs_without_what_they_need(values: dict[str, Any]) -> None:
    config = stack_config("dev", values)
    assert not config.runs("collector")
    assert not config.runs("docker-proxy")
    assert "docker-proxy" not in config.images


def test_the_collector_brings_its_proxy_into_any_profile() -> None:
    values = {"profile": "minimal", "loki": {"enabled": True}, "collector": {"enabled": True}}
    assert stack_config("dev", values).runs("docker-proxy")


@pytest.mark.parametrize("kind", ["alloy", "promtail", "otel"])
def test_a_kind_of_the_collector_is_refused_as_there_is_one(kind: str) -> None:
    with pytest.raises(ConfigError) as caught:
        stack_config("dev", {"collector": {"kind": kind}})
    assert "observability:collector.kind" in caught.value.what
    assert "the log collector is the OpenTelemetry Collector" in caught.value.what
    assert "remove this line" in caught.value.fix


def test_the_engines_metrics_are_scraped_at_the_configured_address() -> None:
    found = {job.name: job.targets for job in jobs(stack_config("dev", {"docker": {"metricsAddress": "host:9323"}}))}
    assert [target.address for target in found["docker"]] == ["cadvisor:8080", "host:9323"]
    without = jobs(stack_config("dev", {"cadvisor": {"enabled": False}}))
    assert "docker" not in {job.name for job in without}


def test_what_was_left_out_is_stored_next_to_the_state(tmp_path: Any) -> None:  # noqa: ANN401
    home = Home(folder=tmp_path)
    home.set_left_out("dev", {"grafana": "no such host"})
    assert home.config("dev").left_out == {"grafana": "no such host"}
    assert "observability:leftOut" in (home.refresh_project("dev") / "Pulumi.dev.yaml").read_text()
    home.set_left_out("dev", {})
    assert "leftOut" not in (home.refresh_project("dev") / "Pulumi.dev.yaml").read_text()


@pytest.mark.parametrize(
    ("own", "path"),
    [
        ({"probes": [{"name": "a1", "url": "ftp://x"}]}, "systems.depot.probes[0].url"),
        ({"postgres": [{"address": "db"}]}, "systems.depot.postgres[0].address"),
        ({"nginx": [{"name": "a1", "url": "http://a/b"}] * 2}, "systems.depot.nginx"),
        ({"hosts": [{"name": "app-1"}]}, "systems.depot.hosts[0]"),
        ({"unwatched": {"mongodb": "no reason"}}, "systems.depot.unwatched.mongodb"),
        ({"unwatched": {"redis": "because"}, "redis": [{"address": "a:1"}]}, "systems.depot.unwatched.redis"),
    ],
)
def test_an_invalid_server_is_refused_by_path(own: dict[str, Any], path: str) -> None:
    with pytest.raises(ConfigError) as caught:
        stack_config("staging", {"systems": {"depot": own}})
    assert path in caught.value.what


def test_a_retention_that_is_not_whole_days_is_refused_by_path() -> None:
    with pytest.raises(ConfigError, match=r"loki\.retention"):
        stack_config("dev", {"loki": {"retention": "36h"}})


def test_two_nginx_servers_of_different_systems_need_different_names() -> None:
    nginx = [{"name": "web", "url": "http://a/status"}]
    with pytest.raises(ConfigError, match=r"systems\.studio\.nginx\[0\]\.name"):
        stack_config("staging", {"systems": {"depot": {"nginx": nginx}, "studio": {"nginx": nginx}}})


@pytest.mark.parametrize(
    ("values", "path", "now"),
    [
        ({"postgresExporter": {"targets": []}}, "postgresExporter.targets", "systems.<system>.postgres"),
        ({"nodeExporter": {"targets": []}}, "nodeExporter.targets", "systems.<system>.hosts"),
        ({"blackboxExporter": {"probes": []}}, "blackboxExporter.probes", "systems.<system>.probes"),
        ({"systems": {"depot": {"targets": {}}}}, "systems.depot.targets", "systems.depot.instances"),
        ({"redisPasswords": "x"}, "redisPasswords", "<system>RedisPassword"),
    ],
)
def test_the_error_for_a_setting_that_moved_names_its_new_place(values: dict[str, Any], path: str, now: str) -> None:
    with pytest.raises(ConfigError) as caught:
        stack_config("staging", values)
    assert f"observability:{path}: this setting moved" in caught.value.what
    assert now in caught.value.fix


def test_what_a_system_declares_and_no_setting_places_is_named() -> None:
    config = stack_config("staging", {"systems": {"studio": {"unwatched": {"redis": "shared with another team"}}}})
    found = {(one.system, one.what): one.reason for one in config.unplaced}
    assert found["studio", "redis"] == "shared with another team"
    assert found["studio", "postgres"] is None
    assert found["studio", "instances"] is None
    assert ("hospital", "postgres") not in found


def test_in_prod_what_is_declared_and_not_placed_is_refused_with_the_fix() -> None:
    values = stack_values("prod")
    values["systems"]["hospital"] = {}
    with pytest.raises(ConfigError) as caught:
        validate("prod", values, frozenset(secret_specs(values, REFERENCE)), REFERENCE)
    assert "systems.hospital.instances is missing" in caught.value.what
    assert "unwatched" in caught.value.fix
    values["systems"]["hospital"] = {"unwatched": {"instances": "moved to another stack"}}
    assert validate("prod", values, frozenset(secret_specs(values, REFERENCE)), REFERENCE).systems
