"""Questions that are answered by measurements: series, loaded alerts, log lines, rows of `verify`."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic.alias_generators import to_snake

from observability.alerting.routes import PAGE_LABEL
from observability.core.alert import NO_PROBLEM_PATTERN, WATCHDOG
from observability.core.naming import PLATFORM
from observability.operations.checklist.model import (
    Finding,
    State,
    UnansweredError,
    listed,
    no,
    not_applicable,
    yes,
)
from observability.operations.rows import Row
from observability.settings.watched import INSTANCES
from observability.systems.model import System

Ask = Callable[[State], Finding]

Key = tuple[str, ...]
"""Values of labels by which a subject is known: a system, or a system and an instance."""


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A PromQL query, the subjects that must have a series in its result, and the labels that name a subject."""

    query: str | Callable[[State], str]
    wanted: Callable[[State], Iterable[Key]]
    labels: tuple[str, ...] = ("system",)

    def of(self, state: State) -> tuple[list[Key], set[Key]]:
        """The wanted subjects, and those that the query returns. Nothing is sent where none is wanted."""
        wanted = list(dict.fromkeys(self.wanted(state)))
        if not wanted:
            return [], set()
        query = self.query if isinstance(self.query, str) else self.query(state)
        return wanted, {tuple(labels.get(name, "") for name in self.labels) for labels, _ in state.query(query)}


def measured(what: str, nothing: str, *measures: Measure) -> Ask:
    """Every wanted subject has a series now; `what` are the subjects, `nothing` the reason where there are none."""

    def ask(state: State) -> Finding:
        wanted: list[str] = []
        missing: list[str] = []
        for measure in measures:
            keys, found = measure.of(state)
            wanted += (" ".join(key) for key in keys)
            missing += (" ".join(key) for key in keys if key not in found)
        if not wanted:
            return not_applicable(nothing)
        if missing:
            return no(f"{len(missing)} of {len(wanted)} {what} are missing: {listed(missing)}")
        return yes(f"{len(wanted)} {what}: {listed(wanted)}")

    return ask


def of_hosts(query: str) -> Ask:
    """Every host has a series of this query, by its label `instance`."""

    def wanted(state: State) -> Iterable[Key]:
        return ((host,) for host in state.hosts)

    inner = measured("hosts", "", Measure(query=query, wanted=wanted, labels=("instance",)))
    return lambda state: inner(state) if state.hosts else no("no host is watched: node-exporter does not run")


def systems(state: State, has: Callable[[System], object]) -> list[Key]:
    """The watched systems that have something, by their files, and are placed here or not said to be unwatched."""
    without = {one.system for one in state.config.unplaced if one.what == INSTANCES and one.reason is not None}
    return [(name,) for name, system in state.config.systems.items() if name not in without and has(system)]


def of_systems(
    query: str, has: Callable[[System], object], *, values: Sequence[str] = (), label: str = "quantile"
) -> Measure:
    """Every watched system that has a signal has a series, or one for each of `values` of a label."""

    def wanted(state: State) -> Iterable[Key]:
        found = systems(state, has)
        return ((*key, value) for key in found for value in values) if values else found

    return Measure(query=query, wanted=wanted, labels=("system", label) if values else ("system",))


def of_servers(queries: Mapping[str, str]) -> list[Measure]:
    """Every server that these exporters read (query by scrape job) has a series."""

    def wanted(job: str) -> Callable[[State], Iterable[Key]]:
        return lambda state: state.servers(job)

    return [Measure(query=query, wanted=wanted(job), labels=("system", "instance")) for job, query in queries.items()]


def of_series(pattern: str, has: Callable[[System], object] = lambda _: False) -> Measure:
    """Every watched system whose file declares a series with such a name, or has a signal, has samples of it."""
    expression = re.compile(pattern)

    def names(system: System) -> list[str]:
        return [name for name in system.series if expression.search(name)]

    def wanted(state: State) -> Iterable[Key]:
        return systems(state, lambda system: has(system) or names(system))

    def query(state: State) -> str:
        every = sorted({name for key in wanted(state) for name in names(state.config.systems[key[0]])})
        return f'count by (system) ({{__name__=~"{"|".join(every)}"}})'

    return Measure(query=query, wanted=wanted)


