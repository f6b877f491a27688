"""Jaeger: stores traces."""

from typing import Final

from pydantic import Field

from observability.core.secret import SecretSpec
from observability.core.section import PartSettings, Section
from observability.core.types import Duration, MemoryMb, Port, RepositoryFile
from observability.parts.model import FULL, Image, Part, Server
from observability.parts.traces import NAME as TRACES
from observability.parts.traces import HttpUrl
from toolchain.gobuild import GoBuild
from toolchain.recipe import Recipe

NAME: Final = "jaeger"

VERSION: Final = "2.13.0"
"""Version of the image."""

PORT: Final = 16686
"""Port in the container of its API and pages."""
OTLP: Final = 4318
"""Port in the container at which spans arrive, by HTTP."""
METRICS: Final = 8888
"""Port in the container of its own metrics."""
HEALTH: Final = 13133
"""Port in the container of its health check."""

PASSWORD: Final = "jaegerElasticsearchPassword"  # noqa: S105 - the name of a secret

_MODULE: Final = "github.com/jaegertracing/jaeger"
_RELEASE: Final = "v1.76.0"
"""Version of the Go module from which that version of the image is made."""


class ElasticsearchStore(Section):
    """An Elasticsearch or OpenSearch that is there already, in place of the volume."""

    url: HttpUrl = Field(
        description="Address at which Jaeger reaches it.", examples=["https://search.example.com:9200"]
    )
    user: str | None = Field(None, description=f"User; the password is the secret {PASSWORD}.", min_length=1)
    ca: RepositoryFile | None = Field(None, description="Certificate of its authority, PEM; none: the system's.")
    prefix: str = Field("jaeger", description="Prefix of the indices.", pattern=r"^[a-z][a-z0-9-]{0,40}$")
    replicas: int = Field(1, description="Copies of each index.", ge=0, le=10)


class JaegerSettings(PartSettings):
    """The store of traces."""

    port: Port = Field(PORT, description="Port on the host of its API and pages.")
    retention: Duration | None = Field(
        None, description="How long traces are kept on the volume; default 48h in dev, 168h in staging and prod."
    )
    elasticsearch: ElasticsearchStore | None = Field(
        None,
        description="Elasticsearch or OpenSearch, which deletes old indices by a policy of its own; none: the volume "
        "of the container.",
    )
    memory_mb: MemoryMb = Field(512, description="Memory limit, MiB.")

    @property
    def wanted_secrets(self) -> tuple[tuple[str, str], ...]:
        """Every setting that needs a secret, and the secret's name."""
        there = self.elasticsearch
        return (("elasticsearch.user", PASSWORD),) if there is not None and there.user is not None else ()


PART: Final = Part[JaegerSettings, Server](
    name=NAME,
    title="The trace store.",
    settings=JaegerSettings,
    profiles=FULL,
    needs=(TRACES,),
    job=NAME,
    port=METRICS,
    rules=("jaeger",),
    panels={"obs-traces": {"Spans That Jaeger Cannot Store": ("JaegerStorageFailing",)}},
    secrets={
        PASSWORD: SecretSpec(
            description="Password of the user with which Jaeger signs in to Elasticsearch.", part=NAME
        )
    },
    images=(
        Image(
            name=NAME,
            reference=f"jaegertracing/jaeger:{VERSION}",
            recipe=Recipe(
                repository="jaegertracing/jaeger",
                tag=VERSION,
                title="Jaeger",
                build=GoBuild(
                    name="jaeger",
                    module=_MODULE,
                    version=_RELEASE,
                    packages=("cmd/jaeger",),
                    stamps={f"{_MODULE}/internal/version.latestVersion": f"v{VERSION}"},
                ),
                binaries={"/cmd/jaeger/jaeger-linux": "jaeger"},
                env={"JAEGER_LISTEN_HOST": "0.0.0.0"},  # noqa: S104 - as in the official image
                user="10001",
                uid=10001,
                entrypoint=("/cmd/jaeger/jaeger-linux",),
                volumes=("/tmp",),  # noqa: S108 - as in the official image
                ports=(
                    *("4317/tcp", "4318/tcp", "5778/tcp", "5779/tcp", "9411/tcp", "13132/tcp", "13133/tcp"),
                    *("14250/tcp", "14268/tcp", "16686/tcp"),
                ),
                without="its pages: the module holds its API alone",
            ),
        ),
    ),
)
"""The trace store."""
