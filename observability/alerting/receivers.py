"""Each kind of channel as Alertmanager's configuration has it; a secret is named by the file that holds it."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from observability.settings.notifications import (
    Channel,
    Email,
    NotificationSettings,
    Opsgenie,
    PagerDuty,
    Receiver,
    SecretKind,
    Slack,
    Smtp,
    Telegram,
    receiver_secrets,
)

OPSGENIE: Final = {"us": "https://api.opsgenie.com/", "eu": "https://api.eu.opsgenie.com/"}
"""Where Opsgenie's API is, by region."""

TIMEOUT: Final = "10s"
"""How long a receiver is waited for; one that hangs would otherwise hold a digest for as long as digests wait."""

TITLE: Final = '{{ template "obs.title" . }}'
SLACK_TITLE: Final = '{{ template "obs.slack.title" . }}'
MARKDOWN_TITLE: Final = '{{ template "obs.markdown.title" . }}'
LINK: Final = '{{ template "obs.dashboard" . }}'

LINKS: Final = {
    link.capitalize(): f'{{{{ template "obs.{link}" . }}}}' for link in ("runbook", "panel", "logs", "silence")
}
"""Where a message leads, by name; empty where there is no such place."""


def fact(label: str, channel: str) -> str:
    """A label that all alerts of a message share, or a dash, escaped for `slack` or as `text`."""
    return f'{{{{ template "obs.fact" (dict "label" "{label}" "data" . "for" "{channel}") }}}}'


def facts(channel: str) -> dict[str, str]:
    """What all alerts of a message have in common, by its name."""
    shared = {label.capitalize(): fact(label, channel) for label in ("system", "environment", "component")}
    return {"Severity": '{{ template "obs.severity" . }}', **shared}


Block = dict[str, Any]
"""One integration of a receiver."""

Files = Mapping[SecretKind, str]
"""Paths of the files that hold a receiver's secrets."""


def secret_path(secret: str) -> str:
    """Path of a secret's file within the configuration folder."""
    return f"secrets/{secret}"


def integrations(names: tuple[str, ...], settings: NotificationSettings, folder: str) -> dict[str, list[Block]]:
    """Alertmanager's blocks that tell these receivers, by their key; `folder` is where its files lie."""
    files: dict[str, dict[SecretKind, str]] = {}
    for secret in receiver_secrets(settings.receivers):
        files.setdefault(secret.receiver, {})[secret.kind] = f"{folder}/{secret_path(secret.name)}"
    blocks: dict[str, list[Block]] = {}
    for name in names:
        receiver = settings.receivers[name]
        key, make = _BLOCKS[receiver.channel]
        blocks.setdefault(key, []).append({"send_resolved": receiver.resolved, **make(receiver, files.get(name, {}))})
    return blocks


def mail_server(smtp: Smtp | None, folder: str) -> Block:
    """Alertmanager's global settings of the mail server; none where there is none."""
    if smtp is None:
        return {}
    found: Block = {
        "smtp_smarthost": f"{smtp.host}:{smtp.port}",
        "smtp_from": smtp.sender,
        "smtp_require_tls": smtp.tls,
    }
    if smtp.user is not None:
        found["smtp_auth_username"] = smtp.user
        found["smtp_auth_password_file"] = f"{folder}/{secret_path('smtpPassword')}"
    return found


def _email(receiver: Receiver, _: Files) -> Block:
    email = receiver.settings(Email)
    return {
        "to": ", ".join(email.to),
        "headers": {"Subject": TITLE, "Auto-Submitted": "auto-generated"},
        "threading": {"enabled": True, "thread_by_date": "none"},
        "html": '{{ template "obs.mail" . }}',
        "text": '{{ template "obs.text" . }}',
    }


