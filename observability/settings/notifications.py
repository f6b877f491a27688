"""The notification settings: one list of receivers from which the configurations of Alertmanager and Grafana are made.

A receiver is one channel. An audience is the receivers that are notified of a kind of alert together: of a severity,
a component, a team. Addresses that contain a secret, keys and tokens are secrets of the stack, named by the receiver.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import TYPE_CHECKING, Annotated, Any, Final, Self, TypeVar

from pydantic import Field, ValidationError, create_model, field_validator, model_validator
from pydantic.alias_generators import to_camel

from observability.channels.descriptor import Channel, Secret
from observability.channels.registry import CHANNELS
from observability.core.alert import SEVERITIES, Component
from observability.core.section import Section
from observability.core.types import Duration, MailAddress, Port, TimeZone, Weekday, seconds

ReceiverName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=63)]
"""Name of a receiver."""


WEBHOOK_SECRET: Final = "alertWebhookUrl"  # noqa: S105 - its name
"""The secret that by itself adds one webhook for all alerts: a receiver named alert-webhook."""


HELLO_BY_DEFAULT: Final = "localhost.localdomain"
"""A full host name, used where the sender's domain is not one."""


class Smtp(Section):
    """The mail server. With a user, its password is the secret smtpPassword."""

    host: str = Field(description="Name or address of the server, without the port.", min_length=1)
    port: Port = Field(587, description="Port of the server.")
    sender: MailAddress = Field(description="Address that mail is sent from.")
    user: str | None = Field(None, description="User to sign in as; none: no sign-in.")
    tls: bool = Field(True, description="Whether STARTTLS is required.")
    hello: str | None = Field(
        None,
        description="Full host name to send in EHLO; none: the domain of `sender`.",
        pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$",
        max_length=253,
    )

    @field_validator("host")
    @classmethod
    def _host_alone(cls, host: str) -> str:
        scheme, separator, _ = host.partition("://")
        if separator:
            raise ValueError(f"has a scheme; write the name alone, without {scheme}://, and the port in smtp.port")
        if re.search(r"[\s/@]", host):
            raise ValueError("is no host name; write it like smtp.example.com")
        if with_port := re.fullmatch(r"(\[.*\]|[^:]+):(\d*)", host):
            raise ValueError(f"has a port; write host: {with_port[1]} and port: {with_port[2] or 587}")
        if ":" not in host:
            return host
        try:
            return str(IPv6Address(host.removeprefix("[").removesuffix("]")))
        except ValueError:
            raise ValueError("is neither a host name nor an IPv6 address; write it like smtp.example.com") from None

    @property
    def address(self) -> str:
        """Host and port, an IPv6 address in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def hello_name(self) -> str:
        """The name sent in EHLO: servers may refuse one that is not a full host name (RFC 5321, 4.1.1.1)."""
        domain = self.sender.rpartition("@")[2]
        return self.hello or (domain if "." in domain else HELLO_BY_DEFAULT)


HoursOfDay = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$")]


_Settings = TypeVar("_Settings", bound=Section)


class _Receiver(Section):
    """One channel."""

    resolved: bool = Field(True, description="Whether it is notified when an alert is resolved.")

    @model_validator(mode="after")
    def _one_channel(self) -> Self:
        found = [kind for kind in CHANNELS if getattr(self, kind) is not None]
        if len(found) != 1:
            given = " and ".join(found) or "no channel"
            raise ValueError(f"has {given}; a receiver is exactly one of {', '.join(CHANNELS)}")
        return self

    @property
    def channel(self) -> Channel[Any]:
        """The descriptor of its kind."""
        return next(channel for kind, channel in CHANNELS.items() if getattr(self, kind) is not None)

    @property
    def own(self) -> Section:
        """The settings of its kind."""
        found: Section = getattr(self, self.channel.key)
        return found

    def settings(self, kind: type[_Settings]) -> _Settings:
        """The settings of its kind, which must be of this class; TypeError where they are not."""
        if not isinstance(self.own, kind):
            raise TypeError(f"a receiver of {self.channel.key} has no settings of {kind.__name__}")
        return self.own

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """The secrets it needs."""
        return self.channel.needed(self.own)

    @property
    def pages(self) -> bool:
        """Whether it is a pager."""
        return self.channel.pages


if TYPE_CHECKING:

    class Receiver(_Receiver):
        """One channel."""
else:
    # A field for every kind of channel that has a descriptor.
    Receiver = create_model(
        "Receiver",
        __base__=_Receiver,
        __doc__=_Receiver.__doc__,
        **{
            channel.key: (
                channel.settings | None,
                Field(None, description=f"{channel.title[:1].upper()}{channel.title[1:]}."),
            )
            for channel in CHANNELS.values()
        },
    )


class MuteTime(Section):
    """Hours of the week in which an audience is not notified."""

    times: tuple[HoursOfDay, ...] = Field(
        (), description="Like 22:00-07:00, which ends on the next day; none: the whole day."
    )
    weekdays: tuple[Weekday, ...] = Field((), description="Days on which the times begin; none: every day.")
    location: TimeZone = Field("UTC", description="Time zone, like Europe/Berlin.")

    @field_validator("times")
    @classmethod
    def _some_time(cls, times: tuple[str, ...]) -> tuple[str, ...]:
        for time in times:
            begin, _, end = time.partition("-")
            if begin == end:
                raise ValueError(f"{time} has no length; write one like 22:00-07:00, or none for the whole day")
        return times


class Audience(Section):
    """The receivers of one kind of alert; a plain list is one of receivers."""

    receivers: tuple[ReceiverName, ...] = Field((), description="Names of receivers.")
    mute: tuple[str, ...] = Field((), description="Names of mute times in which they are not notified.")

    @model_validator(mode="before")
    @classmethod
    def _from_list(cls, value: Any) -> Any:  # noqa: ANN401 - any YAML
        return {"receivers": value} if isinstance(value, list | tuple) else value


class Heartbeat(Section):
    """The Watchdog, sent to an address outside that raises an alarm when it stops (secret heartbeatUrl)."""

    interval: Duration = Field("1m", description="How often, 20s to 1h; the address should allow for twice as much.")

    @field_validator("interval")
    @classmethod
    def _as_often_as_groups_are_looked_at(cls, value: str) -> str:
        # Alertmanager checks every 10 s whether a notification is due.
        if not 20 <= seconds(value) <= 3600:
            raise ValueError("must be between 20s and 1h")
        return value


class NotificationSettings(Section):
    """Receivers, and the alerts of which each is notified."""

    smtp: Smtp | None = Field(None, description="The mail server, for receivers by email.")
    receivers: dict[ReceiverName, Receiver] = Field({}, description="Every channel, by its name.")
    default: Audience = Field(default_factory=Audience, description="Receivers of alerts that no other audience gets.")
    critical: Audience = Field(default_factory=Audience, description="Receivers of critical alerts.")
    warning: Audience = Field(default_factory=Audience, description="Receivers of warnings.")
    info: Audience = Field(default_factory=Audience, description="Receivers of the digest of info alerts.")
    digest: Duration = Field("4h", description="Shortest time between two digests of `info`.")
    components: dict[Component, Audience] = Field({}, description="Further receivers of a component's alerts.")
    teams: dict[str, Audience] = Field({}, description="Further receivers of a team's alerts.")
    on_call: dict[str, Audience] = Field(
        {}, description="Receivers of a team's pages (label page=yes): what calls the person on call."
    )
    mute_times: dict[str, MuteTime] = Field({}, description="Hours of the week in which an audience can be muted.")
    heartbeat: Heartbeat = Field(default_factory=Heartbeat, description="The heartbeat.")

    def audiences(self) -> Iterator[tuple[str, Audience]]:
        """Every audience with its path in this section."""
        for severity in ("default", *SEVERITIES):
            yield severity, getattr(self, severity)
        yield from ((f"components.{name}", audience) for name, audience in self.components.items())
        yield from ((f"teams.{name}", audience) for name, audience in self.teams.items())
        yield from ((f"onCall.{name}", audience) for name, audience in self.on_call.items())

    def with_goalert(self, teams: Iterable[str]) -> "NotificationSettings":
        """The same with a receiver for each of these teams that sends its pages to GoAlert."""
        added = {team: goalert_receiver(team) for team in teams if goalert_receiver(team) not in self.receivers}
        audiences = {
            team: Audience(receivers=(*self.on_call.get(team, Audience()).receivers, name))
            for team, name in added.items()
        }
        receivers = {**self.receivers, **{name: _webhook() for name in added.values()}}
        return self.model_copy(update={"receivers": receivers, "on_call": {**self.on_call, **audiences}})

    def with_webhook(self) -> "NotificationSettings":
        """The same with a receiver alert-webhook of all alerts, unless the list already has one."""
        name = "alert-webhook"
        if name in self.receivers:
            return self
        audiences = {
            severity: audience.model_copy(update={"receivers": (*audience.receivers, name)})
            for severity, audience in self.audiences()
            if severity == "default" or (severity in SEVERITIES and audience.receivers)
        }
        receivers = {**self.receivers, name: _webhook()}
        return self.model_copy(update={"receivers": receivers, **audiences})


@dataclass(frozen=True, kw_only=True)
class ReceiverSecret:
    """A secret of a receiver: its name in the configuration, the receiver, and its description."""

    name: str
    receiver: str
    channel: Channel[Any]
    secret: Secret

    @property
    def kind(self) -> str:
        """Its kind, by the suffix of its name."""
        return self.secret.kind


def receiver_secrets(receivers: Mapping[str, Receiver]) -> tuple[ReceiverSecret, ...]:
    """Every secret that these receivers need, like slackCriticalUrl."""
    return tuple(
        ReceiverSecret(
            name=f"{to_camel(name.replace('-', '_'))}{secret.kind}",
            receiver=name,
            channel=receiver.channel,
            secret=secret,
        )
        for name, receiver in receivers.items()
        for secret in receiver.secrets
    )


def goalert_receiver(team: str) -> str:
    """Name of the receiver that sends a team's pages to GoAlert."""
    return f"oncall-{team}"


def goalert_secret(team: str) -> str:
    """Name of the secret with that receiver's address."""
    return receiver_secrets({goalert_receiver(team): _webhook()})[0].name


def goalert_receivers(section: object) -> dict[str, Receiver]:
    """A receiver for each team with a schedule in the unvalidated section onCall of the file."""
    stated = section.get("schedules") if isinstance(section, dict) else None
    teams = stated if isinstance(stated, dict) else {}
    return {goalert_receiver(str(team)): _webhook() for team in teams}


def stated_receivers(section: object) -> dict[str, Receiver]:
    """The receivers in the unvalidated section of the file; errors in it are reported elsewhere."""
    stated = section.get("receivers") if isinstance(section, dict) else None
    found = {}
    for name, value in (stated if isinstance(stated, dict) else {}).items():
        try:
            found[str(name)] = Receiver.model_validate(value)
        except ValidationError:
            continue
    return found


def _webhook() -> Receiver:
    return Receiver.model_validate({"webhook": {}})
