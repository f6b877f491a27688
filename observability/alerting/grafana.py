"""Grafana's contact points, notification policies, mute timings and templates, from the same list; plain data.

They are for Grafana's own alerts; those of Prometheus and Loki are sent by Alertmanager. So the heartbeat and the
branches of `obs verify` and `obs alert-test` exist only in Alertmanager.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from observability.alerting import mute_times
from observability.alerting.matchers import Matcher
from observability.alerting.routes import (
    GROUP_BY,
    GROUP_INTERVAL,
    GROUP_WAIT,
    REPEAT_INTERVAL,
    Route,
    recipients,
    routes,
)
from observability.channels import mail
from observability.settings.load import StackConfig
from observability.settings.notifications import MuteTime, receiver_secrets

FALLBACK: Final = "Default"
"""Contact point where the audience `default` has no receiver; no receiver's name begins with a capital letter."""

TEMPLATES: Final = "observability"
"""Name of the template group."""


@dataclass(frozen=True, kw_only=True)
class ContactPoint:
    """One channel: the provider's block and its settings; `secrets` are the names of the secret settings."""

    name: str
    block: str
    settings: Mapping[str, Any]
    secrets: Mapping[str, str] = field(default_factory=dict)
    resolved: bool = True


@dataclass(frozen=True, kw_only=True)
class Policy:
    """A branch of the tree; the root has no matchers, and a None value is inherited from the parent branch."""

    contact_point: str
    matchers: tuple[Matcher, ...] = ()
    passes_on: bool = False
    mute: tuple[str, ...] = ()
    group_by: tuple[str, ...] | None = None
    group_wait: str | None = None
    group_interval: str | None = None
    repeat_interval: str | None = None
    branches: tuple["Policy", ...] = ()


def contact_points(config: StackConfig) -> tuple[ContactPoint, ...]:
    """A contact point for every receiver, and one for mail where the audience `default` has no receiver."""
    settings = config.notifications
    secrets: dict[str, dict[str, str]] = {}
    for secret in receiver_secrets(settings.receivers):
        secrets.setdefault(secret.receiver, {})[secret.secret.grafana] = secret.name
    found = [
        ContactPoint(
            name=name,
            block=receiver.channel.grafana,
            settings=receiver.channel.contact_point(receiver.own),
            secrets=secrets.get(name, {}),
            resolved=receiver.resolved,
        )
        for name, receiver in settings.receivers.items()
    ]
    if not settings.default.receivers:
        address = config.settings.grafana.alert_email
        found.append(ContactPoint(name=FALLBACK, block=mail.CHANNEL.grafana, settings=mail.mail((address,))))
    return tuple(found)


def policy(config: StackConfig) -> Policy:
    """The root of the tree, with the same branches in the same order as in Alertmanager."""
    audiences = {
        one.name: one.channels or (FALLBACK,) for one in recipients(config) if not one.name.startswith("only-")
    }
    branches = tuple(
        _branch(route, audiences[route.receiver]) for route in routes(config) if route.receiver in audiences
    )
    return Policy(
        contact_point=audiences["default"][0],
        group_by=GROUP_BY,
        group_wait=GROUP_WAIT,
        group_interval=GROUP_INTERVAL,
        repeat_interval=REPEAT_INTERVAL,
        branches=branches,
    )


def mute_timings(config: StackConfig) -> dict[str, list[dict[str, Any]]]:
    """The intervals of each mute time by its name, in the provider's form."""
    return {name: _intervals(time) for name, time in config.notifications.mute_times.items()}


def templates() -> str:
    """The text of the template group."""
    return Path(__file__).with_name("grafana.tmpl").read_text(encoding="utf-8")


def _branch(route: Route, names: tuple[str, ...]) -> Policy:
    """A route; a policy has one contact point, so an audience of several becomes a child branch for each."""
    first, *others = names
    return Policy(
        contact_point=first,
        matchers=route.matchers,
        passes_on=route.passes_on,
        mute=route.mute,
        group_by=route.group_by,
        group_wait=route.group_wait,
        group_interval=route.group_interval,
        repeat_interval=route.repeat_interval,
        # Mute timings are the only setting that is not inherited.
        branches=tuple(Policy(contact_point=name, passes_on=True, mute=route.mute) for name in names if others),
    )


def _intervals(mute_time: MuteTime) -> list[dict[str, Any]]:
    return [
        {
            "times": [{"start": one.begin, "end": one.end}],
            "weekdays": list(one.weekdays) or None,
            "location": mute_time.location,
        }
        for one in mute_times.intervals(mute_time)
    ]
