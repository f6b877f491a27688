"""Containers of the host: each has its metrics, under the system that it belongs to, those of other programs too."""

import uuid
from collections.abc import Iterator
from typing import Any, Final

import pytest

from observability.core import naming
from observability.core.naming import COMPOSE_PROJECT, LABEL_SCRAPE, LABEL_SYSTEM, UNASSIGNED
from tests.live.conftest import DEMO, STACK, Project, until
from tests.live.settings import GATEWAY

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
        container.remove(force=True, v=True)


def test_an_unassigned_container_has_a_team_and_thresholds(stack: Project) -> None:
    query = f'app:system:info{{system="{UNASSIGNED}"}} and on (system) app:threshold:container_restarts'
    (found,) = stack.prometheus("query", query=query)["result"]
    assert found["metric"]["team"] == UNASSIGNED


PAGE: Final = """
from http.server import BaseHTTPRequestHandler, HTTPServer

class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/own" else 404)
        self.end_headers()
        self.wfile.write(b"tried_total 1\\n")

HTTPServer(("", 8080), Page).serve_forever()
"""


@pytest.fixture(scope="module")
def labelled(stack: Project) -> Iterator[dict[str, str]]:
    """Names of containers with metrics, by the way in which Prometheus reaches them."""
    image = stack.client.containers.get(f"{DEMO.name}-app").attrs["Config"]["Image"]
    network = naming.network(STACK)
    published = {"ports": {"8080/tcp": (GATEWAY, None)}}
    ways: dict[str, dict[str, Any]] = {
        "network": {"network": network},
        "gateway": published,
        # On two networks and published: it must be one target.
        "both": {"network": network, **published},
    }
    names = {way: f"try-{way}-{uuid.uuid4().hex[:8]}" for way in ways}
    labels = {LABEL_SCRAPE: "true", "obs.port": "8080", "obs.path": "/own"}
    made = []
    try:
        for way, more in ways.items():
            command = ["/usr/bin/python3", "-c", PAGE]
            made.append(
                stack.client.containers.create(image, entrypoint=command, name=names[way], labels=labels, **more)
            )
            if way == "both":
                stack.client.networks.get("bridge").connect(made[-1])
            made[-1].start()
        yield names
    finally:
        for container in made:
            container.remove(force=True, v=True)


def targets(stack: Project, name: str) -> list[tuple[str, str, str]]:
    """The instance, job and health of the targets of a container."""
    active = stack.prometheus("targets", state="active")["activeTargets"]
    return [
        (target["labels"]["instance"], target["labels"]["job"], target["health"])
        for target in active
        if target["discoveredLabels"].get("__meta_docker_container_name") == f"/{name}"
    ]


@pytest.mark.parametrize("way", ["network", "gateway", "both"])
def test_a_labelled_container_is_scraped_once(stack: Project, labelled: dict[str, str], way: str) -> None:
    name = labelled[way]
    until(lambda: targets(stack, name) == [(f"{name}:8080", "containers", "up")])
    (found,) = stack.prometheus("query", query=f'tried_total{{instance="{name}:8080"}}')["result"]
    assert (found["metric"]["system"], found["value"][1]) == (UNASSIGNED, "1")
