"""postgres_exporter: metrics of every PostgreSQL server of the watched systems."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, Literal

from pydantic import Field

from observability.core.section import PartSettings
from observability.core.types import MemoryMb
from observability.parts.model import (
    NOBODY,
    AddressedServer,
    Files,
    Health,
    Here,
    Image,
    Part,
    Run,
    SecretText,
    Store,
    secrets_of,
)
from toolchain.gobuild import GoBuild
from toolchain.recipe import Recipe, stamps

FOLDER: Final = "/etc/postgres-exporter"
PORT: Final = 9187
"""Port in the container."""

COLLECTORS: Final = (
    "--collector.database_wraparound",
    "--collector.long_running_transactions",
    # For PostgreSQL 17 and later; earlier versions report the same through stat_bgwriter.
    "--collector.stat_checkpointer",
    "--collector.stat_statements",
    # The statements with the longest total time; each is five series.
    "--collector.stat_statements.limit=50",
    "--collector.stat_user_tables",
    "--collector.stat_wal_receiver",
    "--collector.statio_user_indexes",
)
"""The collectors for the rules and dashboards, besides the exporter's default collectors."""

QUERIES: Final = Path(__file__).with_name("postgres-queries.yaml")
"""Queries for what no collector of the exporter reports."""


class PostgresServer(AddressedServer):
    """One PostgreSQL server. Its password is the secret <system>PostgresPassword."""

    database: str = Field("postgres", description="Database to connect to.", pattern=r"^[A-Za-z_][A-Za-z0-9_-]*$")
    user: str = Field("monitoring", description="A role that is in pg_monitor.", pattern=r"^[A-Za-z_][A-Za-z0-9_-]*$")
    ssl_mode: Literal["disable", "require", "verify-ca", "verify-full"] = Field(
        "require", description="libpq's sslmode."
    )
    password: bool = Field(True, description="Whether the role signs in with a password.")

    @property
    def needs_password(self) -> bool:
        """Whether the role signs in with a password."""
        return self.password


class PostgresExporterSettings(PartSettings):
    """Metrics of PostgreSQL servers."""

    memory_mb: MemoryMb = Field(64, description="Memory limit, MiB.")


def _target(server: PostgresServer) -> Mapping[str, str]:
    address = f"postgresql://{server.user}@{server.address}/{server.database}?sslmode={server.ssl_mode}"
    return {"__param_target": address}


def _runs(here: Here[PostgresExporterSettings, PostgresServer]) -> Iterable[Run]:
    def passwords(values: Mapping[str, str]) -> str:
        """libpq's password file: host:port:database:user:password, colons and backslashes escaped."""
        lines = ["# host:port:database:user:password"]
        for placed in here.servers:
            if placed.secret:
                server = placed.server
                password = values[placed.secret].replace("\\", r"\\").replace(":", r"\:")
                lines.append(f"{server.address}:{server.database}:{server.user}:{password}")
        return "\n".join(lines) + "\n"

    return [
        Run(
            user=NOBODY,
            health=Health(url=f"http://127.0.0.1:{PORT}/"),
            command=(
                *COLLECTORS,
                f"--extend.query-path={FOLDER}/current/{QUERIES.name}",
                # At `warn` it logs at every scrape which collector needs a newer server.
                "--log.level=error",
            ),
            # The file is read at every connection: a new password needs no new container.
            envs={"PGPASSFILE": f"{FOLDER}/current/passwords"},
            files=Files(
                folder=FOLDER,
                loader_folder="/tmp",  # noqa: S108 - a folder of the image that is writable for all users
                files={QUERIES.name: QUERIES.read_text(encoding="utf-8")},
                secrets={"passwords": SecretText(names=secrets_of(here.servers), text=passwords)},
                check="chmod 0600 passwords",
            ),
        )
    ]


PART: Final = Part[PostgresExporterSettings, PostgresServer](
    name="postgres-exporter",
    title="Metrics of PostgreSQL servers.",
    settings=PostgresExporterSettings,
    job="postgres",
    port=PORT,
    path="/probe",
    store=Store(
        job="postgres",
        key="postgres",
        server=PostgresServer,
        description="PostgreSQL servers.",
        up="pg_up",
        database=True,
        labels=_target,
    ),
    runs=_runs,
    rules=("postgres", "tables"),
    images=(
        Image(
            name="postgres-exporter",
            reference="quay.io/prometheuscommunity/postgres-exporter:v0.19.1",
            recipe=Recipe(
                repository="prometheuscommunity/postgres-exporter",
                tag="v0.19.1",
                title="postgres_exporter",
                build=GoBuild(
                    name="postgres-exporter",
                    module="github.com/prometheus-community/postgres_exporter",
                    version="v0.19.1",
                    packages=("cmd/postgres_exporter",),
                    stamps=stamps("0.19.1"),
                    tags=("netgo",),
                ),
                binaries={"/bin/postgres_exporter": "postgres_exporter"},
                entrypoint=("/bin/postgres_exporter",),
                ports=("9187/tcp",),
            ),
        ),
    ),
)
