"""Slack."""

from typing import Final

from pydantic import Field

from observability.channels.descriptor import ApiUrl, Block, Channel, Files, Secret
from observability.channels.text import COLOUR, LINK, PICTURE, TIMEOUT, TITLE, facts
from observability.core.section import Section

_TITLE: Final = '{{ template "obs.slack.title" . }}'
_TEXT: Final = '{{ template "obs.slack" . }}'


class Slack(Section):
    """Slack, by an incoming webhook (secret <receiver>Url) or as a bot (secret <receiver>Token)."""

    channel: str = Field(
        description="Channel or user, like #alerts-critical.", pattern=r"^[#@][^\s#@]+$|^[CGDU][A-Z0-9]{8,}$"
    )
    bot: bool = Field(False, description="Whether a bot's token is used instead of a webhook's address.")
    api_url: ApiUrl = Field("https://slack.com/api/chat.postMessage", description="Address that a bot posts to.")


def _integration(slack: Slack, files: Files) -> Block:
    if slack.bot:
        access = {"app_token_file": files["Token"], "app_url": slack.api_url}
    else:
        access = {"api_url_file": files["Url"]}
    return {
        **access,
        "timeout": TIMEOUT,
        "channel": slack.channel,
        "color": COLOUR,
        "title": _TITLE,
        "title_link": LINK,
        "text": _TEXT,
        "fields": [{"title": name, "value": value, "short": True} for name, value in facts("slack").items()],
        "image_url": PICTURE,
        "fallback": _TITLE,
    }


def _contact_point(slack: Slack) -> Block:
    return {
        **({"endpoint_url": slack.api_url} if slack.bot else {}),
        "recipient": slack.channel,
        "color": COLOUR,
        "title": TITLE,
        "text": _TEXT,
    }


CHANNEL: Final = Channel(
    key="slack",
    title="Slack",
    settings=Slack,
    alertmanager="slack_configs",
    integration=_integration,
    grafana="slacks",
    contact_point=_contact_point,
    secrets=(
        Secret(kind="Url", description="Address of the incoming webhook", grafana="url"),
        Secret(kind="Token", description="Token of the bot", grafana="token"),
    ),
    needs=lambda slack: ("Token",) if slack.bot else ("Url",),
    destination=lambda slack: f"Slack {slack.channel}",
    order=2,
)
