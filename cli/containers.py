"""The containers of a stack as Docker sees them."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import docker
from docker.models.containers import Container

from config.naming import LABEL_SERVICE, LABEL_STACK
from synth.record import CONTAINER, Declared

_MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class ServiceState:
    """One long-running container: `state` is healthy, running (no health check), or what is wrong."""

    service: str
    state: str
    image: str
    memory_mib: float
    limit_mib: float

    @property
    def ok(self) -> bool:
        """Whether it is as it should be."""
        return self.state in ("healthy", "running")


@dataclass(frozen=True, kw_only=True)
class Drift:
    """How the engine's picture and Docker's differ, as far as a glance shows."""

    missing: bool
    """Something declared is not there, or does not run though it should."""
    failed: frozenset[str]
    """Declared names of one-shot containers that failed: unchanged inputs alone would not run them again."""


def drift(client: docker.DockerClient, stack: str, declared: Sequence[Declared]) -> Drift:
    """A glance at what is there: by name, state and exit code."""
    label: dict[str, str | list[str] | bool] = {"label": f"{LABEL_STACK}={stack}"}
    there = {container.name: container for container in client.containers.list(all=True, filters=label)}
    names = {*there, *(v.name for v in client.volumes.list(filters=label))}
    names |= {n.name for n in client.networks.list(filters=label)}
    wanted = {resource.inputs["name"] for resource in declared if resource.type.startswith("docker:")}
    stopped = any(there[name].status != "running" for name in long_running(declared) if name in there)
    failed = {
        resource.name
        for resource in declared
        if resource.type == CONTAINER and resource.inputs.get("attach") and resource.inputs["name"] in there
        if there[resource.inputs["name"]].attrs["State"]["ExitCode"]
    }
    return Drift(missing=stopped or not wanted <= names, failed=frozenset(failed))


def long_running(declared: Sequence[Declared]) -> dict[str, str]:
    """Service name by container name, for every declared container that is to stay up."""
    return {
        resource.inputs["name"]: next(
            label["value"] for label in resource.inputs["labels"] if label["label"] == LABEL_SERVICE
        )
        for resource in declared
        if resource.type == CONTAINER and not resource.inputs.get("attach")
    }


def states(
    client: docker.DockerClient, stack: str, declared: Sequence[Declared], *, memory: bool = False
) -> list[ServiceState]:
    """State of every declared long-running container; with its memory where asked for (takes a moment)."""
    found = {
        container.name: container
        for container in client.containers.list(all=True, filters={"label": f"{LABEL_STACK}={stack}"})
    }

    def state(item: tuple[str, str]) -> ServiceState:
        name, service = item
        container = found.get(name)
        if container is None:
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
    """The states, once all are well or the time is up."""
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
    """Bytes in use without the page cache, as `docker stats` counts."""
    statistics: Any = container.stats(stream=False, one_shot=True)
    usage = statistics.get("memory_stats", {})
    details = usage.get("stats", {})
    cache = details.get("inactive_file", details.get("total_inactive_file", 0))
    return max(int(usage.get("usage", 0)) - int(cache), 0)
