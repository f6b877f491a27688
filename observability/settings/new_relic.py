"""Settings of New Relic, a service that stores metrics and traces; its metrics arrive by remote write."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final, Literal

from pydantic import Field

from observability.core.errors import ConfigError
from observability.core.section import Section
from observability.settings.remote_write import RemoteWriteSettings, SeriesSelection

SECRET: Final = "newRelicLicenseKey"  # noqa: S105 - its name

NAME: Final = "new-relic"
"""Name of the receiver of samples."""

Region = Literal["us", "eu"]

METRICS: Final[Mapping[Region, str]] = MappingProxyType(
    {
        "us": "https://metric-api.newrelic.com/prometheus/v1/write",
        "eu": "https://metric-api.eu.newrelic.com/prometheus/v1/write",
    }
)
"""Address for remote write by the region of the account (docs.newrelic.com, "Set up Prometheus remote write")."""


class NewRelicSettings(Section):
    """New Relic, which receives the samples of this stack (secret newRelicLicenseKey)."""

    region: Region = Field("us", description="Region of the account.")
    keep: tuple[SeriesSelection, ...] = Field(
        (), description="Only series that one of these selects are sent; none: all. Ingested data is charged."
    )
    drop: tuple[SeriesSelection, ...] = Field((), description="Series that one of these selects are not sent.")


class _Receiver(RemoteWriteSettings):
    """A receiver whose token is the license key, which applications use too."""

    @property
    def secrets(self) -> tuple[tuple[str, str, str], ...]:
        """The setting, the file and the name of its secret."""
        return (("bearerToken", "token", SECRET),)


def receivers(own: NewRelicSettings | None, cluster: str) -> tuple[RemoteWriteSettings, ...]:
    """New Relic as a receiver of samples, to which this cluster is known by its name; none where it has no section."""
    if own is None:
        return ()
    url = f"{METRICS[own.region]}?prometheus_server={cluster}"
    return (_Receiver(name=NAME, url=url, bearer_token=True, keep=own.keep, drop=own.drop),)


def wanted_secrets(own: NewRelicSettings | None) -> Iterator[tuple[str, str]]:
    """The setting and the name of the secret."""
    if own is not None:
        yield "newRelic", SECRET


def check(source: str, own: NewRelicSettings | None, listed: tuple[RemoteWriteSettings, ...]) -> None:
    """ConfigError where a receiver of `remoteWrite` has New Relic's name; `source` is the prefix of errors."""
    for index, one in enumerate(listed):
        if own is not None and one.name == NAME:
            raise ConfigError(
                f"{source}remoteWrite[{index}].name: {NAME!r} is the receiver of newRelic",
                "remove this entry, or remove newRelic",
            )
