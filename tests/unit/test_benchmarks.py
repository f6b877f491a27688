"""How the benchmark of delivery finds the scrape that triggered the alert, and how it evaluates its figures."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from demo.alerts import Alert
from demo.systems import FAULTS
from tools.benchmarks import delivery
from tools.benchmarks.delivery import CHOSEN, Delivered, Inbox, Measured, percentile
from tools.benchmarks.stack import Stack

ROUTE = {"alertname": "HighResponseTime", "system": "depot", "route": "/slow"}


@dataclass(frozen=True, kw_only=True)
class Recorded(Stack):
    """A stack whose condition held in these intervals, by route, and whose system was scraped at these moments."""

    held: Mapping[str, Sequence[tuple[float, float]]]
    scraped: Sequence[float]

    def prometheus(self, path: str, **params: str | float) -> Any:  # noqa: ANN401 - as the one it stands in for
        if path == "query":
            return {"result": [{"metric": {}, "values": [[stamp, "1"] for stamp in self.scraped]}]}
        begin, end, step = (float(params[name]) for name in ("start", "end", "step"))
        moments = [begin + step * index for index in range(round((end - begin) / step) + 1)]
        return {
            "result": [
                {
                    "metric": {"system": "depot", "route": route},
                    "values": [[at, "1"] for at in moments if any(a <= at <= b for a, b in spans)],
                }
                for route, spans in self.held.items()
            ]
        }


def breach(held: Mapping[str, Sequence[tuple[float, float]]], scraped: Sequence[float]) -> float:
    delivered = Delivered(labels=ROUTE, fired=200.0, at=212.0)
    return delivery.breaching_scrape(
        Recorded(root=Path(), variables={}, held=held, scraped=scraped), "condition", delivered, 50.0
    )


def test_the_scrape_before_the_condition_began_to_hold_is_the_first_breaching_one() -> None:
    assert breach({"/slow": [(92.37, 300)]}, [60, 75, 90, 92.38, 105]) == 90
    assert breach({"/slow": [(92.37, 300)]}, [60, 75, 90, 92.36, 105]) == 92.36


def test_a_condition_that_ended_earlier_does_not_count() -> None:
    assert breach({"/slow": [(61, 80), (122, 300)]}, [60, 75, 90, 105, 120]) == 120


def test_another_series_of_the_same_alert_does_not_count() -> None:
    assert breach({"/other": [(60, 300)], "/slow": [(107, 300)]}, [60, 75, 90, 105, 120]) == 105


def test_a_condition_that_never_held_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="never held"):
        breach({"/other": [(60, 300)]}, [60])


@pytest.mark.parametrize(("share", "expected"), [(0.5, 10), (0.99, 20), (0.05, 1)])
def test_a_percentile_is_one_of_the_values_that_were_measured(share: float, expected: float) -> None:
    assert percentile([float(value) for value in range(20, 0, -1)], share) == expected


def test_only_the_first_message_about_an_alert_that_fires_counts() -> None:
    labels = {"alertname": "A", "severity": "critical", "system": "depot"}
    inbox = Inbox()
    for status, started in (("resolved", "2026-11-21T12:00:00Z"), ("firing", "2026-11-21T12:01:00.5Z")):
        inbox.take({"alerts": [{"status": status, "labels": labels, "startsAt": started}]})
    first = inbox.first["depot", Alert("A", "critical")]
    inbox.take({"alerts": [{"status": "firing", "labels": labels, "startsAt": "2026-11-21T13:00:00Z"}]})
    assert inbox.first["depot", Alert("A", "critical")] is first
    assert first.fired == 1795262460.5


@pytest.mark.parametrize(
    ("slowest", "arrived", "kept", "said"),
    [
        (29.9, 20, True, "p50 20.0 s, p99 29.9 s beside the alert's own for; 30 s kept"),
        (30.1, 20, False, "30 s not kept"),
        (29.9, 19, False, "1 of 20 alerts did not arrive"),
    ],
)
def test_a_message_that_is_too_late_or_missing_breaks_the_limit(
    slowest: float, arrived: int, kept: bool, said: str
) -> None:
    found = [
        Measured(system="depot", fault="f", alert=Alert("A", "critical"), hold=60, breached=100, delivered=160 + took)
        for took in [slowest, *[20.0] * (arrived - 1)]
    ]
    out = Console(file=io.StringIO(), width=200)
    assert delivery.report(out, found) is kept
    assert said in out.file.getvalue()  # type: ignore[attr-defined]  # the buffer


def test_there_are_twenty_faults_of_all_systems_and_none_raises_an_info_first() -> None:
    chosen = [FAULTS[system][name] for system, names in CHOSEN.items() for name in names]
    assert len(chosen) == 20
    assert CHOSEN.keys() == FAULTS.keys()
    assert all(fault.raises[0].severity in ("critical", "warning") for fault in chosen)
