"""Metrics by OTLP: what a stack that takes them declares, and that one without them has no trace of it."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards.linked_rules import files as rule_files
from dashboards.registry import dashboards
from observability.collector import configuration, otlp
from observability.core.documents import load_yaml
from observability.core.errors import ConfigError
from observability.parts import otlp_metrics
from observability.scrape import agents
from observability.scrape.job import Job
from observability.scrape.jobs import jobs
from observability.settings.load import validate
from observability.synth.write import generated_files
from observability.systems.load import load_file
from rules import signals
from tests.unit.conftest import SENT, stack_config
from tests.unit.test_traces import HOSTS, ports

ON: dict[str, Any] = {"otlpMetrics": {}}
LINKS = {name: f"https://{name}.example.com" for name in ("prometheus", "alertmanager", "grafana", "runbooks")}


def document(values: dict[str, Any], host: str | None = None) -> dict[str, Any]:
    """The collector's configuration as it reads it, before `$` is escaped."""
    found: dict[str, Any] = load_yaml(configuration.files(stack_config("dev", values, SENT), host)[configuration.MAIN])
    return found


def scraped(values: dict[str, Any], host: str | None = None) -> dict[str, Job]:
    """The jobs of metrics by OTLP, by Prometheus' name for them."""
    config = stack_config("dev", values, SENT)
    found = agents.jobs(config, host) if host else jobs(config)
    return {str(job.job_name): job for job in found if job.name == otlp_metrics.JOB}


def refused(stack: str, values: dict[str, Any]) -> str:
    """The error for these settings."""
    with pytest.raises(ConfigError) as error:
        validate(stack, values, frozenset(), SENT)
    return f"{error.value.what} | {error.value.fix}"


def test_without_the_section_nothing_of_it_is_in_any_file_or_resource() -> None:
    config = stack_config("dev", {**HOSTS, "traces": {}})
    texts = generated_files(config, rule_files(config))
    words = ("prometheus/metrics-", "metrics/taken", "MetricsRefused", "Refused Metrics", "otlp-unassigned")
    assert not [path for path, text in texts.items() for word in words if word in text]
    assert not [job for job in jobs(config) if job.name == otlp_metrics.JOB]
    assert not otlp.ports(config)
    assert ports("dev", {}, "collector-server-container") == set()


def test_metrics_arrive_where_spans_do_or_at_the_usual_ports() -> None:
    gateway = stack_config("dev").settings.network.gateway
    assert ports("dev", ON, "collector-server-container") == {(gateway, 4317, 4317), (gateway, 4318, 4318)}
    both = ports("dev", {**ON, "traces": {"httpPort": 14318}}, "collector-server-container")
    assert both == {(gateway, 4317, 4317), (gateway, 14318, 4318)}


def test_the_metrics_of_each_system_are_scraped_from_a_page_of_its_own() -> None:
    found = scraped({**ON, "systems": {"foundry": {"otlpMetrics": {"series": 500}}}})
    assert {name: job.extra["sample_limit"] for name, job in found.items()} == {
        "otlp-unassigned": 30_000,
        "otlp-foundry": 500,
    }
    (target,) = found["otlp-foundry"].targets
    assert target.labels == {"system": "foundry", "job": "otlp", "instance": target.address}
    assert found["otlp-foundry"].extra["honor_labels"] is True
    exporter = document(ON)["exporters"]["prometheus/metrics-foundry"]
    assert exporter["endpoint"].rpartition(":")[2] == target.address.rpartition(":")[2]


def test_on_another_host_its_own_prometheus_scrapes_the_collector_there() -> None:
    values = {**ON, **HOSTS}
    (target,) = scraped(values, "web-2")["otlp-foundry"].targets
    assert target.labels["system"] == "foundry"
    assert target.labels["host"] == "web-2"
    assert document(values, "web-2")["exporters"].keys() >= {"prometheus/metrics-foundry"}
    assert "metrics/foundry" in document(values, "web-2")["service"]["pipelines"]


def test_a_service_of_the_settings_belongs_to_its_system() -> None:
    found = document({**ON, "systems": {"foundry": {"traces": {"services": ["foundry-worker"]}}}})
    statements = found["processors"]["transform/metrics"]["metric_statements"][0]["statements"]
    assert statements[0] == 'set(resource.attributes["system"], "unassigned")'
    assert any('"service.name"] == "foundry-worker"' in one and '"foundry")' in one for one in statements)


