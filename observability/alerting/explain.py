"""Who hears of an alert with these labels, how soon, what would keep it quiet: said in words, from the data alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from observability.alerting import heartbeat, inhibition, mute_times
from observability.alerting.matchers import Matcher, parse_matchers
from observability.alerting.routes import (
    GROUP_BY,
    GROUP_INTERVAL,
    GROUP_WAIT,
    MARK_LABEL,
    REPEAT_INTERVAL,
    Route,
    recipients,
    taken,
)
from observability.settings.load import StackConfig
from observability.settings.notifications import (
    Channel,
    Email,
    Opsgenie,
    Receiver,
    Slack,
    Telegram,
    receiver_secrets,
)

_NAMES: Final[Mapping[Channel, str]] = {
    "email": "mail",
    "slack": "Slack",
    "pagerduty": "PagerDuty",
    "msteams": "Microsoft Teams",
    "discord": "Discord",
    "telegram": "Telegram",
    "opsgenie": "Opsgenie",
    "pushover": "Pushover",
    "webhook": "webhook",
}


@dataclass(frozen=True, kw_only=True)
class Mute:
    """A mute time of a route: when it holds, and how it is at present."""

    name: str
    hours: str
    state: str
    in_force: bool


@dataclass(frozen=True, kw_only=True)
class Hearing:
    """A route that the alert takes: who is told by it, and when."""

    route: Route
    told: Mapping[str, str]
    """By the name of the receiver, where its messages go."""
    timing: str
    mutes: tuple[Mute, ...]


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """What becomes of an alert with these labels."""

    labels: Mapping[str, str]
    hearings: tuple[Hearing, ...]
    quiet: tuple[str, ...]
    """What would keep it quiet while it fires."""

    @property
    def heard(self) -> bool:
        """Whether anybody is told at all."""
        return any(hearing.told for hearing in self.hearings)


def explain(config: StackConfig, labels: Mapping[str, str], at: datetime) -> Explanation:
    """What becomes of an alert with these labels at this moment."""
    return Explanation(
        labels=labels,
        hearings=tuple(_hearing(config, route, at) for route in taken(config, labels)),
        quiet=tuple(quiet_while(labels)),
    )


def destination(name: str, receiver: Receiver) -> str:
    """Where a receiver's messages go: an address, a channel, or the secret that says it."""
    kind = _NAMES[receiver.channel]
    if receiver.channel == "email":
        return f"{kind} to {', '.join(receiver.settings(Email).to)}"
    if receiver.channel == "slack":
        return f"{kind} {receiver.settings(Slack).channel}"
    if receiver.channel == "telegram":
        return f"{kind}, chat {receiver.settings(Telegram).chat_id}"
    if receiver.channel == "opsgenie":
        return f"{kind} ({receiver.settings(Opsgenie).region})"
    secrets = " and ".join(secret.name for secret in receiver_secrets({name: receiver}))
    return f"{kind} (secret {secrets})"


def quiet_while(labels: Mapping[str, str]) -> list[str]:
    """For every inhibition that an alert with these labels is the target of, the words for its source."""
    found = []
    for rule in inhibition.rules():
        sources, targets = _matchers(rule, "source_matchers"), _matchers(rule, "target_matchers")
        # What is on both sides of a rule is not kept quiet by others that are.
        both = all(matcher.holds(labels) for matcher in sources)
        if all(matcher.holds(labels) for matcher in targets) and not both:
            found.append(f"{_kind(sources)} fires with {_sameness(rule['equal'], labels)}")
    return found


def _hearing(config: StackConfig, route: Route, at: datetime) -> Hearing:
    settings = config.notifications
    channels = next((one.channels for one in recipients(config) if one.name == route.receiver), ())
    told = {name: destination(name, settings.receivers[name]) for name in channels}
    if route.receiver == heartbeat.SERVICE and heartbeat.has_listener(config):
        where = "the stack's own listener" if heartbeat.is_local(config) else f"secret {heartbeat.SECRET}"
        told = {heartbeat.SERVICE: f"what misses it when it stops ({where})"}
    elif route.receiver == "verify":
        told = {"verify": "the inbox of obs verify, while it runs"}
    muted = ((name, settings.mute_times[name]) for name in route.mute)
    return Hearing(
        route=route,
        told=told,
        timing=_timing(route),
        mutes=tuple(
            Mute(
                name=name,
                hours=mute_times.in_words(time),
                state=mute_times.state_in_words(time, at),
                in_force=mute_times.in_force(time, at),
            )
            for name, time in muted
        ),
    )


def _timing(route: Route) -> str:
    wait, interval = route.group_wait or GROUP_WAIT, route.group_interval or GROUP_INTERVAL
    repeat = route.repeat_interval or REPEAT_INTERVAL
    together = ", ".join(route.group_by or GROUP_BY)
    soon = "at once" if wait == "0s" else f"after {wait}"
    if route.group_by is not None:
        return f"a digest by {together}: the first {soon}, then every {interval} at most"
    return f"{soon}, grouped by {together}; changes every {interval} at most, again after {repeat}"


def _matchers(rule: Mapping[str, Any], key: str) -> tuple[Matcher, ...]:
    return tuple(matcher for text in rule[key] for matcher in parse_matchers(text))


def _kind(sources: tuple[Matcher, ...]) -> str:
    """The source of an inhibition: `a critical alert`, `HostDown`, `ServiceDown of job alloy or promtail`."""
    name, words = "", []
    for matcher in sources:
        values = " or ".join(matcher.value.split("|")) if matcher.operator == "=~" else matcher.value
        if matcher.label == "alertname":
            name = values
        elif matcher.label == "severity":
            name = name or f"a {values} alert"
        # That its source is no test goes without saying.
        elif matcher.label != MARK_LABEL:
            words.append(f"{matcher.label} {values}")
    return f"{name or 'an alert'} of {' and '.join(words)}" if words else name


def _sameness(equal: list[str], labels: Mapping[str, str]) -> str:
    """The labels in which both must agree; an absent one agrees with an absent one."""
    given = [f"{label} {labels[label]}" for label in equal if labels.get(label)]
    absent = [label for label in equal if not labels.get(label)]
    if not given:
        return f"the same {', '.join(absent)}"
    if len(absent) > 3:
        absent = [*absent[:2], "and so on"]
    return f"{', '.join(given)}" + (f" (and the same or no {', '.join(absent)})" if absent else "")
