"""The Datadog agent: a container with its configuration, and a volume for its positions in logs."""

from dataclasses import dataclass

from pulumi import ComponentResource, Input, Resource, ResourceOptions

from components.config_volume import ConfigVolume, ConfigVolumeArgs
from components.context import StackContext
from components.exporter import INSTALLED_BY, loader_id
from components.service import NOBODY, HealthCheck, HostMount, PublishedPort, Service, ServiceArgs, VolumeMount
from components.volume import volume
from observability.logs.otel import CONTAINERS
from observability.parts.busybox import BUSYBOX
from observability.parts.datadog import NAME, TRACES
from observability.scrape.datadog import CURRENT, DATA, ENVIRONMENT, FOLDER, SCRIPT, files, secret_files


@dataclass(frozen=True, kw_only=True)
class DatadogAgentArgs:
    """The stack it belongs to, and the proxy through which it finds containers."""

    context: StackContext
    after: Input[Resource]


class DatadogAgent(ComponentResource):
    """The agent; a change of its configuration makes a new container."""

    def __init__(self, name: str, args: DatadogAgentArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("observability:components:DatadogAgent", name, None, opts)
        context = args.context
        settings = context.settings.part(NAME)
        child = ResourceOptions(parent=self)
        config = ConfigVolume(
            f"{name}-config",
            ConfigVolumeArgs(
                context=context,
                service=NAME,
                image=context.settings.image(BUSYBOX.name),
                user=NOBODY,
                folder=FOLDER,
                loader_folder="/tmp",  # noqa: S108 - a folder of the image that every user can write to
                files=files(context.config),
                secret_files=secret_files(context.config),
                # The agent is root without the capability to read what is another user's alone.
                check="chmod -R a+rX .",
            ),
            child,
        )
        data = volume(f"{name}-data", context, NAME, "data", parent=self)
        Service(
            f"{name}-server",
            ServiceArgs(
                context=context,
                service=NAME,
                image=context.settings.image(NAME),
                memory_mb=settings.memory_mb,
                user="0:0",
                # Unhealthy where Datadog refuses the API key, too.
                health=HealthCheck(
                    test=("CMD", "agent", "health", "-c", CURRENT), interval="30s", timeout="15s", retries=3
                ),
                entrypoint=("bash", f"{CURRENT}/{SCRIPT}"),
                envs={**ENVIRONMENT, INSTALLED_BY: loader_id(config.installed)},
                tmpfs={"/tmp": "size=64m,mode=1777"},  # noqa: S108 - the container's own
                ports=[
                    PublishedPort(
                        internal=TRACES, external=settings.apm_port, address=context.settings.network.gateway
                    )
                ]
                if settings.apm
                else [],
                volumes=(config.mount, VolumeMount(volume=data.name, path=DATA)),
                host_mounts=[HostMount(source=CONTAINERS, path=CONTAINERS)] if settings.logs else [],
                after=(config.installed, args.after),
            ),
            child,
        )
        self.register_outputs({})