def test_the_labels_that_tell_systems_apart_are_not_the_programs_own() -> None:
    _, points = document(ON)["processors"]["transform/metrics"]["metric_statements"]
    for label in ("job", "instance"):
        assert f'delete_key(datapoint.attributes, "{label}")' in points["statements"]
    assert 'set(datapoint.attributes["system"], resource.attributes["system"])' in points["statements"]


def test_the_collector_has_memory_for_what_it_takes() -> None:
    def memory(values: dict[str, Any]) -> int:
        from observability.synth.declared import CONTAINER
        from tests.unit.conftest import declared

        (one,) = [
            one
            for one in declared("dev", values)
            if one.type == CONTAINER and one.name == "collector-server-container"
        ]
        return int(one.inputs["memory"])

    assert memory(ON) - memory({}) == 128
    assert memory({**ON, "traces": {"memoryMb": 300}}) - memory({}) == 428


def test_a_system_that_sends_metrics_has_the_dashboards_of_one_that_is_scraped() -> None:
    found = {entry.uid: entry.text for entry in dashboards(stack_config("dev", ON, SENT))}
    assert found.keys() >= {"foundry-overview", "foundry-application", "foundry-database", "foundry-external-apis"}
    assert "Refused Metrics" in found["obs-stack"]


def test_it_is_silent_where_none_of_its_declared_series_arrives() -> None:
    (group,) = signals.groups(stack_config("dev", ON, SENT).systems["foundry"])
    (rule,) = [rule for rule in group["rules"] if rule["record"] == "app:system:declared"]
    assert "http_server_request_duration_seconds_count" in rule["expr"]


def test_without_the_section_such_a_system_is_unwatched_and_prod_refuses_that() -> None:
    values: dict[str, Any] = {"systems": {"foundry": {}}}
    found = validate("dev", values, frozenset(), SENT)
    assert [(one.system, one.what) for one in found.unplaced] == [("foundry", "otlp")]
    assert "observability:otlpMetrics" in refused("prod", {**values, "links": LINKS})
    accepted = {"systems": {"foundry": {"unwatched": {"otlp": "not deployed there"}}}, "links": LINKS}
    assert not validate("prod", accepted, frozenset(), SENT, complete=False).systems["foundry"].spans


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({**ON, "profile": "metrics"}, ["otlpMetrics", "collector"]),
        ({"systems": {"foundry": {"otlpMetrics": {"series": 500}}}}, ["foundry.otlpMetrics", "otlpMetrics: {}"]),
        ({**ON, "systems": {"foundry": {"traces": {"keep": "1%"}}}}, ["foundry.traces", "traces: {}"]),
        ({**ON, "systems": {"foundry": {"instances": {"static": ["a:80"]}}}}, ["foundry.instances", "scrape"]),
        ({"otlpMetrics": {"series": 0}}, ["otlpMetrics.series", "100"]),
    ],
)
def test_settings_that_cannot_work_are_refused(values: dict[str, Any], words: list[str]) -> None:
    said = refused("dev", values)
    assert not [word for word in words if word not in said], said


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"scrape": {"port": 80}}, ["scrape and otlp"]),
        ({"otlp": False}, ["otlp: true"]),
        ({"series": None, "signals": None}, ["series"]),
    ],
)
def test_a_file_that_cannot_work_is_refused(tmp_path: Path, changed: dict[str, Any], words: list[str]) -> None:
    whole = {
        "title": "Shop",
        "team": "shop",
        "otlp": True,
        "series": {"calls": {"kind": "histogram", "unit": "seconds", "labels": ["error_type"], "help": "Calls."}},
        "signals": {"dbQueries": {"series": "calls", "ok": {"error_type": ""}}},
    }
    path = tmp_path / "shop.yaml"
    path.write_text(yaml.safe_dump(whole))
    assert load_file(path).job == "otlp"
    path.write_text(yaml.safe_dump({key: value for key, value in {**whole, **changed}.items() if value is not None}))
    with pytest.raises(ConfigError) as error:
        load_file(path)
    said = f"{error.value.what} | {error.value.fix}"
    assert not [word for word in words if word not in said], said
