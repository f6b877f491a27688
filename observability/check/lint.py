"""Rules that are likely wrong although Prometheus accepts them: every check, and a function that runs all of them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

import promql_parser as pp

from observability.check import lint_alerts as alerts
from observability.check import lint_queries as queries
from observability.check.catalogue import Catalogue, labelled
from observability.check.contract import Finding
from observability.check.promql import QueryError, parse, walk
from observability.check.rulefile import Rule

Check = Callable[[Rule, Catalogue], Iterator[str]]


@dataclass(frozen=True, kw_only=True)
class Checks:
    """Checks of single rules, by name, and those that need all rules."""

    single: Mapping[str, Check]
    all: Mapping[str, Callable[[list[Rule], Catalogue], Iterator[Finding]]]


def duplicates(rules: list[Rule], catalogue: Catalogue) -> Iterator[Finding]:
    """The same rule twice, or two rules that record the same series."""
    seen: dict[tuple[object, ...], Rule] = {}
    for rule in rules:
        shape = labelled(catalogue.shaper().shape(rule.node), rule)
        what = tuple(sorted((rule.labels if rule.alert else shape.values).items()))
        key = (rule.alert, rule.name, what, rule.node.prettify() if rule.alert else "")
        if key in seen:
            yield Finding(where=rule.where, what=f"exists already: {seen[key].where}", rule=rule)
        seen.setdefault(key, rule)


def unwatched(rules: list[Rule], catalogue: Catalogue) -> Iterator[Finding]:
    """Jobs that rules depend on, where no alert on `up` covers their targets."""
    watched = {job for rule in rules if rule.alert for job in _down(rule, catalogue)}
    reported: set[str] = set()
    for rule in rules:
        read = {
            one.shape.values["job"]
            for node, _ in walk(rule.node)
            if isinstance(node, pp.VectorSelector)
            for one in catalogue.find(node)
            if "job" in one.shape.values and not one.source.startswith("rules/")
        }
        for job in sorted(read - watched - reported):
            reported.add(job)
            what = f"nobody notices when the targets of job {job} are gone: no up == 0"
            yield Finding(where=rule.where, what=what, rule=rule)


def _down(rule: Rule, catalogue: Catalogue) -> Iterator[str]:
    """Jobs for which a rule fires when a target is down."""
    for node, above in walk(rule.node):
        compared = any(isinstance(one, pp.BinaryExpr) and str(one.op) in ("==", "<") for one in above)
        if isinstance(node, pp.VectorSelector) and node.name == "up" and compared:
            yield from (one.shape.values["job"] for one in catalogue.find(node))


CHECKS: Final = Checks(
    single=MappingProxyType(
        {
            "counter": queries.counters,
            "window": queries.windows,
            "histogram": queries.histograms,
            "external labels": queries.external_labels,
            "regexp": queries.regexps,
            "matching": queries.matching,
            "zero": queries.zeros,
            "name": queries.names,
            "labels": alerts.labels,
            "template": alerts.annotations,
            "wait": alerts.waits,
            "comparison": alerts.comparisons,
            "fragile": alerts.fragile,
            "floor": alerts.floors,
        }
    ),
    all=MappingProxyType({"duplicate": duplicates, "unwatched": unwatched}),
)
"""Every check by its name."""


ACCEPTED: Final[Mapping[tuple[str, str], str]] = MappingProxyType(
    {
        ("app:error_series:count", "counter"): (
            "NewErrorType asks whether a counter is there at all, and tells how far it has come since it was born"
        ),
        (
            "ReplicationStopped",
            "counter",
        ): "the time of the last message is a moment, which the exporter types as a counter",
        **{
            (name, "template"): "the label device is that of the filesystem, or of its pool by label_replace"
            for name in ("HighDiskUsage", "CriticalDiskUsage", "DiskWillFill")
        },
        **{
            (name, "template"): "the label estimated is there only where no bucket stands at the threshold"
            for name in ("HighResponseTime", "CriticalResponseTime", "SlowDatabaseQueries", "ExternalApiSlow")
        },
        ("AlertmanagerNotificationsFailing", "floor"): (
            "messages are few: when the only one of five minutes is given up, no message was sent"
        ),
    }
)
"""Findings that are accepted: rule and check → why."""


def lint(
    rules: Iterable[Rule],
    catalogue: Catalogue,
    *names: str,
    accepted: Mapping[tuple[str, str], str] = ACCEPTED,
) -> list[Finding]:
    """The findings of all checks, or of those named; a rule that does not parse is reported by the contract."""
    readable = [rule for rule in rules if parses(rule)]
    found = [
        Finding(where=rule.where, what=f"{what} [{name}]", rule=rule)
        for name, check in CHECKS.single.items()
        if not names or name in names
        for rule in readable
        if (rule.name, name) not in accepted
        for what in check(rule, catalogue)
    ]
    for name, check_all in CHECKS.all.items():
        if not names or name in names:
            found += [replace(one, what=f"{one.what} [{name}]") for one in check_all(readable, catalogue)]
    return list(dict.fromkeys(found))


def parses(rule: Rule) -> bool:
    """Whether a rule's expression can be parsed."""
    try:
        parse(rule.expr)
    except QueryError:
        return False
    return True
