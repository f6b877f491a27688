"""The page in a real browser, without a network: its script marks it as stale, and it fits a phone."""

import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from observability.status_page.model import STALE
from tests.unit.status_page_world import Prometheus, Text, published, writer

CHROMIUM: Final = shutil.which("chromium")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")

PHONE: Final = 320
"""Width in CSS pixels of the narrowest phone."""


def shown(tmp_path: Path, address: Path, *, width: int = 1200) -> str:
    """The document after its script ran."""
    done = subprocess.run(
        [
            *(str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
            *("--disable-background-networking", f"--user-data-dir={tmp_path / 'profile'}"),
            *(f"--window-size={width},1000", "--virtual-time-budget=2000", "--dump-dom", address.as_uri()),
        ],
        capture_output=True,
        check=True,
        text=True,
    )
    return done.stdout


def page(tmp_path: Path, age: timedelta) -> Path:
    """The page as it was written that long ago."""
    prometheus = Prometheus(values={"SHOP": 2.0, "PAY": 1.0, "MAIL": 0.0})
    writer(tmp_path, prometheus).round(datetime.now(UTC) - age)
    return tmp_path / "pages" / "index.html"


def test_a_page_that_nobody_writes_any_more_says_that_it_is_stale(tmp_path: Path) -> None:
    text = Text(shown(tmp_path, page(tmp_path, STALE + timedelta(seconds=10))))
    (note,) = (one for one in text.of("p") if one.get("id") == "stale")
    assert "hidden" not in note
    assert "The current state is unknown" in text.texts
    assert text.texts.count("Unknown") == 3
    assert "Down" not in text.texts
    # Its file says none of it: the script does.
    assert "Down" in Text(published(tmp_path)["index.html"]).texts


def test_a_new_page_is_shown_as_it_was_written(tmp_path: Path) -> None:
    text = Text(shown(tmp_path, page(tmp_path, timedelta())))
    (note,) = (one for one in text.of("p") if one.get("id") == "stale")
    assert "hidden" in note
    assert "Some components are down" in text.texts
    assert {"Down", "Degraded", "Operational"} <= set(text.texts)


def test_the_page_is_no_wider_than_a_phone(tmp_path: Path) -> None:
    # A window of the browser cannot be that narrow; a frame can.
    page(tmp_path, timedelta())
    measure = (
        "onload = () => { const frame = document.querySelector('iframe').contentDocument.documentElement;"
        " document.body.dataset.width = frame.scrollWidth; document.body.dataset.inner = frame.clientWidth; }"
    )
    frame = tmp_path / "frame.html"
    html = published(tmp_path)["index.html"].replace("&", "&amp;").replace('"', "&quot;")
    element = f'<iframe width="{PHONE}" height="900" style="border:0" srcdoc="{html}"></iframe>'
    frame.write_text(f"<body>{element}<script>{measure}</script>")
    width, inner = re.findall(r'data-(?:width|inner)="(\d+)"', shown(tmp_path, frame))
    # A scroll bar takes some of it.
    assert PHONE - 20 <= int(width) == int(inner) <= PHONE
