"""The networks of tests. Each has its own subnet, so that they exist beside each other and beside a stack."""

from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Network
from typing import Final

import docker
from docker.models.networks import Network
from docker.types import IPAMConfig, IPAMPool

from tests.in_use import alone

SUBNETS: Final = {
    name: IPv4Network(f"10.231.{third}.0/24")
    for name, third in {
        "second host": 60,
        "hosts": 61,
        "agent": 62,
        "edge": 63,
        "edge-traces": 64,
        "sabotage": 65,
        "networks": 66,
        "notifier": 67,
        "restore": 68,
        "status-page": 69,
        "contract": 77,
        "contract, changed": 78,
        "contract, changed again": 79,
        "spine": 97,
        "demo-live": 98,
        "live": 99,
    }.items()
}
"""The subnet of each network of the tests that needs known addresses, by its user.

Outside of the pools from which Docker takes subnets for networks that name none.
"""


def subnet(user: str) -> str:
    """The subnet as settings have it."""
    return str(SUBNETS[user])


def gateway(user: str) -> str:
    """The address of this machine in the subnet."""
    return str(SUBNETS[user][1])


@contextmanager
def bridge(client: docker.DockerClient, name: str, user: str | None = None) -> Iterator[Network]:
    """A network of that name, with the subnet of the user or any, removed at the end.

    What a run that was killed left of it is removed first: another run that is going on holds the lock of the name.
    """
    with alone(name):
        clear(client, name)
        pools = [IPAMPool(subnet=subnet(user), gateway=gateway(user))] if user else []
        made = client.networks.create(name, driver="bridge", ipam=IPAMConfig(pool_configs=pools))
        try:
            yield made
        finally:
            clear(client, name)


def clear(client: docker.DockerClient, name: str) -> None:
    """Remove the networks and containers whose names begin with that name, and the containers on these networks."""
    for container in client.containers.list(all=True, filters={"name": f"^/{name}"}, ignore_removed=True):
        container.remove(force=True, v=True)
    for network in client.networks.list(names=[name]):
        if not str(network.name).startswith(name):
            continue
        network.reload()
        for container in network.containers:
            container.remove(force=True, v=True)
        network.remove()
