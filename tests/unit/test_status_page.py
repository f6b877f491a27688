"""The public status page: states, days, HTML, feed, JSON, staleness, publication."""

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from observability.check.catalogue import SAMPLES
from observability.check.exposition import read
from observability.status_page import words
from observability.status_page.__main__ import healthy, metrics
from observability.status_page.client import STEP, asker, measured
from observability.status_page.history import History, available, shown
from observability.status_page.model import STALE, Declared, Page, State
from observability.status_page.words import percent
from observability.status_page.writer import DECLARED, Counts, filled, run
from tests.unit.servers_double import Doubles, serving
from tests.unit.status_page_world import (
    MAIL,
    NOW,
    SHOP,
    Prometheus,
    Text,
    incident,
    maintenance,
    published,
    writer,
)

HOUR: Final = timedelta(hours=1)


def states(found: Page) -> dict[str, State]:
    return {row.component.id: row.state for row in found.rows}


# States


@pytest.mark.parametrize(
    ("value", "state"),
    [(0.0, "operational"), (1.0, "degraded"), (2.0, "down"), (None, "unknown"), (float("nan"), "unknown")],
)
def test_the_value_of_the_query_is_the_state(tmp_path: Path, value: float | None, state: State) -> None:
    prometheus = Prometheus(values={} if value is None else {"SHOP": value})
    assert states(writer(tmp_path, prometheus).round(NOW))["shop"] == state


def test_a_component_goes_down_and_comes_back_with_its_time(tmp_path: Path) -> None:
    prometheus = Prometheus()
    found = writer(tmp_path, prometheus)
    found.round(NOW)
    prometheus.values["SHOP"] = 2
    down = found.round(NOW + timedelta(seconds=15))
    again = found.round(NOW + timedelta(seconds=30))
    for one in (down, again):
        assert (one.rows[0].state, one.rows[0].since) == ("down", NOW + timedelta(seconds=15))
    assert down.state == "down"
    assert "Some components are down" in published(tmp_path)["index.html"]
    prometheus.values["SHOP"] = 0
    assert states(found.round(NOW + timedelta(seconds=45)))["shop"] == "operational"


@pytest.mark.parametrize(
    ("values", "whole"),
    [
        ({"SHOP": 0.0, "PAY": 0.0, "MAIL": 0.0}, "operational"),
        ({"SHOP": 0.0, "PAY": 0.0}, "unknown"),
        ({"SHOP": 1.0, "PAY": 0.0}, "degraded"),
        ({"SHOP": 1.0, "PAY": 2.0}, "down"),
    ],
)
def test_the_whole_is_as_its_worst_component(tmp_path: Path, values: dict[str, float], whole: State) -> None:
    assert writer(tmp_path, Prometheus(values=values)).round(NOW).state == whole


def test_maintenance_stands_above_what_is_measured(tmp_path: Path) -> None:
    declared = Declared(maintenance=(maintenance(NOW - HOUR, NOW + HOUR, (SHOP.system,)),))
    found = writer(tmp_path, Prometheus(values={"SHOP": 2.0, "PAY": 2.0}), declared)
    assert states(found.round(NOW)) == {"shop": "maintenance", "pay": "down", "mail": "unknown"}
    assert states(found.round(NOW + HOUR))["shop"] == "down"


def test_maintenance_without_a_system_is_of_every_component(tmp_path: Path) -> None:
    declared = Declared(maintenance=(maintenance(NOW - HOUR, NOW + HOUR),))
    assert set(states(writer(tmp_path, Prometheus(), declared).round(NOW)).values()) == {"maintenance"}


@pytest.mark.parametrize(("value", "state"), [(0.0, "degraded"), (None, "degraded"), (2.0, "down")])
def test_an_open_incident_makes_a_working_component_degraded(
    tmp_path: Path, value: float | None, state: State
) -> None:
    declared = Declared(incidents=(incident("Seen.", systems=(SHOP.system,)),))
    prometheus = Prometheus(values={} if value is None else {"SHOP": value})
    assert states(writer(tmp_path, prometheus, declared).round(NOW))["shop"] == state
    ended = Declared(incidents=(incident("Seen.", systems=(SHOP.system,), ended=NOW),))
    measured_ = "unknown" if value is None else ("operational", "down")[value == 2]
    assert states(writer(tmp_path, prometheus, ended).round(NOW))["shop"] == measured_


def test_the_client_reads_an_answer_of_prometheus() -> None:
    doubles = Doubles(results={"SHOP": [{"metric": {}, "value": [0, "2"]}], "MAIL": []})
    with serving(doubles) as places:
        (url,) = places["prometheus"]
        assert measured(asker(url), SHOP, NOW) == "down"
        assert measured(asker(url), MAIL, NOW) == "unknown"


# Days


