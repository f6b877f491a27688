"""Grafana's server; its content is created through its API, nothing is provisioned from files."""

from dataclasses import dataclass, replace
from pathlib import Path

import pulumi_docker as docker
from pulumi import ComponentResource, ResourceOptions

from components.config_volume import ConfigVolume, ConfigVolumeArgs
from components.context import StackContext
from components.grafana.environment import ADMIN_FILE, environment, secret_files
from components.service import HealthCheck, PublishedPort, Service, ServiceArgs, VolumeMount, http_health
from components.volume import volume

PORT = 3000

USER = "472:0"
"""uid and gid of the official image."""

FOLDER = "/etc/grafana/provisioning"
"""The only folder below /etc that belongs to that user in the image; only our own file is read from it."""


@dataclass(frozen=True, kw_only=True)
class GrafanaServerArgs:
    """The stack it belongs to."""

    context: StackContext


class GrafanaServer(ComponentResource):
    """Grafana's server; users and manually created resources survive its restart."""

    container: docker.Container

    def __init__(self, name: str, args: GrafanaServerArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("observability:components:GrafanaServer", name, None, opts)
        context = args.context
        settings = context.settings
        image = settings.image("grafana")
        child = ResourceOptions(parent=self)
        secrets = secret_files(context.config)
        config = ConfigVolume(
            f"{name}-config",
            ConfigVolumeArgs(
                context=context,
                service="grafana",
                image=image,
                user=USER,
                folder=FOLDER,
                files={},
                secret_files=secrets,
                check=" && ".join(f"test -s {path}" for path in secrets),
                reload_url=None,
            ),
            child,
        )
        data = volume(f"{name}-data", context, "grafana", "data", parent=self)
        current = f"{FOLDER}/current"
        server = Service(
            f"{name}-server",
            ServiceArgs(
                context=context,
                service="grafana",
                image=image,
                memory_mb=settings.grafana.memory_mb,
                user=USER,
                health=_health(),
                entrypoint=("/bin/sh", "-c", _script(), "start-grafana", f"{current}/{ADMIN_FILE}"),
                envs={
                    **environment(context.config, current),
                    # A changed secret replaces the loader; the server must restart to read it.
                    "OBS_PASSWORD_INSTALLED_BY": config.installed.apply(lambda loader: loader.id),
                },
                tmpfs={"/tmp": "size=64m", "/var/log/grafana": "size=16m"},  # noqa: S108 - the container's own
                ports=(
                    PublishedPort(internal=PORT, external=settings.grafana.port, address=str(settings.bind_address)),
                ),
                volumes=(config.mount, VolumeMount(volume=data.name, path="/var/lib/grafana")),
                after=(config.installed,),
            ),
            child,
        )
        self.container = server.container
        self.register_outputs({})


def _script() -> str:
    return Path(__file__).with_name("start-grafana.sh").read_text(encoding="utf-8")


def _health() -> HealthCheck:
    """Grafana's own health endpoint, database included; the first start takes longer, as it sets up the database."""
    check = http_health(f"http://127.0.0.1:{PORT}/api/health")
    return replace(check, retries=100)
