"""elasticsearch_exporter: metrics of every Elasticsearch cluster of the watched systems."""

from collections.abc import Iterable, Mapping
from typing import Final

from pydantic import Field

from observability.core.render import to_yaml
from observability.core.section import PartSettings
from observability.core.types import MemoryMb, RepositoryFile
from observability.parts.elk import AUTHORITY, EXPORTER_PASSWORD
from observability.parts.model import (
    NOBODY,
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
from toolchain.recipe import Recipe, stamps

FOLDER: Final = "/etc/elasticsearch-exporter"
FILES: Final = f"{FOLDER}/current"
PORT: Final = 9114
"""Port in the container."""

_PUBLIC: Final = "/etc/ssl/certs"
"""Folder of the public authorities in the image."""

OPTIONS: Final = (
    "--es.all",
    # Prometheus waits 10 s, or the scrape interval where that is shorter; by then an unreachable cluster is reported.
    "--es.timeout=4s",
    "--log.level=warn",
)


class ElasticsearchServer(AddressedServer):
    """One Elasticsearch cluster, by the HTTP port of one of its nodes, which answers for the whole cluster."""

    user: str | None = Field(
        None,
        description="A user who may monitor the cluster, whose password is the secret <system>ElasticsearchPassword; "
        "none: it asks for none.",
        pattern=r"^[^\s:]+$",
    )
    tls: bool = Field(True, description="Whether it is reached by HTTPS.")

    @property
    def needs_password(self) -> bool:
        """Whether there is a user to sign in."""
        return self.user is not None

    @property
    def url(self) -> str:
        """The address in elasticsearch_exporter's form."""
        return f"{'https' if self.tls else 'http'}://{self.address}"


class ElasticsearchExporterSettings(PartSettings):
    """Metrics of Elasticsearch clusters."""

    ca: RepositoryFile | None = Field(
        None, description="Certificate of the authority behind the clusters' own, PEM; none: the public ones."
    )
    memory_mb: MemoryMb = Field(64, description="Memory limit, MiB.")


def _target(server: ElasticsearchServer) -> Mapping[str, str]:
    return {"__param_target": server.url} | ({"__param_auth_module": server.address} if server.user else {})


def modules(servers: Iterable[Placed[ElasticsearchServer]], passwords: Mapping[str, str]) -> str:
    """The exporter's file of credentials, each named by the cluster's address."""
    found = {
        placed.server.address: {
            "type": "userpass",
            "userpass": {"username": placed.server.user, "password": passwords[placed.secret]},
        }
        for placed in servers
        if placed.secret
    }
    return to_yaml({"auth_modules": found}, source="the settings and secrets of the stack")


def _runs(here: Here[ElasticsearchExporterSettings, ElasticsearchServer]) -> Iterable[Run]:
    ca = here.settings.ca
    passwords = secrets_of(here.servers)
    # The stack's own cluster, whose authority is one of this stack.
    own = EXPORTER_PASSWORD in passwords
    authority = SecretText(
        names=(AUTHORITY,), text=lambda values: f"{here.files[ca] if ca else ''}{values[AUTHORITY]}"
    )
    return [
        Run(
            user=NOBODY,
            health=Health(url=f"http://127.0.0.1:{PORT}/healthz"),
            command=(
                *OPTIONS,
                f"--config.file={FILES}/sign-in.yaml",
                *((f"--es.ca={FILES}/ca.pem",) if ca else ()),
            ),
            # Besides the public authorities, which an option would replace.
            envs={"SSL_CERT_DIR": f"{_PUBLIC}:{FILES}"} if own and not ca else {},
            files=Files(
                folder=FOLDER,
                loader_folder="/tmp",  # noqa: S108 - a folder of the image that is writable for all users
                files={"ca.pem": here.files[ca]} if ca and not own else {},
                secrets={
                    **({"ca.pem": authority} if own else {}),
                    "sign-in.yaml": SecretText(names=passwords, text=lambda values: modules(here.servers, values)),
                },
                restart=True,
            ),
        )
    ]


PART: Final = Part[ElasticsearchExporterSettings, ElasticsearchServer](
    name="elasticsearch-exporter",
    title="Metrics of Elasticsearch clusters.",
    settings=ElasticsearchExporterSettings,
    job="elasticsearch",
    port=PORT,
    path="/probe",
    store=Store(
        job="elasticsearch",
        key="elasticsearch",
        server=ElasticsearchServer,
        description="Elasticsearch clusters.",
        up="elasticsearch_scrape_success",
        labels=_target,
    ),
    runs=_runs,
    rules=("elasticsearch",),
    images=(
        Image(
            name="elasticsearch-exporter",
            reference="quay.io/prometheuscommunity/elasticsearch-exporter:v1.10.0",
            recipe=Recipe(
                repository="prometheuscommunity/elasticsearch-exporter",
                tag="v1.10.0",
                title="elasticsearch_exporter",
                build=GoBuild(
                    name="elasticsearch-exporter",
                    module="github.com/prometheus-community/elasticsearch_exporter",
                    version="v1.10.0",
                    stamps=stamps("1.10.0"),
                    tags=("netgo",),
                ),
                binaries={"/bin/elasticsearch_exporter": "elasticsearch_exporter"},
                entrypoint=("/bin/elasticsearch_exporter",),
                # As the image declares it; it listens on 9114.
                ports=("7979/tcp",),
            ),
        ),
    ),
)
