"""The Datadog agent: sends the systems' metrics, containers' logs and traces to Datadog, where a site is stated."""

from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from observability.core.secret import SecretSpec
from observability.core.section import PartSettings
from observability.core.types import MemoryMb, Port
from observability.parts.busybox import BUSYBOX
from observability.parts.docker_proxy import NAME as DOCKER_PROXY
from observability.parts.model import FULL, Allowance, Image, Part, Server

NAME: Final = "datadog-agent"
SECRET: Final = "datadogApiKey"  # noqa: S105 - its name

TRACES: Final = 8126
"""Port in the container at which libraries send traces, by Datadog's convention."""

Site = Literal[
    "datadoghq.com",
    "us3.datadoghq.com",
    "us5.datadoghq.com",
    "datadoghq.eu",
    "ap1.datadoghq.com",
    "ap2.datadoghq.com",
    "ddog-gov.com",
]
"""Datadog's sites (docs.datadoghq.com, "Getting Started with Datadog Sites")."""

Tag = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_./-]*:[^\s,]+$", max_length=200)]
"""A tag of Datadog, key:value."""


class DatadogAgentSettings(PartSettings):
    """The Datadog agent: off unless a site is stated."""

    enabled: bool | None = Field(None, description="Whether it runs; none: where a site is stated.")
    site: Site | None = Field(None, description="Site of the account; none: nothing is sent to Datadog.")
    tags: tuple[Tag, ...] = Field(
        (), description="Tags besides environment and cluster.", examples=[["cost-center:shop"]]
    )
    metrics: tuple[str, ...] = Field(
        (".+",), description="Expressions of the names of the metrics that are sent; each is charged.", min_length=1
    )
    logs: bool = Field(True, description="Whether the logs of all containers are sent.")
    apm: bool = Field(True, description="Whether applications can send traces.")
    apm_port: Port = Field(
        TRACES,
        description="Port for traces on the gateway of the stack's network, so for this host and its containers.",
    )
    memory_mb: MemoryMb = Field(512, description="Memory limit, MiB.")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.enabled and self.site is None:
            raise ValueError("has no site; add the site of the account, like datadoghq.eu")
        return self

    @property
    def wanted_secrets(self) -> tuple[tuple[str, str], ...]:
        """Every setting that needs a secret, and the secret's name."""
        return (("site", SECRET),) if self.site is not None and self.enabled is not False else ()


PART: Final = Part[DatadogAgentSettings, Server](
    name=NAME,
    title="The Datadog agent: metrics, logs and traces for Datadog.",
    settings=DatadogAgentSettings,
    profiles=FULL,
    active=lambda settings: settings.site is not None,
    # Through it the agent learns which containers there are.
    needs=(DOCKER_PROXY,),
    # Its configuration is installed by busybox.
    images=(Image(name=NAME, reference="gcr.io/datadoghq/agent:7.84.6"), BUSYBOX),
    secrets={SECRET: SecretSpec(description="API key of the organization at Datadog.", part=NAME)},
    allowances=(
        Allowance(service=NAME, rule="not root", reason="Docker's files of logs are root's, mounted read-only"),
    ),
)
