"""Who hears of an alert, and by which channel: the one list that Alertmanager's and Grafana's receivers are made from.

A receiver is one channel. An audience is the receivers that hear of a kind of alert together: of a severity, a
component, a team. Addresses with a secret in them, keys and tokens are secrets of the stack, named after the receiver.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, Self, TypeVar, get_args

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic.alias_generators import to_camel

from observability.core.alert import SEVERITIES, Component
from observability.core.section import Section
from observability.core.types import Duration, MailAddress, Port, TimeZone, Weekday, seconds

ReceiverName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=63)]
"""Name of a receiver."""

Channel = Literal[
    "email",
    "slack",
    "pagerduty",
    "msteams",
    "discord",
    "telegram",
    "opsgenie",
    "pushover",
    "webhook",
]
"""A kind of channel, by its key in a receiver."""

CHANNELS: Final[tuple[Channel, ...]] = get_args(Channel)

PAGERS: Final = frozenset({"pagerduty", "opsgenie"})
"""Channels that call somebody: nothing that is only worth knowing goes there."""

SecretKind = Literal["Url", "Token", "Key", "User"]
"""What a receiver's secret is: the end of its name."""

WEBHOOK_SECRET: Final = "alertWebhookUrl"  # noqa: S105 - its name
"""The shorthand for one webhook that hears of everything: the secret of a receiver named alert-webhook."""

ApiUrl = Annotated[str, Field(pattern=r"^https?://[^\s/@]+(/[^\s@]*)?$")]
"""Address of a service's API. No secrets here."""


class Smtp(Section):
    """The mail server. With a user, its password is the secret smtpPassword."""

    host: str = Field(description="Name of the server.", min_length=1)
    port: Port = Field(587, description="Port of the server.")
    sender: MailAddress = Field(description="Address that mail comes from.")
    user: str | None = Field(None, description="User to sign in as; none: no sign-in.")
    tls: bool = Field(True, description="Whether STARTTLS is demanded.")


class Email(Section):
    """Mail, by the server of notifications.smtp."""

    to: tuple[MailAddress, ...] = Field(description="Who gets it.", min_length=1)


class Slack(Section):
    """Slack, by an incoming webhook (secret <receiver>Url) or as a bot (secret <receiver>Token)."""

    channel: str = Field(
        description="Channel or user, like #alerts-critical.", pattern=r"^[#@][^\s#@]+$|^[CGDU][A-Z0-9]{8,}$"
    )
    bot: bool = Field(False, description="Whether a bot's token is used instead of a webhook's address.")
    api_url: ApiUrl = Field("https://slack.com/api/chat.postMessage", description="Where a bot posts.")


class PagerDuty(Section):
    """PagerDuty, Events API v2 (secret <receiver>Key: the integration key)."""

    api_url: ApiUrl = Field("https://events.pagerduty.com/v2/enqueue", description="Where events go.")


class MsTeams(Section):
    """Microsoft Teams, by a workflow's webhook (secret <receiver>Url)."""


class Discord(Section):
    """Discord, by a channel's webhook (secret <receiver>Url)."""


class Telegram(Section):
    """Telegram, as a bot (secret <receiver>Token)."""

    chat_id: int = Field(description="Number of the chat; that of a group is negative.")
    api_url: ApiUrl = Field("https://api.telegram.org", description="Address of the bots' API.")


class Opsgenie(Section):
    """Opsgenie, by an API integration (secret <receiver>Key)."""

    region: Literal["us", "eu"] = Field("us", description="Where the account lives.")
    api_url: ApiUrl | None = Field(None, description="Address of the API; none: that of the region.")


class Pushover(Section):
    """Pushover, to a phone (secrets <receiver>Token: the application's; <receiver>User: the user's key)."""


class Webhook(Section):
    """A POST of Alertmanager's JSON (secret <receiver>Url)."""


HoursOfDay = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$")]


_Kind = TypeVar("_Kind", bound=Section)


