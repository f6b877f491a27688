"""The log collector: the OpenTelemetry Collector, which finds containers through the part `docker-proxy`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pulumi import Alias, ComponentResource, Input, Resource, ResourceOptions

from components.checked_files import CheckedFiles, CheckedFilesArgs
from components.config_volume import ConfigVolume, ConfigVolumeArgs
from components.context import StackContext
from components.service import NOBODY, HealthCheck, HostMount, Service, ServiceArgs, VolumeMount
from components.volume import volume
from observability.logs.otel import ARGUMENTS, CONTAINERS, DATA, HEALTH, MAIN, files
from observability.parts.busybox import BUSYBOX
from observability.parts.collector import PART
from observability.parts.otel_collector import OTEL

PROGRAM: Final = "/otelcol-contrib"
FOLDER: Final = "/etc/otelcol-contrib"
TOOLS: Final = "/usr/local/lib/health"
CURRENT: Final = f"{TOOLS}/current"
CHECK: Final = "health.sh"

EARLIER: Final = ("Alloy", "Promtail", "OtelCollector")
"""Components that were the log collector in earlier versions."""

ROOT: Final = "0:0"
"""Docker's files of logs belong to root."""


@dataclass(frozen=True, kw_only=True)
class CollectorArgs:
    """The stack it belongs to, and its dependencies."""

    context: StackContext
    after: Sequence[Input[Resource]] = ()


class Collector(ComponentResource):
    """The collector's container with its configuration, its stored positions and its queue."""

    def __init__(self, name: str, args: CollectorArgs, opts: ResourceOptions | None = None) -> None:
        # A container of earlier versions is replaced: it has the same name, so the new one cannot exist beside it.
        earlier = [Alias(type_=f"observability:components:{one}") for one in EARLIER]
        opts = ResourceOptions.merge(opts, ResourceOptions(aliases=earlier))
        super().__init__("observability:components:Collector", name, None, opts)
        context, service = args.context, PART.name
        child = ResourceOptions(parent=self)
        image = context.settings.image(OTEL.name)
        # The image contains a single program. The shell and the wget of its health check are in a volume: the loader
        # is a container of busybox, and copies itself next to the script.
        tools = ConfigVolume(
            f"{name}-health",
            ConfigVolumeArgs(
                context=context,
                service=f"{service}-health",
                image=context.settings.image(BUSYBOX.name),
                user=NOBODY,
                folder=TOOLS,
                loader_folder="/tmp",  # noqa: S108 - a folder of the image that every user can write to
                files={CHECK: f"exec {CURRENT}/busybox wget -q -O /dev/null http://127.0.0.1:{HEALTH}/\n"},
                # The collector is root without the capability to read what is another user's alone.
                check=f"sh -n {CHECK} && cp /bin/busybox . && chmod -R a+rX .",
            ),
            child,
        )
        config = CheckedFiles(
            f"{name}-config",
            CheckedFilesArgs(
                context=context,
                service=service,
                image=image,
                folder=FOLDER,
                main=MAIN,
                files=files(context.config),
                check=(PROGRAM, "validate", "--config="),
            ),
            child,
        )
        data = volume(f"{name}-data", context, service, "data", parent=self)
        Service(
            f"{name}-server",
            ServiceArgs(
                context=context,
                service=service,
                image=image,
                memory_mb=context.settings.collector.memory_mb,
                user=ROOT,
                health=HealthCheck(test=("CMD", f"{CURRENT}/busybox", "sh", f"{CURRENT}/{CHECK}")),
                command=(f"--config={config.main}", *ARGUMENTS),
                volumes=(config.mount, VolumeMount(volume=data.name, path=DATA), tools.mount),
                host_mounts=(HostMount(source=CONTAINERS, path=CONTAINERS),),
                after=(config.installed, tools.installed, *args.after),
            ),
            child,
        )
        self.register_outputs({})
