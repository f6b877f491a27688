"""The demo's faults with the rules themselves: what it exposes while a fault is on raises the alerts it declares.

Alerts that compare with previous days, or wait longer than a course lasts, are in tests/unit/test_demo_faults.py.
"""

from collections.abc import Mapping
from functools import cache

import pytest

from demo.conditions import Conditions
from demo.faults import Fault
from demo.systems import FAULTS
from observability.settings.load import ROOT
from rules.promql import matchers
from tests.content.unit.demo_figures import Run
from tests.content.unit.test_demo_faults import QUIETEST, SIMULATED, conditions
from tests.rules.harness import Case, judge

STEP = 60
BEFORE, DURING = 1, 15
"""Scrapes before the fault and while it is on, for alerts that wait 10 minutes."""

FILES = ("applications.yaml", "processes.yaml", "external_apis.yaml", "business.yaml", "security.yaml")

OF_DAYS = {
    "QueriesPerRequest",
    "NewErrorType",
    "UnusualTraffic",
    "PerformanceDegradation",
    "SLOErrorBudgetBurn",
    "HighClientErrorRate",
}
OF_DAYS |= {"LowOrderRate", "RevenueDrop", "LowUserActivity", "TransactionsStalled", "TokenBudget"}

FIRING = 'group by (alertname, severity) (ALERTS{alertstate="firing"})'


def scrapes(run: Run, how: Conditions) -> dict[str, str]:
    """What Prometheus reads before and during the fault, in promtool's notation."""
    job, instance = run.profile.job, run.profile.instance
    own = {"system": run.profile.name, "job": job, "instance": instance}
    found: dict[str, list[str]] = {}
    for number in range(BEFORE + DURING):
        run.for_seconds(STEP, how if number >= BEFORE else run.profile.ordinary)
        samples = {
            _series(name, {**dict(sorted(labels)), **own}): value
            for (name, labels), value in run.snapshot().items()
            if name != "lookups"
        }
        samples[_series("up", own)] = 1
        redis = {"system": run.profile.name, "job": "redis", "instance": "alawael.demo:6380"}
        samples[_series("redis_keyspace_hits_total", redis)] = run.lookups.hits
        samples[_series("redis_keyspace_misses_total", redis)] = run.lookups.misses
        for series, value in samples.items():
            found.setdefault(series, ["_"] * number).append(f"{value:.10g}")
    return {series: " ".join(values) for series, values in found.items()}


def _series(name: str, labels: Mapping[str, str]) -> str:
    return name + matchers(labels)


def _title(name: str, fault: Fault | None) -> str:
    return f"{name}: {fault.name if fault else 'no fault'}"


def _case(name: str, fault: Fault | None) -> Case:
    run = Run(name, QUIETEST)
    how = conditions(name, fault.name, QUIETEST) if fault else run.profile.ordinary
    raised = sorted(set(fault.raises)) if fault else []
    return Case(
        name=_title(name, fault),
        series=scrapes(run, how),
        root=ROOT,
        load=FILES,
        systems=(name,),
        step=f"{STEP}s",
        every=f"{STEP}s",
        at=f"{(BEFORE + DURING - 1) * STEP}s",
        values={FIRING: [({"alertname": one.name, "severity": one.severity}, 1) for one in raised]},
    )


def _shown(name: str) -> list[Fault | None]:
    """No fault, and every fault whose alerts need no previous days."""
    return [None, *(one for one in FAULTS[name].values() if not OF_DAYS & {alert.name for alert in one.raises})]


COURSES = [(name, fault) for name in SIMULATED for fault in _shown(name)]


@cache
def verdicts() -> dict[str, str]:
    """promtool's failures for each course; one run of promtool for all."""
    return judge([_case(name, fault) for name, fault in COURSES])


@pytest.mark.parametrize(("name", "fault"), COURSES, ids=[_title(*course) for course in COURSES])
def test_exactly_the_declared_alerts_fire(name: str, fault: Fault | None) -> None:
    failure = verdicts().get(_title(name, fault))
    assert failure is None, failure