def thresholds(names: str, has: Callable[[System], object]) -> Measure:
    """Every watched system that has a signal has a value of one of these thresholds (an expression)."""
    return of_systems(f'count by (system) ({{__name__=~"app:threshold:(?:{names})"}})', has)


def of_platform(threshold: str) -> Measure:
    """The stack has a value of a threshold."""
    return Measure(query=f"count by (system) (app:threshold:{threshold})", wanted=lambda _: [(PLATFORM,)])


def alerts(*names: str) -> Ask:
    """Prometheus has loaded these alerts, and evaluates them without an error."""
    return lambda state: _alerts(state, names)


def alerts_of_servers(names: Mapping[str, str], nothing: str) -> Ask:
    """The same of the alerts of data stores that are placed: name by scrape job."""

    def ask(state: State) -> Finding:
        placed = [name for job, name in names.items() if state.servers(job)]
        return _alerts(state, placed) if placed else not_applicable(nothing)

    return ask


def _alerts(state: State, names: Sequence[str]) -> Finding:
    missing = [name for name in names if name not in state.loaded]
    if missing:
        return no(f"Prometheus has not loaded {listed(missing)}")
    failing = [name for name in names if any(rule["health"] == "err" for rule in state.loaded[name])]
    if failing:
        return no(f"Prometheus cannot evaluate {listed(failing)}")
    return yes(f"loaded: {listed(names)}")


def both(*asks: Ask) -> Ask:
    """Every one of these is so. Where one does not apply, the whole does not."""

    def ask(state: State) -> Finding:
        found = [one(state) for one in asks]
        for answer in ("not applicable", "no"):
            if (first := next((one for one in found if one.answer == answer), None)) is not None:
                return first
        return yes("; ".join(one.evidence for one in found))

    return ask


def passed(rows: Sequence[Row], what: str) -> Finding:
    """Whether rows of `verify` passed; UnansweredError where there are none."""
    if not rows:
        raise UnansweredError(f"verify has no row about {what}")
    failed = [row for row in rows if row.verdict != "passed"]
    if failed:
        return no(f"{failed[0].check}: {failed[0].detail}")
    return yes(f"{rows[0].check}: {rows[0].detail}" if len(rows) == 1 else f"{len(rows)} {what}")


def in_use(server: str) -> Ask:
    """A server has in use the declared configuration, by the row of `verify` about it."""
    return lambda state: passed([state.check(f"configuration in use by {server}")], "configurations")


FATIGUE: Final = 10
"""Alerts that page in a day: more than that is more than one every two or three hours, and people stop looking."""

CONSTANT: Final = 0.5
"""Share of the last day for which an alert fires that reports the usual state: its threshold does not fit."""


def fatigue(state: State) -> Finding:
    """Few alerts paged in the last day, and the configuration that groups and inhibits them is in use."""
    row = state.check("configuration in use by alertmanager")
    if row.verdict != "passed":
        return no(f"what groups and mutes alerts is not in use: {row.detail}")
    if not state.query(f'count_over_time(ALERTS{{alertname="{WATCHDOG}"}}[1d])'):
        raise UnansweredError("Prometheus has no samples of alerts in 24 h")
    paging = f'ALERTS{{alertstate="firing",{PAGE_LABEL}="yes",alertname!~"{NO_PROBLEM_PATTERN}"}}'
    found = state.query(f"sum_over_time((count({paging} unless {paging} offset 1m))[1d:1m])")
    count = found[0][1] if found else 0
    text = f"{count:.0f} alerts paged in 24 h, at most {FATIGUE} should"
    return yes(text) if count <= FATIGUE else no(text)


