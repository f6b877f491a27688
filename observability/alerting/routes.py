"""Which alerts go to whom: the tree of routes as plain data, from the one list of receivers.

An audience is one receiver of Alertmanager's, with a message for each of its channels. Those of a component and of a
team hear of an alert besides those of its severity; so they come first and let it pass on. What calls whoever is on
call for a team hears of its critical alerts alone. What is only worth knowing comes as a digest, and calls nobody.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from observability.alerting import heartbeat
from observability.alerting.matchers import Matcher
from observability.core.alert import SEVERITIES
from observability.settings.load import StackConfig
from observability.settings.notifications import PAGERS, Audience, NotificationSettings

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

MARK_LABEL: Final = "obs_test"
"""Label of every alert that `obs alert-test` raises, for a receiver or with the labels of a rule."""


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
    found = []
    for path, audience in settings.audiences():
        if audience.receivers or path == "default":
            found.append(Recipients(name=_name(path), channels=audience.receivers))
        quiet = _quiet(audience, settings)
        if path.startswith(("components.", "teams.")) and quiet not in ((), audience.receivers):
            found.append(Recipients(name=f"{_name(path)}-digest", channels=quiet))
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
        for value, audience in audiences.items():
            found += _besides(label, value, audience, settings)
    found += [
        Route(
            receiver=_name(f"onCall.{team}"),
            matchers=(Matcher(label="team", value=team), Matcher(label="severity", value="critical")),
            why=f"whoever is on call for {team} is called",
            passes_on=True,
            mute=audience.mute,
        )
        for team, audience in settings.on_call.items()
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


def _besides(label: str, value: str, audience: Audience, settings: NotificationSettings) -> Iterator[Route]:
    """Those of a component or a team: at once, and by what calls nobody a digest of what is only worth knowing."""
    receiver = _name(f"{label}s.{value}")
    of = Matcher(label=label, value=value)
    at_once = Route(
        receiver=receiver,
        matchers=(of, Matcher(label="severity", operator="!=", value="info")),
        why=f"{label} {value} hears of it as well",
        passes_on=True,
        mute=audience.mute,
    )
    yield at_once
    quiet = _quiet(audience, settings)
    if quiet:
        yield replace(
            at_once,
            receiver=receiver if quiet == audience.receivers else f"{receiver}-digest",
            matchers=(of, Matcher(label="severity", value="info")),
            **_digest(settings),
        )


def _quiet(audience: Audience, settings: NotificationSettings) -> tuple[str, ...]:
    """Those receivers of an audience that call nobody; one that is not there is refused elsewhere."""
    return tuple(name for name in audience.receivers if settings.receivers[name].channel not in PAGERS)


def _of_severity(config: StackConfig, severity: str) -> Route:
    """Those who hear of a severity; where nobody was named for it, the default's."""
    settings = config.notifications
    name = severity if getattr(settings, severity).receivers else "default"
    route = Route(
        receiver=name,
        matchers=(Matcher(label="severity", value=severity),),
        why=f"its severity is {severity}",
        # Critical alerts reach somebody at any hour, the default's among them.
        mute=() if severity == "critical" else getattr(settings, name).mute,
    )
    return replace(route, **_digest(settings)) if severity == "info" else route


def _digest(settings: NotificationSettings) -> dict[str, Any]:
    """What makes of single messages one of everything new."""
    return {"group_by": ("cluster", "system"), "group_wait": DIGEST_WAIT, "group_interval": settings.digest}


def _watchdog(config: StackConfig) -> Route:
    """The heartbeat: said again and again, to nobody who reads it."""
    return Route(
        receiver=heartbeat.SERVICE,
        matchers=(Matcher(label="alertname", value="Watchdog"),),
        why="it fires always, to show that alerts flow",
        group_wait="0s",
        repeat_interval=heartbeat.repeat_interval(config),
    )


def _name(path: str) -> str:
    """Name of an audience's receiver: components.database → component-database."""
    return path.replace("components.", "component-").replace("teams.", "team-").replace("onCall.", "oncall-")
