"""Thresholds as series, so that one alert serves every system: it compares with the value of its own system.

app:threshold:<name>{system, team, severity[, quantile][, estimated][, api]}
app:threshold:<name>_share{system, team, severity}           the share of events that a percentile lets be slower
app:system:info{system, team}                               always 1, for alerts without a threshold series
app:host:info{system, host, instance}                       always 1, for every host that has an agent
app:container:expected{system, team, instance, name}        always 1, for every container that the settings expect
"""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from itertools import groupby
from typing import Any

from observability.core.naming import PLATFORM
from observability.systems.resolve import Threshold


def groups(
    teams: Mapping[str, str], thresholds: Iterable[Threshold], hosts: Iterable[str] = ()
) -> list[dict[str, Any]]:
    """One rule group for each system, `thresholds-<system>`, and `expected-hosts` if there are any with an agent.

    `teams` are by system, `thresholds` in any order, `hosts` by name.
    """
    expected = [_constant("app:host:info", 1, system=PLATFORM, host=name, instance=name) for name in sorted(hosts)]
    ordered = sorted(thresholds, key=lambda threshold: threshold.system)
    found = {name: list(own) for name, own in groupby(ordered, key=lambda threshold: threshold.system)}
    return [
        {
            "name": f"thresholds-{system}",
            "rules": [
                _constant("app:system:info", 1, system=system, team=team),
                *(rule for one in found.get(system, ()) for rule in _threshold(one)),
            ],
        }
        for system, team in sorted(teams.items())
    ] + ([{"name": "expected-hosts", "rules": expected}] if expected else [])


def expected_containers(found: Iterable[tuple[str, str, str]], teams: Mapping[str, str]) -> list[dict[str, Any]]:
    """The rule group of containers that must run, if any: each by its system, cAdvisor's instance and its name."""
    rules = [
        _constant("app:container:expected", 1, system=system, team=teams[system], instance=instance, name=name)
        for system, instance, name in sorted(found)
    ]
    return [{"name": "expected-containers", "rules": rules}] if rules else []


def _threshold(threshold: Threshold) -> Iterator[dict[str, Any]]:
    own = {"system": threshold.system, "team": threshold.team, "severity": threshold.severity}
    labels = dict(own)
    if threshold.quantile is not None:
        labels["quantile"] = threshold.quantile
        share = Decimal(1) - Decimal(threshold.quantile)
        yield _constant(f"app:threshold:{threshold.share_name}", float(share), **own)
    if threshold.api is not None:
        labels["api"] = threshold.api
    if threshold.estimated:
        labels["estimated"] = "yes"
    yield _constant(f"app:threshold:{threshold.name}", threshold.value, **labels)


def _constant(name: str, value: float, /, **labels: str) -> dict[str, Any]:
    return {"record": name, "expr": f"vector({value:.12g})", "labels": labels}
