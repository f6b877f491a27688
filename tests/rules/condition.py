"""One figure of an application and the alerts on it, as the tables of conditions state them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.rules.measures import Measure
from tests.rules.raw import STEP


@dataclass(frozen=True, kw_only=True)
class Row:
    """One alert: its labels, its wait (seconds), its limit for each system that has it."""

    alert: str
    severity: str
    wait: int
    limits: Mapping[str, float]
    summary: str
    description: str
    """Its text for the first of these systems, 2 % beyond its limit."""
    waits: Mapping[str, int] = field(default_factory=dict)
    """Its wait for systems with another one (seconds)."""
    failures: int = 0
    """Failed events in 5 minutes that it needs in order to page."""

    def wait_of(self, system: str) -> int:
        return self.waits.get(system, self.wait)


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One figure, and the alerts on it; `labels` are those that identify the part of the system concerned."""

    name: str
    component: str
    measure: Measure
    rows: tuple[Row, ...]
    labels: Mapping[str, str] = field(default_factory=dict)
    labels_of: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Additional ones, for some systems."""
    below: bool = False
    floor: bool = True
    begin: int = STEP
    """Seconds until the series show the value: a share needs two samples of a counter."""
    quantile: Mapping[str, float] = field(default_factory=dict)
    percentile: bool = False

    def breached(self, row: Row, system: str, value: float) -> bool:
        limit = row.limits.get(system)
        return limit is not None and (value < limit if self.below else value > limit)