def _slack(receiver: Receiver, files: Files) -> Block:
    slack = receiver.settings(Slack)
    if slack.bot:
        access = {"app_token_file": files["Token"], "app_url": slack.api_url}
    else:
        access = {"api_url_file": files["Url"]}
    return {
        **access,
        "timeout": TIMEOUT,
        "channel": slack.channel,
        "color": '{{ template "obs.colour" . }}',
        "title": SLACK_TITLE,
        "title_link": LINK,
        "text": '{{ template "obs.slack" . }}',
        "fields": [{"title": name, "value": value, "short": True} for name, value in facts("slack").items()],
        "fallback": SLACK_TITLE,
    }


def _pagerduty(receiver: Receiver, files: Files) -> Block:
    return {
        "routing_key_file": files["Key"],
        "timeout": TIMEOUT,
        "url": receiver.settings(PagerDuty).api_url,
        "severity": '{{ template "obs.pagerduty.severity" . }}',
        "description": TITLE,
        "source": '{{ template "obs.source" . }}',
        "class": fact("condition", "text"),
        "component": fact("component", "text"),
        "group": fact("system", "text"),
        "client": "Alertmanager",
        "client_url": LINK,
        "details": {
            **{name.lower(): value for name, value in facts("text").items()},
            "firing": '{{ template "obs.firing" . }}',
            "resolved": '{{ template "obs.resolved" . }}',
        },
        # One whose address is empty is left out by Alertmanager.
        "links": [{"text": name, "href": address} for name, address in LINKS.items()],
    }


def _msteams(_: Receiver, files: Files) -> Block:
    return {"webhook_url_file": files["Url"], "title": MARKDOWN_TITLE, "text": '{{ template "obs.markdown" . }}'}


def _discord(_: Receiver, files: Files) -> Block:
    return {"webhook_url_file": files["Url"], "title": MARKDOWN_TITLE, "message": '{{ template "obs.markdown" . }}'}


def _telegram(receiver: Receiver, files: Files) -> Block:
    telegram = receiver.settings(Telegram)
    return {
        "bot_token_file": files["Token"],
        "api_url": telegram.api_url,
        "chat_id": telegram.chat_id,
        "parse_mode": "HTML",
        "message": '{{ template "obs.telegram" . }}',
    }


def _opsgenie(receiver: Receiver, files: Files) -> Block:
    opsgenie = receiver.settings(Opsgenie)
    return {
        "api_key_file": files["Key"],
        "api_url": opsgenie.api_url or OPSGENIE[opsgenie.region],
        "message": TITLE,
        "description": '{{ template "obs.text" . }}',
        "priority": '{{ template "obs.opsgenie.priority" . }}',
        "source": "Alertmanager",
        "entity": '{{ template "obs.source" . }}',
        # All labels that the alerts share are among the details anyway.
        "details": {name.lower(): address for name, address in LINKS.items()},
        "tags": ",".join(facts("text")[name] for name in ("Severity", "System", "Component")),
    }


def _pushover(_: Receiver, files: Files) -> Block:
    return {
        "token_file": files["Token"],
        "user_key_file": files["User"],
        "title": TITLE,
        "message": '{{ template "obs.brief" . }}',
        "priority": '{{ template "obs.pushover.priority" . }}',
        "retry": "1m",
        "expire": "1h",
        "url": LINK,
        "url_title": "Panel",
    }


def _webhook(_: Receiver, files: Files) -> Block:
    return {"url_file": files["Url"], "timeout": TIMEOUT}


_BLOCKS: Final[Mapping[Channel, tuple[str, Callable[[Receiver, Files], Block]]]] = {
    "email": ("email_configs", _email),
    "slack": ("slack_configs", _slack),
    "pagerduty": ("pagerduty_configs", _pagerduty),
    "msteams": ("msteamsv2_configs", _msteams),
    "discord": ("discord_configs", _discord),
    "telegram": ("telegram_configs", _telegram),
    "opsgenie": ("opsgenie_configs", _opsgenie),
    "pushover": ("pushover_configs", _pushover),
    "webhook": ("webhook_configs", _webhook),
}
"""For each kind of channel, Alertmanager's key for it and what makes its block."""
