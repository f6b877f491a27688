"""What a dashboard shows of alerts: the threshold of each, and annotations that an existing alert can produce."""

import functools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import promql_parser as pp
import pytest

from dashboards.linked_rules import files
from dashboards.links import PANELS
from dashboards.queries import Query, panels, queries
from dashboards.registry import dashboards
from observability.check.promql import matchers, parse, walk
from observability.core.documents import load_yaml
from observability.core.naming import OWNER
from observability.systems.thresholds import THRESHOLDS
from tests.unit.conftest import FULL, stack_config

EVERYTHING: Final = stack_config("prod", FULL)

THRESHOLD: Final = re.compile(r"app:threshold:(\w+)")
LITERAL: Final = re.compile(r"[<>]=? (\d+(?:\.\d+)?)$", re.MULTILINE)

FLOORS: Final = {name for name, spec in THRESHOLDS.items() if spec.floor}
"""Thresholds that are floors: the minimum for an alert to be evaluated."""

ANOTHER_SCALE: Final[Mapping[str, str]] = {
    "HighSequentialScans": "is about the share of scans, the panel shows how many rows they read",
    "RedisMemoryHigh": "is about the share of what is allowed, which the panel shows as a line of its own",
    "DiskWillFill": "foretells what the panel shows",
    "BackupFinished": "is about how long ago it was",
    "SLOErrorBudgetBurn": "is about how fast the budget is spent, which has panels of its own with their lines",
    "TargetFlapping": "is about the share of a time, the panel shows each moment",
    "ContainerDown": "is about how long it had run before",
    "AlertmanagerNotificationsFailing": "is about a share, the panel counts",
    "LokiIngestFailing": "is about the share of writes that fail, the panel counts lines",
    "JaegerStorageFailing": "is about the share of reads that fail, which has a panel of its own",
    "ReplicationStopped": "is about what is missing, the panel shows the lag",
    "BackupOverdue": "is about the age in intervals, the panel shows it in seconds",
}
"""Alerts whose value is not drawn on their panel as in the rule, and why."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """An alerting rule, with what a dashboard needs of it."""

    expr: str
    labels: Mapping[str, str]

    @property
    def limit(self) -> float | None:
        """The number in the rule itself; None where it fires for any value, or has a threshold series."""
        found = LITERAL.findall(self.expr.strip())
        value = float(found[-1]) if found and not THRESHOLD.search(self.expr) else 0.0
        return value if value not in (0.0, 1.0) else None


@functools.cache
def rules() -> dict[str, list[Rule]]:
    """Every alerting rule by the alert's name."""
    found: dict[str, list[Rule]] = {}
    for text in files(EVERYTHING).values():
        for rule in (rule for group in load_yaml(text)["groups"] for rule in group["rules"] if "alert" in rule):
            labels = {**rule["labels"], "alertname": rule["alert"]}
            found.setdefault(rule["alert"], []).append(Rule(expr=rule["expr"], labels=labels))
    return found


@functools.cache
def shown() -> dict[str, dict[int, dict[str, Any]]]:
    """The panels by dashboard and id."""
    found = {entry.uid: json.loads(entry.text) for entry in dashboards(EVERYTHING)}
    return {uid: {panel["id"]: panel for panel in panels(document)} for uid, document in found.items()}


def graphs(alert: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The graphs that show an alert, each with its dashboard's uid."""
    for one in (one for name, one in PANELS.items() if name.rpartition("/")[2] == alert):
        for uid, found in shown().items():
            same = uid.endswith(one.uid.removeprefix(OWNER)) if one.uid.startswith(OWNER) else uid == one.uid
            panel = found.get(one.panel) if same else None
            if panel is not None and panel["type"] == "timeseries":
                yield uid, panel


def drawn(panel: Mapping[str, Any]) -> tuple[set[str], set[float]]:
    """The threshold series, and the values, for which a panel draws a line."""
    named = {name for target in panel["targets"] for name in THRESHOLD.findall(target["expr"])}
    defaults = panel["fieldConfig"]["defaults"]
    if "thresholdsStyle" not in defaults.get("custom", {}):
        return named, set()
    return named, {step["value"] for step in defaults["thresholds"]["steps"] if step["value"] is not None}


def demanded(uid: str) -> set[str]:
    """The thresholds that a dashboard's system has a value for; for a dashboard of all systems, all thresholds."""
    owners = {name for name in (*EVERYTHING.systems, "platform") if uid.startswith(f"{name}-")}
    return {one.name for one in EVERYTHING.thresholds if not owners or one.system in owners}


def limits_of(alert: str, uid: str) -> set[str]:
    """The thresholds that an alert compares with and the dashboard's system has; a value of 0 is the axis itself."""
    above = {one.name for one in EVERYTHING.thresholds if one.value > 0}
    own = {name.removesuffix("_share") for rule in rules()[alert] for name in THRESHOLD.findall(rule.expr)}
    return own & demanded(uid) & above - FLOORS


@pytest.mark.parametrize("alert", sorted(rules().keys() - ANOTHER_SCALE.keys()))
def test_the_threshold_of_an_alert_is_drawn_on_the_graph_that_shows_it(alert: str) -> None:
    own = rules()[alert]
    for uid, panel in graphs(alert):
        series, values = drawn(panel)
        # One name may be used for a process and a host, and for a value or a share: one of them is drawn.
        named = limits_of(alert, uid)
        if named:
            assert named & series, f"{uid}, {panel['title']}: draws none of {sorted(named)}"
        limits = {rule.limit for rule in own} - {None}
        if limits:
            assert limits & values, f"{uid}, {panel['title']}: draws {sorted(values)}, the alert begins at {limits}"


@pytest.mark.parametrize("alert", sorted(ANOTHER_SCALE))
def test_an_exception_is_listed_only_for_an_alert_that_would_fail(alert: str) -> None:
    limits = {rule.limit for rule in rules()[alert]} - {None}
    found = [(limits_of(alert, uid), *drawn(panel)) for uid, panel in graphs(alert)]
    assert any(named or limits for named, _, _ in found)
    assert any(not named & series and not limits & values for named, series, values in found)


def selectors(query: Query) -> Iterator[pp.VectorSelector]:
    """The alerts that a query selects."""
    for node, _ in walk(parse(query.filled)):
        if isinstance(node, pp.VectorSelector) and (node.name or "").startswith("ALERTS"):
            yield node


ASKING: Final = {
    (query.dashboard, query.owner, query.expr): query
    for query in queries(EVERYTHING)
    if query.source == "prometheus" and "ALERTS" in query.expr
}


@pytest.mark.parametrize("asked", ASKING, ids=lambda asked: f"{asked[0]}/{asked[1]}")
def test_the_alerts_that_a_dashboard_queries_belong_to_a_rule(asked: tuple[str, str, str]) -> None:
    found = [rule.labels for own in rules().values() for rule in own]

    def fits(labels: Mapping[str, str], node: pp.VectorSelector) -> bool:
        # Labels that a rule does not set come from the series that it fires for.
        return all(one.admits(labels[one.name]) for one in matchers(node) if one.name in labels)

    nodes = list(selectors(ASKING[asked]))
    assert nodes
    for node in nodes:
        assert any(fits(labels, node) for labels in found), f"{node}: no alert is like that"
