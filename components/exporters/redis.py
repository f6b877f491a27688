"""redis_exporter: metrics of every Redis server that is watched."""

from dataclasses import dataclass

from pulumi import ComponentResource, ResourceOptions

from components.config_volume import ConfigVolume, ConfigVolumeArgs
from components.context import StackContext
from components.service import Service, ServiceArgs, http_health

FOLDER = "/etc/redis-exporter"
PORT = 9121
USER = "59000:59000"
"""uid and gid of the image."""


@dataclass(frozen=True, kw_only=True)
class RedisExporterArgs:
    """The stack it belongs to."""

    context: StackContext


class RedisExporter(ComponentResource):
    """Prometheus names the server; the passwords, where there are any, are a file."""

    def __init__(self, name: str, args: RedisExporterArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("observability:components:RedisExporter", name, None, opts)
        context = args.context
        image = context.settings.image("redis-exporter")
        child = ResourceOptions(parent=self)
        config = None
        if "redisPasswords" in context.config.secrets:
            config = ConfigVolume(
                f"{name}-config",
                ConfigVolumeArgs(
                    context=context,
                    service="redis-exporter",
                    image=image,
                    user=USER,
                    folder=FOLDER,
                    loader_folder="/tmp",  # noqa: S108 - a folder of the image that anybody may write to
                    files={},
                    secret_files={"passwords.json": "redisPasswords"},
                    reload_url=f"http://redis-exporter:{PORT}/-/reload",
                ),
                child,
            )
        Service(
            f"{name}-server",
            ServiceArgs(
                context=context,
                service="redis-exporter",
                image=image,
                memory_mb=context.settings.redis_exporter.memory_mb,
                user=USER,
                health=http_health(f"http://127.0.0.1:{PORT}/health"),
                # No server of its own: each scrape names one.
                envs={"REDIS_ADDR": ""}
                | ({"REDIS_PASSWORD_FILE": f"{FOLDER}/current/passwords.json"} if config else {}),
                volumes=(config.mount,) if config else (),
                after=(config.installed,) if config else (),
            ),
            child,
        )
        self.register_outputs({})
