"""Settings of the watched systems: where each is in this environment, and what is demanded of it here alone."""

from pathlib import PurePosixPath
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from observability.core.section import Section
from observability.core.types import Port, RepositoryFile, in_repository
from observability.settings.exporters import Address
from observability.systems.model import ThresholdValues


def _target_file(value: str) -> str:
    if PurePosixPath(value).suffix not in (".yaml", ".yml", ".json"):
        raise ValueError("is not a file of targets; Prometheus reads .yaml, .yml and .json")
    return in_repository(value)


TargetFile = Annotated[str, AfterValidator(_target_file)]
"""Path of a list of targets, in the form of Prometheus' file_sd."""


class DnsTargets(Section):
    """Targets that DNS knows."""

    names: tuple[str, ...] = Field(description="Names that are looked up.", min_length=1)
    type: Literal["SRV", "A", "AAAA", "MX", "NS"] = Field("SRV", description="Type of the records.")
    port: Port | None = Field(None, description="Port of the targets; SRV records bring their own.")

    @model_validator(mode="after")
    def _port_where_none_comes(self) -> Self:
        if (self.port is None) != (self.type == "SRV"):
            need = "SRV records bring their port; take port out" if self.port else f"{self.type} has no port; add port"
            raise ValueError(need)
        return self


class Targets(Section):
    """Where the system's instances are; any of the ways, and any together."""

    static: tuple[Address, ...] = Field((), description="host:port of each.")
    files: tuple[TargetFile, ...] = Field(
        (), description="Files of this repository that list targets, in the form of Prometheus' file_sd."
    )
    dns: tuple[DnsTargets, ...] = Field((), description="Names that DNS answers with targets.")

    def __bool__(self) -> bool:
        return bool(self.static or self.files or self.dns)


class Tls(Section):
    """How the system is reached by TLS. Certificates are files of this repository, the key is a secret."""

    ca: RepositoryFile | None = Field(None, description="Certificate of its authority, PEM; none: the system's.")
    certificate: RepositoryFile | None = Field(
        None, description="Certificate of Prometheus as a client, PEM; its key is the secret <system>ScrapeKey."
    )
    server_name: str | None = Field(None, description="Name in its certificate, where that is not its address.")


class SystemSettings(Section):
    """One system in this environment."""

    enabled: bool = Field(True, description="Whether it is watched: its rules, targets and dashboards.")
    targets: Targets = Field(default_factory=Targets, description="Where it is; none: not scraped here.")
    scheme: Literal["http", "https"] = Field("http", description="How its metrics are reached.")
    bearer_token: bool = Field(False, description="Whether it wants the secret <system>ScrapeToken.")
    basic_auth_user: str | None = Field(
        None,
        description="User of basic authentication; the password is the secret <system>ScrapePassword.",
        min_length=1,
    )
    tls: Tls | None = Field(None, description="TLS beyond what the scheme https says.")
    thresholds: dict[str, ThresholdValues] = Field(
        {}, description="Values that stand above those of the system's file."
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.bearer_token and self.basic_auth_user:
            raise ValueError("has bearerToken and basicAuthUser; a request carries one of them, take the other out")
        if self.tls is not None and self.scheme == "http":
            raise ValueError("has tls and the scheme http; set scheme: https, or take tls out")
        return self
