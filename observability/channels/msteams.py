"""Microsoft Teams."""

from typing import Final

from observability.channels.descriptor import Channel, Secret
from observability.channels.text import MARKDOWN, MARKDOWN_TITLE, TITLE
from observability.core.section import Section


class MsTeams(Section):
    """Microsoft Teams, by a workflow's webhook (secret <receiver>Url)."""


CHANNEL: Final = Channel(
    key="msteams",
    title="Microsoft Teams",
    settings=MsTeams,
    alertmanager="msteamsv2_configs",
    integration=lambda _, files: {"webhook_url_file": files["Url"], "title": MARKDOWN_TITLE, "text": MARKDOWN},
    grafana="teams",
    contact_point=lambda _: {"title": TITLE, "message": MARKDOWN},
    secrets=(Secret(kind="Url", description="Address of the workflow's webhook", grafana="url"),),
    order=4,
)
