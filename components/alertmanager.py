"""Alertmanager: groups, mutes and delivers the alerts that Prometheus sends."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi_docker as docker
from pulumi import ComponentResource, ResourceOptions

from components.config_volume import ConfigVolume, ConfigVolumeArgs
from components.context import StackContext
from components.service import NOBODY, PublishedPort, Service, ServiceArgs, VolumeMount, http_health
from components.volume import volume
from observability.alerting.alertmanager import files, secret_files
from observability.parts.alertmanager import TURN_SECONDS

FOLDER = "/etc/alertmanager"
PORT = 9093

GOSSIP_PORT = 9094
"""Port on which replicas share sent notifications and silences; only within the stack's network."""


@dataclass(frozen=True, kw_only=True)
class AlertmanagerArgs:
    """The stack it belongs to."""

    context: StackContext


class Alertmanager(ComponentResource):
    """The alert server, or several replicas that send each message once. Silences and the notification log persist."""

    def __init__(self, name: str, args: AlertmanagerArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("observability:components:Alertmanager", name, None, opts)
        self._context = args.context
        running: tuple[docker.Container, ...] = ()
        for service in args.context.settings.alertmanager.services:
            # One after the other, so that an update never stops all replicas at once.
            running = (self._replica(service.replace("alertmanager", name, 1), service, running),)
        self.register_outputs({})

    def _replica(self, name: str, service: str, after: tuple[docker.Container, ...]) -> docker.Container:
        context = self._context
        settings = context.settings
        image = settings.image("alertmanager")
        child = ResourceOptions(parent=self)
        config = ConfigVolume(
            f"{name}-config",
            ConfigVolumeArgs(
                context=context,
                service=service,
                image=image,
                user=NOBODY,
                folder=FOLDER,
                files=files(context.config),
                secret_files=secret_files(context.config),
                check="amtool check-config alertmanager.yaml",
                reload_url=f"http://{service}:{PORT}/-/reload",
            ),
            child,
        )
        data = volume(f"{name}-data", context, service, "data", parent=self)
        address = str(settings.bind_address)
        return Service(
            f"{name}-server",
            ServiceArgs(
                context=context,
                service=service,
                image=image,
                memory_mb=settings.alertmanager.memory_mb,
                user=NOBODY,
                health=http_health(f"http://127.0.0.1:{PORT}/-/ready"),
                entrypoint=(
                    *("/bin/sh", f"{FOLDER}/current/start.sh", "/bin/alertmanager"),
                    f"--config.file={FOLDER}/current/alertmanager.yaml",
                    "--storage.path=/alertmanager",
                    f"--data.retention={settings.alertmanager.retention}",
                    *_cluster(service, settings.alertmanager.services),
                    # With it the metrics show which receiver's notifications fail, and that the heartbeat is sent.
                    "--enable-feature=receiver-name-in-metrics",
                    f"--web.external-url={context.config.link('alertmanager')}",
                    # Behind a proxy the external URL may have a path; inside the network there is none.
                    "--web.route-prefix=/",
                ),
                # The published port is that of the first replica; the cluster shares silences.
                ports=(PublishedPort(internal=PORT, external=settings.alertmanager.port, address=address),)
                if service == settings.alertmanager.services[0]
                else (),
                volumes=(config.mount, VolumeMount(volume=data.name, path="/alertmanager")),
                after=(config.installed, *after),
            ),
            child,
        ).container


def _cluster(service: str, services: Sequence[str]) -> tuple[str, ...]:
    """Arguments with which a replica finds the others; a single replica has no peers."""
    peers = [f"--cluster.peer={other}:{GOSSIP_PORT}" for other in services if other != service]
    if not peers:
        return ("--cluster.listen-address=",)
    return (f"--cluster.listen-address=0.0.0.0:{GOSSIP_PORT}", f"--cluster.peer-timeout={TURN_SECONDS}s", *peers)
