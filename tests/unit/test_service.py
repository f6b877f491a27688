"""How a service is declared so that it exits cleanly, keeps its data and is detected when it fails."""

import re
from typing import Any, Final

import pytest

from components.service import WAIT_SECONDS, HealthCheck
from observability.core.types import seconds
from observability.synth.declared import CONTAINER, Declared
from tests.unit.conftest import FULL, declared

VOLUME: Final = "docker:index/volume:Volume"

LEAST_GRACE: Final = 30
"""Seconds that Prometheus and Loki may need to write their memory to disk when they are stopped."""

CASES: Final = [("dev", {}), ("staging", {}), ("prod", {}), ("dev", FULL)]

NAMES: Final = ["dev", "staging", "prod", "dev-full"]

every_stack = pytest.mark.parametrize(("stack", "values"), CASES, ids=NAMES)


def of_type(stack: str, values: dict[str, Any], kind: str) -> list[Declared]:
    """The resources of a type; there is at least one."""
    found = [resource for resource in declared(stack, values) if resource.type == kind]
    assert found
    return found


def services(stack: str, values: dict[str, Any]) -> list[Declared]:
    """The containers that run until they are stopped."""
    return [container for container in of_type(stack, values, CONTAINER) if not container.inputs.get("attach")]


@every_stack
def test_destroying_the_stack_keeps_every_volume_and_nothing_else(stack: str, values: dict[str, Any]) -> None:
    for resource in declared(stack, values):
        assert resource.retained == (resource.type == VOLUME), resource.name


@every_stack
def test_a_service_cannot_write_to_a_volume_of_configuration(stack: str, values: dict[str, Any]) -> None:
    mounts = [
        (container.name, mount)
        for container in services(stack, values)
        for mount in container.inputs.get("volumes", [])
        if mount.get("volumeName", "").endswith("-config")
    ]
    assert mounts
    assert not [name for name, mount in mounts if not mount.get("readOnly")]


@every_stack
def test_a_service_may_write_to_its_volume_of_data(stack: str, values: dict[str, Any]) -> None:
    # The backup has the volumes of the others.
    own = [container for container in services(stack, values) if container.name != "backup-server-container"]
    mounts = [mount for container in own for mount in container.inputs.get("volumes", [])]
    data = [mount for mount in mounts if mount.get("volumeName", "").endswith("-data")]
    assert data
    assert not [mount for mount in data if mount.get("readOnly")]


@every_stack
def test_a_service_has_time_to_exit_before_it_is_killed(stack: str, values: dict[str, Any]) -> None:
    for container in services(stack, values):
        assert container.inputs.get("destroyGraceSeconds", 0) >= LEAST_GRACE, container.name


@every_stack
def test_a_service_becomes_unhealthy_before_an_update_times_out(stack: str, values: dict[str, Any]) -> None:
    checked = [container for container in services(stack, values) if container.inputs.get("healthcheck")]
    assert checked
    for container in checked:
        health = container.inputs["healthcheck"]
        unhealthy_after = _docker_seconds(health["interval"]) * health["retries"]
        assert unhealthy_after < container.inputs["waitTimeout"] == WAIT_SECONDS, container.name


def test_by_default_a_service_becomes_unhealthy_after_half_a_minute() -> None:
    health = HealthCheck(test=("CMD", "true"))
    assert _docker_seconds(health.interval) * health.retries == 30
    assert _docker_seconds(health.timeout) < _docker_seconds(health.interval)


def _docker_seconds(duration: str) -> float:
    """Length of a duration in Docker's notation, which puts minutes before seconds as Prometheus does."""
    return seconds(re.sub(r"(?<=[hm])0[sm]", "", duration))
