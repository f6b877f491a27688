"""The demo: five systems for a dev stack to watch, one of them a real shop with its database, cache and proxy."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pulumi import ComponentResource, ResourceOptions

from components.config_volume import ConfigVolume, ConfigVolumeArgs
from components.context import StackContext
from components.service import HealthCheck, PublishedPort, Service, ServiceArgs, VolumeMount
from components.volume import volume

DEPLOY: Final = Path(__file__).resolve().parent.parent / "demo" / "deploy"
"""Configuration of the servers the service uses."""

PORT: Final = 3000
FAULTS_PORT: Final = 3999
STATUS_PORT: Final = 8081
"""The shop's API, health and metrics; the faults; nginx' own figures. The other systems have ports of their own."""

POSTGRES: Final = "999:999"
REDIS: Final = "999:999"
NGINX: Final = "101:101"
SERVICE: Final = "10001:10001"
"""uid and gid that each image has for its server."""

TEMPORARY: Final = "rw,noexec,nosuid,nodev,size=16m,mode=1777"

ANYBODYS: Final = "/var/tmp"  # noqa: S108 - a folder of the image on which the loader mounts the volume
"""The official images own no folder for configuration as their server's user, but this one anybody may write to."""


CACHE: Final = (
    "exec redis-server --save '' --appendonly no --protected-mode no --maxmemory 32mb --maxmemory-policy allkeys-lru"
)
"""A cache: nothing is kept, the least used goes first; reached from the stack's network alone. By a shell, as the
provider refuses the empty argument that switches saving off."""


@dataclass(frozen=True, kw_only=True)
class DemoArgs:
    """The stack it belongs to."""

    context: StackContext


class Demo(ComponentResource):
    """All of the demo; each server starts when those it uses are healthy."""

    def __init__(self, name: str, args: DemoArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("observability:components:Demo", name, None, opts)
        self._context = args.context
        self._child = ResourceOptions(parent=self)
        service = self._service(self._postgres(), self._redis("demo-redis"), self._redis("demo-redis-alawael"))
        self._nginx(service)
        self.register_outputs({})

    def _postgres(self) -> Service:
        context = self._context
        folder = "/etc/demo-postgres"
        files = _files("postgres.sh", "postgresql.conf", "pg_hba.conf")
        config = ConfigVolume(
            "demo-postgres-config",
            ConfigVolumeArgs(
                context=context,
                service="demo-postgres",
                image=context.settings.image("demo-postgres"),
                user=POSTGRES,
                folder=folder,
                loader_folder=ANYBODYS,
                files=files,
                secret_files={
                    "app-password": "demoDatabasePassword",
                    "monitoring-password": "socialSellingPostgresPassword",
                },
                check="sh -n postgres.sh && postgres -C port -c config_file=$PWD/postgresql.conf >/dev/null",
            ),
            self._child,
        )
        data = volume("demo-postgres-data", context, "demo-postgres", "data", parent=self)
        return Service(
            "demo-postgres",
            ServiceArgs(
                context=context,
                service="demo-postgres",
                image=context.settings.image("demo-postgres"),
                memory_mb=160,
                user=POSTGRES,
                health=HealthCheck(test=("CMD", "pg_isready", "-q", "-h", "/tmp", "-U", "postgres")),  # noqa: S108
                entrypoint=("/bin/sh", f"{folder}/current/postgres.sh", f"{folder}/current", f"{folder}/current"),
                envs={"CONFIG_HASH": _hash(files)},
                tmpfs={"/tmp": TEMPORARY},  # noqa: S108 - a tmpfs of the container's own
                volumes=(config.mount, VolumeMount(volume=data.name, path="/var/lib/postgresql/data")),
                after=(config.installed,),
            ),
            self._child,
        )

    def _redis(self, name: str) -> Service:
        return Service(
            name,
            ServiceArgs(
                context=self._context,
                service=name,
                image=self._context.settings.image("demo-redis"),
                memory_mb=64,
                user=REDIS,
                health=HealthCheck(test=("CMD", "redis-cli", "ping")),
                command=("sh", "-c", CACHE),
                tmpfs={"/data": TEMPORARY},
            ),
            self._child,
        )

    def _service(self, *needed: Service) -> Service:
        context = self._context
        settings = context.settings
        folder = "/etc/demo"
        secrets = ConfigVolume(
            "demo-config",
            ConfigVolumeArgs(
                context=context,
                service="demo",
                image=settings.image("demo"),
                user=SERVICE,
                folder=folder,
                files={},
                secret_files={"database-password": "demoDatabasePassword"},
            ),
            self._child,
        )
        alive = f"import urllib.request as r; r.urlopen('http://127.0.0.1:{PORT}/health/live', timeout=2)"
        return Service(
            "demo",
            ServiceArgs(
                context=context,
                service="demo",
                image=settings.image("demo"),
                memory_mb=96,
                user=SERVICE,
                health=HealthCheck(test=("CMD", "python3", "-I", "-c", alive), interval="10s"),
                command=(
                    *("--faults-port", str(FAULTS_PORT), "--rate", str(settings.demo.rate)),
                    *("--database-password-file", f"{folder}/current/database-password"),
                    *("--database-host", "demo-postgres", "--cache-host", "demo-redis", "--proxy-host", "demo-nginx"),
                    *("--simulated-cache-host", "demo-redis-alawael"),
                ),
                ports=(
                    PublishedPort(
                        internal=FAULTS_PORT,
                        external=settings.demo.fault_port,
                        address=str(settings.bind_address),
                    ),
                ),
                volumes=(secrets.mount,),
                after=(secrets.installed, *(service.container for service in needed)),
            ),
            self._child,
        )

    def _nginx(self, service: Service) -> Service:
        context = self._context
        settings = context.settings
        folder = "/etc/demo-nginx"
        files = _files("nginx.conf")
        config = ConfigVolume(
            "demo-nginx-config",
            ConfigVolumeArgs(
                context=context,
                service="demo-nginx",
                image=settings.image("demo-nginx"),
                user=NGINX,
                folder=folder,
                loader_folder=ANYBODYS,
                files=files,
                check="nginx -t -q -c $PWD/nginx.conf",
            ),
            self._child,
        )
        return Service(
            "demo-nginx",
            ServiceArgs(
                context=context,
                service="demo-nginx",
                image=settings.image("demo-nginx"),
                memory_mb=32,
                user=NGINX,
                health=HealthCheck(test=("CMD", "curl", "-fsS", f"http://127.0.0.1:{STATUS_PORT}/stub_status")),
                command=("nginx", "-c", f"{folder}/current/nginx.conf", "-g", "daemon off;"),
                envs={"CONFIG_HASH": _hash(files)},
                tmpfs={"/tmp": TEMPORARY},  # noqa: S108 - a tmpfs of the container's own
                ports=(PublishedPort(internal=80, external=settings.demo.port, address=str(settings.bind_address)),),
                volumes=(config.mount,),
                after=(config.installed, service.container),
            ),
            self._child,
        )


def _files(*names: str) -> dict[str, str]:
    # Until the demo has left the stack, its service is known there by another name.
    return {name: (DEPLOY / name).read_text(encoding="utf-8").replace("//app:", "//demo:") for name in names}


def _hash(files: Mapping[str, str]) -> str:
    """Changes with the files: these servers read them as they start, so a change has to make new ones."""
    return hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()[:16]
