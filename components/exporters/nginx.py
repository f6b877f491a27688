"""nginx-prometheus-exporter: one for each nginx server that is watched."""

from dataclasses import dataclass

from pulumi import ComponentResource, ResourceOptions

from components.context import StackContext
from components.service import Service, ServiceArgs
from observability.settings.exporters import NginxTarget

USER = "1001:1001"
"""uid and gid of the image."""


@dataclass(frozen=True, kw_only=True)
class NginxExporterArgs:
    """The stack it belongs to, and the server it watches."""

    context: StackContext
    target: NginxTarget


class NginxExporter(ComponentResource):
    """Metrics of one server. Its image holds the program alone, so Docker cannot ask how it is; Prometheus does."""

    def __init__(self, name: str, args: NginxExporterArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("observability:components:NginxExporter", name, None, opts)
        context = args.context
        Service(
            f"{name}-server",
            ServiceArgs(
                context=context,
                service=f"nginx-exporter-{args.target.name}",
                image=context.settings.image("nginx-exporter"),
                memory_mb=context.settings.nginx_exporter.memory_mb,
                user=USER,
                health=None,
                command=(f"--nginx.scrape-uri={args.target.url}",),
            ),
            ResourceOptions(parent=self),
        )
        self.register_outputs({})
