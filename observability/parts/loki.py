"""Loki: stores log lines."""

from typing import Final

from pydantic import Field, field_validator

from observability.core.secret import SecretSpec
from observability.core.section import PartSettings, Section
from observability.core.types import Duration, MemoryMb, Port, seconds
from observability.parts.model import FULL, Image, Kept, Loaded, Part, Server
from toolchain.gobuild import GoBuild
from toolchain.recipe import Base, Recipe

PORT: Final = 3100
"""Port in the container."""

_DAY: Final = 86_400.0

_MODULE: Final = "github.com/grafana/loki/v3"
_BUILD: Final = f"{_MODULE}/pkg/util/build"
"""Package of the linker variables from which the program reports its version."""


class S3Settings(Section):
    """Object storage for lines, besides which Loki keeps nothing that matters; the keys are a secret."""

    bucket: str = Field(description="Bucket, which must exist.", min_length=3, max_length=63)
    region: str = Field("us-east-1", description="Region of the bucket.")
    endpoint: str | None = Field(
        None,
        description="Address of a store other than Amazon's, like https://s3.example.com.",
        pattern=r"^https?://\S+$",
    )
    path_style: bool = Field(False, description="Whether the bucket is named in the path instead of the host name.")


class LokiSettings(PartSettings):
    """The log store."""

    port: Port = Field(3100, description="Port on the host.")
    retention: Duration | None = Field(
        None, description="How long lines are kept, whole days; default 168h in dev, 336h in staging, 744h in prod."
    )
    s3: S3Settings | None = Field(None, description="Object storage; none: the volume of the container.")
    memory_mb: MemoryMb = Field(384, description="Memory limit, MiB.")

    @field_validator("retention")
    @classmethod
    def _whole_days(cls, value: str | None) -> str | None:
        # The compactor deletes by the day: Loki refuses to start with less than one.
        if value is not None and (seconds(value) < _DAY or seconds(value) % _DAY):
            raise ValueError("must be whole days; write it like 168h or 30d")
        return value


LOADED: Final = Loaded(
    file="loki.yaml",
    config="/config",
    rules="/prometheus/api/v1/rules",
    rule_files="rules/",
)
"""Its configuration and rules in use, by its API."""

PART: Final = Part[LokiSettings, Server](
    name="loki",
    title="The log store.",
    settings=LokiSettings,
    profiles=FULL,
    job="loki",
    loaded=LOADED,
    kept=Kept(
        owner="10001:10001",
        # An index names chunks that are written before it, and the log holds the lines of chunks that are not.
        copied=("wal", "tsdb-shipper-active", "chunks/index"),
        left_out=("tsdb-shipper-cache", "compactor"),
    ),
    port=PORT,
    rules=("loki", "logs"),
    secrets={
        "lokiS3Credentials": SecretSpec(
            description="Keys of Loki's object storage, in the form of an AWS credentials file.", part="loki"
        )
    },
    images=(
        Image(
            name="loki",
            reference="grafana/loki:3.7.8",
            recipe=Recipe(
                repository="grafana/loki",
                tag="3.7.8",
                title="Loki",
                build=GoBuild(
                    name="loki",
                    module=_MODULE,
                    version="v3.7.8",
                    packages=("cmd/loki",),
                    # Loki's own, except for its `pkg/push`: a folder next to it, which the published module does not
                    # contain.
                    replaces={
                        "github.com/Azure/azure-sdk-for-go": "github.com/Azure/azure-sdk-for-go v68.0.0+incompatible",
                        "github.com/Azure/azure-storage-blob-go": (
                            "github.com/MasslessParticle/azure-storage-blob-go v0.14.1-0.20240322194317-344980fda573"
                        ),
                        "github.com/gocql/gocql": "github.com/grafana/gocql v0.0.0-20200605141915-ba5dc39ece85",
                        "github.com/grafana/regexp": "github.com/grafana/regexp v0.0.0-20240518133315-a468a5bfb3bc",
                        "github.com/thanos-io/objstore": (
                            "github.com/grafana/objstore v0.0.0-20250728171719-b5d3b766d1b0"
                        ),
                        "github.com/hashicorp/memberlist": (
                            "github.com/grafana/memberlist v0.3.1-0.20251126142931-6f9f62ab6f86"
                        ),
                        "github.com/influxdata/go-syslog/v3": "github.com/leodido/go-syslog/v4 v4.3.0",
                    },
                    stamps={
                        f"{_BUILD}.Version": "3.7.8",
                        f"{_BUILD}.Branch": "module",
                        f"{_BUILD}.BuildUser": "toolchain",
                    },
                    tags=("netgo",),
                    keep=("cmd/loki/loki-docker-config.yaml",),
                ),
                binaries={"/usr/bin/loki": "loki"},
                files={"/etc/loki/local-config.yaml": "cmd/loki/loki-docker-config.yaml"},
                owned={"/etc/loki": 0o755, "/loki": 0o755, "/loki/rules": 0o755, "/loki/rules-temp": 0o755},
                base=Base.STATIC,
                user="10001",
                uid=10001,
                entrypoint=("/usr/bin/loki",),
                cmd=("-config.file=/etc/loki/local-config.yaml",),
                ports=("3100/tcp",),
            ),
        ),
    ),
)
