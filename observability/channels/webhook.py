"""A webhook."""

from typing import Final

from observability.channels.descriptor import Channel, Secret
from observability.channels.text import TIMEOUT
from observability.core.section import Section


class Webhook(Section):
    """A POST of Alertmanager's JSON (secret <receiver>Url)."""


CHANNEL: Final = Channel(
    key="webhook",
    title="webhook",
    settings=Webhook,
    alertmanager="webhook_configs",
    integration=lambda _, files: {"url_file": files["Url"], "timeout": TIMEOUT},
    grafana="webhooks",
    contact_point=lambda _: {"http_method": "POST"},
    secrets=(Secret(kind="Url", description="Address of the webhook", grafana="url"),),
    order=9,
)
