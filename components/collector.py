"""The log collector: the OpenTelemetry Collector, which finds containers through the part `docker-proxy`.

It sees Docker's folder of logs and the folders of the files that the settings name, read-only.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from pulumi import Alias, ComponentResource, Input, Resource, ResourceOptions

from components.checked_files import CheckedFiles, CheckedFilesArgs
from components.config_volume import ConfigVolume, ConfigVolumeArgs
from components.context import StackContext
from components.exporter import INSTALLED_BY, loader_id, secret_text
from components.service import (
    NOBODY,
    HostMount,
    PublishedPort,
    Service,
    ServiceArgs,
    VolumeMount,
    http_health,
)
from components.volume import volume
from observability.collector.configuration import MAIN, files, secret_files
from observability.elk import sending
from observability.logs import inputs
from observability.logs.otel import ARGUMENTS, CONTAINERS
from observability.parts.busybox import BUSYBOX
from observability.parts.collector import PART, SYSLOG_KEY
from observability.parts.otel_collector import AUTHORITY_FILE, DATA, HEALTH, OTEL, TOOLS
from observability.parts.otlp_metrics import NAME as METRICS
from observability.parts.traces import NAME as SPANS
from observability.scrape import edge
from observability.traces import collector as traces

PROGRAM: Final = "/otelcol-contrib"
FOLDER: Final = "/etc/otelcol-contrib"
CURRENT: Final = f"{TOOLS}/current"
CHECK: Final = "health.sh"
PROGRAM_OF_TOOLS: Final = "/bin/busybox"
HEALTHY: Final = http_health(f"http://127.0.0.1:{HEALTH}/", tools=f"{CURRENT}/busybox")

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
        trusted = edge.trusted(context.config) if context.host else None
        texts = {AUTHORITY_FILE: trusted} if trusted else sending.secret_texts(context.config, context.host)
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
                secret_files=secret_files(context.config, context.host),
                secret_texts={path: secret_text(context, text) for path, text in texts.items()},
                files={CHECK: f"{HEALTHY.test[-1]}\n"},
                # The collector is root without the capability to read what is another user's alone.
                check=f"sh -n {CHECK} && cp {PROGRAM_OF_TOOLS} . && chmod -R a+rX .",
                copies={"busybox": PROGRAM_OF_TOOLS},
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
                files=files(context.config, context.host),
                check=(PROGRAM, "validate", "--config="),
            ),
            child,
        )
        listeners = inputs.listeners_of(context.config, context.host)
        certificates = inputs.certificates(context.config, context.host)
        tls = []
        if certificates:
            tls.append(
                ConfigVolume(
                    f"{name}-syslog",
                    ConfigVolumeArgs(
                        context=context,
                        service=f"{service}-syslog",
                        image=context.settings.image(BUSYBOX.name),
                        user=NOBODY,
                        folder=inputs.TLS,
                        loader_folder="/tmp",  # noqa: S108 - a folder of the image that every user can write to
                        files=certificates,
                        secret_files={inputs.KEY: SYSLOG_KEY},
                        # As above.
                        check="chmod -R a+rX .",
                    ),
                    child,
                )
            )
        folders = inputs.folders_of(context.config, context.host)
        data = volume(f"{name}-data", context, service, "data", parent=self)
        Service(
            f"{name}-server",
            ServiceArgs(
                context=context,
                service=service,
                image=image,
                memory_mb=_memory(context),
                user=ROOT,
                health=replace(HEALTHY, test=(*HEALTHY.test[:-2], f"{CURRENT}/{CHECK}")),
                command=(f"--config={config.main}", *ARGUMENTS),
                # On another host there is the credential too, which it need not notice while it runs.
                envs={INSTALLED_BY: loader_id(tools.installed)} if context.host or texts else {},
                ports=[
                    *(
                        PublishedPort(
                            internal=one.internal,
                            external=one.settings.port,
                            address=str(one.settings.bind_address or context.settings.bind_address),
                            protocol=one.settings.transport,
                        )
                        for one in listeners
                    ),
                    *_of_otlp(context),
                ],
                volumes=(
                    config.mount,
                    VolumeMount(volume=data.name, path=DATA),
                    tools.mount,
                    *(one.mount for one in tls),
                ),
                host_mounts=[HostMount(source=folder, path=folder) for folder in (CONTAINERS, *folders)],
                capabilities=("DAC_READ_SEARCH",) if folders else (),
                after=(config.installed, tools.installed, *(one.installed for one in tls), *args.after),
            ),
            child,
        )
        self.register_outputs({})


def _memory(context: StackContext) -> int:
    """Its memory limit, with those of spans and of metrics where it takes some."""
    settings, runs = context.settings, context.config.runs
    found = settings.collector.memory_mb
    if settings.traces is not None and runs(SPANS):
        found += settings.traces.memory_mb
    if settings.otlp_metrics is not None and runs(METRICS):
        found += settings.otlp_metrics.memory_mb
    return found


def _of_otlp(context: StackContext) -> Iterator[PublishedPort]:
    """The ports of OTLP, on the host's address in the stack's network: its processes and containers reach that.

    On one address alone: of two, Docker reports the order as it likes, and every update would replace the container.
    """
    for internal, external in traces.ports(context.config):
        yield PublishedPort(internal=internal, external=external, address=context.settings.network.gateway)
