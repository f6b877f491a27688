"""Containers of the host: each has its metrics, under the system that it belongs to, whoever started it."""

import uuid

import pytest

from observability.core.naming import COMPOSE_PROJECT, LABEL_SYSTEM, UNASSIGNED
from tests.live.conftest import DEMO, STACK, Project, until

pytestmark = pytest.mark.usefixtures("stack")


def systems(stack: Project, name: str) -> set[str]:
    """The systems of a container's series of memory."""
    query = f'container_memory_working_set_bytes{{job="docker",name="{name}"}} > 0'
    return {one["metric"]["system"] for one in stack.prometheus("query", query=query)["result"]}


@pytest.mark.parametrize(
    ("name", "system"),
    [
        (f"obs-{STACK}-prometheus", "platform"),
        (f"{DEMO.name}-postgres", "social-selling"),
        (f"{DEMO.name}-redis-alawael", "alawael"),
    ],
)
def test_a_container_of_the_stack_or_a_system_has_its_metrics(stack: Project, name: str, system: str) -> None:
    until(lambda: systems(stack, name) == {system})


@pytest.mark.parametrize(
    ("labels", "system"),
    [
        ({}, UNASSIGNED),
        ({COMPOSE_PROJECT: "nobody-knows"}, UNASSIGNED),
        ({COMPOSE_PROJECT: "nobody-knows", LABEL_SYSTEM: "erpgo"}, "erpgo"),
    ],
)
def test_a_container_that_somebody_else_starts_has_its_metrics(
    stack: Project, labels: dict[str, str], system: str
) -> None:
    image = stack.client.containers.get(f"{DEMO.name}-app").attrs["Config"]["Image"]
    name = f"try-{uuid.uuid4().hex[:8]}"
    container = stack.client.containers.run(
        image,
        entrypoint=["/usr/bin/python3", "-c", "import time; time.sleep(900)"],
        name=name,
        labels=labels,
        detach=True,
    )
    try:
        until(lambda: systems(stack, name) == {system})
    finally:
        container.remove(force=True)


def test_an_unassigned_container_has_a_team_and_thresholds(stack: Project) -> None:
    query = f'app:system:info{{system="{UNASSIGNED}"}} and on (system) app:threshold:container_restarts'
    (found,) = stack.prometheus("query", query=query)["result"]
    assert found["metric"]["team"] == UNASSIGNED
