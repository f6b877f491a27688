"""Named volumes; they outlive `pulumi destroy`."""

import pulumi_docker as docker
from pulumi import Resource, ResourceOptions

from components.context import StackContext
from observability.core import naming


def volume(name: str, context: StackContext, service: str, role: str, *, parent: Resource) -> docker.Volume:
    """A volume that is kept when the stack is destroyed; `obs down --volumes` removes it."""
    return docker.Volume(
        name,
        name=naming.volume(context.stack, service, role),
        labels=[docker.VolumeLabelArgs(label=label, value=value) for label, value in context.labels(service).items()],
        opts=ResourceOptions(parent=parent, retain_on_delete=True),
    )
