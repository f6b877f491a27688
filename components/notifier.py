"""The notifier: adds evidence to the alerts that Alertmanager has."""

from collections.abc import Mapping
from dataclasses import dataclass

from pulumi import ComponentResource, ResourceOptions

from components.context import StackContext
from components.program import ProgramArgs, program
from components.service import PublishedPort, VolumeMount
from components.volume import volume
from dashboards.linked_panels import linked
from observability.notifier.facts import files
from observability.parts.notifier import NAME, PART, PICTURES, PORT


@dataclass(frozen=True, kw_only=True)
class NotifierArgs:
    """The stack it belongs to, and its rule files by name."""

    context: StackContext
    rule_files: Mapping[str, str]


class Notifier(ComponentResource):
    """The container, and the volume of the pictures that it serves."""

    def __init__(self, name: str, args: NotifierArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("observability:components:Notifier", name, None, opts)
        context = args.context
        drawn = context.settings.part(NAME).pictures
        data = volume(f"{name}-data", context, NAME, "data", parent=self) if drawn else None
        address = str(context.settings.bind_address)
        program(
            name,
            ProgramArgs(
                context=context,
                part=PART,
                files=files(context.config, args.rule_files, linked(context.config, args.rule_files)),
                ports=(PublishedPort(internal=PORT, external=drawn.port, address=address),)
                if drawn and drawn.port
                else (),
                volumes=(VolumeMount(volume=data.name, path=PICTURES),) if data else (),
            ),
            ResourceOptions(parent=self),
        )
        self.register_outputs({})
