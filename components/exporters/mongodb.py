"""mongodb_exporter: metrics of every MongoDB server that is watched."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlencode

from pulumi import ComponentResource, Output, ResourceOptions

from components.config_volume import ConfigVolume, ConfigVolumeArgs
from components.context import StackContext
from components.exporters import passwords
from components.service import HealthCheck, Service, ServiceArgs
from observability.scrape import targets
from observability.settings.exporters import MongodbTarget

FOLDER: Final = "/etc/mongodb-exporter"
FILES: Final = f"{FOLDER}/current"
PORT: Final = 9216
USER: Final = "65535:65535"
"""uid and gid of the image."""

OPTIONS: Final = (
    "--collector.diagnosticdata",
    "--collector.dbstats",
    "--no-collector.exporter-metrics",
    # Prometheus waits 10 s, or the scrape interval where that is shorter; by then a server out of reach must be told.
    "--mongodb.connect-timeout-ms=3000",
)


@dataclass(frozen=True, kw_only=True)
class MongodbExporterArgs:
    """The stack it belongs to."""

    context: StackContext


class MongodbExporter(ComponentResource):
    """Prometheus names the server, of those in a file of connection strings, which is read as the exporter starts.

    Its image holds the program alone. The shell that reads the file, and asks how the exporter is, comes by the
    volume: the loader is a container of busybox, and leaves it beside the file.
    """

    def __init__(self, name: str, args: MongodbExporterArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("observability:components:MongodbExporter", name, None, opts)
        context = args.context
        settings = context.settings
        ca = settings.mongodb_exporter.ca
        child = ResourceOptions(parent=self)
        config = ConfigVolume(
            f"{name}-config",
            ConfigVolumeArgs(
                context=context,
                service="mongodb-exporter",
                image=settings.image("busybox"),
                user=USER,
                folder=FOLDER,
                loader_folder="/tmp",  # noqa: S108 - a folder of the image that anybody may write to
                files={"ca.pem": context.config.files[ca]} if ca else {},
                secret_texts={"uris": _uris(context)},
                check="cp /bin/busybox .",
            ),
            child,
        )
        shell = f"{FILES}/busybox"
        Service(
            f"{name}-server",
            ServiceArgs(
                context=context,
                service="mongodb-exporter",
                image=settings.image("mongodb-exporter"),
                memory_mb=settings.mongodb_exporter.memory_mb,
                user=USER,
                health=HealthCheck(test=("CMD", shell, "wget", "-q", "-O", "/dev/null", f"http://127.0.0.1:{PORT}/")),
                entrypoint=(shell, "sh", "-c", _script(), "start-mongodb-exporter", f"{FILES}/uris", *OPTIONS),
                # Another file means another loader; then the exporter must start again to take it.
                envs={"OBS_FILES_INSTALLED_BY": config.installed.apply(lambda loader: loader.id)},
                volumes=(config.mount,),
                after=(config.installed,),
            ),
            child,
        )
        self.register_outputs({})


def uris(servers: Iterable[MongodbTarget], secret: str, ca: str | None) -> str:
    """The servers' connection strings, as the exporter takes them; `ca` is the path of the authority's certificate."""
    known = passwords.read(secret)
    return ",".join(_uri(server, known.get((server.address, server.user or "")), ca) for server in servers)


def _uri(server: MongodbTarget, password: str | None, ca: str | None) -> str:
    login = f"{quote(server.user, safe='')}:{quote(password, safe='')}@" if server.user and password else ""
    options = {"authSource": server.auth_source} if login else {}
    if server.tls:
        options |= {"tls": "true"} | ({"tlsCAFile": ca} if ca else {})
    return f"mongodb://{login}{server.address}/" + (f"?{urlencode(options, safe='/')}" if options else "")


def _uris(context: StackContext) -> Output[str]:
    servers = targets.mongodb(context.config)
    ca = f"{FILES}/ca.pem" if context.settings.mongodb_exporter.ca else None
    has = "mongodbPasswords" in context.config.secrets
    secret = context.secret("mongodbPasswords") if has else Output.from_input("")
    return secret.apply(lambda text: f"{uris(servers, text, ca)}\n")


def _script() -> str:
    return Path(__file__).with_name("start-mongodb-exporter.sh").read_text(encoding="utf-8")
