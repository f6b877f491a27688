"""The list of receivers as Grafana has it: contact points, the tree of policies, mute timings, templates; plain data.

Grafana's own alerts alone go this way; those of Prometheus and Loki go by Alertmanager. So the heartbeat and the
branches of `obs verify` and `obs alert-test` are Alertmanager's only.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from observability.alerting import mute_times
from observability.alerting.matchers import Matcher
from observability.alerting.receivers import LINK, OPSGENIE, TITLE
from observability.alerting.routes import (
    GROUP_BY,
    GROUP_INTERVAL,
    GROUP_WAIT,
    REPEAT_INTERVAL,
    Route,
    recipients,
    routes,
)
from observability.settings.load import StackConfig
from observability.settings.notifications import (
    Channel,
    Email,
    MuteTime,
    Opsgenie,
    PagerDuty,
    Receiver,
    SecretKind,
    Slack,
    Telegram,
    receiver_secrets,
)

FALLBACK: Final = "Default"
"""Contact point where no receiver is to hear of what is left; no receiver's name begins with a capital."""

TEMPLATES: Final = "observability"
"""Name of the group of templates."""

TEXT: Final = '{{ template "obs.text" . }}'
MARKDOWN: Final = '{{ template "obs.markdown" . }}'


@dataclass(frozen=True, kw_only=True)
class ContactPoint:
    """One channel; `settings` by the provider's names, `secrets` the names of the secrets that are settings too."""

    name: str
    kind: Channel
    settings: Mapping[str, Any]
    secrets: Mapping[str, str] = field(default_factory=dict)
    resolved: bool = True


@dataclass(frozen=True, kw_only=True)
class Policy:
    """A branch of the tree; the root has no matchers, and what is None comes from the branch above."""

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
    """A contact point for every receiver, and one for mail where none is named for what is left."""
    settings = config.notifications
    secrets: dict[str, dict[SecretKind, str]] = {}
    for secret in receiver_secrets(settings.receivers):
        secrets.setdefault(secret.receiver, {})[secret.kind] = secret.name
    found = [
        ContactPoint(
            name=name,
            kind=receiver.channel,
            settings=_SETTINGS[receiver.channel](receiver),
            secrets={_secret_field(receiver, kind): secret for kind, secret in secrets.get(name, {}).items()},
            resolved=receiver.resolved,
        )
        for name, receiver in settings.receivers.items()
    ]
    if not settings.default.receivers:
        mail = _mail((config.settings.grafana.alert_email,))
        found.append(ContactPoint(name=FALLBACK, kind="email", settings=mail))
    return tuple(found)


def policy(config: StackConfig) -> Policy:
    """The root of the tree, with the same branches in the same order as Alertmanager's."""
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
    """The text of the group of templates."""
    return Path(__file__).with_name("grafana.tmpl").read_text(encoding="utf-8")


def _branch(route: Route, names: tuple[str, ...]) -> Policy:
    """A route; a policy has one contact point, so an audience of several becomes a branch below for each."""
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
        # Mute timings are all that is not handed down.
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


def _secret_field(receiver: Receiver, kind: SecretKind) -> str:
    """The provider's name of the setting that holds a secret."""
    fields: dict[tuple[Channel, SecretKind], str] = {
        ("pagerduty", "Key"): "integration_key",
        ("opsgenie", "Key"): "api_key",
        ("pushover", "Token"): "api_token",
        ("pushover", "User"): "user_key",
    }
    return fields.get((receiver.channel, kind), kind.lower())


def _mail(addresses: tuple[str, ...]) -> dict[str, Any]:
    return {"addresses": list(addresses), "single_email": True, "subject": TITLE, "message": TEXT}


def _slack(receiver: Receiver) -> dict[str, Any]:
    slack = receiver.settings(Slack)
    return {
        **({"endpoint_url": slack.api_url} if slack.bot else {}),
        "recipient": slack.channel,
        "color": '{{ template "obs.colour" . }}',
        "title": TITLE,
        "text": '{{ template "obs.slack" . }}',
    }


def _pagerduty(receiver: Receiver) -> dict[str, Any]:
    return {
        "url": receiver.settings(PagerDuty).api_url,
        "severity": '{{ template "obs.pagerduty.severity" . }}',
        "summary": TITLE,
        "class_": "{{ .CommonLabels.condition }}",
        "component": "{{ .CommonLabels.component }}",
        "group": "{{ .CommonLabels.system }}",
        "client": "Grafana",
        "client_url": LINK,
    }


def _opsgenie(receiver: Receiver) -> dict[str, Any]:
    opsgenie = receiver.settings(Opsgenie)
    address = opsgenie.api_url or OPSGENIE[opsgenie.region]
    return {"url": f"{address.rstrip('/')}/v2/alerts", "message": TITLE, "description": TEXT, "auto_close": True}


def _telegram(receiver: Receiver) -> dict[str, Any]:
    return {
        "chat_id": str(receiver.settings(Telegram).chat_id),
        "message": '{{ template "obs.telegram" . }}',
        "parse_mode": "HTML",
    }


_SETTINGS: Final[Mapping[Channel, Callable[[Receiver], dict[str, Any]]]] = {
    "email": lambda receiver: _mail(receiver.settings(Email).to),
    "slack": _slack,
    "pagerduty": _pagerduty,
    "msteams": lambda _: {"title": TITLE, "message": MARKDOWN},
    "discord": lambda _: {"title": TITLE, "message": MARKDOWN},
    "telegram": _telegram,
    "opsgenie": _opsgenie,
    "pushover": lambda _: {"title": TITLE, "message": TEXT},
    "webhook": lambda _: {"http_method": "POST"},
}
"""For each kind of channel, its settings by the provider's names."""
