"""Why a service would refuse a message; each file of `schemas/` names the vendor's page that it is based on."""

import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.protocols import Validator
from referencing import Registry, Resource

SCHEMAS: Final = Path(__file__).with_name("schemas")

TELEGRAM_TAGS: Final = frozenset(
    ("b", "strong", "i", "em", "u", "ins", "s", "strike", "del", "a", "code", "pre", "blockquote", "tg-spoiler")
)
"""https://core.telegram.org/bots/api#html-style"""

VOID_TAGS: Final = frozenset(("br", "hr", "img", "meta", "link", "col", "wbr"))
"""Elements of HTML that have no end tag."""


def problem(schema: str, payload: Any) -> str | None:  # noqa: ANN401 - whatever was sent
    """Why the service would refuse the payload; None if it would not."""
    error = next(iter(sorted(_validator(schema).iter_errors(payload), key=lambda error: error.json_path)), None)
    if error is not None:
        return f"{error.json_path}: {error.message[:300]}"
    return _BEYOND[schema](payload) if schema in _BEYOND else None


def markup_problem(text: str, allowed: frozenset[str] | None = None) -> str | None:
    """Why this is not well-formed HTML, limited to these elements if any are named; None if it is."""
    reader = _Markup(allowed)
    reader.feed(text)
    reader.close()
    if reader.open:
        reader.found.append(f"<{reader.open[-1]}> is never closed")
    return reader.found[0] if reader.found else None


class _Markup(HTMLParser):
    """Follows the tags and records their errors."""

    def __init__(self, allowed: frozenset[str] | None) -> None:
        super().__init__(convert_charrefs=False)
        self.allowed = allowed
        self.open: list[str] = []
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self.allowed is not None and tag not in self.allowed:
            self.found.append(f'unsupported start tag "{tag}"')
        if tag == "a" and not re.match(r"https?://\S+$", dict(attrs).get("href") or ""):
            self.found.append(f"a link without an address: {dict(attrs)}")
        if tag not in VOID_TAGS:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.found.append(f"</{tag}> closes nothing that is open")

    def handle_data(self, data: str) -> None:
        if "<" in data or "&" in data:
            self.found.append("a bare < or &")

    def handle_entityref(self, name: str) -> None:
        if self.allowed is not None and name not in ("lt", "gt", "amp", "quot"):
            self.found.append(f"unsupported entity &{name};")


def _telegram(payload: Mapping[str, Any]) -> str | None:
    text = payload["text"]
    if payload.get("parse_mode") == "HTML":
        if wrong := markup_problem(text, TELEGRAM_TAGS):
            return f"can't parse entities: {wrong}"
        text = unescape(re.sub(r"<[^>]*>", "", text))
    return "message is too long" if len(text) > 4096 else None


def _discord(payload: Mapping[str, Any]) -> str | None:
    total = sum(len(embed["title"]) + len(embed["description"]) for embed in payload.get("embeds", ()))
    return "all embeds together have more than 6000 characters" if total > 6000 else None


def _opsgenie(payload: Mapping[str, Any]) -> str | None:
    total = sum(len(key) + len(value) for key, value in payload.get("details", {}).items())
    return "the details have more than 8000 characters" if total > 8000 else None


def _slack(payload: Mapping[str, Any]) -> str | None:
    """The three special characters of Slack are only allowed in its own syntax, a link or an entity."""
    for attachment in payload["attachments"]:
        texts = {name: attachment.get(name, "") for name in ("text", "title", "fallback", "pretext")}
        texts |= {field["title"]: field["value"] for field in attachment.get("fields", ())}
        for name, text in texts.items():
            rest = re.sub(r"<https?://[^\s<>|]+(\|[^<>|]+)?>|&(amp|lt|gt);", "", text)
            if found := re.search(r"[<>&]", rest):
                return f"a bare {found[0]} in {name}"
    return None


def _msteams(payload: Mapping[str, Any]) -> str | None:
    # https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using
    return "larger than 28 KB" if len(json.dumps(payload)) > 28 * 1024 else None


_BEYOND: Final[Mapping[str, Callable[[Mapping[str, Any]], str | None]]] = {
    "telegram": _telegram,
    "discord": _discord,
    "opsgenie": _opsgenie,
    "slack": _slack,
    "slack-bot": _slack,
    "msteams": _msteams,
}
"""Constraints that a JSON schema cannot express."""


@cache
def _validator(name: str) -> Validator:
    texts = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in SCHEMAS.glob("*.json")}
    registry: Registry[Any] = Registry().with_resources(
        (file, Resource.from_contents(schema)) for file, schema in texts.items()
    )
    return Draft202012Validator(texts[f"{name}.json"], registry=registry)
