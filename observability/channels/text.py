"""Calls of the message templates that several kinds of channel use; see `observability/alerting/templates`."""

from typing import Final

TIMEOUT: Final = "10s"
"""Timeout of a receiver's response; without it, a receiver that hangs blocks a digest for the digest's interval."""

TITLE: Final = '{{ template "obs.title" . }}'
TEXT: Final = '{{ template "obs.text" . }}'
MARKDOWN: Final = '{{ template "obs.markdown" . }}'
MARKDOWN_TITLE: Final = '{{ template "obs.markdown.title" . }}'
COLOUR: Final = '{{ template "obs.colour" . }}'
SOURCE: Final = '{{ template "obs.source" . }}'
LINK: Final = '{{ template "obs.dashboard" . }}'
PICTURE: Final = '{{ template "obs.picture" . }}'
"""Address of the picture of an alert's panel; empty where there is none."""

LINKS: Final = {
    link.capitalize(): f'{{{{ template "obs.{link}" . }}}}'
    for link in ("runbook", "panel", "picture", "logs", "silence")
}
"""Addresses that a message links to, by name; empty where there is no such page."""


def fact(label: str, channel: str) -> str:
    """A label that all alerts of a message share, or a dash, escaped for `slack` or as `text`."""
    return f'{{{{ template "obs.fact" (dict "label" "{label}" "data" . "for" "{channel}") }}}}'


def facts(channel: str) -> dict[str, str]:
    """A value that all alerts of a message share, by its name."""
    shared = {label.capitalize(): fact(label, channel) for label in ("system", "environment", "component")}
    return {"Severity": '{{ template "obs.severity" . }}', **shared}
