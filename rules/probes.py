"""The last value of probes that run less often than Prometheus looks back, so that their alerts neither end nor miss.

instance_probe:<series>:last{job, system, instance, probe}    of the last interval and five minutes
"""

import re
from collections.abc import Iterable
from itertools import groupby
from typing import Any, Final

from observability.parts.probe import LOOKBACK, SERIES, Probe, last
from rules import promql

INTERVAL: Final = "10s"
"""Evaluation interval, as that of the alerts on endpoints."""

SPARE: Final = 300
"""Seconds above the interval for which a value counts: a probe that comes late, or while Prometheus restarts."""


def groups(probes: Iterable[Probe], job: str) -> list[dict[str, Any]]:
    """The rule group `probes`, if any of the probes is that slow; `job` is their scrape job."""
    slow = sorted({(probe.every, probe.name, probe.url) for probe in probes if probe.every > LOOKBACK})
    if not slow:
        return []
    chosen = []
    for every, same in groupby(slow, key=lambda one: one[0]):
        _, names, addresses = zip(*same, strict=True)
        matchers = f"job={promql.quoted(job)},{_one_of('probe', names)},{_one_of('instance', addresses)}"
        chosen.append((matchers, f"{every + SPARE:.0f}s"))
    rules = [
        {
            "record": last(series),
            "expr": "\nor\n".join(f"last_over_time({series}{{{matchers}}}[{window}])" for matchers, window in chosen),
        }
        for series in SERIES
    ]
    return [{"name": "probes", "interval": INTERVAL, "rules": rules}]


def _one_of(label: str, values: Iterable[str]) -> str:
    """A matcher for these values of a label."""
    first, *more = dict.fromkeys(values)
    if not more:
        return f"{label}={promql.quoted(first)}"
    return f"{label}=~{promql.quoted('|'.join(re.escape(value) for value in (first, *more)))}"
