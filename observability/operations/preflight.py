"""Errors that can be detected before anything is changed."""

import errno
import os
import socket
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, ip_network
from typing import Any, Final

import docker
import requests

from observability.core import naming
from observability.core.errors import ConfigError
from observability.parts import elk
from observability.settings.load import StackConfig
from observability.synth.declared import CONTAINER, Declared
from observability.synth.record import on

SETTINGS: Final = {
    "collector": "observability:collector.syslog",
    **{service: f"observability:{elk.NAME}.{service}.port" for service in elk.SERVERS},
}
"""Where the ports of a service are set, if not in the key `port` of its section."""


_EVERYWHERE = "0.0.0.0"  # noqa: S104 - a container that has it is replaced


@dataclass(frozen=True, kw_only=True)
class Binding:
    """A port of the host that the stack will bind, and its setting."""

    service: str
    address: str
    port: int
    setting: str
    protocol: str = "tcp"


def connect(host: str | None = None) -> docker.DockerClient:
    """The Docker Engine at this address, else of $DOCKER_HOST or of this machine; ConfigError where none responds."""
    try:
        client = docker.DockerClient(base_url=host, timeout=30) if host else docker.from_env(timeout=30)
        client.ping()
    except (docker.errors.DockerException, requests.RequestException) as error:
        where = host or os.environ.get("DOCKER_HOST", "this machine's default socket")
        raise ConfigError(
            f"Docker at {where} does not answer", "start it, or point DOCKER_HOST at an engine that runs"
        ) from error
    return client


def objects_of(client: docker.DockerClient, stack: str) -> list[str]:
    """Names of all containers, networks and volumes of a stack in Docker, including those that others created."""
    return sorted(str(one.name) for one in objects(client, stack))


def objects(client: docker.DockerClient, stack: str, *, volumes: bool = True) -> list[Any]:
    """All containers, networks and volumes of a stack in Docker, in an order in which they can be removed."""
    label: dict[str, str | list[str] | bool] = {"label": f"{naming.LABEL_STACK}={stack}"}
    found: list[Any] = [
        *client.containers.list(all=True, filters=label, ignore_removed=True),
        *client.networks.list(filters=label),
    ]
    return [*found, *(client.volumes.list(filters=label) if volumes else ())]


def check(config: StackConfig, declared: Sequence[Declared], client: docker.DockerClient) -> None:
    """Refuse two containers with the same name, two with the same port, and ports that are in use."""
    names: dict[str, str] = {}
    for resource in _containers(on(declared, None)):
        name = resource.inputs["name"]
        if name in names:
            raise ConfigError(
                f"two services have one container name: {names[name]} and {resource.name} are both {name}",
                "give one of them another name",
            )
        names[name] = resource.name
    check_network(config, client)
    taken: dict[tuple[str, int, str], Binding] = {}
    own = _own_bindings(config.stack, client)
    for binding in bindings(config, declared):
        key = (binding.address, binding.port, binding.protocol)
        other = taken.setdefault(key, binding)
        if other is not binding:
            raise ConfigError(
                f"{binding.service} and {other.service} both want port {binding.port} of {binding.address}",
                f"set {binding.setting} to another port in Pulumi.{config.stack}.yaml",
            )
        if _is_local() and not _held(key, own) and not _is_free(*key):
            raise ConfigError(
                f"port {binding.port} of {binding.address}, wanted by {binding.service}, is already taken",
                f"free it, or set {binding.setting} to another port in Pulumi.{config.stack}.yaml",
            )


def check_network(config: StackConfig, client: docker.DockerClient, setting: str = "network.subnet") -> None:
    """Refuse a subnet, that of this setting, which overlaps another network of the engine."""
    wanted = config.settings.network.subnet
    for network in client.networks.list():
        for pool in (network.attrs.get("IPAM") or {}).get("Config") or []:
            subnet = ip_network(pool["Subnet"]) if "Subnet" in pool else None
            if network.name == naming.network(config.stack) or not isinstance(subnet, IPv4Network):
                continue
            if subnet.overlaps(wanted):
                raise ConfigError(
                    f"the stack's network {wanted} overlaps {subnet} of the Docker network {network.name}",
                    f"set observability:{setting} to a free one in Pulumi.{config.stack}.yaml",
                )


def bindings(config: StackConfig, declared: Iterable[Declared]) -> Iterator[Binding]:
    """Every port of the host that the stack will bind."""
    for resource in _containers(on(list(declared), None)):
        service = resource.inputs["name"].removeprefix(f"obs-{config.stack}-")
        for port in resource.inputs.get("ports", []):
            yield Binding(
                service=service,
                address=port["ip"],
                port=port["external"],
                setting=SETTINGS.get(service, f"observability:{service}.port"),
                protocol=port.get("protocol") or "tcp",
            )
    if config.runs("node-exporter"):
        yield Binding(
            service="node-exporter",
            address=config.settings.network.gateway,
            port=config.settings.node_exporter.port,
            setting="observability:nodeExporter.port",
        )


def _containers(declared: Iterable[Declared]) -> Iterator[Declared]:
    return (resource for resource in declared if resource.type == CONTAINER)


def _held(key: tuple[str, int, str], own: Collection[tuple[str, int, str]]) -> bool:
    """Whether a container of the stack binds it; somebody may have opened the port on every address."""
    return key in own or (_EVERYWHERE, *key[1:]) in own


def _own_bindings(stack: str, client: docker.DockerClient) -> set[tuple[str, int, str]]:
    """Ports that this stack's running containers already bind, with their addresses and protocols."""
    held = set[tuple[str, int, str]]()
    for container in client.containers.list(filters={"label": f"{naming.LABEL_STACK}={stack}"}, ignore_removed=True):
        for inner, published in (container.attrs["HostConfig"].get("PortBindings") or {}).items():
            protocol = inner.partition("/")[2] or "tcp"
            held |= {(binding["HostIp"], int(binding["HostPort"]), protocol) for binding in published or []}
        for argument in container.attrs["Args"]:
            address, _, port = argument.removeprefix("--web.listen-address=").rpartition(":")
            if argument.startswith("--web.listen-address=") and address:
                held.add((address, int(port), "tcp"))
    return held


def _is_local() -> bool:
    return os.environ.get("DOCKER_HOST", "unix://").startswith("unix://")


def _is_free(address: str, port: int, protocol: str) -> bool:
    """Whether the port is free; on an address that does not exist yet, unless it is in use on all addresses."""
    for candidate in (address, "127.0.0.254"):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM) as probe:
            if protocol == "tcp":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((candidate, port))
            except OSError as error:
                if error.errno == errno.EADDRNOTAVAIL:
                    continue
                return error.errno != errno.EADDRINUSE
            return True
    return True
