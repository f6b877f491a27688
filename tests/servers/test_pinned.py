"""The pinned Prometheus as `obs system check` runs it: it stores of a page what our reader reads."""

import tempfile
import threading
import time
from pathlib import Path

import pytest

from observability.check import pinned
from observability.systems.exposition import RefusedError, read
from tests.servers.test_scrape import OM, PAGES, TEXT
from tests.unit.test_check_scrapes import OPEN_METRICS, PAGE


@pytest.fixture(scope="module")
def program() -> Path:
    found = pinned.find()
    if found is None:
        pytest.skip("Prometheus' image was pulled, so its program is not in the cache")
    return found


PLAIN = ("plain", "without-content-type", "carriage-returns", "sent-twice", "too-old", "own-target-labels")
"""Pages of `PAGES` with the same text, each read differently."""


@pytest.mark.parametrize("name", PLAIN)
def test_prometheus_stores_the_same_series_as_the_reader(program: Path, name: str) -> None:
    made, content_type = PAGES[name]
    body = made()
    assert isinstance(body, str)
    at = int(time.time() * 1000)
    stored = pinned.scrape(program, body.encode(), content_type)
    try:
        page = read(body.encode(), content_type)
    except RefusedError:
        assert stored.refusal is not None
        return
    assert stored.refusal is None
    assert [*pinned.findings(page, stored, at)] == []


def test_an_open_metrics_page_is_scraped_as_such(program: Path) -> None:
    stored = pinned.scrape(program, OPEN_METRICS.encode(), OM)
    assert stored.refusal is None
    assert [*pinned.findings(read(OPEN_METRICS.encode(), OM), stored, None)] == []


def test_a_refused_page_has_prometheus_own_error(program: Path) -> None:
    stored = pinned.scrape(program, b"a b c\n", TEXT)
    assert stored.series == {}
    assert stored.refusal is not None
    assert "invalid syntax" in stored.refusal


def test_several_can_run_at_a_time_and_leave_no_files(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = threading.active_count()
    found: list[pinned.Stored] = []
    threads = [
        threading.Thread(target=lambda: found.append(pinned.scrape(program, PAGE.encode(), TEXT))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2
    assert found[0].series == found[1].series
    assert threading.active_count() == before
    assert list(tmp_path.iterdir()) == []
