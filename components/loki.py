"""Loki: stores log lines and serves queries on them."""

from dataclasses import dataclass
from typing import Final

import pulumi_docker as docker
from pulumi import ComponentResource, ResourceOptions

from components.checked_files import CheckedFiles, CheckedFilesArgs
from components.context import StackContext
from components.exporter import INSTALLED_BY, loader_id
from components.service import HealthCheck, PublishedPort, Service, ServiceArgs, VolumeMount
from components.volume import volume
from observability.logs.loki import DATA, PORT, RULES, S3_CREDENTIALS, files, secret_files

PROGRAM: Final = "/usr/bin/loki"
FOLDER: Final = "/etc/loki"
CREDENTIALS: Final = "AWS_SHARED_CREDENTIALS_FILE"
"""Variable that names the file with the keys of the object storage."""
USER: Final = "10001:10001"
"""uid and gid of the image."""


@dataclass(frozen=True, kw_only=True)
class LokiArgs:
    """The stack it belongs to."""

    context: StackContext


class Loki(ComponentResource):
    """The log store. It cannot reload its configuration, so a change replaces the container and keeps the data."""

    container: docker.Container
    """Dependency of the services that send lines."""

    def __init__(self, name: str, args: LokiArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("observability:components:Loki", name, None, opts)
        context = args.context
        settings = context.settings
        image = settings.image("loki")
        child = ResourceOptions(parent=self)
        secrets = secret_files(context.config)
        config = CheckedFiles(
            f"{name}-config",
            CheckedFilesArgs(
                context=context,
                service="loki",
                image=image,
                folder=FOLDER,
                main="loki.yaml",
                files=files(context.config),
                secret_files=secrets,
                check=(PROGRAM, "-verify-config", "-config.file="),
            ),
            child,
        )
        data = volume(f"{name}-data", context, "loki", "data", parent=self)
        self.container = Service(
            f"{name}-server",
            ServiceArgs(
                context=context,
                service="loki",
                image=image,
                memory_mb=settings.loki.memory_mb,
                user=USER,
                # A new store reports for 15 s that it is not ready yet.
                # The image has no shell, and starting its large program for a check costs a quarter of a second.
                health=HealthCheck(test=("CMD", PROGRAM, "-health"), interval="10s", timeout="5s"),
                command=(
                    f"-config.file={config.main}",
                    f"-ruler.storage.local.directory={config.release}/{RULES}",
                ),
                envs={
                    CREDENTIALS: f"{config.release}/{S3_CREDENTIALS}",
                    # The folder is named after the other files; Loki reads the keys once, when it starts.
                    INSTALLED_BY: loader_id(config.installed),
                }
                if secrets
                else {},
                ports=(PublishedPort(internal=PORT, external=settings.loki.port, address=str(settings.bind_address)),),
                volumes=(config.mount, VolumeMount(volume=data.name, path=DATA)),
                after=(config.installed,),
            ),
            child,
        ).container
        self.register_outputs({})
