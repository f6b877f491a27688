"""Gaps in notifications: severities without a receiver, receivers without an alert, links that cannot be opened."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from observability.alerting import heartbeat
from observability.alerting.alerts import Alerts
from observability.alerting.on_call import first_repeat
from observability.alerting.routes import PAGE_LABEL, Route, recipients, routes, walked
from observability.core.alert import SEVERITIES
from observability.settings.load import StackConfig

AHEAD: Final = timedelta(days=90)
"""How far ahead the escalation is checked."""

LINKS: Final = ("alertmanager", "prometheus", "grafana")
"""Services whose pages messages link to."""

GUIDE: Final = "see docs/notifications.md"


@dataclass(frozen=True, kw_only=True)
class Gap:
    """A setting by which alerts reach no receiver: its path below the project's prefix, the problem, and the fix."""

    path: str
    what: str
    fix: str


def gaps(config: StackConfig, known: Alerts, now: datetime) -> tuple[Gap, ...]:
    """Every gap of a stack with these alerts; `now` is the time from which the escalation is checked."""
    found = [*_receivers(config, known), *_links(config), *_escalation(config, now)]
    if not heartbeat.has_listener(config):
        found.append(
            Gap(
                path=heartbeat.SECRET,
                what="nothing outside notices when alerts are no longer sent",
                fix=f"./obs secret set {heartbeat.SECRET} {config.stack}",
            )
        )
    return tuple(found)


def _receivers(config: StackConfig, known: Alerts) -> Iterator[Gap]:
    settings = config.notifications
    if not settings.receivers:
        yield Gap(
            path="notifications.receivers",
            what="no alert is sent to anybody: there are no receivers",
            fix=f"name some in notifications.receivers and in critical, warning or default; {GUIDE}",
        )
        return
    tree = routes(config)
    channels = {one.name: one.channels for one in recipients(config)}

    def reached(labels: dict[str, str]) -> set[str]:
        return {name for route in walked(tree, labels) for name in channels.get(route.receiver, ())}

    for severity in SEVERITIES:
        pages = ("yes", "no") if severity == "critical" else ("no",)
        missed = [page for page in pages if not reached({"severity": severity, PAGE_LABEL: page})]
        if missed:
            which = f"{severity} alerts" if len(missed) == len(pages) else f"{severity} alerts with page={missed[0]}"
            yield Gap(
                path=f"notifications.{severity}",
                what=f"{which} have no receiver",
                fix=f"name one that is not a pager in {severity} or default; {GUIDE}",
            )
    used = _used(config, known, tree, channels)
    # The audience `default` also serves alerts of rules that are added later.
    for name in settings.receivers.keys() - used - set(settings.default.receivers):
        why = (
            "it is a pager, and none of its alerts pages" if settings.receivers[name].pages else "no alert reaches it"
        )
        yield Gap(
            path=f"notifications.receivers.{name}",
            what=f"{name} is never notified: {why}",
            fix=f"name it in another audience, or remove it; ./obs route NAME {config.stack} shows the receivers",
        )
    paging = settings.on_call or any(settings.receivers[name].pages for name in used)
    if config.settings.environment == "prod" and not paging:
        yield Gap(
            path="notifications.critical",
            what="no receiver pages: a critical alert wakes nobody",
            fix=f"name a receiver of a kind that pages in critical; {GUIDE}",
        )
    for team in config.settings.on_call.schedules:
        if team not in settings.on_call:
            yield Gap(
                path=f"onCall.schedules.{team}",
                what=f"no receiver calls the person on call for {team}",
                fix=f"name one in notifications.onCall.{team}, or run GoAlert; see docs/on-call.md",
            )


def _used(
    config: StackConfig, known: Alerts, tree: tuple[Route, ...], channels: dict[str, tuple[str, ...]]
) -> set[str]:
    """The receivers that an alert of these rules can reach, of any watched system."""
    sets = {
        frozenset({"alertname": name, "system": system, "team": team, **alert.labels}.items())
        for name, same in known.items()
        for alert in same
        for system, team in config.teams.items()
    }
    routed = {frozenset(pair for pair in labels if pair[0] in _ROUTED) for labels in sets}
    return {
        receiver
        for labels in routed
        for route in walked(tree, dict(labels))
        for receiver in channels.get(route.receiver, ())
    }


_ROUTED: Final = ("severity", PAGE_LABEL, "component", "team", "system")
"""Labels that routes match on; alerts with equal values of them have the same receivers."""


def _links(config: StackConfig) -> Iterator[Gap]:
    """Links of messages that are missing or can be opened only on this host; prod is refused without links."""
    if config.settings.environment == "dev":
        return
    if config.settings.links.runbooks is None:
        yield Gap(
            path="links.runbooks",
            what="messages have no link to the runbook",
            fix="set links.runbooks to the address of the folder runbooks/, like a repository's page",
        )
    for service in LINKS:
        address = config.link(service)
        if address and _loopback(address):
            yield Gap(
                path=f"links.{service}",
                what=f"messages link to {address}, which opens on the stack's host alone",
                fix=f"set links.{service} to the address by which people reach it",
            )


def _loopback(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback or ip_address(host).is_unspecified
    except ValueError:
        return False


def _escalation(config: StackConfig, now: datetime) -> Iterator[Gap]:
    settings = config.settings.on_call
    for team in settings.schedules:
        repeat = first_repeat(settings, team, now, now + AHEAD)
        if repeat is not None:
            yield Gap(
                path=f"onCall.schedules.{team}.escalation[{repeat.step}]",
                what=f"from {repeat.at:%Y-%m-%d %H:%M} UTC it goes back to {repeat.person}, who has not answered",
                fix="name a person or rotation that is not on call then",
            )
