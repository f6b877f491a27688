"""The simulated systems of the demo: normal days raise no alert, and each fault raises the alerts it declares."""

import pytest

from demo.alerts import Alert
from demo.conditions import Conditions
from demo.faults import Fault, Faults
from demo.systems import FAULTS, PROFILES, SHOP
from tests.content.unit.demo_figures import Figures, Run, alerts

SIMULATED = [name for name in PROFILES if name != SHOP.name]

WEDNESDAY = 1_763_510_400.0
SUNDAY = WEDNESDAY + 4 * 86400
"""Midnights, UTC."""

QUIETEST, BUSIEST = SUNDAY + 3 * 3600, WEDNESDAY + 15 * 3600
WINDOW = 300

NEW_ERROR = Alert("NewErrorType", "info")
STALLED = Alert("TransactionsStalled", "critical")


def raised(run: Run, how: Conditions, settle: int = 90) -> set[Alert]:
    """The alerts whose condition holds over a window, some time after the conditions begin."""
    run.for_seconds(30)
    earlier = run.snapshot()
    run.for_seconds(settle, how)
    before = run.snapshot()
    run.for_seconds(WINDOW, how)
    figures = Figures(run, before, run.snapshot(), WINDOW)
    by_threshold = alerts()
    found = {alert for threshold in figures.breached() for alert in by_threshold[threshold]}
    found |= {NEW_ERROR} if figures.new_errors(earlier) else set()
    return found | ({STALLED} if figures.stalled() else set())


def conditions(name: str, fault: str, now: float) -> Conditions:
    """The conditions of a system while one of its faults is on."""
    switches = Faults(FAULTS, lambda: now)
    switches.start(name, fault, 600)
    return switches.conditions(name, PROFILES[name].ordinary)


@pytest.mark.parametrize("moment", [QUIETEST, BUSIEST], ids=["quietest", "busiest"])
@pytest.mark.parametrize(("name", "fault"), [(name, fault) for name in SIMULATED for fault in FAULTS[name].values()])
def test_a_fault_raises_exactly_the_alerts_it_declares(name: str, fault: Fault, moment: float) -> None:
    found = raised(Run(name, moment), conditions(name, fault.name, moment))
    assert found >= set(fault.raises)
    assert found <= {*fault.raises, *fault.may_raise}


@pytest.mark.parametrize("name", SIMULATED)
@pytest.mark.parametrize("midnight", [WEDNESDAY, SUNDAY], ids=["wednesday", "sunday"])
def test_no_hour_of_a_normal_day_raises_an_alert(name: str, midnight: float) -> None:
    for hour in range(0, 24, 3):
        run = Run(name, midnight + hour * 3600)
        assert raised(run, run.profile.ordinary, settle=10) == set(), hour


@pytest.mark.parametrize("name", SIMULATED)
def test_a_normal_hour_stays_within_its_error_budgets(name: str) -> None:
    run = Run(name, BUSIEST)
    before = run.snapshot()
    run.for_seconds(1200)
    figures = Figures(run, before, run.snapshot(), 1200)
    slos = run.system.slos
    assert slos.availability
    assert figures.error_ratio()[0] < 1 - slos.availability.objective
    latency = run.system.signals.http_latency
    assert slos.latency
    assert latency
    quantile = slos.latency.objective
    assert max(figures.quantile(latency, quantile)) < 1.0
