"""Alertmanager's configuration files as text; a secret is referenced by the path of its file."""

from pathlib import Path
from typing import Any, Final

from observability.alerting import heartbeat, inhibition, messages, mute_times
from observability.alerting.receivers import integrations, mail_server, secret_path
from observability.alerting.routes import (
    GROUP_BY,
    GROUP_INTERVAL,
    GROUP_WAIT,
    NOBODY,
    REPEAT_INTERVAL,
    Route,
    recipients,
    routes,
)
from observability.core.naming import inbox
from observability.core.render import to_yaml
from observability.settings.load import StackConfig
from observability.settings.notifications import MuteTime, receiver_secrets

CONFIG_DIR: Final = "/etc/alertmanager/current"
"""Folder of the files in the container; Alertmanager does not resolve relative paths of secrets."""

SCRIPTS: Final = Path(__file__).with_name("unmute")
"""The scripts that run next to Alertmanager; `start.sh` starts both."""

INBOX_PORT: Final = 9095
"""Port on which `obs verify` listens, within the stack's network only."""


def files(config: StackConfig) -> dict[str, str]:
    """Alertmanager's configuration folder: path within it → text, without secrets."""
    scripts = {path.name: path.read_text(encoding="utf-8") for path in sorted(SCRIPTS.iterdir())}
    return {"alertmanager.yaml": _alertmanager_yaml(config), **messages.files(config), **scripts}


def secret_files(config: StackConfig) -> dict[str, str]:
    """Path within the folder → name of the secret in that file."""
    settings = config.notifications
    names = [secret.name for secret in receiver_secrets(settings.receivers)]
    if settings.smtp is not None and settings.smtp.user is not None:
        names.append("smtpPassword")
    if heartbeat.SECRET in config.secrets:
        names.append(heartbeat.SECRET)
    return {secret_path(name): name for name in names}


def _alertmanager_yaml(config: StackConfig) -> str:
    settings = config.notifications
    document: dict[str, Any] = {
        "global": {"resolve_timeout": "5m", **mail_server(settings.smtp, CONFIG_DIR)},
        "route": {
            "receiver": "default",
            "group_by": list(GROUP_BY),
            "group_wait": GROUP_WAIT,
            "group_interval": GROUP_INTERVAL,
            "repeat_interval": REPEAT_INTERVAL,
            "routes": [_route(route) for route in routes(config)],
        },
        "inhibit_rules": inhibition.rules(),
        "receivers": [
            *({"name": one.name, **integrations(one.channels, settings, CONFIG_DIR)} for one in recipients(config)),
            heartbeat.receiver(config, f"{CONFIG_DIR}/{secret_path(heartbeat.SECRET)}"),
            {"name": NOBODY},
            {
                "name": "verify",
                "webhook_configs": [{"url": f"http://{inbox(config.stack)}:{INBOX_PORT}/", "send_resolved": False}],
            },
        ],
        "templates": ["templates/*.tmpl"],
    }
    if settings.mute_times:
        document["time_intervals"] = [
            {"name": name, "time_intervals": _intervals(time)} for name, time in settings.mute_times.items()
        ]
    return to_yaml(document, source=f"Pulumi.{config.stack}.yaml")


def _route(route: Route) -> dict[str, Any]:
    found: dict[str, Any] = {"receiver": route.receiver}
    if route.matchers:
        found["matchers"] = [str(matcher) for matcher in route.matchers]
    if route.passes_on:
        found["continue"] = True
    for key in ("group_by", "group_wait", "group_interval", "repeat_interval"):
        value = getattr(route, key)
        if value is not None:
            found[key] = list(value) if isinstance(value, tuple) else value
    if route.mute:
        found["mute_time_intervals"] = list(route.mute)
    return found


def _intervals(mute_time: MuteTime) -> list[dict[str, Any]]:
    return [
        {
            "times": [{"start_time": one.begin, "end_time": one.end}],
            **({"weekdays": list(one.weekdays)} if one.weekdays else {}),
            "location": mute_time.location,
        }
        for one in mute_times.intervals(mute_time)
    ]
