"""Explains, from data, the receivers of an alert with these labels, when they are notified, and what would mute it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from observability.alerting import heartbeat, mute_times
from observability.alerting.inhibition import INHIBITIONS, Inhibition
from observability.alerting.routes import (
    GROUP_BY,
    GROUP_INTERVAL,
    GROUP_WAIT,
    REPEAT_INTERVAL,
    Route,
    recipients,
    taken,
)
from observability.settings.load import StackConfig
from observability.settings.notifications import Receiver, receiver_secrets


@dataclass(frozen=True, kw_only=True)
class Mute:
    """A mute time of a route: its hours, and whether it is active."""

    name: str
    hours: str
    state: str
    active: bool


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """A route that the alert takes: its receivers, and when they are notified."""

    route: Route
    destinations: Mapping[str, str]
    """Where the messages are sent, by the receiver's name."""
    timing: str
    mutes: tuple[Mute, ...]


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """The routing of an alert with these labels."""

    labels: Mapping[str, str]
    deliveries: tuple[Delivery, ...]
    muted_while: tuple[str, ...]
    """The alerts that would mute it by inhibition."""

    @property
    def delivered(self) -> bool:
        """Whether it has any receiver."""
        return any(delivery.destinations for delivery in self.deliveries)


def explain(config: StackConfig, labels: Mapping[str, str], at: datetime) -> Explanation:
    """The routing of an alert with these labels at this time."""
    return Explanation(
        labels=labels,
        deliveries=tuple(_delivery(config, route, at) for route in taken(config, labels)),
        muted_while=tuple(muted_while(labels)),
    )


def destination(name: str, receiver: Receiver) -> str:
    """Where a receiver's messages are sent: an address, a channel, or the secret that holds it."""
    channel = receiver.channel
    if channel.destination is not None:
        return channel.destination(receiver.own)
    secrets = " and ".join(secret.name for secret in receiver_secrets({name: receiver}))
    return f"{channel.title} (secret {secrets})"


def muted_while(labels: Mapping[str, str]) -> list[str]:
    """For every inhibition that can mute an alert with these labels, a description of the muting alert."""
    found = [
        f"{inhibition.words} fires with {_sameness(inhibition, labels)}"
        for inhibition in INHIBITIONS
        if inhibition.may_mute(labels)
    ]
    return list(dict.fromkeys(found))


def _delivery(config: StackConfig, route: Route, at: datetime) -> Delivery:
    settings = config.notifications
    channels = next((one.channels for one in recipients(config) if one.name == route.receiver), ())
    destinations = {name: destination(name, settings.receivers[name]) for name in channels}
    if route.receiver == heartbeat.SERVICE and heartbeat.has_listener(config):
        destinations = {heartbeat.SERVICE: f"the dead man's switch (secret {heartbeat.SECRET})"}
    elif route.receiver == "verify":
        destinations = {"verify": "the inbox of obs verify"}
    muted = ((name, settings.mute_times[name]) for name in route.mute)
    return Delivery(
        route=route,
        destinations=destinations,
        timing=_timing(route),
        mutes=tuple(
            Mute(
                name=name,
                hours=mute_times.in_words(time),
                state=mute_times.state_in_words(time, at),
                active=mute_times.active(time, at),
            )
            for name, time in muted
        ),
    )


def _timing(route: Route) -> str:
    wait, interval = route.group_wait or GROUP_WAIT, route.group_interval or GROUP_INTERVAL
    repeat = route.repeat_interval or REPEAT_INTERVAL
    together = ", ".join(route.group_by or GROUP_BY)
    soon = "at once" if wait == "0s" else f"after {wait}"
    if route.digest:
        return f"a digest by {together}: the first {soon}, then every {interval} at most"
    return f"{soon}, grouped by {together}; changes every {interval} at most, again after {repeat}"


def _sameness(inhibition: Inhibition, labels: Mapping[str, str]) -> str:
    """The labels in which both must be equal; where a label is not required, two alerts without it are equal too."""
    given = [f"{label} {labels[label]}" for label in inhibition.equal if labels.get(label)]
    same = [label for label in inhibition.required if not labels.get(label)]
    optional = [label for label in inhibition.equal if not labels.get(label) and label not in inhibition.required]
    if len(optional) > 3:
        optional = [*optional[:2], "and so on"]
    words = [*given, *([f"the same {', '.join(same)}"] if same else [])]
    return ", ".join(words) + (f" (and the same or no {', '.join(optional)})" if optional else "")
