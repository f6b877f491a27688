"""A worked example that is broken raises the alerts that its page promises, by the system file that it comes with."""

import shutil
from pathlib import Path
from typing import Final

import pytest

from observability.settings.load import ROOT
from tests.rules.harness import Case, Firing, judge
from tests.rules.raw import Series, counter, histogram, series
from tests.unit.conftest import REFERENCE

LANGUAGES: Final = ("python", "node", "go")
ROUTE: Final = {"node": "/orders/:number"}
UNPLACED: Final = {"unwatched": {"node": "a test", "postgres": "a test"}}


def firing(alert: str, system: str, severity: str, component: str, condition: str, **more: str) -> Firing:
    labels = {"severity": severity, "component": component, "condition": condition, "system": system}
    return Firing(alert=alert, labels={**labels, "team": "examples", **more})


def measured(system: str, route: str, share: float, seconds: float) -> Series:
    """Ten requests a second, each with a query, of which a share fails; nearly all take at most so long."""
    found = {}
    for status, outcome, part in (("200", "success", 1 - share), ("500", "error", share)):
        request = {"method": "GET", "route": route, "status_code": status}
        found[series("http_requests_total", system, request)] = counter(10 * part)
        query = {"operation": "SELECT", "table": "orders", "status": outcome}
        found[series("db_queries_total", system, query)] = counter(10 * part)
    labels = {"method": "GET", "route": route, "status_code": "200"}
    found |= histogram("http_request_duration_seconds", system, labels, quantile=0.98, at=seconds, rate=10)
    return found


def expected(system: str, route: str) -> list[Firing]:
    by_route = {"route": route}
    return [
        firing("CriticalErrorRate", system, "critical", "application", "error_rate"),
        firing("HighErrorRate", system, "warning", "application", "error_rate"),
        firing("CriticalResponseTime", system, "critical", "application", "response_time", **by_route),
        firing("HighResponseTime", system, "warning", "application", "response_time", **by_route),
        firing("DatabaseErrors", system, "warning", "database", "db_errors"),
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_broken_example_raises_its_alerts_and_a_sound_one_none(language: str, tmp_path: Path) -> None:
    root = tmp_path / "project"
    shutil.copytree(REFERENCE, root)
    system = f"orders-{language}"
    shutil.copy(ROOT / "examples" / language / "system.yaml", root / "systems" / f"{system}.yaml")
    route = ROUTE.get(language, "/orders/{number}")
    cases = [
        Case(
            name=name,
            series=measured(system, route, share, seconds),
            expect={"20m": found},
            load=("applications.yaml",),
            settings={"systems": {system: {"instances": {"static": [f"{system}-1:3000"]}, **UNPLACED}}},
            root=root,
        )
        for name, share, seconds, found in (
            ("broken", 0.1, 4.0, expected(system, route)),
            ("sound", 0.0, 0.1, []),
        )
    ]
    assert judge(cases) == {}
