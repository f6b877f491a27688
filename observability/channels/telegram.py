"""Telegram."""

from typing import Final

from pydantic import Field

from observability.channels.descriptor import ApiUrl, Block, Channel, Files, Secret
from observability.core.section import Section

_MESSAGE: Final = {"parse_mode": "HTML", "message": '{{ template "obs.telegram" . }}'}


class Telegram(Section):
    """Telegram, as a bot (secret <receiver>Token)."""

    chat_id: int = Field(description="Number of the chat; that of a group is negative.")
    api_url: ApiUrl = Field("https://api.telegram.org", description="Address of the bots' API.")


def _integration(telegram: Telegram, files: Files) -> Block:
    return {
        "bot_token_file": files["Token"],
        "api_url": telegram.api_url,
        "chat_id": telegram.chat_id,
        **_MESSAGE,
    }


CHANNEL: Final = Channel(
    key="telegram",
    title="Telegram",
    settings=Telegram,
    alertmanager="telegram_configs",
    integration=_integration,
    grafana="telegrams",
    contact_point=lambda telegram: {"chat_id": str(telegram.chat_id), **_MESSAGE},
    secrets=(Secret(kind="Token", description="Token of the bot", grafana="token"),),
    destination=lambda telegram: f"Telegram, chat {telegram.chat_id}",
    order=6,
)
