"""Exporters from the settings: an image of the user's choice, confined like all others."""

from dataclasses import dataclass

from pulumi import ComponentResource, ResourceOptions

from components.context import StackContext
from components.service import Service, ServiceArgs
from observability.settings.model import ExporterSettings


@dataclass(frozen=True, kw_only=True)
class CustomExporterArgs:
    """The stack it belongs to, and what the settings say of it."""

    context: StackContext
    exporter: ExporterSettings


class CustomExporter(ComponentResource):
    """One exporter from the settings; only Prometheus reaches it."""

    def __init__(self, name: str, args: CustomExporterArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("observability:components:CustomExporter", name, None, opts)
        exporter = args.exporter
        Service(
            f"{name}-server",
            ServiceArgs(
                context=args.context,
                service=exporter.name,
                image=args.context.settings.exporter_image(exporter),
                memory_mb=exporter.memory_mb,
                user=exporter.user,
                health=None,
                command=exporter.command,
            ),
            ResourceOptions(parent=self),
        )
        self.register_outputs({})