class Receiver(Section):
    """One channel."""

    email: Email | None = Field(None, description="Mail.")
    slack: Slack | None = Field(None, description="Slack.")
    pagerduty: PagerDuty | None = Field(None, description="PagerDuty.")
    msteams: MsTeams | None = Field(None, description="Microsoft Teams.")
    discord: Discord | None = Field(None, description="Discord.")
    telegram: Telegram | None = Field(None, description="Telegram.")
    opsgenie: Opsgenie | None = Field(None, description="Opsgenie.")
    pushover: Pushover | None = Field(None, description="Pushover.")
    webhook: Webhook | None = Field(None, description="A webhook.")
    resolved: bool = Field(True, description="Whether it also says when an alert is over.")

    @model_validator(mode="after")
    def _one_channel(self) -> Self:
        found = [kind for kind in CHANNELS if getattr(self, kind) is not None]
        if len(found) != 1:
            said = " and ".join(found) or "no channel"
            raise ValueError(f"has {said}; a receiver is exactly one of {', '.join(CHANNELS)}")
        return self

    @property
    def channel(self) -> Channel:
        """Its kind."""
        return next(kind for kind in CHANNELS if getattr(self, kind) is not None)

    def settings(self, kind: type[_Kind]) -> _Kind:
        """The channel's own settings, which are of this kind; TypeError where they are not."""
        own = getattr(self, self.channel)
        if not isinstance(own, kind):
            raise TypeError(f"a receiver of {self.channel} has no settings of {kind.__name__}")
        return own

    @property
    def secret_kinds(self) -> tuple[SecretKind, ...]:
        """The secrets it needs."""
        if self.slack is not None and self.slack.bot:
            return ("Token",)
        kinds: dict[Channel, tuple[SecretKind, ...]] = {
            "email": (),
            "pagerduty": ("Key",),
            "telegram": ("Token",),
            "opsgenie": ("Key",),
            "pushover": ("Token", "User"),
        }
        return kinds.get(self.channel, ("Url",))


class MuteTime(Section):
    """Hours that come again every week."""

    times: tuple[Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$")], ...] = (
        Field((), description="Like 22:00-07:00, which ends on the next day; none: the whole day.")
    )
    weekdays: tuple[Weekday, ...] = Field((), description="Days on which the times begin; none: every day.")
    location: TimeZone = Field("UTC", description="Time zone, like Europe/Berlin.")

    @field_validator("times")
    @classmethod
    def _some_time(cls, times: tuple[str, ...]) -> tuple[str, ...]:
        for time in times:
            begin, _, end = time.partition("-")
            if begin == end:
                raise ValueError(f"{time} is no time at all; write one like 22:00-07:00, or none for the whole day")
        return times


class Audience(Section):
    """Those who hear of a kind of alert together; a plain list is one of receivers."""

    receivers: tuple[ReceiverName, ...] = Field((), description="Names of receivers.")
    mute: tuple[str, ...] = Field((), description="Names of mute times in which nothing is sent to them.")

    @model_validator(mode="before")
    @classmethod
    def _from_list(cls, value: Any) -> Any:  # noqa: ANN401 - whatever the file says
        return {"receivers": value} if isinstance(value, list | tuple) else value


class Heartbeat(Section):
    """The Watchdog sent to something outside that complains when it stops (secret heartbeatUrl)."""

    interval: Duration = Field("1m", description="How often, 20s to 1h; what listens should allow for twice as much.")

    @field_validator("interval")
    @classmethod
    def _as_often_as_groups_are_looked_at(cls, value: str) -> str:
        # Alertmanager looks every 10 s whether it is time.
        if not 20 <= seconds(value) <= 3600:
            raise ValueError("must be between 20s and 1h")
        return value


