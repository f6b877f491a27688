"""The OpenTelemetry Collector, as the log collector."""

from typing import Final

from pulumi import ComponentResource, ResourceOptions

from components.collectors.collector import SERVICE, CollectorArgs, Program, run
from components.config_volume import ConfigVolume, ConfigVolumeArgs
from components.service import NOBODY, HealthCheck
from observability.logs.otel import ARGUMENTS, CONTAINERS, DATA, HEALTH, MAIN, files
from observability.parts.busybox import BUSYBOX
from observability.parts.otel_collector import OTEL

PROGRAM: Final = "/otelcol-contrib"
TOOLS: Final = "/usr/local/lib/health"
CURRENT: Final = f"{TOOLS}/current"
CHECK: Final = "health.sh"


class OtelCollector(ComponentResource):
    """The log collector, in the OpenTelemetry Collector. It finds containers through the part `docker-proxy`."""

    def __init__(self, name: str, args: CollectorArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("observability:components:OtelCollector", name, None, opts)
        context = args.context
        # The image contains a single program. The shell and the wget of its health check are in a volume: the loader
        # is a container of busybox, and copies itself next to the script.
        tools = ConfigVolume(
            f"{name}-health",
            ConfigVolumeArgs(
                context=context,
                service=f"{SERVICE}-health",
                image=context.settings.image(BUSYBOX.name),
                user=NOBODY,
                folder=TOOLS,
                loader_folder="/tmp",  # noqa: S108 - a folder of the image that every user can write to
                files={CHECK: f"exec {CURRENT}/busybox wget -q -O /dev/null http://127.0.0.1:{HEALTH}/\n"},
                # The collector is root without the capability to read what is another user's alone.
                check=f"sh -n {CHECK} && cp /bin/busybox . && chmod -R a+rX .",
            ),
            ResourceOptions(parent=self),
        )
        program = Program(
            image=OTEL.name,
            folder="/etc/otelcol-contrib",
            main=MAIN,
            files=files(context.config),
            check=(PROGRAM, "validate", "--config="),
            command=("--config={config}", *ARGUMENTS),
            data=DATA,
            health=HealthCheck(test=("CMD", f"{CURRENT}/busybox", "sh", f"{CURRENT}/{CHECK}")),
            reads=CONTAINERS,
            volumes=(tools.mount,),
            after=(tools.installed,),
        )
        run(self, name, args, program)
        self.register_outputs({})
