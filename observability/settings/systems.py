"""Settings of the watched systems: all settings of this environment for each, in one place under its name."""

from functools import cache
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, create_model, model_validator

from observability.core.section import Section
from observability.core.types import Address, Port, RepositoryFile, in_repository, one_each
from observability.parts.model import Server
from observability.parts.otlp_metrics import SeriesLimit
from observability.parts.registry import stores
from observability.parts.traces import Kept, Rate
from observability.settings.logs import LogSettings
from observability.systems.model import AlertWaits, Paging, ThresholdValues


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


class Instances(Section):
    """Where the system's instances are; any of the ways, and any together."""

    static: tuple[Address, ...] = Field((), description="host:port of each.")
    files: tuple[TargetFile, ...] = Field(
        (), description="Files of this repository that list targets, in the form of Prometheus' file_sd."
    )
    dns: tuple[DnsTargets, ...] = Field((), description="Names that DNS answers with targets.")
    labelled: bool = Field(
        False,
        description="Whether its instances are containers with the Docker labels obs.scrape and obs.system. Such "
        "containers are always scraped; this says that the system is placed by them alone.",
    )

    def __bool__(self) -> bool:
        return self.listed or self.labelled

    @property
    def listed(self) -> bool:
        """Whether there are any besides labelled containers."""
        return bool(self.static or self.files or self.dns)


class Tls(Section):
    """How the system is reached by TLS. Certificates are files of this repository, the key is a secret."""

    ca: RepositoryFile | None = Field(None, description="Certificate of its authority, PEM; none: the system's.")
    certificate: RepositoryFile | None = Field(
        None, description="Certificate of Prometheus as a client, PEM; its key is the secret <system>ScrapeKey."
    )
    server_name: str | None = Field(None, description="Name in its certificate, where that is not its address.")


class ExpectedContainer(Section):
    """A container that must run."""

    name: str = Field(
        description="Name of the container.", pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_.-]*$", examples=["shop-api-1"]
    )
    host: str | None = Field(
        None, description="Host that it runs on, of the section `hosts`; none: the stack's own Docker host."
    )


def _one_container(found: tuple[ExpectedContainer, ...]) -> tuple[ExpectedContainer, ...]:
    seen = set[tuple[str | None, str]]()
    for one in found:
        if (one.host, one.name) in seen:
            raise ValueError(f"two entries are the container {one.name}; remove one of them")
        seen.add((one.host, one.name))
    return found


class SystemTraces(Section):
    """Spans of a system: which services are its own, also of its metrics, and how many of its traces are kept."""

    services: tuple[Annotated[str, Field(min_length=1, max_length=255)], ...] = Field(
        (), description="Values of `service.name` that are the system's, besides its own name."
    )
    keep: Kept | None = Field(None, description="Share of its traces that are kept; none: that of `traces.keep`.")
    spans_per_second: Rate | None = Field(
        None, description="Spans a second that are kept of it at most; none: `traces.spansPerSecond`."
    )


class SystemOtlpMetrics(Section):
    """Metrics that a system sends by OTLP."""

    series: SeriesLimit | None = Field(None, description="Its series on a host at most; none: `otlpMetrics.series`.")


class SystemSettings(Section):
    """One system in this environment. A list for each kind of data store follows from the parts of the stack."""

    enabled: bool = Field(True, description="Whether it is watched: its rules, targets and dashboards.")
    instances: Instances = Field(default_factory=Instances, description="Where it is; none: not scraped here.")
    scheme: Literal["http", "https"] = Field("http", description="How its metrics are reached.")
    bearer_token: bool = Field(False, description="Whether it wants the secret <system>ScrapeToken.")
    basic_auth_user: str | None = Field(
        None,
        description="User of basic authentication; the password is the secret <system>ScrapePassword.",
        min_length=1,
    )
    tls: Tls | None = Field(None, description="TLS beyond what the scheme https says.")
    logs: LogSettings = Field(default_factory=LogSettings, description="Its log lines.")
    traces: SystemTraces = Field(default_factory=SystemTraces, description="Its spans.")
    otlp_metrics: SystemOtlpMetrics = Field(
        default_factory=SystemOtlpMetrics, description="Its metrics, where it sends them by OTLP."
    )
    containers: Annotated[tuple[ExpectedContainer, ...], AfterValidator(_one_container)] = Field(
        (), description="Containers that must run: ContainerDown is critical for them. All others need no entry."
    )
    thresholds: dict[str, ThresholdValues] = Field(
        {}, description="Values that take the place of those in the system's file."
    )
    unwatched: dict[str, Annotated[str, Field(min_length=3)]] = Field(
        {},
        description="What its file declares and this environment does not place (`instances`, or a name from its "
        "`exporters`), with the reason.",
    )
    page: Paging = Field(
        default_factory=Paging, description="Which of its alerts wake someone here; above what its file says."
    )
    waits: AlertWaits = Field(
        {},
        alias="for",
        description="How long the condition of single alerts must hold here before they fire: by name, a duration or "
        "one for each severity; above what its file says.",
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.bearer_token and self.basic_auth_user:
            raise ValueError("has bearerToken and basicAuthUser; a request carries one of them, remove the other")
        if self.tls is not None and self.scheme == "http":
            raise ValueError("has tls and the scheme http; set scheme: https, or remove tls")
        return self

    def servers(self, key: str) -> tuple[Server, ...]:
        """Its servers of one kind, by the key of their list (`Store.key`)."""
        found: tuple[Server, ...] = getattr(self, key, ())
        return found


def _once(found: tuple[Server, ...]) -> tuple[Server, ...]:
    return one_each(found, "instance")


@cache
def system_settings_model() -> type[SystemSettings]:
    """The settings of a system with a list of servers for every store that a part reads."""
    fields: dict[str, Any] = {
        store.key: (
            Annotated[tuple[store.server, ...], AfterValidator(_once)],  # type: ignore[name-defined]  # at run time
            Field((), description=store.description),
        )
        for store in stores().values()
    }
    return create_model("SystemSettings", __base__=SystemSettings, __doc__=SystemSettings.__doc__, **fields)
