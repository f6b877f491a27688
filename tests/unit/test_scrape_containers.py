"""The system of a container's series: by its labels, its Compose project or its name, else `unassigned`."""

import re
from typing import Any

import pytest

from observability.core.naming import CONTAINER_LABELS
from observability.logs import sources
from observability.scrape import containers
from observability.scrape.jobs import jobs
from tests.unit.conftest import stack_config

SELECTED: dict[str, Any] = {
    "systems": {
        "depot": {"logs": {"projects": ["depot"], "containers": ["depot-*"]}},
        "print-shop": {"logs": {"projects": ["print-shop"]}},
    }
}


def system(name: str, labels: dict[str, str], values: dict[str, Any] | None = None) -> str:
    """The `system` of a series of a container of this name with these Docker labels, of a target of platform."""
    series = {"system": "platform", "name": name}
    series |= {"container_label_" + re.sub(r"\W", "_", label): value for label, value in labels.items()}
    for rule in containers.relabels(stack_config("dev", values or SELECTED)):
        match = re.fullmatch(rule["regex"], series.get(rule["source_labels"][0], ""))
        if match:
            series[rule["target_label"]] = match[1] if rule["replacement"] == "$1" else rule["replacement"]
    return series["system"]


@pytest.mark.parametrize(
    ("name", "labels", "expected"),
    [
        ("toy", {}, "unassigned"),
        ("toy", {"com.docker.compose.project": "other"}, "unassigned"),
        ("web-1", {"com.docker.compose.project": "depot"}, "depot"),
        ("depot-batch", {"com.docker.compose.project": "print-shop"}, "depot"),
        ("web-1", {"com.docker.compose.project": "depot", "obs.system": "print-shop"}, "print-shop"),
        ("web-1", {"obs.system": "no-such-system"}, "unassigned"),
        ("obs-dev-loki", {"io.observability.stack": "dev"}, "platform"),
        ("obs-prod-loki", {"io.observability.stack": "prod"}, "unassigned"),
        ("", {}, "platform"),
    ],
)
def test_a_series_has_the_system_of_its_container(name: str, labels: dict[str, str], expected: str) -> None:
    assert system(name, labels) == expected
    if name:
        assert sources.stream(stack_config("dev", SELECTED), name, labels)["system"] == expected


def test_only_the_job_of_container_series_is_relabelled() -> None:
    found = {job.name: job.to_config() for job in jobs(stack_config("dev", SELECTED))}
    relabelled = {
        name
        for name, job in found.items()
        for rule in job.get("metric_relabel_configs", ())
        if rule.get("target_label") == "system"
    }
    assert relabelled == {"docker"}
    sources_of = {label for rule in found["docker"]["metric_relabel_configs"] for label in rule["source_labels"]}
    known = {"name", *("container_label_" + re.sub(r"\W", "_", label) for label in CONTAINER_LABELS)}
    assert sources_of <= known
