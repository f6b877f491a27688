"""Discord."""

from typing import Final

from observability.channels.descriptor import Channel, Secret
from observability.channels.text import MARKDOWN, MARKDOWN_TITLE, TITLE
from observability.core.section import Section


class Discord(Section):
    """Discord, by a channel's webhook (secret <receiver>Url)."""


CHANNEL: Final = Channel(
    key="discord",
    title="Discord",
    settings=Discord,
    alertmanager="discord_configs",
    integration=lambda _, files: {"webhook_url_file": files["Url"], "title": MARKDOWN_TITLE, "message": MARKDOWN},
    grafana="discords",
    contact_point=lambda _: {"title": TITLE, "message": MARKDOWN},
    secrets=(Secret(kind="Url", description="Address of the channel's webhook", grafana="url"),),
    order=5,
)
