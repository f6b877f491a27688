"""Exporters of your own choice: any image, confined like the built-in ones."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from observability.core.naming import PLATFORM
from observability.core.secret import secret_name
from observability.core.section import Section
from observability.core.types import ImageRef, MemoryMb, Port, ServiceName, SystemName

Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
"""Name of an environment variable."""

Path = Annotated[str, Field(pattern=r"^/[^\s:]*[^\s:/]$", max_length=255)]
"""An absolute path in the container."""

Capability = Literal["NET_RAW", "NET_ADMIN", "SYS_TIME", "SYS_PTRACE", "DAC_READ_SEARCH", "SYSLOG", "PERFMON", "BPF"]
"""A capability that an exporter may need to read what it reports."""

FOLDER = "/run/obs"
"""Where an exporter's secrets are mounted."""


class ExporterSecret(Section):
    """A secret of an exporter: the stack's secret <exporter><Key>, given as a file."""

    env: Variable | None = Field(
        None,
        description="Variable with the secret's value, for a program that reads it from nowhere else; it is set by a "
        "shell in the container, from the file, and stands in no setting of the container. Needs `entrypoint`.",
    )
    env_file: Variable | None = Field(None, description="Variable with the path of the secret's file.")


class ExporterSettings(Section):
    """An exporter of your own choice, run and scraped with the stack."""

    name: ServiceName = Field(description="Name of the service and of its scrape job.")
    image: ImageRef = Field(description="Image with a tag.")
    port: Port = Field(description="Port inside the container where the metrics are.")
    path: str = Field("/metrics", description="Path of the metrics.", pattern=r"^/\S*$")
    system: SystemName = Field(PLATFORM, description="The system that its metrics belong to.")
    entrypoint: tuple[str, ...] = Field(
        (), description="Program and arguments in place of the image's own. No secrets."
    )
    command: tuple[str, ...] = Field((), description="Arguments of the entry point. No secrets here.")
    env: dict[Variable, str] = Field({}, description="Environment variables. No secrets here.")
    files: dict[Path, str] = Field(
        {}, description="Files by their path in the container, with their text. No secrets."
    )
    secrets: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")], ExporterSecret] = Field(
        {},
        description=f"Secrets by a key of your choice; each is the file {FOLDER}/current/<key>, and its value the "
        "stack's secret <exporter><Key>.",
    )
    capabilities: tuple[Capability, ...] = Field((), description="Capabilities it needs; none unless listed.")
    user: str = Field("65534", description="User as uid or uid:gid, not root.", pattern=r"^[1-9]\d*(:\d+)?$")
    memory_mb: MemoryMb = Field(64, description="Memory limit, MiB.")

    @model_validator(mode="after")
    def _entrypoint_for_variables(self) -> Self:
        for key, secret in self.secrets.items():
            if secret.env and not self.entrypoint:
                raise ValueError(
                    f"secrets.{key}.env needs the image's program; add entrypoint, like [/bin/{self.name}], or use "
                    "envFile if the program can read the secret from a file"
                )
        return self

    def secret(self, key: str) -> str:
        """Name of the stack's secret for one of the exporter's secrets."""
        return secret_name(self.name, key)
