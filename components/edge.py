"""The edge: Caddy with the one TLS address that agents on other hosts reach."""

from dataclasses import dataclass
from typing import Final

import pulumi_docker as docker
from pulumi import ComponentResource, ResourceOptions

from components.config_volume import ConfigVolume, ConfigVolumeArgs
from components.context import StackContext
from components.exporter import INSTALLED_BY, loader_id, secret_text
from components.service import NOBODY, PublishedPort, Service, ServiceArgs, VolumeMount, http_health
from components.status_page import StatusPage
from components.volume import volume
from observability.parts import caddy, status_page
from observability.parts.edge import PART
from observability.scrape.edge import files, hosts, secret_files

FOLDER: Final = "/etc/edge"
DATA: Final = "/tmp"  # noqa: S108 - the only folder of the image that every user can write to
"""Where it stores the certificates that it gets or signs."""

_SHARED: Final = "/dev/shm"  # noqa: S108 - in memory, for the time of a check
_FILE: Final = f"--config {caddy.MAIN} --adapter caddyfile"

CHECK: Final = (
    # The loader has no capability. A copy of the program does not have that of the file, and so starts without it.
    f'cp "$(command -v caddy)" program && XDG_CONFIG_HOME={_SHARED} XDG_DATA_HOME={_SHARED} '
    f"./program validate {_FILE} && rm program"
)
"""What the loader runs in the folder of the new files."""

COMMAND: Final = f"cd {FOLDER}/current && exec caddy run {_FILE}"
"""What the container's shell runs; the paths in the configuration are relative to the folder it is started in."""


@dataclass(frozen=True, kw_only=True)
class EdgeArgs:
    """The stack it belongs to, and the status page that it serves, if there is one."""

    context: StackContext
    page: StatusPage | None = None


class Edge(ComponentResource):
    """Caddy's container. A change of its files replaces it: senders repeat what they could not send."""

    container: docker.Container
    """Dependency of the agents: a credential is accepted before the agent that sends with it has it."""

    def __init__(self, name: str, args: EdgeArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("observability:components:Edge", name, None, opts)
        context, service = args.context, PART.name
        settings = context.settings.edge
        child = ResourceOptions(parent=self)
        image = context.settings.image(caddy.CADDY.name)
        config = ConfigVolume(
            f"{name}-config",
            ConfigVolumeArgs(
                context=context,
                service=service,
                image=image,
                user=NOBODY,
                folder=FOLDER,
                loader_folder=DATA,
                files=files(context.config),
                secret_files=secret_files(context.config),
                secret_texts={caddy.HOSTS: secret_text(context, hosts(context.config))},
                check=CHECK,
            ),
            child,
        )
        mounts = [config.mount]
        if settings.signed_by == "acme":
            # An authority limits how often it issues a certificate, so those it issued outlive the container.
            data = volume(f"{name}-data", context, service, "data", parent=self)
            mounts.append(VolumeMount(volume=data.name, path=DATA))
        served = args.page if context.settings.part(status_page.NAME).edge_name else None
        if served is not None:
            mounts.append(VolumeMount(volume=served.data, path=caddy.STATUS, read_only=True))
        self.container = Service(
            f"{name}-server",
            ServiceArgs(
                context=context,
                service=service,
                image=image,
                memory_mb=settings.memory_mb,
                user=NOBODY,
                health=http_health(f"http://127.0.0.1:{caddy.METRICS_PORT}/healthz"),
                entrypoint=("/bin/sh", "-c", COMMAND),
                envs={
                    "XDG_CONFIG_HOME": DATA,
                    "XDG_DATA_HOME": DATA,
                    INSTALLED_BY: loader_id(config.installed),
                },
                # What its own authority signs, it signs anew when it starts.
                tmpfs={} if settings.signed_by == "acme" else {DATA: "size=16m,mode=1777"},
                capabilities=("NET_BIND_SERVICE",),
                ports=(
                    PublishedPort(internal=caddy.PORT, external=settings.port, address=str(settings.bind_address)),
                ),
                volumes=tuple(mounts),
                after=(config.installed, *((served.container,) if served else ())),
            ),
            child,
        ).container
        self.register_outputs({})
