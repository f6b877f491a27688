"""blackbox_exporter: looks at addresses from outside, as a visitor would."""

from dataclasses import dataclass

from pulumi import ComponentResource, ResourceOptions

from components.checked_files import CheckedFiles, CheckedFilesArgs
from components.context import StackContext
from components.service import NOBODY, Service, ServiceArgs, http_health
from observability.scrape.blackbox import files

FOLDER = "/etc/blackbox_exporter"
PORT = 9115


@dataclass(frozen=True, kw_only=True)
class BlackboxExporterArgs:
    """The stack it belongs to."""

    context: StackContext


class BlackboxExporter(ComponentResource):
    """Every probe's metrics; Prometheus names the target, so a new one needs no new container."""

    def __init__(self, name: str, args: BlackboxExporterArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("observability:components:BlackboxExporter", name, None, opts)
        context = args.context
        image = context.settings.image("blackbox-exporter")
        child = ResourceOptions(parent=self)
        config = CheckedFiles(
            f"{name}-config",
            CheckedFilesArgs(
                context=context,
                service="blackbox-exporter",
                image=image,
                folder=FOLDER,
                main="blackbox.yaml",
                files=files(context.config),
                check=("/bin/blackbox_exporter", "--config.check", "--config.file="),
            ),
            child,
        )
        Service(
            f"{name}-server",
            ServiceArgs(
                context=context,
                service="blackbox-exporter",
                image=image,
                memory_mb=context.settings.blackbox_exporter.memory_mb,
                user=NOBODY,
                health=http_health(f"http://127.0.0.1:{PORT}/-/healthy"),
                command=(f"--config.file={config.main}",),
                volumes=(config.mount,),
                after=(config.installed,),
            ),
            child,
        )
        self.register_outputs({})
