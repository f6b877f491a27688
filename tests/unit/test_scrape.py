"""How Prometheus is configured to scrape its targets and to label the alerts that it sends."""

import re
from typing import Any, Final

import pytest

from observability.core.documents import load_yaml
from observability.scrape.prometheus import files
from tests.unit.conftest import FULL, stack_config

PATHS: Final = {
    "prometheus": "/metrics",
    "node": "/metrics",
    "nginx": "/metrics",
    "blackbox": "/probe",
    "postgres": "/probe",
    "elasticsearch": "/probe",
    "redis": "/scrape",
    "mongodb": "/scrape",
}
"""The path at which each exporter's own documentation serves the metrics of a target."""


def document() -> dict[str, Any]:
    """Prometheus' configuration in a stack with everything switched on."""
    parsed: dict[str, Any] = load_yaml(files(stack_config("dev", FULL), {})["prometheus.yaml"])
    return parsed


def paths() -> dict[str, str]:
    """The path of every scrape job."""
    return {job["job_name"]: job["metrics_path"] for job in document()["scrape_configs"]}


@pytest.mark.parametrize(("job", "path"), PATHS.items(), ids=PATHS)
def test_an_exporter_is_scraped_at_its_own_path(job: str, path: str) -> None:
    assert paths()[job] == path


def test_a_system_is_scraped_at_the_path_of_its_file() -> None:
    config = stack_config("dev", FULL)
    wanted = {f"{system.job}-{name}": system.scrape.path for name, system in config.systems.items() if system.scrape}
    assert len(set(wanted.values())) > 1
    assert wanted.items() <= paths().items()


def relabelled(labels: dict[str, str], rules: list[dict[str, str]]) -> dict[str, str]:
    """The labels after relabelling by rules of action `replace`, as Prometheus defines it."""
    found = dict(labels)
    for rule in rules:
        assert rule.get("action", "replace") == "replace"
        value = ";".join(found.get(name, "") for name in rule["source_labels"])
        match = re.fullmatch(rule["regex"], value)
        if match:
            found[rule["target_label"]] = match.expand(rule["replacement"].replace("$1", r"\1"))
    return found


@pytest.mark.parametrize(
    ("instance", "host"),
    [
        ("erp-1.example.com:9100", "erp-1.example.com"),
        ("10.0.0.7:9100", "10.0.0.7"),
        ("docker-host", "docker-host"),
        ("https://shop.example.com/sign-in", "shop.example.com"),
        ("https://shop.example.com:8443/", "shop.example.com"),
        ("redis://cache.example.com:6379", "cache.example.com"),
    ],
)
def test_an_alert_for_an_instance_has_the_name_of_its_host(instance: str, host: str) -> None:
    rules = document()["alerting"]["alert_relabel_configs"]
    assert relabelled({"instance": instance}, rules) == {"instance": instance, "host": host}


def test_an_alert_without_an_instance_keeps_its_host() -> None:
    rules = document()["alerting"]["alert_relabel_configs"]
    assert relabelled({"host": "erp-1"}, rules) == {"host": "erp-1"}
