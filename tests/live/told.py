"""A stack that sends the alerts of some systems to doubles of every channel, and what they received."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.live.project import Project
from tests.receivers.mail import MailDouble
from tests.receivers.services import HttpDoubles
from tests.receivers.stack import CHANNELS, notifications, secrets


@dataclass(frozen=True, kw_only=True)
class Told:
    """A message as received by its channel."""

    over: bool
    title: str
    text: str


def read(channel: str, payload: Mapping[str, Any]) -> Told:
    """The text of a message of a service; a resolved alert has no text in PagerDuty and Opsgenie."""
    whole = json.dumps(payload, ensure_ascii=False)
    if channel == "pagerduty":
        return Told(over=payload["event_action"] == "resolve", title=payload["payload"]["summary"], text=whole)
    if channel == "opsgenie":
        return Told(over="message" not in payload, title=payload.get("message", ""), text=whole)
    if channel == "webhook":
        return Told(
            over=payload["status"] == "resolved", title=payload["alerts"][0]["labels"]["alertname"], text=whole
        )
    titles: dict[str, Callable[[], str]] = {
        "slack": lambda: payload["attachments"][0]["title"],
        "slack-bot": lambda: payload["attachments"][0]["title"],
        "msteams": lambda: payload["attachments"][0]["content"]["body"][0]["text"],
        "discord": lambda: payload["embeds"][0]["title"],
        "telegram": lambda: re.sub("<[^>]*>", "", payload["text"].splitlines()[0]),
    }
    title = titles[channel]()
    return Told(over="[RESOLVED]" in title, title=title, text=whole)


def told(http: HttpDoubles, mail: MailDouble) -> dict[str, list[Told]]:
    """Every message so far, by channel."""
    found = {
        channel: [read(channel, one.payload) for one in http.taken(channel)]
        for channel in CHANNELS.values()
        if channel != "email"
    }
    mails = [Told(over="[RESOLVED]" in one.subject, title=one.subject, text=one.part("plain")) for one in mail.mails]
    return {**found, "email": mails}


@contextmanager
def connected(project: Project) -> Iterator[tuple[HttpDoubles, MailDouble]]:
    """The doubles, with the stack sending to them; the stack is unsettled afterwards."""
    with HttpDoubles(project.gateway) as http, MailDouble(project.gateway) as mail:
        section = notifications(http.url, project.gateway, mail.port)
        # Not alerts of the platform: what earlier tests did to the stack may still raise one.
        section["teams"] = {team: list(CHANNELS) for team in ("alawael", "erpgo", "syncup")}
        project.configure({**project.usual, "notifications": section})
        project.unsettled = True
        project.store_all(secrets(http.url))
        project.up()
        try:
            yield http, mail
        finally:
            project.forget()
            project.configure()
