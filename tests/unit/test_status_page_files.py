"""The files of the public status page: HTML, feed and JSON."""

import json
import re
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

import pytest

from observability.status_page import words
from observability.status_page.html import page
from observability.status_page.model import Component, Day, Declared, Page, Row
from observability.status_page.words import DARK, LIGHT, Colours
from tests.unit.status_page_world import (
    MAIL,
    NOW,
    PAY,
    SETTINGS,
    SHOP,
    Prometheus,
    Text,
    incident,
    maintenance,
    published,
    writer,
)

HOUR: Final = timedelta(hours=1)
HOSTILE: Final = """<script>alert("1")</script> & 'x'"""


def test_texts_of_people_and_settings_are_escaped() -> None:
    component = Component(id="shop", title=HOSTILE, query="", system="s", description=HOSTILE)
    settings = type(SETTINGS)(title=HOSTILE, url="https://status.example.com", components=(component,), back=1)
    declared = Declared(
        incidents=(incident(HOSTILE, title=HOSTILE, systems=("s",)),),
        maintenance=(
            type(maintenance(NOW, NOW))(
                id="m-1", title=HOSTILE, start=NOW, end=NOW + HOUR, systems=("s",), declared=NOW
            ),
        ),
    )
    rows = (Row(component=component, state="down", since=NOW),)
    html = page(Page(settings=settings, written=NOW, checked=NOW, rows=rows, declared=declared))
    text = Text(html)
    assert len(text.of("script")) == 1
    assert text.texts.count(HOSTILE) >= 5
    assert "<script>alert" not in html


def test_the_page_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    writer(tmp_path, Prometheus()).round(NOW)
    html = published(tmp_path)["index.html"]
    text = Text(html)
    loaded = [value for tag, own in text.elements for name, value in own.items() if name in ("src", "href")]
    assert set(loaded) == {"feed.xml", "status.json", "data:,"}
    assert not re.search(r"url\(|@import", html)
    policy = next(one["content"] or "" for one in text.of("meta") if one.get("http-equiv"))
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_nothing_internal_is_published(tmp_path: Path) -> None:
    prometheus = Prometheus()
    declared = Declared(incidents=(incident("Seen.", systems=(SHOP.system,)),))
    found = writer(tmp_path, prometheus, declared)
    found.round(NOW)
    prometheus.dead = True
    found.round(NOW + HOUR)
    for text in published(tmp_path).values():
        assert "internal" not in text
        assert "10.0.0.7" not in text
        assert "SHOP" not in text


def test_every_state_is_said_in_words_and_every_day_has_a_text() -> None:
    day: Day = {"down": 300, "operational": 86_100}
    rows = tuple(
        Row(component=SHOP, state=state, since=NOW, days=(("2026-03-08", {}), ("2026-03-09", day)))
        for state in words.WORDS
    )
    text = Text(page(Page(settings=SETTINGS, written=NOW, checked=NOW, rows=rows)))
    assert set(words.WORDS.values()) <= set(text.texts)
    bars = [one["title"] for one in text.of("span") if "title" in one]
    assert bars[:2] == ["2026-03-08: no data", "2026-03-09: down for 5 min"]
    labels = {one["aria-label"] for one in text.of("div") if one.get("role") == "img"}
    assert labels == {"The last 2 days by their worst state: down 1, no data 1"}
    assert "99.65 % available over 1 day with data" in text.texts
    assert text.texts.count("down for 5 min") == len(rows)


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2 of two colours."""

    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_texts_and_marks_have_enough_contrast(colours: Colours) -> None:
    for text in (colours.text, colours.quiet):
        assert contrast(text, colours.card) >= 4.5
        assert contrast(text, colours.ground) >= 4.5
    for colour in colours.states.values():
        assert contrast(colour, colours.card) >= 4.5
    assert contrast(colours.line, colours.card) >= 3


# Feed and JSON


def feed(folder: Path) -> ElementTree.Element:
    channel = ElementTree.fromstring(published(folder)["feed.xml"]).find("channel")  # noqa: S314 - our own
    assert channel is not None
    return channel


def entries(folder: Path) -> list[dict[str, str]]:
    return [{one.tag: one.text or "" for one in item} for item in feed(folder).findall("item")]


def test_the_feed_has_an_entry_for_each_statement_the_newest_first(tmp_path: Path) -> None:
    planned = maintenance(NOW + HOUR, NOW + 2 * HOUR)
    declared = Declared(incidents=(incident("Seen.", HOSTILE + "\x00\x1b[31m"),), maintenance=(planned,))
    writer(tmp_path, Prometheus(), declared).round(NOW)
    newest, first, window = entries(tmp_path)
    assert (newest["title"], newest["description"]) == ("Orders fail", HOSTILE + "[31m")
    assert newest["guid"] == "https://status.example.com/#2026-03-10-1-2"
    assert newest["link"] == first["link"] == "https://status.example.com/#2026-03-10-1"
    assert parsedate_to_datetime(newest["pubDate"]) == NOW - HOUR + timedelta(minutes=2)
    assert window["description"] == "Maintenance, 2026-03-10 13:00 to 14:00 UTC."
    assert window["guid"] == "https://status.example.com/#m-2026-03-09-1"
    channel = feed(tmp_path)
    assert channel.findtext("title") == "Example & Co"
    assert channel.findtext("link") == "https://status.example.com/"
    (own,) = channel.findall("{http://www.w3.org/2005/Atom}link")
    assert own.attrib["href"] == "https://status.example.com/feed.xml"


def test_a_feed_without_entries_is_whole_and_does_not_change_by_itself(tmp_path: Path) -> None:
    found = writer(tmp_path, Prometheus())
    found.round(NOW)
    before = published(tmp_path)["feed.xml"]
    found.round(NOW + HOUR)
    assert entries(tmp_path) == []
    assert published(tmp_path)["feed.xml"] == before


def test_the_json_document_has_states_days_and_declarations(tmp_path: Path) -> None:
    declared = Declared(
        incidents=(incident("Seen.", systems=(PAY.system,)),),
        maintenance=(maintenance(NOW - HOUR, NOW + HOUR, (MAIL.system,)),),
    )
    writer(tmp_path, Prometheus(values={"SHOP": 2.0, "PAY": 0.0}), declared).round(NOW)
    found: dict[str, Any] = json.loads(published(tmp_path)["status.json"])
    assert found["state"] == "down"
    assert datetime.fromisoformat(found["checked"]) == NOW
    assert found["staleAfterSeconds"] == 300
    assert {one["id"]: one["state"] for one in found["components"]} == {
        "shop": "down",
        "pay": "degraded",
        "mail": "maintenance",
    }
    assert found["components"][0]["availability"] == 0
    assert found["components"][0]["days"][0] == {"day": "2026-03-07", "state": "down", "seconds": {"down": 86_400}}
    assert found["incidents"][0]["components"] == ["pay"]
    assert found["maintenance"][0]["components"] == ["mail"]


def test_what_ended_long_ago_is_no_longer_shown(tmp_path: Path) -> None:
    declared = Declared(incidents=(incident("Resolved.", ended=NOW - timedelta(days=15)),))
    writer(tmp_path, Prometheus(), declared).round(NOW)
    assert "Orders fail" not in published(tmp_path)["index.html"]
    assert [one["title"] for one in entries(tmp_path)] == ["Orders fail"]
