"""The network of a stack's containers on one Docker host."""

import pulumi_docker as docker
from pulumi import ResourceOptions

from observability.core import naming
from observability.settings.load import StackConfig


def network(name: str, config: StackConfig, opts: ResourceOptions) -> docker.Network:
    """A bridge with the subnet of the settings."""
    settings = config.settings.network
    return docker.Network(
        name,
        name=naming.network(config.stack),
        driver="bridge",
        ipam_configs=[docker.NetworkIpamConfigArgs(subnet=str(settings.subnet), gateway=settings.gateway)],
        labels=[docker.NetworkLabelArgs(label=naming.LABEL_STACK, value=config.stack)],
        opts=opts,
    )
