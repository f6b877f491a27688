"""Thresholds as series, so that one alert serves every system: it compares with the value of the system it is about.

app:threshold:<name>{system, team, severity[, quantile]}
app:system:info{system, team}                               always 1, for what has no threshold of its own
"""

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from observability.systems.resolve import Threshold


def groups(teams: Mapping[str, str], thresholds: Iterable[Threshold]) -> list[dict[str, Any]]:
    """One rule group for each system, `thresholds-<system>`; teams are by system, thresholds in any order."""
    ordered = sorted(thresholds, key=lambda threshold: threshold.system)
    found = {name: list(own) for name, own in groupby(ordered, key=lambda threshold: threshold.system)}
    return [
        {
            "name": f"thresholds-{system}",
            "rules": [
                _constant("app:system:info", 1, system=system, team=team),
                *(_threshold(one) for one in found.get(system, ())),
            ],
        }
        for system, team in sorted(teams.items())
    ]


def _threshold(threshold: Threshold) -> dict[str, Any]:
    labels = {"system": threshold.system, "team": threshold.team, "severity": threshold.severity}
    if threshold.quantile is not None:
        labels["quantile"] = threshold.quantile
    return _constant(f"app:threshold:{threshold.name}", threshold.value, **labels)


def _constant(name: str, value: float, **labels: str) -> dict[str, Any]:
    return {"record": name, "expr": f"vector({value:.12g})", "labels": labels}
