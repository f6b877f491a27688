"""Alertmanager: groups, mutes and delivers what Prometheus finds."""

from dataclasses import dataclass

from pulumi import ComponentResource, ResourceOptions

from alerting.alertmanager import files, secret_files
from components.config_volume import ConfigVolume, ConfigVolumeArgs
from components.context import StackContext
from components.service import NOBODY, PublishedPort, Service, ServiceArgs, VolumeMount, http_health
from components.volume import volume

FOLDER = "/etc/alertmanager"
PORT = 9093


@dataclass(frozen=True, kw_only=True)
class AlertmanagerArgs:
    """The stack it belongs to."""

    context: StackContext


class Alertmanager(ComponentResource):
    """The alert server; silences and sent notifications survive its restart."""

    def __init__(self, name: str, args: AlertmanagerArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("observability:components:Alertmanager", name, None, opts)
        context = args.context
        settings = context.settings
        image = settings.image("alertmanager")
        child = ResourceOptions(parent=self)
        config = ConfigVolume(
            f"{name}-config",
            ConfigVolumeArgs(
                context=context,
                service="alertmanager",
                image=image,
                user=NOBODY,
                folder=FOLDER,
                files=files(context.config),
                secret_files=secret_files(context.config),
                check="amtool check-config alertmanager.yaml",
                reload_url=f"http://alertmanager:{PORT}/-/reload",
            ),
            child,
        )
        data = volume(f"{name}-data", context, "alertmanager", "data", parent=self)
        Service(
            f"{name}-server",
            ServiceArgs(
                context=context,
                service="alertmanager",
                image=image,
                memory_mb=settings.alertmanager.memory_mb,
                user=NOBODY,
                health=http_health(f"http://127.0.0.1:{PORT}/-/ready"),
                command=(
                    f"--config.file={FOLDER}/current/alertmanager.yaml",
                    "--storage.path=/alertmanager",
                    f"--data.retention={settings.alertmanager.retention}",
                    # One replica has nobody to gossip with.
                    "--cluster.listen-address=",
                    f"--web.external-url=http://{settings.bind_address}:{settings.alertmanager.port}",
                ),
                ports=(
                    PublishedPort(
                        internal=PORT, external=settings.alertmanager.port, address=str(settings.bind_address)
                    ),
                ),
                volumes=(config.mount, VolumeMount(volume=data.name, path="/alertmanager")),
                after=(config.installed,),
            ),
            child,
        )
        self.register_outputs({})