def validated(state: State) -> Finding:
    """The thresholds in use are the declared ones, rules read those that systems state, none is the usual state."""
    row = state.check("constant series in prometheus")
    if row.verdict != "passed":
        return no(row.detail)
    read = " ".join(str(rule["query"]) for rule in state.rules if not str(rule["name"]).startswith("app:threshold:"))
    stated = {one.name for one in state.config.thresholds if one.name in _stated(state, one.system)}
    unread = sorted(name for name in stated if not re.search(rf"app:threshold:{name}(?:_share)?\b", read))
    if unread:
        return no(f"no loaded rule reads the threshold {listed(unread)}")
    usual = (
        f'max by (alertname, system) (count_over_time(ALERTS{{alertstate="firing",alertname!~"{NO_PROBLEM_PATTERN}",'
        f'severity!="info"}}[1d:5m])) > {CONSTANT * 24 * 12:.0f}'
    )
    always = sorted(
        f"{labels.get('alertname')} {labels.get('system', '')}".strip() for labels, _ in state.query(usual)
    )
    if always:
        return no(f"fires for most of the day, so its threshold does not fit: {listed(always)}")
    return yes(f"{len(state.config.thresholds)} in use as declared; no alert fires for most of the day")


def _stated(state: State, system: str) -> set[str]:
    found = state.config.systems.get(system)
    return {to_snake(name) for name in found.thresholds} if found else set()


COVERED: Final[Mapping[str, Callable[[State], bool]]] = {
    "host": lambda state: bool(state.hosts),
    "service": lambda state: bool(state.config.systems),
    "application": lambda state: bool(state.config.systems),
    "container": lambda state: state.config.runs("cadvisor"),
    "logs": lambda state: state.config.runs("loki"),
    "database": lambda state: bool(state.servers("postgres") or state.servers("mongodb")),
    "cache": lambda state: bool(state.servers("redis")),
    "proxy": lambda state: bool(state.servers("nginx")),
    "endpoint": lambda state: bool(state.servers("blackbox")),
    "monitoring": lambda _: True,
}
"""Which kinds of things this stack watches, by the alerts' label `component`."""


def every_component(state: State) -> Finding:
    """Rules are loaded as declared and evaluated, and every kind of thing that is watched has an alert."""
    state.check("rules in use by prometheus")
    found = passed(state.checks("rules "), "checks of rules")
    if found.answer != "yes":
        return found
    there = {rule["labels"].get("component") for same in state.loaded.values() for rule in same}
    missing = [name for name, watched in COVERED.items() if watched(state) and name not in there]
    if missing:
        return no(f"no alert is loaded for {listed(missing)}")
    critical = sum(rule["labels"].get("severity") == "critical" for same in state.loaded.values() for rule in same)
    return yes(f"{len(state.loaded)} alerts loaded, {critical} rules of them critical, for {len(there)} components")


DELIVERED: Final = "7d"
"""How long ago a receiver may have accepted its last message."""

_OWN: Final = ("verify", "heartbeat")
"""Alertmanager's receivers that the stack adds itself."""


def delivered(state: State) -> Finding:
    """Every receiver of the settings has accepted messages, and refuses none now."""
    receivers = state.config.notifications.receivers
    if not receivers:
        return no("no alert is sent to anybody: there are no receivers")
    failed = [row for row in state.checks("messages to ") if row.verdict != "passed"]
    if failed:
        return no(f"{failed[0].check}: {failed[0].detail}")
    state.check("messages are accepted")
    every = f'receiver_name!~"{"|".join(_OWN)}"'
    requests, refused = (f"alertmanager_notification_requests_{name}{{{every}}}" for name in ("total", "failed_total"))
    by = f"sum by (integration) (increase(%s[{DELIVERED}]))"
    sent = state.query(f"{by % requests} - {by % refused} > 0")
    accepted = {labels.get("integration", ""): count for labels, count in sent}
    wanted = sorted({receiver.channel.counter for receiver in receivers.values()})
    missing = [kind for kind in wanted if kind not in accepted]
    if missing:
        return no(f"nothing was delivered by {listed(missing)} in {DELIVERED}")
    return yes(f"delivered in {DELIVERED} by {listed([f'{kind}: {accepted[kind]:.0f}' for kind in wanted])}")
