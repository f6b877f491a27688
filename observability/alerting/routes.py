"""The routing tree as plain data, made from the one list of receivers.

An audience becomes up to two receivers of Alertmanager: its pagers (`<name>-page`), which receive only alerts that
page, and its other channels. Alerts of a component and of a team are sent to those audiences in addition to that of
their severity, so those branches come first and continue. `info` alerts are sent as a digest and never page.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from observability.alerting import heartbeat
from observability.alerting.matchers import Matcher, Operator
from observability.core.alert import RECENT, SEVERITIES, UPDATE, UPDATE_SENT, WATCHDOG
from observability.settings.load import StackConfig
from observability.settings.notifications import Audience, NotificationSettings

GROUP_BY: Final = ("alertname", "cluster", "system")
GROUP_WAIT: Final = "10s"
GROUP_INTERVAL: Final = "10s"
REPEAT_INTERVAL: Final = "12h"
"""One message for the alerts of one name of one system, repeated after twelve hours (requirements 6)."""

PAGE_LABEL: Final = "page"
"""Label of an alert that decides whether it pages: `yes` or `no`. A critical alert without it pages."""

SYMPTOMS: Final = ("application", "service", "business", "endpoint", "logs")
"""Components whose alerts say that a system does not serve its users: together they are one outage, so one page."""

PAGE_GROUPS: Final[tuple[tuple[Operator, tuple[str, ...]], ...]] = (
    ("=~", ("cluster", "system")),
    ("!~", ("alertname", "cluster", "system", "instance", "device", "mount")),
)
"""How pages are grouped, for the components of SYMPTOMS and for all others: by the failed object. A second host,
store or disk that fails is a separate page."""

DIGEST_WAIT: Final = "5m"
"""How long the first digest waits for further alerts."""

VERIFY_LABEL: Final = "obs_verify"
"""Label of the alerts that `obs verify` sends; they are routed only to its inbox."""

TEST_LABEL: Final = "obs_receiver"
"""Label of the alerts that `obs alert-test` sends to one receiver; its value is the receiver."""

NOBODY: Final = "nobody"
"""Receiver without a channel, for alerts that only mute others and for those that the notifier adds."""

MARK_LABEL: Final = "obs_test"
"""Label of every alert that `obs alert-test` sends, to a receiver or with the labels of a rule."""


@dataclass(frozen=True, kw_only=True)
class Route:
    """A branch below the root: the receiver, why alerts take it, and how its timing differs from the root's."""

    receiver: str
    matchers: tuple[Matcher, ...]
    why: str
    passes_on: bool = False
    mute: tuple[str, ...] = ()
    group_by: tuple[str, ...] | None = None
    group_wait: str | None = None
    group_interval: str | None = None
    repeat_interval: str | None = None

    @property
    def digest(self) -> bool:
        """Whether its alerts are collected into a digest."""
        return self.group_wait == DIGEST_WAIT

    def takes(self, labels: Mapping[str, str]) -> bool:
        """Whether an alert with these labels takes it."""
        return all(matcher.holds(labels) for matcher in self.matchers)


@dataclass(frozen=True, kw_only=True)
class Recipients:
    """A receiver of Alertmanager: its name, and its channels."""

    name: str
    channels: tuple[str, ...]


def recipients(config: StackConfig) -> tuple[Recipients, ...]:
    """Every audience, its pagers as a separate receiver; and every channel by itself, for `obs alert-test`."""
    settings = config.notifications
    found = []
    for path, audience in settings.audiences():
        pagers, others = _split(path, audience, settings)
        if others or path == "default":
            found.append(Recipients(name=_name(path), channels=others))
        if pagers:
            found.append(Recipients(name=_pager(path), channels=pagers))
    return (*found, *(Recipients(name=f"only-{name}", channels=(name,)) for name in settings.receivers))


def routes(config: StackConfig) -> tuple[Route, ...]:
    """The branches in the order in which Alertmanager evaluates them; the last takes every alert."""
    settings = config.notifications
    found = [
        Route(
            receiver="verify",
            matchers=(Matcher(label=VERIFY_LABEL, value="true"),),
            why="sent by obs verify",
            group_wait="0s",
        ),
        Route(
            receiver=NOBODY,
            matchers=(Matcher(label="alertname", value=RECENT),),
            why="it only mutes the effects of an alert that has ended",
        ),
        _watchdog(config),
        *_to_nobody(config, Matcher(label=UPDATE_SENT, value="yes")),
    ]
    found += [
        Route(
            receiver=f"only-{name}",
            matchers=(Matcher(label=TEST_LABEL, value=name),),
            why=f"sent by obs alert-test to {name}",
            group_wait="0s",
        )
        for name in settings.receivers
    ]
    for label, audiences in (("component", settings.components), ("team", settings.teams)):
        for value, audience in audiences.items():
            found += _besides(label, value, audience, settings)
    for team, audience in settings.on_call.items():
        found += _pages(f"onCall.{team}", audience, settings, (Matcher(label="team", value=team),), _ANY_SEVERITY)
    for severity in SEVERITIES:
        found += _of_severity(config, severity)
    found += _pages("default", settings.default, settings, (), _ANY_SEVERITY)
    return (
        *found,
        Route(receiver="default", matchers=(), why="no other route took it", mute=settings.default.mute),
    )


def taken(config: StackConfig, labels: Mapping[str, str]) -> tuple[Route, ...]:
    """The routes that an alert with these labels takes in Alertmanager."""
    return walked(routes(config), labels)


