"""The backup: restic with a schedule, and read-only access to the volumes that it copies."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pulumi import ComponentResource, Resource, ResourceOptions

from components.config_volume import ConfigVolume, ConfigVolumeArgs
from components.context import StackContext
from components.exporter import Exporter
from components.service import NOBODY, HealthCheck, HostMount, Service, ServiceArgs, VolumeMount
from components.volume import volume
from observability.core import naming
from observability.parts import backup, node
from observability.scrape.backup import files, kept, secret_files

USER: Final = "0:0"
CAPABILITY: Final = "DAC_OVERRIDE"


@dataclass(frozen=True, kw_only=True)
class BackupArgs:
    """The stack it belongs to, its exporters, and the servers whose volumes it reads."""

    context: StackContext
    exporters: Mapping[str, Exporter]
    servers: tuple[Resource, ...]


class Backup(ComponentResource):
    """The container that backs up the stack. It reads its configuration and its secrets before each step."""

    def __init__(self, name: str, args: BackupArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("observability:components:Backup", name, None, opts)
        context = args.context
        stack, settings = context.stack, context.settings.part(backup.NAME)
        child = ResourceOptions(parent=self)
        image = context.settings.image(backup.NAME)
        config = ConfigVolume(
            f"{name}-config",
            ConfigVolumeArgs(
                context=context,
                service=backup.NAME,
                image=image,
                user=NOBODY,
                folder=backup.FOLDER,
                loader_folder="/tmp",  # noqa: S108 - a folder of the image that every user can write to
                files=files(context.config),
                secret_files=secret_files(context.config),
                check=f"sh -n {backup.SCRIPT}",
            ),
            child,
        )
        stage = volume(f"{name}-data", context, backup.NAME, "data", parent=self)
        metrics = naming.volume(stack, node.PART.name, node.TEXTFILE)
        Service(
            f"{name}-server",
            ServiceArgs(
                context=context,
                service=backup.NAME,
                image=image,
                memory_mb=settings.memory_mb,
                user=USER,
                health=HealthCheck(test=("CMD", *backup.script("health")), interval="15s", timeout="10s"),
                entrypoint=backup.script("loop"),
                tmpfs={"/run": "size=16m,mode=0755"},
                capabilities=(CAPABILITY,),
                volumes=(
                    config.mount,
                    VolumeMount(volume=stage.name, path=backup.STAGE),
                    VolumeMount(volume=metrics, path=backup.METRICS),
                    *(
                        VolumeMount(
                            volume=naming.volume(stack, service, "data"),
                            path=f"{backup.VOLUMES}/{service}",
                            read_only=True,
                        )
                        for service in kept(context.config)
                    ),
                ),
                host_mounts=(HostMount(source=settings.folder, path=backup.FOLDER_OF_HOST, read_only=False),)
                if settings.folder
                else (),
                after=(config.installed, args.exporters[node.PART.name].container, *args.servers),
            ),
            child,
        )
        self.register_outputs({})
