"""Which alerts go to whom: the tree of routes as plain data, from the one list of receivers.

An audience is one receiver of Alertmanager's, with a message for each of its channels. Those of a component and of a
team hear of an alert besides those of its severity; so they come first and let it pass on.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from config.load import StackConfig
from config.notifications import SEVERITIES

GROUP_BY: Final = ("alertname", "cluster", "system")
GROUP_WAIT: Final = "10s"
GROUP_INTERVAL: Final = "10s"
REPEAT_INTERVAL: Final = "12h"
"""Requirements 6: one message for the alerts of one kind of one system, said again after twelve hours."""

DIGEST_WAIT: Final = "5m"
"""How long the first digest waits for more of its kind."""

VERIFY_LABEL: Final = "obs_verify"
"""Label of the alerts that `obs verify` raises; they go to its inbox and to nobody else."""

TEST_LABEL: Final = "obs_receiver"
"""Label of the alerts that `obs alert-test` raises for one receiver, which it names."""


@dataclass(frozen=True, kw_only=True)
class Matcher:
    """A condition on one label; an absent label is empty."""

    label: str
    value: str
    operator: Literal["=", "=~"] = "="

    def __str__(self) -> str:
        return f'{self.label}{self.operator}"{self.value}"'

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Whether an alert with these labels fulfils it."""
        given = labels.get(self.label, "")
        return given == self.value if self.operator == "=" else re.fullmatch(self.value, given) is not None


@dataclass(frozen=True, kw_only=True)
class Route:
    """A branch below the root: the receiver, what it is for, and what differs from the root's timing."""

    receiver: str
    matchers: tuple[Matcher, ...]
    why: str
    passes_on: bool = False
    mute: tuple[str, ...] = ()
    group_by: tuple[str, ...] | None = None
    group_wait: str | None = None
    group_interval: str | None = None
    repeat_interval: str | None = None

    def takes(self, labels: Mapping[str, str]) -> bool:
        """Whether an alert with these labels takes it."""
        return all(matcher.holds(labels) for matcher in self.matchers)


@dataclass(frozen=True, kw_only=True)
class Recipients:
    """A receiver of Alertmanager's: its name, and the channels by which it is told."""

    name: str
    channels: tuple[str, ...]


def recipients(config: StackConfig) -> tuple[Recipients, ...]:
    """Every audience, and every channel by itself for `obs alert-test`."""
    settings = config.notifications
    found = [
        Recipients(name=_name(path), channels=audience.receivers)
        for path, audience in settings.audiences()
        if audience.receivers or path == "default"
    ]
    return (*found, *(Recipients(name=f"only-{name}", channels=(name,)) for name in settings.receivers))


def routes(config: StackConfig) -> tuple[Route, ...]:
    """The branches in the order in which an alert meets them; the last takes what is left."""
    settings = config.notifications
    found = [
        Route(
            receiver="verify",
            matchers=(Matcher(label=VERIFY_LABEL, value="true"),),
            why="raised by obs verify",
            group_wait="0s",
        ),
        _watchdog(config),
    ]
    found += [
        Route(
            receiver=f"only-{name}",
            matchers=(Matcher(label=TEST_LABEL, value=name),),
            why=f"raised by obs alert-test for {name}",
            group_wait="0s",
        )
        for name in settings.receivers
    ]
    for label, audiences in (("component", settings.components), ("team", settings.teams)):
        found += [
            Route(
                receiver=_name(f"{label}s.{value}"),
                matchers=(Matcher(label=label, value=value),),
                why=f"{label} {value} hears of it as well",
                passes_on=True,
                mute=audience.mute,
            )
            for value, audience in audiences.items()
        ]
    found += [_of_severity(config, severity) for severity in SEVERITIES]
    return (
        *found,
        Route(receiver="default", matchers=(), why="nobody else was to hear of it", mute=settings.default.mute),
    )


def taken(config: StackConfig, labels: Mapping[str, str]) -> tuple[Route, ...]:
    """The routes that an alert with these labels takes, as Alertmanager would have it."""
    found = []
    for route in routes(config):
        if route.takes(labels):
            found.append(route)
            if not route.passes_on:
                break
    return tuple(found)


def _of_severity(config: StackConfig, severity: str) -> Route:
    """Those who hear of a severity; where nobody was named for it, the default's."""
    settings = config.notifications
    name = severity if getattr(settings, severity).receivers else "default"
    digest = severity == "info"
    return Route(
        receiver=name,
        matchers=(Matcher(label="severity", value=severity),),
        why=f"its severity is {severity}",
        mute=getattr(settings, name).mute,
        group_by=("cluster", "system") if digest else None,
        group_wait=DIGEST_WAIT if digest else None,
        group_interval=settings.digest if digest else None,
    )


def _watchdog(config: StackConfig) -> Route:
    """The heartbeat: said again and again, to nobody who reads it."""
    interval = config.notifications.heartbeat.interval
    return Route(
        receiver="heartbeat",
        matchers=(Matcher(label="alertname", value="Watchdog"),),
        why="it fires always, to show that alerts flow",
        group_wait="0s",
        group_interval=interval,
        repeat_interval=interval,
    )


def _name(path: str) -> str:
    """Name of an audience's receiver: components.database → component-database."""
    return path.replace("components.", "component-").replace("teams.", "team-")
