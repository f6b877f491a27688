"""postgres_exporter: metrics of every PostgreSQL server that is watched."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pulumi import ComponentResource, Input, Output, ResourceOptions

from components.config_volume import ConfigVolume, ConfigVolumeArgs
from components.context import StackContext
from components.service import NOBODY, Service, ServiceArgs, http_health

FOLDER = "/etc/postgres-exporter"
PORT = 9187

COLLECTORS: Final = (
    "--collector.database_wraparound",
    "--collector.long_running_transactions",
    # Of PostgreSQL 17 and later; those before tell the same through stat_bgwriter.
    "--collector.stat_checkpointer",
    "--collector.stat_statements",
    # The statements that took most time; each is five series.
    "--collector.stat_statements.limit=50",
    "--collector.stat_user_tables",
    "--collector.stat_wal_receiver",
    "--collector.statio_user_indexes",
)
"""What the rules and dashboards read besides the exporter's default collectors."""

QUERIES: Final = Path(__file__).with_name("postgres-queries.yaml")
"""What no collector of the exporter tells."""


@dataclass(frozen=True, kw_only=True)
class PostgresExporterArgs:
    """The stack it belongs to."""

    context: StackContext


class PostgresExporter(ComponentResource):
    """Prometheus names the server; the passwords are a file in PostgreSQL's own form, read at every connection."""

    def __init__(self, name: str, args: PostgresExporterArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("observability:components:PostgresExporter", name, None, opts)
        context = args.context
        image = context.settings.image("postgres-exporter")
        child = ResourceOptions(parent=self)
        config = ConfigVolume(
            f"{name}-config",
            ConfigVolumeArgs(
                context=context,
                service="postgres-exporter",
                image=image,
                user=NOBODY,
                folder=FOLDER,
                loader_folder="/tmp",  # noqa: S108 - a folder of the image that anybody may write to
                files={QUERIES.name: QUERIES.read_text(encoding="utf-8")},
                secret_texts={"passwords": _passwords(context)},
                check="chmod 0600 passwords",
            ),
            child,
        )
        Service(
            f"{name}-server",
            ServiceArgs(
                context=context,
                service="postgres-exporter",
                image=image,
                memory_mb=context.settings.postgres_exporter.memory_mb,
                user=NOBODY,
                health=http_health(f"http://127.0.0.1:{PORT}/"),
                command=(
                    *COLLECTORS,
                    f"--extend.query-path={FOLDER}/current/{QUERIES.name}",
                    # At `warn` it says with every scrape which collector a server is too old for.
                    "--log.level=error",
                ),
                envs={"PGPASSFILE": f"{FOLDER}/current/passwords"},
                volumes=(config.mount,),
                after=(config.installed,),
            ),
            child,
        )
        self.register_outputs({})


def _passwords(context: StackContext) -> Output[str]:
    parts: list[Input[str]] = ["# host:port:database:user:password\n"]
    if context.config.runs("demo"):
        parts += ["demo-postgres:5432:social_selling:monitoring:", context.secret("demoMonitoringPassword"), "\n"]
    if "postgresPasswords" in context.config.secrets:
        parts += [context.secret("postgresPasswords"), "\n"]
    return Output.concat(*parts)