class NotificationSettings(Section):
    """Who hears of what."""

    smtp: Smtp | None = Field(None, description="The mail server, for receivers by email.")
    receivers: dict[ReceiverName, Receiver] = Field({}, description="Every channel, by its name.")
    default: Audience = Field(default_factory=Audience, description="Hears of what no other audience hears of.")
    critical: Audience = Field(default_factory=Audience, description="Hears of critical alerts.")
    warning: Audience = Field(default_factory=Audience, description="Hears of warnings.")
    info: Audience = Field(default_factory=Audience, description="Gets a digest of what is worth knowing.")
    digest: Duration = Field("4h", description="How often the digest of `info` is sent at most.")
    components: dict[Component, Audience] = Field({}, description="Hears of a component as well.")
    teams: dict[str, Audience] = Field({}, description="Each team's own channel, as well.")
    on_call: dict[str, Audience] = Field(
        {}, description="Hears of a team's critical alerts as well: what calls whoever is on call for it."
    )
    mute_times: dict[str, MuteTime] = Field({}, description="Hours in which an audience may be left alone.")
    heartbeat: Heartbeat = Field(default_factory=Heartbeat, description="The dead-man's switch.")

    def audiences(self) -> Iterator[tuple[str, Audience]]:
        """Every audience with its path in this section."""
        for severity in ("default", *SEVERITIES):
            yield severity, getattr(self, severity)
        yield from ((f"components.{name}", audience) for name, audience in self.components.items())
        yield from ((f"teams.{name}", audience) for name, audience in self.teams.items())
        yield from ((f"onCall.{name}", audience) for name, audience in self.on_call.items())

    def with_goalert(self, teams: Iterable[str]) -> "NotificationSettings":
        """The same with a receiver for each of these teams by which GoAlert hears of its critical alerts."""
        added = {team: goalert_receiver(team) for team in teams if goalert_receiver(team) not in self.receivers}
        audiences = {
            team: Audience(receivers=(*self.on_call.get(team, Audience()).receivers, name))
            for team, name in added.items()
        }
        receivers = {**self.receivers, **{name: Receiver(webhook=Webhook()) for name in added.values()}}
        return self.model_copy(update={"receivers": receivers, "on_call": {**self.on_call, **audiences}})

    def with_webhook(self) -> "NotificationSettings":
        """The same with a receiver alert-webhook that hears of everything, unless the list has one of its own."""
        name = "alert-webhook"
        if name in self.receivers:
            return self
        audiences = {
            severity: audience.model_copy(update={"receivers": (*audience.receivers, name)})
            for severity, audience in self.audiences()
            if severity == "default" or (severity in SEVERITIES and audience.receivers)
        }
        receivers = {**self.receivers, name: Receiver(webhook=Webhook())}
        return self.model_copy(update={"receivers": receivers, **audiences})


@dataclass(frozen=True, kw_only=True)
class ReceiverSecret:
    """A secret of a receiver: its name in the configuration, whose it is, and what it is."""

    name: str
    receiver: str
    channel: Channel
    kind: SecretKind


def receiver_secrets(receivers: Mapping[str, Receiver]) -> tuple[ReceiverSecret, ...]:
    """Every secret that these receivers need, like slackCriticalUrl."""
    return tuple(
        ReceiverSecret(
            name=f"{to_camel(name.replace('-', '_'))}{kind}", receiver=name, channel=receiver.channel, kind=kind
        )
        for name, receiver in receivers.items()
        for kind in receiver.secret_kinds
    )


def goalert_receiver(team: str) -> str:
    """Name of the receiver by which GoAlert hears of a team's critical alerts."""
    return f"oncall-{team}"


def goalert_secret(team: str) -> str:
    """Name of the secret with that receiver's address."""
    return receiver_secrets({goalert_receiver(team): Receiver(webhook=Webhook())})[0].name


def goalert_receivers(section: object) -> dict[str, Receiver]:
    """A receiver for each team with a schedule in the section onCall as it stands in the file."""
    stated = section.get("schedules") if isinstance(section, dict) else None
    teams = stated if isinstance(stated, dict) else {}
    return {goalert_receiver(str(team)): Receiver(webhook=Webhook()) for team in teams}


def stated_receivers(section: object) -> dict[str, Receiver]:
    """The receivers that the section names as it stands in the file; what is wrong with it is said elsewhere."""
    stated = section.get("receivers") if isinstance(section, dict) else None
    found = {}
    for name, value in (stated if isinstance(stated, dict) else {}).items():
        try:
            found[str(name)] = Receiver.model_validate(value)
        except ValidationError:
            continue
    return found
