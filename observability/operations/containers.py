"""The containers of a stack as Docker sees them."""

import re
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Final

import docker
from docker.errors import NotFound
from docker.models.containers import Container

from observability.core.naming import LABEL_SERVICE, LABEL_STACK
from observability.synth.declared import CONTAINER, Declared

_MIB = 1024 * 1024

_EXITED: Final = re.compile(r"Exited \((-?\d+)\)")
"""The exit code in the status of a container that is listed."""


@dataclass(frozen=True, kw_only=True)
class ServiceState:
    """One long-running container: `state` is healthy, running (no health check), or the problem."""

    service: str
    state: str
    image: str
    memory_mib: float
    limit_mib: float

    @property
    def ok(self) -> bool:
        """Whether it is healthy, or running without a health check."""
        return self.state in ("healthy", "running")

    @property
    def gone(self) -> bool:
        """Whether it does not run and Docker does not start it: it was stopped or removed."""
        return self.state in ("missing", "exited", "dead")

    def on(self, host: str) -> "ServiceState":
        """The same container, with its host in its name."""
        return replace(self, service=f"{host}/{self.service}")


def amiss(client: docker.DockerClient, stack: str, declared: Sequence[Declared]) -> dict[str, str]:
    """Reason, by name, for every declared resource that is missing, is stopped but should run, or ran once and failed.

    The engine compares with its own record and would detect none of it. A refresh is no alternative: it makes the
    provider forget that a container failed.
    """
    label: dict[str, str | list[str] | bool] = {"label": f"{LABEL_STACK}={stack}"}
    there = _listed(client, stack)
    others = {found.name for kind in (client.volumes, client.networks) for found in kind.list(filters=label)}

    def wrong(resource: Declared) -> str | None:
        name = resource.inputs["name"]
        if name not in (there if resource.type == CONTAINER else others):
            return f"{name} is missing in Docker"
        if resource.type != CONTAINER:
            return None
        if resource.inputs.get("attach"):
            ended = _EXITED.match(there[name]["Status"])
            return f"{name} ended with exit code {ended[1]}" if ended and ended[1] != "0" else None
        state = there[name]["State"]
        return None if state == "running" else f"{name} is {state}, not running"

    found = {one.name: wrong(one) for one in declared if one.type.startswith("docker:")}
    return {name: why for name, why in found.items() if why is not None}


def _listed(client: docker.DockerClient, stack: str) -> dict[str, dict[str, Any]]:
    """Every container of a stack as Docker lists it, by name: one request, without one for each of them."""
    found = client.api.containers(all=True, filters={"label": f"{LABEL_STACK}={stack}"})
    return {str(name).lstrip("/"): one for one in found for name in one.get("Names") or ()}


def long_running(declared: Sequence[Declared]) -> dict[str, str]:
    """Service name by container name, for every declared container that must stay up."""
    return {
        resource.inputs["name"]: next(
            label["value"] for label in resource.inputs["labels"] if label["label"] == LABEL_SERVICE
        )
        for resource in declared
        if resource.type == CONTAINER and not resource.inputs.get("attach")
    }


def of_stack(client: docker.DockerClient, stack: str) -> dict[str, Container]:
    """Every container of a stack by the name of its service; of several with one name, the one that runs."""
    found: dict[str, Container] = {}
    for container in client.containers.list(
        all=True, filters={"label": f"{LABEL_STACK}={stack}"}, ignore_removed=True
    ):
        service = container.labels.get(LABEL_SERVICE, str(container.name))
        if service not in found or container.status == "running":
            found[service] = container
    return found


def states(
    client: docker.DockerClient, stack: str, declared: Sequence[Declared], *, memory: bool = False
) -> list[ServiceState]:
    """State of every declared long-running container; with its memory on request (takes a moment)."""

    def state(item: tuple[str, str]) -> ServiceState:
        name, service = item
        try:
            container: Container | None = client.containers.get(name)
        except NotFound:
            container = None
        if container is None or container.labels.get(LABEL_STACK) != stack:
            return ServiceState(service=service, state="missing", image="", memory_mib=0, limit_mib=0)
        used = _memory(container) if memory and container.status == "running" else 0
        return ServiceState(
            service=service,
            state=_state(container),
            image=container.attrs["Config"]["Image"],
            memory_mib=used / _MIB,
            limit_mib=container.attrs["HostConfig"]["Memory"] / _MIB,
        )

    with ThreadPoolExecutor(max_workers=8) as pool:
        return list(pool.map(state, sorted(long_running(declared).items())))


def wait_until_well(
    client: docker.DockerClient, stack: str, declared: Sequence[Declared], seconds: float
) -> list[ServiceState]:
    """The states, once all are healthy or the timeout is over."""
    deadline = time.monotonic() + seconds
    while True:
        found = states(client, stack, declared)
        if all(state.ok for state in found) or time.monotonic() > deadline:
            return found
        time.sleep(1)


def _state(container: Container) -> str:
    status = str(container.status)
    if status != "running":
        return status
    health = container.attrs["State"].get("Health")
    return str(health["Status"]) if health else "running"


def _memory(container: Container) -> int:
    """Memory in bytes without the page cache, as `docker stats` counts."""
    statistics: Any = container.stats(stream=False, one_shot=True)
    usage = statistics.get("memory_stats", {})
    details = usage.get("stats", {})
    cache = details.get("inactive_file", details.get("total_inactive_file", 0))
    return max(int(usage.get("usage", 0)) - int(cache), 0)
