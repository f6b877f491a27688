"""`status.json` and the RSS feed."""

import json
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Final
from xml.etree import ElementTree

from observability.status_page import history
from observability.status_page.model import STALE, Page, Row
from observability.status_page.words import span

FEED: Final = "feed.xml"
STATUS: Final = "status.json"
PAGE: Final = "index.html"

MOST: Final = 50
"""Entries of the feed."""

_ATOM: Final = "http://www.w3.org/2005/Atom"

_NOT_IN_XML: Final = {code: None for code in range(32) if code not in (9, 10, 13)} | {0xFFFE: None, 0xFFFF: None}
"""Characters that no XML document may contain."""


def status(page: Page) -> str:
    """The state of everything as JSON; a reader compares `checked` with its own clock."""
    declared = page.declared.now(page.written)
    document = {
        "title": page.settings.title,
        "state": page.state,
        "checked": page.checked.isoformat() if page.checked else None,
        "stale": page.stale,
        "staleAfterSeconds": int(STALE.total_seconds()),
        "components": [_component(row, stale=page.stale) for row in page.rows],
        "incidents": [
            {
                "id": one.id,
                "title": one.title,
                "began": one.began.isoformat(),
                "ended": one.ended.isoformat() if one.ended else None,
                "components": [row.component.id for row in page.rows if row.component.system in one.systems],
                "updates": [{"at": update.at.isoformat(), "text": update.text} for update in one.updates],
            }
            for one in declared.incidents
        ],
        "maintenance": [
            {
                "id": one.id,
                "title": one.title,
                "start": one.start.isoformat(),
                "end": one.end.isoformat(),
                "components": [
                    row.component.id for row in page.rows if not one.systems or row.component.system in one.systems
                ],
            }
            for one in declared.maintenance
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def feed(page: Page) -> str:
    """The feed: an entry for each statement about an incident and for each declared maintenance, the newest first."""
    url = page.settings.url
    entries = [
        (update.at, one.id, f"{one.id}-{number}", one.title, update.text)
        for one in page.declared.incidents
        for number, update in enumerate(one.updates, 1)
    ]
    entries += [
        (one.declared, one.id, one.id, one.title, f"Maintenance, {span(one.start, one.end)}.")
        for one in page.declared.maintenance
    ]
    ElementTree.register_namespace("atom", _ATOM)
    root = ElementTree.Element("rss", {"version": "2.0"})
    channel = ElementTree.SubElement(root, "channel")
    _add(channel, "title", page.settings.title)
    _add(channel, "link", f"{url}/")
    _add(channel, "description", "Incidents and maintenance.")
    ElementTree.SubElement(
        channel, f"{{{_ATOM}}}link", {"href": f"{url}/{FEED}", "rel": "self", "type": "application/rss+xml"}
    )
    newest = sorted(entries, key=lambda entry: entry[0], reverse=True)
    if newest:
        _add(channel, "lastBuildDate", _rfc822(newest[0][0]))
    for at, anchor, name, title, text in newest[:MOST]:
        item = ElementTree.SubElement(channel, "item")
        _add(item, "title", title)
        _add(item, "link", f"{url}/#{anchor}")
        _add(item, "description", text)
        _add(item, "pubDate", _rfc822(at))
        _add(item, "guid", f"{url}/#{name}").set("isPermaLink", "false")
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _add(parent: ElementTree.Element, name: str, text: str) -> ElementTree.Element:
    found = ElementTree.SubElement(parent, name)
    found.text = text.translate(_NOT_IN_XML)
    return found


def _rfc822(at: datetime) -> str:
    return format_datetime(at.astimezone(UTC))


def _component(row: Row, *, stale: bool) -> dict[str, Any]:
    share = history.available(day for _, day in row.days)
    return {
        "id": row.component.id,
        "title": row.component.title,
        "state": "unknown" if stale else row.state,
        "since": row.since.isoformat() if row.since and not stale else None,
        "availability": None if share is None else round(share, 6),
        "days": [
            {"day": name, "state": history.shown(day), "seconds": {state: day[state] for state in day}}
            for name, day in row.days
            if day
        ],
    }
