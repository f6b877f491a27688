"""The other hosts of a stack: their Docker Engines, and the objects of the stack on them."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import docker
import requests
from docker.models.containers import Container

from observability.core import naming
from observability.core.errors import ConfigError
from observability.operations import containers
from observability.operations.containers import ServiceState
from observability.operations.preflight import check_network, objects
from observability.parts.registry import parts
from observability.settings.hosts import HostSettings
from observability.settings.load import StackConfig
from observability.synth.declared import Declared
from observability.synth.record import on
from toolchain import docker_host
from toolchain.assemble import LABEL as BUILT

CALL_SECONDS: Final = 90
"""How long one call to another host's engine may take."""

COPY_SECONDS: Final = 900
"""How long an engine may take to answer while an image of some hundred MB is copied."""


@dataclass(frozen=True, kw_only=True)
class Hosts:
    """The other hosts of a stack: a client for each whose engine answers, and the reason for each other."""

    config: StackConfig
    clients: Mapping[str, docker.DockerClient] = field(default_factory=dict)
    silent: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def connect(cls, config: StackConfig) -> "Hosts":
        """Ask the engine of every host, all at the same time."""
        clients: dict[str, docker.DockerClient] = {}
        silent: dict[str, str] = {}

        def ask(name: str) -> None:
            try:
                clients[name] = connect(config.settings.hosts[name])
            except ConfigError as error:
                silent[name] = error.what

        if config.settings.hosts:
            with ThreadPoolExecutor(max_workers=8) as pool:
                list(pool.map(ask, config.settings.hosts))
        return cls(config=config, clients=dict(sorted(clients.items())), silent=dict(sorted(silent.items())))

    def check(self, declared: Sequence[Declared]) -> None:
        """ConfigError where the network of an agent overlaps another one of its host."""
        for name, client in self.clients.items():
            if on(declared, name):
                check_network(self.config.on(name), client, f"hosts.{name}.subnet")

    def supply(self, local: docker.DockerClient) -> Iterator[tuple[str, str]]:
        """Copy the agent's images that were built here to the hosts that lack them; the others are pulled there.

        Yields the host and the image, before it is copied.
        """
        for name, client in self.clients.items():
            for reference in agent_images(self.config.on(name)):
                if is_copied(client, local, reference):
                    yield name, reference
                    _copy(reference, local, client, name)

    def amiss(self, declared: Sequence[Declared]) -> dict[str, str]:
        """Reason, by name, for every resource on the hosts that answer and that is not as declared."""
        found: dict[str, str] = {}
        for name, client in self.clients.items():
            wrong = containers.amiss(client, self.config.stack, on(declared, name))
            found |= {resource: f"{why} on {name}" for resource, why in wrong.items()}
        return found

    def states(self, declared: Sequence[Declared]) -> list[ServiceState]:
        """State of every container of an agent, with its host; unreachable where the host does not answer."""
        found: list[ServiceState] = []
        for name in self.config.settings.hosts:
            own = on(declared, name)
            if name in self.clients:
                of_host = containers.states(self.clients[name], self.config.stack, own)
                found += (state.on(name) for state in of_host)
            else:
                found += (
                    ServiceState(service=f"{name}/{service}", state="unreachable", image="", memory_mib=0, limit_mib=0)
                    for service in containers.long_running(own).values()
                )
        return found

    def left_alone(self, declared: Sequence[Declared]) -> list[str]:
        """Names of the resources of the hosts that do not answer: the engine does not change them."""
        names = {naming.agent(name) for name in self.silent}
        while more := {one.name for one in declared if one.parent in names} - names:
            names |= more
        return sorted(names)

    def remove(self, *, volumes: bool) -> list[str]:
        """Remove what is left of the stack on the hosts, the data only with `volumes`; returns the names."""
        removed = []
        for name, client in self.clients.items():
            for one in objects(client, self.config.stack, volumes=volumes):
                one.remove(**({"force": True, "v": True} if isinstance(one, Container) else {}))
                removed.append(f"{one.name} on {name}")
        return removed


def connect(host: HostSettings) -> docker.DockerClient:
    """The engine of a host; ConfigError where it does not answer."""
    folder = Path(host.tls).expanduser() if host.tls else None
    try:
        api = docker_host.connect(host.docker, timeout=CALL_SECONDS, tls=folder)
    except (docker.errors.DockerException, requests.RequestException) as error:
        said = docker_host.why(host.docker) or _innermost(error)
        raise ConfigError(f"Docker at {host.docker} does not answer: {said}", "see docs/hosts.md") from error
    client = docker.DockerClient(version=api.api_version)
    client.api = api
    return client


def agent_images(there: StackConfig) -> list[str]:
    """Full references of the images that an agent needs, by the configuration of its host."""
    running = (part for name, part in parts().items() if part.on_hosts and there.runs(name))
    names = ["prometheus", *(image.name for part in running for image in part.images)]
    return [there.settings.image(name) for name in dict.fromkeys(names)]


def _copy(reference: str, here: docker.DockerClient, there: docker.DockerClient, host: str) -> None:
    """Copy an image; ConfigError where that fails."""
    usual = here.api.timeout
    here.api.timeout = there.api.timeout = COPY_SECONDS
    try:
        # The client sends an iterator of bytes in pieces.
        there.images.load(here.images.get(reference).save(named=reference))  # type: ignore[arg-type]
    except (docker.errors.DockerException, requests.RequestException) as error:
        raise ConfigError(
            f"{reference} cannot be copied to {host}: {_innermost(error)}",
            "see that it has disk space, and run this again",
        ) from error
    finally:
        here.api.timeout, there.api.timeout = usual, CALL_SECONDS


def is_copied(there: docker.DockerClient, here: docker.DockerClient, reference: str) -> bool:
    """Whether a host lacks an image that was built here, and so gets a copy."""
    return not _has(there, reference) and _built(here, reference)


def _has(client: docker.DockerClient, reference: str) -> bool:
    try:
        client.images.get(reference)
    except docker.errors.ImageNotFound:
        return False
    return True


def _built(client: docker.DockerClient, reference: str) -> bool:
    """Whether the image is here and is one of ours, that no registry has."""
    try:
        return BUILT in client.images.get(reference).labels
    except docker.errors.ImageNotFound:
        return False


def _innermost(error: BaseException) -> str:
    """The error at the beginning of a chain, on one line."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__ or error
    return " ".join(str(error).split()) or type(error).__name__