def walked(tree: Iterable[Route], labels: Mapping[str, str]) -> tuple[Route, ...]:
    """The routes of this tree that an alert with these labels takes."""
    found = []
    for route in tree:
        if route.takes(labels):
            found.append(route)
            if not route.passes_on:
                break
    return tuple(found)


_CRITICAL: Final = (
    Matcher(label="severity", value="critical"),
    Matcher(label=PAGE_LABEL, value="no", operator="!="),
)
"""A critical alert pages unless its label `page` is `no`."""

_OTHER: Final = (
    Matcher(label="severity", value="critical|info", operator="!~"),
    Matcher(label=PAGE_LABEL, value="yes"),
)
"""Any other alert pages only if its label `page` is `yes`, and `info` never does."""

_ANY_SEVERITY: Final = (_CRITICAL, _OTHER)


def _pages(
    path: str,
    audience: Audience,
    settings: NotificationSettings,
    of: tuple[Matcher, ...],
    which: Iterable[tuple[Matcher, ...]],
    *,
    passes_on: bool = True,
) -> Iterator[Route]:
    """The branches of an audience's pagers, for alerts with the matchers `of` that page by one of `which`."""
    if not _split(path, audience, settings)[0]:
        return
    for matchers in which:
        for operator, group_by in PAGE_GROUPS:
            yield Route(
                receiver=_pager(path),
                matchers=(
                    *of,
                    *matchers,
                    Matcher(label="component", value="|".join(SYMPTOMS), operator=operator),
                    # An update would page a second time.
                    Matcher(label=UPDATE, value=""),
                ),
                why=_WHY_PAGED.get(path.partition(".")[0], "it pages {}").format(path.partition(".")[2] or path),
                passes_on=passes_on,
                mute=audience.mute,
                group_by=group_by,
            )


_WHY_PAGED: Final = {
    "onCall": "it pages the person on call for {}",
    "components": "it pages, and its component is {}",
    "teams": "it pages, and its team is {}",
    "default": "it pages, and no severity has an audience for it",
    "critical": "it pages, and its severity is {}",
    "warning": "it pages, and its severity is {}",
}


def _besides(label: str, value: str, audience: Audience, settings: NotificationSettings) -> Iterator[Route]:
    """The branches of a component's or a team's audience: pages, other alerts immediately, and info as a digest."""
    path, of = f"{label}s.{value}", Matcher(label=label, value=value)
    yield from _pages(path, audience, settings, (of,), _ANY_SEVERITY)
    if not _split(path, audience, settings)[1]:
        return
    at_once = Route(
        receiver=_name(path),
        matchers=(of, Matcher(label="severity", operator="!=", value="info")),
        why=f"its {label} is {value}",
        passes_on=True,
        mute=audience.mute,
    )
    yield at_once
    yield replace(at_once, matchers=(of, Matcher(label="severity", value="info")), **_digest(settings))


def _split(path: str, audience: Audience, settings: NotificationSettings) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The pagers of an audience and its other channels; receivers that are on call are all pagers."""
    if path.startswith("onCall."):
        return audience.receivers, ()
    pagers = tuple(name for name in audience.receivers if settings.receivers[name].pages)
    return pagers, tuple(name for name in audience.receivers if name not in pagers)


def _of_severity(config: StackConfig, severity: str) -> Iterator[Route]:
    """The branches of a severity's audience; those of `default` where it has none."""
    settings = config.notifications
    path = severity if getattr(settings, severity).receivers else "default"
    audience: Audience = getattr(settings, path)
    # Critical alerts are sent at any hour, by the default audience too.
    audience = audience.model_copy(update={"mute": ()}) if severity == "critical" else audience
    pagers, others = _split(path, audience, settings)
    of = Matcher(label="severity", value=severity)
    if severity != "info":
        page = Matcher(label=PAGE_LABEL, value="no" if severity == "critical" else "yes")
        page = replace(page, operator="!=") if severity == "critical" else page
        # If an audience has only pagers, alerts that do not page are sent to `default`.
        yield from _pages(path, audience, settings, (), ((of, page),), passes_on=bool(others) or path == "default")
    if pagers and not others:
        path = "default"
        yield from _to_nobody(config, of, Matcher(label=UPDATE, operator="!=", value=""))
    mute = () if severity == "critical" else getattr(settings, path).mute
    route = Route(receiver=path, matchers=(of,), why=f"its severity is {severity}", mute=mute)
    yield replace(route, **_digest(settings)) if severity == "info" else route


def _digest(settings: NotificationSettings) -> dict[str, Any]:
    """The timing of a digest."""
    return {"group_by": ("cluster", "system"), "group_wait": DIGEST_WAIT, "group_interval": settings.digest}


def _watchdog(config: StackConfig) -> Route:
    """The heartbeat."""
    return Route(
        receiver=heartbeat.SERVICE,
        matchers=(Matcher(label="alertname", value=WATCHDOG),),
        why="it always fires, to show that alerts are delivered",
        group_wait="0s",
        repeat_interval=heartbeat.repeat_interval(config),
    )


def _to_nobody(config: StackConfig, *matchers: Matcher) -> Iterator[Route]:
    """The branch of alerts that only the notifier sends, where it runs."""
    if config.runs("notifier"):
        yield Route(receiver=NOBODY, matchers=matchers, why="the notifier sends it to Alertmanager only")


def _name(path: str) -> str:
    """Name of an audience's receiver: components.database → component-database."""
    return path.replace("components.", "component-").replace("teams.", "team-").replace("onCall.", "oncall-")


def _pager(path: str) -> str:
    """Name of the receiver with an audience's pagers."""
    return _name(path) if path.startswith("onCall.") else f"{_name(path)}-page"
