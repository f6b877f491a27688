"""No text of an alert breaks a message, regardless of its content and length."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

import pytest

from observability.alerting.receivers import integrations
from observability.channels.descriptor import Block
from tests.receivers.checks import markup_problem, problem
from tests.receivers.message_cases import LABELS
from tests.receivers.rendering import Alert, group, render
from tests.receivers.test_messages import complete_stack
from tests.unit.conftest import stack_config

MIXTURE: Final = (
    "<b>bold</b> *star* \"quote\" `tick` 'x'\n\nnew \u202egnp.exe & [a](http://x) <!channel> @everyone \\ {{ .X }} "
)
HOSTILE: Final = {
    "mixture": MIXTURE * 60,
    "ampersands": "&" * 5000,
    "brackets": "<" * 5000,
    "quotes": '"' * 5000,
    "some markup": ('&<"' * 20 + "x" * 4980),
    "stars": "*" * 5000,
    "backslashes": "\\" * 5000,
    "right to left": "العربية " * 700,
    "emoji": "😀" * 5000,
    "newlines": "a\n\r\t" * 1700,
    "words": "word " * 1000,
}
"""Texts of about 5,000 characters."""

LONG: Final = "https://example.com/" + "p" * 250


def hostile(text: str, number: int) -> Alert:
    """An alert in which every free text is this one, with links of the maximum length."""
    return Alert(
        labels={**LABELS, "instance": text, "component": text, "environment": text, "route": f"{text}{number}"},
        annotations={
            "summary": text,
            "description": text,
            "first": text,
            "also_seen": text,
            "since": text,
            "cause": text,
            "line_1": text,
            "line_2": text,
            "line_3": text,
            "update": text,
            "picture": f"{LONG}{number}&a=b",
            "runbook_url": f"{LONG}{number}",
            "dashboard_url": f"{LONG}{number}&a=b&c=d",
        },
    )


def updated(text: str) -> list[Alert]:
    """Five updates of the first alert."""
    one = hostile(text, 0)
    return [Alert(labels={**one.labels, "update": f"{number}"}, annotations=one.annotations) for number in range(5)]


NOTIFICATIONS: Final[dict[str, Any]] = {
    "smtp": {"host": "mail.example.com", "sender": "alerts@example.com"},
    "receivers": {
        "mail": {"email": {"to": ["ops@example.com"]}},
        "slack": {"slack": {"channel": "#alerts"}},
        "pager": {"pagerduty": {}},
        "teams": {"msteams": {}},
        "discord": {"discord": {}},
        "telegram": {"telegram": {"chatId": -100}},
        "opsgenie": {"opsgenie": {}},
        "phone": {"pushover": {}},
    },
}


def blocks() -> Block:
    """The settings of every channel, by Alertmanager's key for it."""
    names = tuple(NOTIFICATIONS["receivers"])
    settings = stack_config("dev", {"notifications": {**NOTIFICATIONS, "default": names}}).notifications
    return {key: block for key, (block,) in integrations(names, settings, "/").items()}


def texts(value: object) -> list[str]:
    """Every text with a template in it."""
    if isinstance(value, str):
        return [value] if "{{" in value else []
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for one in inner for text in texts(one)]


def filled(value: Any, said: Mapping[str, str]) -> Any:  # noqa: ANN401 - as nested as the settings are
    """The same settings with the rendered templates."""
    if isinstance(value, dict):
        return {key: filled(one, said) for key, one in value.items()}
    if isinstance(value, list):
        return [filled(one, said) for one in value]
    return said.get(value, value) if isinstance(value, str) else value


@pytest.fixture(scope="module")
def abused() -> dict[tuple[str, int], Block]:
    """The messages of every channel for every hostile text, of one alert and of thirty."""
    settings = blocks()
    wanted = sorted(set(texts(settings)))
    cases = {
        (name, count): group(*(hostile(text, number) for number in range(count)), *updated(text))
        for name, text in HOSTILE.items()
        for count in (1, 30)
    }
    found = render(complete_stack(), [(text, data) for data in cases.values() for text in wanted])
    rounds = [found[start : start + len(wanted)] for start in range(0, len(found), len(wanted))]
    return {
        case: filled(settings, dict(zip(wanted, words, strict=True)))
        for case, words in zip(cases, rounds, strict=True)
    }


def payloads(said: Block) -> dict[str, Any]:
    """The settings as processed by Alertmanager; what it truncates is truncated here."""
    slack, pager, phone = said["slack_configs"], said["pagerduty_configs"], said["pushover_configs"]
    discord, opsgenie = said["discord_configs"], said["opsgenie_configs"]
    event = {key: pager[key] for key in ("source", "severity", "class", "component", "group")}
    shown = ("title", "title_link", "text", "fallback", "color", "fields", "image_url")
    return {
        "slack": {"attachments": [{key: slack[key] for key in shown}]},
        "pagerduty": {
            "routing_key": "a" * 32,
            "event_action": "trigger",
            "client_url": pager["client_url"],
            "links": [link for link in pager["links"] if link["href"]],
            "payload": {**event, "summary": pager["description"][:1024], "custom_details": pager["details"]},
        },
        "discord": {"embeds": [{"title": discord["title"][:256], "description": discord["message"]}]},
        "telegram": {"chat_id": 1, "parse_mode": "HTML", "text": said["telegram_configs"]["message"]},
        "opsgenie": {
            **{key: opsgenie[key] for key in ("description", "priority", "source", "entity", "details")},
            "message": opsgenie["message"][:130],
            "tags": opsgenie["tags"].split(","),
        },
        "pushover": {
            **{key: phone[key] for key in ("title", "message", "priority", "url", "url_title")},
            "token": "a" * 30,
            "user": "u" * 30,
            "retry": "60",
            "expire": "3600",
        },
    }


@pytest.mark.parametrize("count", [1, 30])
@pytest.mark.parametrize("name", HOSTILE)
def test_no_text_breaks_a_message(abused: dict[tuple[str, int], Block], name: str, count: int) -> None:
    said = abused[name, count]
    sent = payloads(said)
    assert {service: found for service in sent if (found := problem(service, sent[service]))} == {}
    # Alertmanager counts Telegram's markup too, and sends another text if the message is too long.
    assert len(said["telegram_configs"]["message"]) <= 4096
    assert markup_problem(said["email_configs"]["html"]) is None
    assert "\n" not in said["email_configs"]["headers"]["Subject"]
    assert not re.search(r"[\u202a-\u202e\u2066-\u2069]", json.dumps(sent, ensure_ascii=False))


@pytest.mark.parametrize("channel", ["slack", "discord", "telegram"])
def test_a_message_is_not_cut_in_the_middle(abused: dict[tuple[str, int], Block], channel: str) -> None:
    for said in abused.values():
        text = {
            "slack": said["slack_configs"]["text"],
            "discord": said["discord_configs"]["message"],
            "telegram": said["telegram_configs"]["message"],
        }[channel]
        assert text.endswith({"slack": "|Silence>", "discord": ")", "telegram": "Silence</a>"}[channel])