def test_the_first_round_counts_the_days_that_prometheus_has(tmp_path: Path) -> None:
    prometheus = Prometheus()
    found = writer(tmp_path, prometheus).round(NOW)
    days = dict(found.rows[0].days)
    assert len(days) == 90
    assert list(days)[-1] == "2026-03-10"
    # Three whole days before today, and today until the last whole minute.
    assert [days[f"2026-03-{day:02}"] for day in (6, 7, 8, 9)] == [{}, *[{"operational": 86_400}] * 3]
    assert days["2026-03-10"] == {"operational": 12 * 3600}
    assert dict(found.rows[2].days)["2026-03-09"] == {}
    assert max(end - start for _, start, end in prometheus.ranges) < 11_000 * STEP


def test_time_that_is_counted_outlives_prometheus_and_is_not_counted_again(tmp_path: Path) -> None:
    prometheus = Prometheus()
    writer(tmp_path, prometheus).round(NOW)
    # Prometheus comes back empty, and the writer is another process.
    prometheus.values = {"SHOP": 2.0}
    prometheus.ranges.clear()
    days = dict(writer(tmp_path, prometheus).round(NOW + timedelta(minutes=5)).rows[0].days)
    assert days["2026-03-09"] == {"operational": 86_400}
    assert days["2026-03-10"] == {"operational": 12 * 3600, "down": 300}
    noon = NOW.replace(second=0).timestamp()
    assert {start for _, start, _ in prometheus.ranges} == {noon}


def test_a_gap_has_no_data_and_is_not_available_time(tmp_path: Path) -> None:
    noon = NOW.replace(second=0)
    times = [noon.timestamp() - 3600 + STEP * number for number in range(60)]
    known = {at: float(2 * (number < 15)) for number, at in enumerate(times)}
    found = writer(tmp_path, Prometheus(course={"SHOP": known})).round(NOW)
    days = dict(found.rows[0].days)
    assert days["2026-03-10"] == {"down": 900, "operational": 2700}
    assert available(days.values()) == 0.75
    assert shown(days["2026-03-09"]) is None
    assert available([{}, {}]) is None


def test_planned_maintenance_is_no_outage(tmp_path: Path) -> None:
    noon = NOW.replace(second=0)
    declared = Declared(maintenance=(maintenance(noon - HOUR, noon - HOUR / 2),))
    found = writer(tmp_path, Prometheus(values={"SHOP": 2.0}), declared).round(NOW)
    assert dict(found.rows[0].days)["2026-03-10"] == {"down": 11 * 3600 + 1800, "maintenance": 1800}
    assert available([{"maintenance": 1800, "operational": 60}]) == 1


def test_the_days_of_a_writer_that_was_off_are_counted_afterwards(tmp_path: Path) -> None:
    prometheus = Prometheus()
    writer(tmp_path, prometheus).round(NOW)
    days = dict(writer(tmp_path, prometheus).round(NOW + timedelta(days=2)).rows[0].days)
    assert [days[f"2026-03-{day}"] for day in (10, 11)] == [{"operational": 86_400}] * 2


def test_only_the_days_that_are_shown_are_kept(tmp_path: Path) -> None:
    writer(tmp_path, Prometheus()).round(NOW)
    writer(tmp_path, Prometheus()).round(NOW + timedelta(days=90))
    stored = json.loads((tmp_path / "history.json").read_text())["components"]["shop"]["days"]
    assert min(stored) == "2026-06-05"


def test_a_damaged_history_is_kept_aside(tmp_path: Path) -> None:
    for damaged in ("{", '{"components": {"shop": {"days": {"soon": {}}, "until": "x"}}}', "[]"):
        (tmp_path / "history.json").write_text(damaged)
        writer(tmp_path, Prometheus()).round(NOW)
        assert (tmp_path / "history.json.damaged").read_text() == damaged
        assert History.read(tmp_path / "history.json").until.keys() == {"shop", "pay", "mail"}


@pytest.mark.parametrize(
    ("share", "text"), [(1.0, "100.00 %"), (0.99999, "99.99 %"), (0.5, "50.00 %"), (0.0, "0.00 %")]
)
def test_availability_is_rounded_down(share: float, text: str) -> None:
    assert percent(share) == text


# Staleness


def test_without_an_answer_the_page_keeps_its_time_and_goes_stale(tmp_path: Path) -> None:
    prometheus = Prometheus(values={"SHOP": 0.0, "PAY": 0.0, "MAIL": 0.0})
    found = writer(tmp_path, prometheus)
    found.round(NOW)
    before = published(tmp_path)
    prometheus.dead = True
    later = found.round(NOW + STALE)
    assert (later.stale, later.checked) == (False, NOW)
    assert published(tmp_path) == before
    stale = found.round(NOW + STALE + timedelta(seconds=1))
    assert (stale.stale, stale.state, stale.checked) == (True, "unknown", NOW)
    after = published(tmp_path)
    text = Text(after["index.html"])
    assert next(one for one in text.of("p") if one.get("id") == "stale").keys() == {"class", "id", "role"}
    assert text.texts.count("Unknown") == 3
    assert "Operational" not in text.texts
    document = json.loads(after["status.json"])
    assert (document["stale"], document["state"]) == (True, "unknown")
    assert {one["state"] for one in document["components"]} == {"unknown"}
    prometheus.dead = False
    assert found.round(NOW + HOUR).state == "operational"


