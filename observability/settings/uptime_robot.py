"""Settings of UptimeRobot, a service that watches endpoints from outside."""

from collections.abc import Iterator
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from observability.core.section import Section
from observability.core.types import Duration, seconds

SECRET: Final = "uptimeRobotApiKey"  # noqa: S105 - its name
"""The key of the account; without it the program knows nothing of the service."""

Contact = Annotated[str, Field(pattern=r"^\d+$", examples=["0993765"])]
"""Id of an alert contact of the account."""


class UptimeRobotSettings(Section):
    """UptimeRobot, which requests the endpoints of `probes` from outside (secret uptimeRobotApiKey)."""

    enabled: bool | None = Field(
        None, description="Whether it has monitors; none: where the key is stored. False removes them."
    )
    interval: Duration = Field(
        "5m", description="How often an endpoint is requested; 30s to 24h, the free plan wants 5m or more."
    )
    timeout: Duration = Field("30s", description="How long a request may take; 1s to 60s.")
    alert_contacts: tuple[Contact, ...] = Field(
        (), description="Alert contacts of the account that are notified; none: those that are entered there."
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        every, most = seconds(self.interval), seconds(self.timeout)
        if not 30 <= every <= 86400 or every % 1:
            raise ValueError(f"has the interval {self.interval}; write whole seconds from 30s to 24h")
        if not 1 <= most <= 60 or most % 1:
            raise ValueError(f"has the timeout {self.timeout}; write whole seconds from 1s to 60s")
        if len(set(self.alert_contacts)) < len(self.alert_contacts):
            raise ValueError("has an alert contact twice; remove one of them")
        return self


def wanted_secrets(settings: UptimeRobotSettings) -> Iterator[tuple[str, str]]:
    """The setting and the name of the secret, where the settings demand it."""
    if settings.enabled:
        yield "uptimeRobot.enabled", SECRET
