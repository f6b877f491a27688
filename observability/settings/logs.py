"""Settings of the log store and the log collector."""

from typing import Literal

from pydantic import Field, field_validator

from observability.core.section import PartSettings, Section
from observability.core.types import Duration, MemoryMb, Port, seconds

_DAY = 86_400.0


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


class CollectorSettings(PartSettings):
    """What reads the containers' logs and sends them to Loki."""

    kind: Literal["alloy", "promtail"] = Field(
        "alloy", description="Grafana Alloy, or Promtail (end of life: 2026-03-02) for those who run it."
    )
    memory_mb: MemoryMb = Field(192, description="Memory limit, MiB.")
