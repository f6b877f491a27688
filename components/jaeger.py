"""Jaeger: stores traces and finds them."""

from dataclasses import dataclass
from typing import Final

import pulumi_docker as docker
from pulumi import ComponentResource, ResourceOptions

from components.checked_files import CheckedFiles, CheckedFilesArgs
from components.context import StackContext
from components.exporter import INSTALLED_BY, loader_id
from components.service import PublishedPort, Service, ServiceArgs, VolumeMount, http_health
from components.volume import volume
from observability.parts.jaeger import HEALTH, PART, PORT, JaegerSettings
from observability.traces.jaeger import DATA, FOLDER, MAIN, files, secret_files

PROGRAM: Final = "/cmd/jaeger/jaeger-linux"
USER: Final = "10001:10001"


@dataclass(frozen=True, kw_only=True)
class JaegerArgs:
    """The stack it belongs to."""

    context: StackContext


class Jaeger(ComponentResource):
    """The trace store. A change of its configuration replaces the container and keeps the traces."""

    container: docker.Container

    def __init__(self, name: str, args: JaegerArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("observability:components:Jaeger", name, None, opts)
        context, service = args.context, PART.name
        settings: JaegerSettings = context.settings.part(service)
        address = str(context.settings.bind_address)
        image = context.settings.image(service)
        child = ResourceOptions(parent=self)
        secrets = secret_files(context.config)
        config = CheckedFiles(
            f"{name}-config",
            CheckedFilesArgs(
                context=context,
                service=service,
                image=image,
                folder=FOLDER,
                main=MAIN,
                files=files(context.config),
                secret_files=secrets,
                check=(PROGRAM, "validate", "--config="),
            ),
            child,
        )
        mounts = [config.mount]
        # Where traces are elsewhere, it writes nothing.
        if settings.elasticsearch is None:
            data = volume(f"{name}-data", context, service, "data", parent=self)
            mounts.append(VolumeMount(volume=data.name, path=DATA))
        self.container = Service(
            f"{name}-server",
            ServiceArgs(
                context=context,
                service=service,
                image=image,
                memory_mb=settings.memory_mb,
                user=USER,
                health=http_health(f"http://127.0.0.1:{HEALTH}/status"),
                command=(f"--config={config.main}",),
                # The folder is named after the other files; the password is read again by itself.
                envs={INSTALLED_BY: loader_id(config.installed)} if secrets else {},
                ports=(PublishedPort(internal=PORT, external=settings.port, address=address),),
                volumes=tuple(mounts),
                after=(config.installed,),
            ),
            child,
        ).container
        self.register_outputs({})
