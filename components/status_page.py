"""The status page: a container that writes it, and its volume."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi_docker as docker
from pulumi import ComponentResource, Output, ResourceOptions

from components.context import StackContext
from components.program import ProgramArgs, program
from components.service import VolumeMount
from components.volume import volume
from observability.parts.status_page import COMMAND_FILES, DATA, KEY, NAME, PART
from observability.status_page.facts import files


@dataclass(frozen=True, kw_only=True)
class StatusPageArgs:
    """The stack it belongs to, and its alerting rules as their files state them."""

    context: StackContext
    rules: Iterable[Mapping[str, Any]]


class StatusPage(ComponentResource):
    """The container with its configuration, which it reads again when it changes."""

    container: docker.Container
    """Dependency of who serves the page: the volume has its owner when this container exists."""

    data: Output[str]
    """Name of the volume with the page."""

    def __init__(self, name: str, args: StatusPageArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("observability:components:StatusPage", name, None, opts)
        context = args.context
        publish = context.settings.part(NAME).publish
        data = volume(f"{name}-data", context, NAME, "data", parent=self)
        self.data = data.name
        self.container = program(
            name,
            ProgramArgs(
                context=context,
                part=PART,
                files=files(context.config, args.rules),
                secret_files={COMMAND_FILES["key"]: KEY} if publish is not None and publish.key else {},
                # Programs that publish it write temporary files.
                tmpfs={"/tmp": "size=16m,mode=1777"},  # noqa: S108 - the container's own
                volumes=(VolumeMount(volume=data.name, path=DATA),),
            ),
            ResourceOptions(parent=self),
        ).container
        self.register_outputs({"volume": data.name})