def test_a_page_that_never_had_an_answer_is_stale_and_says_so(tmp_path: Path) -> None:
    found = writer(tmp_path, Prometheus(dead=True)).round(NOW)
    assert (found.stale, found.checked, found.state) == (True, None, "unknown")
    assert "Not checked yet." in published(tmp_path)["index.html"]


def test_the_page_prints_its_time_and_gives_it_to_its_script(tmp_path: Path) -> None:
    writer(tmp_path, Prometheus()).round(NOW)
    text = Text(published(tmp_path)["index.html"])
    assert "2026-03-10 12:00 UTC" in text.texts
    (body,) = text.of("body")
    assert datetime.fromisoformat(body["data-checked"] or "") == NOW
    assert body["data-after"] == "300"
    note = next(one for one in text.of("p") if one.get("id") == "stale")
    assert "hidden" in note


def test_an_incident_that_is_declared_while_prometheus_is_dead_is_shown(tmp_path: Path) -> None:
    prometheus = Prometheus(dead=True)
    declared = Declared(incidents=(incident("We know."),))
    writer(tmp_path, prometheus, declared).round(NOW)
    assert "We know." in published(tmp_path)["index.html"]


# Declarations and publication


def test_declarations_are_read_from_their_file_in_every_round(tmp_path: Path) -> None:
    found = writer(tmp_path, Prometheus())
    found.round(NOW)
    declared = Declared(incidents=(incident("Seen.", ended=NOW),), maintenance=(maintenance(NOW, NOW + HOUR, ("a",)),))
    (tmp_path / DECLARED).write_text(json.dumps(declared.document()))
    assert found.round(NOW).declared == declared
    # It is being written.
    (tmp_path / DECLARED).write_text('{"incidents": [')
    assert found.round(NOW).declared == declared


def test_the_command_runs_after_a_change_and_again_after_a_failure(tmp_path: Path) -> None:
    target = tmp_path / "served"
    script = "import shutil,sys; shutil.copytree(sys.argv[1], sys.argv[2], dirs_exist_ok=False)"
    command = filled([sys.executable, "-c", script, "{folder}", str(target)], {"folder": str(tmp_path / "pages")})
    prometheus = Prometheus()
    found = writer(tmp_path, prometheus, command=command)
    target.mkdir()
    found.round(NOW)
    assert (found.counts.published, found.counts.unpublished) == (0, 1)
    target.rmdir()
    prometheus.dead = True
    found.round(NOW + timedelta(seconds=15))
    assert (found.counts.published, found.counts.unpublished) == (1, 1)
    assert {path.name for path in target.iterdir()} == {"index.html", "feed.xml", "status.json"}
    found.round(NOW + timedelta(seconds=30))
    assert found.counts.published == 1


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        (["/no/such/program"], "/no/such/program: No such file or directory"),
        (["sh", "-c", "echo first; echo refused >&2; exit 3"], "sh ended with exit code 3: refused"),
        (["sh", "-c", "exit 4"], "sh ended with exit code 4"),
        (["true"], ""),
    ],
)
def test_the_problem_of_a_command_is_said(command: list[str], problem: str) -> None:
    assert run(command) == problem


@pytest.mark.parametrize(
    ("checked", "published_", "started", "well"),
    [(290, 290, 900, True), (310, 10, 900, False), (10, 310, 900, False), (900, 900, 290, True)],
)
def test_it_is_healthy_while_the_page_is_not_stale(checked: int, published_: int, started: int, well: bool) -> None:
    now = 1_000_000.0
    counts = Counts(last_checked=now - checked, last_published=now - published_)
    assert healthy(counts, now - started, now) is well


def test_its_metrics_are_those_of_the_recorded_sample(tmp_path: Path) -> None:
    found = writer(tmp_path, Prometheus())
    found.round(NOW)
    text = "\n".join(metrics(found.counts, 0.0)) + "\n"
    assert read(text).keys() == read((SAMPLES / "status-page.prom").read_text()).keys()
    assert f"status_page_last_check_timestamp_seconds {NOW.timestamp()}" in text.splitlines()


def test_times_are_those_of_utc() -> None:
    assert words.utc(datetime.fromisoformat("2026-03-10T01:30:00+02:00")) == "2026-03-09 23:30 UTC"
    start = datetime(2026, 3, 9, 23, tzinfo=UTC)
    assert words.span(start, start + HOUR) == "2026-03-09 23:00 to 2026-03-10 00:00 UTC"
