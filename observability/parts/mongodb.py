"""mongodb_exporter: metrics of every MongoDB server of the watched systems."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlencode

from pydantic import Field

from observability.core.naming import OWNER
from observability.core.section import PartSettings
from observability.core.types import MemoryMb, RepositoryFile
from observability.parts.busybox import BUSYBOX
from observability.parts.model import (
    AddressedServer,
    Files,
    Health,
    Here,
    Image,
    Part,
    Placed,
    Run,
    SecretText,
    Store,
    secrets_of,
)
from toolchain.gobuild import GoBuild
from toolchain.recipe import Base, Recipe

FOLDER: Final = "/etc/mongodb-exporter"
FILES: Final = f"{FOLDER}/current"
PORT: Final = 9216
"""Port in the container."""

USER: Final = "65535:65535"
"""uid and gid of the image."""

SCRIPT: Final = Path(__file__).with_name("start-mongodb-exporter.sh")
"""Reads the file of connection strings and starts the exporter."""

OPTIONS: Final = (
    "--collector.diagnosticdata",
    "--collector.dbstats",
    "--no-collector.exporter-metrics",
    # Prometheus waits 10 s, or the scrape interval where that is shorter; by then an unreachable server is reported.
    "--mongodb.connect-timeout-ms=3000",
)


class MongodbServer(AddressedServer):
    """One MongoDB server; each member of a replica set is a server of its own."""

    user: str | None = Field(
        None,
        description="A user with the role clusterMonitor, whose password is the secret <system>MongodbPassword; "
        "none: the server asks for none.",
        pattern=r"^[^\s:,@/]+$",
    )
    auth_source: str = Field(
        "admin", description="Database that knows the user.", pattern=r"^[A-Za-z_][A-Za-z0-9_-]*$"
    )
    tls: bool = Field(False, description="Whether it is reached by TLS.")

    @property
    def needs_password(self) -> bool:
        """Whether there is a user to sign in."""
        return self.user is not None


class MongodbExporterSettings(PartSettings):
    """Metrics of MongoDB servers."""

    ca: RepositoryFile | None = Field(
        None, description="Certificate of the authority behind the servers' own, PEM; none: the public ones."
    )
    memory_mb: MemoryMb = Field(64, description="Memory limit, MiB.")


def uris(servers: Iterable[Placed[MongodbServer]], passwords: Mapping[str, str], ca: str | None) -> str:
    """The servers' connection strings, in the exporter's form; `ca` is the path of the authority's certificate."""
    return ",".join(_uri(placed.server, passwords.get(placed.secret or ""), ca) for placed in servers)


def _uri(server: MongodbServer, password: str | None, ca: str | None) -> str:
    login = f"{quote(server.user, safe='')}:{quote(password, safe='')}@" if server.user and password else ""
    options = {"authSource": server.auth_source} if login else {}
    if server.tls:
        options |= {"tls": "true"} | ({"tlsCAFile": ca} if ca else {})
    return f"mongodb://{login}{server.address}/" + (f"?{urlencode(options, safe='/')}" if options else "")


def _runs(here: Here[MongodbExporterSettings, MongodbServer]) -> Iterable[Run]:
    ca = here.settings.ca
    # Its image contains a single program. The shell that reads the file, and the health check's wget, are in the
    # volume: the loader is a container of busybox, and copies itself next to the file.
    shell = f"{FILES}/busybox"
    return [
        Run(
            user=USER,
            health=Health(url=f"http://127.0.0.1:{PORT}/", tools=shell),
            entrypoint=(
                *(shell, "sh", "-c", SCRIPT.read_text(encoding="utf-8"), "start-mongodb-exporter"),
                *(f"{FILES}/uris", *OPTIONS),
            ),
            files=Files(
                folder=FOLDER,
                loader_image=BUSYBOX.name,
                loader_folder="/tmp",  # noqa: S108 - a folder of the image that is writable for all users
                files={"ca.pem": here.files[ca]} if ca else {},
                secrets={
                    "uris": SecretText(
                        names=secrets_of(here.servers),
                        text=lambda values: f"{uris(here.servers, values, f'{FILES}/ca.pem' if ca else None)}\n",
                    )
                },
                check="cp /bin/busybox .",
                copies={"busybox": "/bin/busybox"},
                restart=True,
            ),
        )
    ]


PART: Final = Part[MongodbExporterSettings, MongodbServer](
    name="mongodb-exporter",
    title="Metrics of MongoDB servers.",
    settings=MongodbExporterSettings,
    job="mongodb",
    port=PORT,
    path="/scrape",
    store=Store(
        job="mongodb",
        key="mongodb",
        server=MongodbServer,
        description="MongoDB servers.",
        up="mongodb_up",
        database=True,
        labels=lambda server: {"__param_target": server.address},
    ),
    runs=_runs,
    rules=("mongodb",),
    panels={
        f"{OWNER}-database": {
            "MongoDB Replication Lag": ("MongoReplicationLag",),
            "MongoDB Members": ("MongoNoPrimary", "MongoMemberDown"),
        },
        f"{OWNER}-database?var-instance={{{{ $labels.instance }}}}": {
            "MongoDB Connections": ("MongoConnectionsHigh",),
            "MongoDB Cursors Timed Out": ("MongoCursorsTimeouts",),
        },
    },
    images=(
        Image(
            name="mongodb-exporter",
            reference="percona/mongodb_exporter:0.43.1",
            recipe=Recipe(
                repository="percona/mongodb_exporter",
                tag="0.43.1",
                title="MongoDB exporter",
                build=GoBuild(
                    name="mongodb-exporter",
                    module="github.com/percona/mongodb_exporter",
                    version="v0.43.1",
                    stamps={"main.version": "v0.43.1"},
                ),
                binaries={"/mongodb_exporter": "mongodb_exporter"},
                base=Base.STATIC,
                user="65535:65535",
                uid=65535,
                entrypoint=("/mongodb_exporter",),
                ports=("9216/tcp",),
            ),
        ),
        BUSYBOX,
    ),
)
