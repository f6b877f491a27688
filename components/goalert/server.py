"""GoAlert, which notifies the people on call and escalates, with its own PostgreSQL."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pulumi_docker as docker
from pulumi import ComponentResource, Output, ResourceOptions

from components.config_volume import ConfigVolume, ConfigVolumeArgs
from components.context import StackContext
from components.service import NOBODY, HealthCheck, PublishedPort, Service, ServiceArgs, VolumeMount, http_health
from components.volume import volume
from observability.alerting.goalert import METRICS_PORT, PORT

POSTGRES: Final = "999:999"
"""uid and gid that the image has for its server."""

TEMPORARY: Final = "rw,noexec,nosuid,nodev,size=16m,mode=1777"

ANYBODYS: Final = "/tmp"  # noqa: S108 - a folder of both images on which the loader mounts the volume

PASSWORD_FILE: Final = "database-password"  # noqa: S105 - a file's name
PASSWORD: Final = "goalertDatabasePassword"  # noqa: S105 - a secret's name

FOLDER: Final = "/etc/goalert"

START: Final = f"{FOLDER}/current/start-goalert.sh"
"""The script that starts GoAlert or runs one of its commands; its first argument is the script's folder."""

DATABASE: Final = "postgres://goalert@goalert-postgres/goalert?sslmode=disable"
"""Without the password: the start script adds it."""


@dataclass(frozen=True, kw_only=True)
class GoAlertArgs:
    """The stack it belongs to."""

    context: StackContext


class GoAlert(ComponentResource):
    """The server and its database; `obs oncall sync` fills it through its API."""

    def __init__(self, name: str, args: GoAlertArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("observability:components:GoAlert", name, None, opts)
        self._context = args.context
        self._child = ResourceOptions(parent=self)
        self._server(self._postgres())
        self.register_outputs({})

    def _config(
        self, service: str, user: str, folder: str, names: tuple[str, ...], secrets: Mapping[str, str]
    ) -> ConfigVolume:
        """Files that the server reads as it starts."""
        context = self._context
        return ConfigVolume(
            f"{service}-config",
            ConfigVolumeArgs(
                context=context,
                service=service,
                image=context.settings.image(service),
                user=user,
                folder=folder,
                loader_folder=ANYBODYS,
                files=_files(names),
                secret_files=secrets,
                check=" && ".join(f"sh -n {name}" for name in names if name.endswith(".sh")),
            ),
            self._child,
        )

    def _postgres(self) -> Service:
        context = self._context
        folder = "/etc/goalert-postgres"
        names = ("start-postgres.sh", "postgresql.conf", "pg_hba.conf")
        config = self._config("goalert-postgres", POSTGRES, folder, names, {PASSWORD_FILE: PASSWORD})
        data = volume("goalert-postgres-data", context, "goalert-postgres", "data", parent=self)
        return Service(
            "goalert-postgres",
            ServiceArgs(
                context=context,
                service="goalert-postgres",
                image=context.settings.image("goalert-postgres"),
                memory_mb=192,
                user=POSTGRES,
                health=HealthCheck(test=("CMD", "pg_isready", "-q", "-h", "/tmp", "-U", "postgres")),  # noqa: S108
                entrypoint=("/bin/sh", f"{folder}/current/start-postgres.sh", f"{folder}/current"),
                envs={**_started_by(config), "CONFIG_HASH": _hash(_files(names))},
                tmpfs={"/tmp": TEMPORARY},  # noqa: S108 - a tmpfs of the container
                volumes=(config.mount, VolumeMount(volume=data.name, path="/var/lib/postgresql/data")),
                after=(config.installed,),
            ),
            self._child,
        )

    def _server(self, postgres: Service) -> Service:
        context = self._context
        settings = context.settings
        names = ("start-goalert.sh",)
        config = self._config(
            "goalert",
            NOBODY,
            FOLDER,
            names,
            {PASSWORD_FILE: PASSWORD, "encryption-key": "goalertEncryptionKey"},
        )
        return Service(
            "goalert",
            ServiceArgs(
                context=context,
                service="goalert",
                image=settings.image("goalert"),
                memory_mb=settings.goalert.memory_mb,
                user=NOBODY,
                health=_health(),
                entrypoint=("/bin/sh", START, f"{FOLDER}/current"),
                envs={
                    **_started_by(config),
                    "CONFIG_HASH": _hash(_files(names)),
                    "GOALERT_DB_URL": DATABASE,
                    "GOALERT_LISTEN": f":{PORT}",
                    "GOALERT_LISTEN_PROMETHEUS": f":{METRICS_PORT}",
                    "GOALERT_PUBLIC_URL": str(context.config.link("goalert")),
                },
                ports=(
                    PublishedPort(internal=PORT, external=settings.goalert.port, address=str(settings.bind_address)),
                ),
                volumes=(config.mount,),
                after=(config.installed, postgres.container),
            ),
            self._child,
        )


def _started_by(config: ConfigVolume) -> Mapping[str, Output[str]]:
    """A changed secret replaces the loader; the server must restart to read it."""

    def number(loader: docker.Container) -> Output[str]:
        return loader.id

    return {"OBS_SECRETS_INSTALLED_BY": config.installed.apply(number)}


def _files(names: tuple[str, ...]) -> dict[str, str]:
    folder = Path(__file__).parent
    return {name: (folder / name).read_text(encoding="utf-8") for name in names}


def _hash(files: Mapping[str, str]) -> str:
    """Changes with the files: these servers read them only at start, so a change must replace them."""
    return hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()[:16]


def _health() -> HealthCheck:
    """GoAlert's own health endpoint; the first start takes longer, as it sets up the database."""
    check = http_health(f"http://127.0.0.1:{PORT}/health")
    return replace(check, retries=100)
