"""The event loop and the heap of a process: recognised on a page, recorded in seconds, no alert without a limit."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from observability.cli import systems as commands
from observability.core import project
from observability.core.documents import load_yaml
from observability.core.errors import ConfigError
from observability.systems.load import load_file
from observability.systems.model import System
from observability.systems.resolve import thresholds
from rules import blind, signals

PAGE = (Path(__file__).parent / "files" / "pages" / "express-prom-client.txt").read_text()

LAG = "nodejs_eventloop_lag_p99_seconds"
USED, LIMIT = "nodejs_heap_size_used_bytes", "nodejs_heap_size_limit_bytes"

SHOP: dict[str, Any] = {
    "title": "Shop",
    "team": "shop",
    "scrape": {"port": 3000},
    "series": {
        "loop_delay_ms": {"kind": "gauge", "help": "Delay."},
        USED: {"kind": "gauge", "help": "Heap."},
        LIMIT: {"kind": "gauge", "help": "Limit."},
    },
    "signals": {
        "eventLoopLag": {"series": "loop_delay_ms"},
        "heap": {"used": {"series": USED}, "limit": {"series": LIMIT}},
    },
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(project.VARIABLE, str(tmp_path))
    (tmp_path / "systems").mkdir()
    return tmp_path / "systems"


def loaded(folder: Path, document: dict[str, Any]) -> System:
    (folder / "shop.yaml").write_text(yaml.safe_dump(document))
    return load_file(folder / "shop.yaml")


def recorded(system: System) -> dict[str, str]:
    return {rule["record"]: rule["expr"] for group in signals.groups(system) for rule in group["rules"]}


def drafted(folder: Path, page: str) -> str:
    saved = folder.parent / "page.txt"
    saved.write_text(page)
    commands.new_system("shop", str(saved))
    return (folder / "shop.yaml").read_text()


def test_a_delay_in_milliseconds_is_recorded_in_seconds(folder: Path) -> None:
    found = recorded(loaded(folder, SHOP))
    assert found["app:event_loop_lag:seconds"] == (
        'max by (system, instance) (loop_delay_ms{system="shop",job="backend"}) / 1000'
    )


def test_a_delay_that_is_not_a_time_is_refused(folder: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(folder, {**SHOP, "signals": {"eventLoopLag": {"series": USED}}})
    assert "signals.eventLoopLag.series" in caught.value.what
    assert "is in bytes, and the signal wants seconds or ms" in caught.value.what


def test_a_heap_without_a_limit_has_neither_a_share_nor_its_threshold(folder: Path) -> None:
    system = loaded(folder, {**SHOP, "signals": {"heap": {"used": {"series": USED}}}})
    assert {name for name in recorded(system) if name.startswith("app:heap")} == {"app:heap:bytes"}
    assert "heap_ratio" not in {one.name for one in thresholds(system)}


def test_both_have_a_threshold_by_default(folder: Path) -> None:
    found = {
        one.name: one.value for one in thresholds(loaded(folder, SHOP)) if one.name in ("event_loop_lag", "heap_ratio")
    }
    assert found == {"event_loop_lag": 0.5, "heap_ratio": 0.9}


@pytest.mark.parametrize(("missing", "alert"), [(LIMIT, "HeapNearLimit"), ("loop_delay_ms", "EventLoopBlocked")])
def test_an_alert_cannot_fire_without_the_series_it_reads(folder: Path, missing: str, alert: str) -> None:
    assert blind.alerts(loaded(folder, SHOP), {missing: frozenset()}) == (alert,)


def test_a_prefix_of_the_names_is_recognised(folder: Path) -> None:
    found = load_yaml(drafted(folder, PAGE.replace("nodejs_", "shop_nodejs_")))["signals"]
    assert found["eventLoopLag"] == {"series": f"shop_{LAG}"}
    assert found["heap"] == {"used": {"series": f"shop_{USED}"}}


def test_a_limit_on_the_page_is_used(folder: Path) -> None:
    text = drafted(folder, f"{PAGE.rstrip()}\n# TYPE {LIMIT} gauge\n{LIMIT} 2.2e+09\n")
    assert load_yaml(text)["signals"]["heap"] == {"used": {"series": USED}, "limit": {"series": LIMIT}}
    assert "heap_size_limit as" not in text


def test_for_a_heap_without_an_exposed_limit_the_file_says_how_to_expose_it(folder: Path) -> None:
    said = re.sub(r"\s+", " ", drafted(folder, PAGE))
    assert f"no series has its limit: expose v8.getHeapStatistics().heap_size_limit as {LIMIT}" in said


def test_the_delay_of_the_event_loop_by_open_telemetry_is_recognised(folder: Path) -> None:
    name = "nodejs_eventloop_delay_p99_seconds"
    text = drafted(folder, f"{PAGE.replace(LAG, 'other_lag').rstrip()}\n# TYPE {name} gauge\n{name} 0.02\n")
    assert load_yaml(text)["signals"]["eventLoopLag"] == {"series": name}
