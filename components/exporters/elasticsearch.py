"""elasticsearch_exporter: metrics of every Elasticsearch cluster that is watched."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from pulumi import ComponentResource, Output, ResourceOptions

from components.config_volume import ConfigVolume, ConfigVolumeArgs
from components.context import StackContext
from components.exporters import passwords
from components.service import NOBODY, Service, ServiceArgs, http_health
from observability.core.render import to_yaml
from observability.scrape import targets
from observability.settings.exporters import ElasticsearchTarget

FOLDER: Final = "/etc/elasticsearch-exporter"
FILES: Final = f"{FOLDER}/current"
PORT: Final = 9114

OPTIONS: Final = (
    "--es.all",
    # Prometheus waits 10 s, or the scrape interval where that is shorter; by then a cluster out of reach must be told.
    "--es.timeout=4s",
    "--log.level=warn",
)


@dataclass(frozen=True, kw_only=True)
class ElasticsearchExporterArgs:
    """The stack it belongs to."""

    context: StackContext


class ElasticsearchExporter(ComponentResource):
    """Prometheus names the cluster and how to sign in there; that is in a file, read as the exporter starts."""

    def __init__(self, name: str, args: ElasticsearchExporterArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("observability:components:ElasticsearchExporter", name, None, opts)
        context = args.context
        settings = context.settings
        image = settings.image("elasticsearch-exporter")
        ca = settings.elasticsearch_exporter.ca
        child = ResourceOptions(parent=self)
        config = ConfigVolume(
            f"{name}-config",
            ConfigVolumeArgs(
                context=context,
                service="elasticsearch-exporter",
                image=image,
                user=NOBODY,
                folder=FOLDER,
                loader_folder="/tmp",  # noqa: S108 - a folder of the image that anybody may write to
                files={"ca.pem": context.config.files[ca]} if ca else {},
                secret_texts={"sign-in.yaml": _modules(context)},
            ),
            child,
        )
        Service(
            f"{name}-server",
            ServiceArgs(
                context=context,
                service="elasticsearch-exporter",
                image=image,
                memory_mb=settings.elasticsearch_exporter.memory_mb,
                user=NOBODY,
                health=http_health(f"http://127.0.0.1:{PORT}/healthz"),
                command=(
                    *OPTIONS,
                    f"--config.file={FILES}/sign-in.yaml",
                    *((f"--es.ca={FILES}/ca.pem",) if ca else ()),
                ),
                # Another file means another loader; then the exporter must start again to take it.
                envs={"OBS_FILES_INSTALLED_BY": config.installed.apply(lambda loader: loader.id)},
                volumes=(config.mount,),
                after=(config.installed,),
            ),
            child,
        )
        self.register_outputs({})


def modules(clusters: Iterable[ElasticsearchTarget], secret: str) -> str:
    """The exporter's file of ways to sign in, each named as the cluster's address."""
    known = passwords.read(secret)
    found = {
        cluster.address: {"type": "userpass", "userpass": {"username": cluster.user, "password": password}}
        for cluster in clusters
        if cluster.user and (password := known.get((cluster.address, cluster.user)))
    }
    return to_yaml({"auth_modules": found}, source="the settings and secrets of the stack")


def _modules(context: StackContext) -> Output[str]:
    clusters = targets.elasticsearch(context.config)
    has = "elasticsearchPasswords" in context.config.secrets
    secret = context.secret("elasticsearchPasswords") if has else Output.from_input("")
    return secret.apply(lambda text: modules(clusters, text))
