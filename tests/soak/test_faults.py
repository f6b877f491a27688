"""Faults of every system, switched on in a running stack: exactly the alerts they declare fire, and resolve.

Faults are on in all systems at once, so that an alert of the wrong system would be seen. About half an hour.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Final

import pytest

from demo.alerts import Alert
from demo.systems import FAULTS
from tests.live import past
from tests.live.conftest import STACK, Project, until

CHOSEN: Final[Mapping[str, Sequence[str]]] = {
    "alawael": ("critical-error-rate", "high-response-time", "slow-database-queries"),
    "erpgo": ("critical-error-rate", "database-pool-exhausted", "suspicious-activity", "low-inventory"),
    "neuroerp": ("high-failure-rate", "slow-database-queries", "transactions-stalled"),
    "social-selling": ("critical-error-rate", "low-cache-hit-rate", "slow-database-queries"),
    "syncup": ("database-pool-usage", "external-api-errors", "critical-response-time", "meetings-failing"),
}
"""Faults that do not affect each other."""

FIRES_SECONDS: Final = 20 * 60
RESOLVES_SECONDS: Final = 20 * 60

Fired = frozenset[tuple[str, Alert]]


def alerts(stack: Project, state: str) -> Fired:
    """Alerts in a state, by system; without the Watchdog, which always fires."""
    query = f'ALERTS{{alertstate="{state}", alertname!~"Watchdog|RecentlyCritical"}}'
    found = [one["metric"] for one in stack.prometheus("query", query=query)["result"]]
    return frozenset((one["system"], Alert(one["alertname"], one["severity"])) for one in found)


@pytest.fixture(scope="module")
def calm(stack: Project) -> Project:
    """The stack with a history, in which nothing fires."""
    past.give(stack)
    until(lambda: not alerts(stack, "firing"), 600)
    return stack


def test_the_chosen_faults_raise_exactly_their_alerts_which_resolve(calm: Project) -> None:
    faults = {(system, name): FAULTS[system][name] for system, names in CHOSEN.items() for name in names}
    wanted = frozenset((system, alert) for (system, _), fault in faults.items() for alert in fault.raises)
    allowed = wanted | {(system, alert) for (system, _), fault in faults.items() for alert in fault.may_raise}
    for system, name in faults:
        done = calm.obs("fault", system, name, "--for", "1h", STACK)
        assert done.returncode == 0, done.stderr
    seen: set[tuple[str, Alert]] = set()
    deadline = time.monotonic() + FIRES_SECONDS
    while not wanted <= seen and time.monotonic() < deadline:
        seen |= alerts(calm, "firing")
        time.sleep(5)
    assert wanted <= seen, f"did not fire: {sorted(wanted - seen)}"
    assert seen <= allowed, f"fired besides: {sorted(seen - allowed)}"
    for system, name in faults:
        assert calm.obs("fault", system, name, "--off", STACK).returncode == 0

    def resolved() -> bool:
        now = alerts(calm, "firing")
        seen.update(now)
        # An exhausted error budget stays exhausted for hours.
        return not now & wanted

    until(resolved, RESOLVES_SECONDS)
    assert seen <= allowed, f"fired besides: {sorted(seen - allowed)}"
