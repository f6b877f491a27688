"""Pushover."""

from typing import Final

from observability.channels.descriptor import Block, Channel, Files, Secret
from observability.channels.text import LINK, TEXT, TITLE
from observability.core.section import Section


class Pushover(Section):
    """Pushover, to a phone (secrets <receiver>Token: the application's; <receiver>User: the user's key)."""


def _integration(_: Pushover, files: Files) -> Block:
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


CHANNEL: Final = Channel(
    key="pushover",
    title="Pushover",
    settings=Pushover,
    alertmanager="pushover_configs",
    integration=_integration,
    grafana="pushovers",
    contact_point=lambda _: {"title": TITLE, "message": TEXT},
    secrets=(
        Secret(kind="Token", description="Token of the application", grafana="api_token"),
        Secret(kind="User", description="Key of the user or group", grafana="user_key"),
    ),
    pages=True,
    order=8,
)
