"""The settings and secrets of a stack whose every channel is one of the doubles."""

import ssl
from pathlib import Path
from typing import Any, Final

CERTIFICATE: Final = Path(__file__).with_name("files") / "double.pem"
"""Self-signed certificate of api.pushover.net and mail.example.com, and its key; no client trusts it by default."""

TOKENS: Final = {
    "slackUrl": "T000/B000/slack",
    "slackBotToken": "xoxb-0123456789",
    "pagerKey": "0123456789abcdef0123456789abcdef",
    "teamsUrl": "workflow",
    "discordUrl": "0/discord",
    "telegramToken": "0000000001:telegram",
    "opsgenieKey": "01234567-89ab-cdef-0123-456789abcdef",
    "hookUrl": "hook",
}
"""The values of the secrets, in addition to the address of the doubles."""

CHANNELS: Final = {
    "mail": "email",
    "slack": "slack",
    "slack-bot": "slack-bot",
    "pager": "pagerduty",
    "teams": "msteams",
    "discord": "discord",
    "telegram": "telegram",
    "opsgenie": "opsgenie",
    "hook": "webhook",
}
"""For each receiver, the double that it sends to. Pushover is not included: its address cannot be set."""


def notifications(url: str, mail_host: str, mail_port: int) -> dict[str, Any]:
    """The section `notifications`: every channel but Pushover, and no audience yet."""
    return {
        "smtp": {"host": mail_host, "port": mail_port, "sender": "alerts@example.com", "tls": False},
        "receivers": {
            "mail": {"email": {"to": ["ops@example.com", "management@example.com"]}},
            "slack": {"slack": {"channel": "#alerts"}},
            "slack-bot": {"slack": {"channel": "#alerts", "bot": True, "apiUrl": f"{url}/api/chat.postMessage"}},
            "pager": {"pagerduty": {"apiUrl": f"{url}/v2/enqueue"}},
            "teams": {"msteams": {}},
            "discord": {"discord": {}},
            "telegram": {"telegram": {"chatId": -100, "apiUrl": url}},
            "opsgenie": {"opsgenie": {"apiUrl": f"{url}/"}},
            "hook": {"webhook": {}},
        },
    }


def secrets(url: str) -> dict[str, str]:
    """The receivers' secrets, by the name that they have in the configuration."""
    places = {"slackUrl": "slack", "teamsUrl": "teams", "discordUrl": "discord", "hookUrl": "webhook"}
    return {name: f"{url}/{places[name]}/{text}" if name in places else text for name, text in TOKENS.items()}


def tls() -> ssl.SSLContext:
    """The context with which a double uses TLS with that certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE)
    return context
