"""Questions about log lines, answered by Loki."""

import time
from collections.abc import Iterable, Sequence
from typing import Any, Final

from observability.core.documents import load_yaml
from observability.logs.formats import UNKNOWN, USUAL
from observability.notifier.evidence import ERROR_LEVELS
from observability.operations.checklist.measured import Ask, Key, passed, systems
from observability.operations.checklist.model import Finding, State, listed, no, not_applicable, yes

RECENT: Final = "1h"
"""How old the newest line of an application may be."""

DAY: Final = "1d"
"""How old the newest line of a server may be that writes only when something happens."""

LEVELS: Final = frozenset(ERROR_LEVELS.split("|"))


def of_loki(ask: Ask) -> Ask:
    """No where the stack stores no lines."""
    return lambda state: ask(state) if state.config.runs("loki") else no("the stack has no Loki: no line is stored")


def of_applications(state: State) -> Finding:
    """Every watched system has a line of the last hour, and every container that writes is found in Loki."""
    wanted = systems(state, lambda _: True)
    if not wanted:
        return not_applicable("no system is watched")
    there = _systems(state, f'sum by (system) (count_over_time({{system=~".+"}}[{RECENT}]))')
    missing = [name for (name,) in wanted if name not in there]
    if missing:
        return no(f"no line of {listed(missing)} in {RECENT} ({len(missing)} of {len(wanted)} systems)")
    found = passed([state.check("lines in Loki")], "containers")
    return found if found.answer == "no" else yes(f"lines of {len(wanted)} systems in {RECENT}, {found.evidence}")


def of_errors(state: State) -> Finding:
    """The level of the systems' lines is known, so that lines of errors can be found."""
    wanted = {name for (name,) in systems(state, lambda _: True)}
    counted = state.lines(f'sum by (system, level) (count_over_time({{system=~".+"}}[{DAY}]))')
    levels: dict[str, set[str]] = {}
    for labels, _ in counted:
        if labels.get("system") in wanted:
            levels.setdefault(labels["system"], set()).update({labels.get("level", UNKNOWN)} - {UNKNOWN})
    if not levels:
        return no(f"no line of a watched system in {DAY}")
    without = sorted(system for system, found in levels.items() if not found)
    if without:
        return no(f"no level is recognised in the lines of {listed(without)}")
    errors = sum(
        value for labels, value in counted if labels.get("level") in LEVELS and labels.get("system") in wanted
    )
    return yes(f"levels of {len(levels)} systems, {errors:.0f} lines of errors in {DAY}")


def of_kind(kinds: dict[str, str], nothing: str) -> Ask:
    """Every system with such a server has a line of it: kinds of services (`formats.USUAL`) by scrape job."""

    def ask(state: State) -> Finding:
        wanted: list[Key] = []
        missing: list[str] = []
        for job, kind in kinds.items():
            placed = sorted({system for system, _ in state.servers(job)})
            wanted += ((system, kind) for system in placed)
            query = f'sum by (system) (count_over_time({{service=~"{USUAL[kind]}"}}[{DAY}]))'
            there = _systems(state, query) if placed else ()
            missing += (f"{kind} of {system}" for system in placed if system not in there)
        if not wanted:
            return not_applicable(nothing)
        if missing:
            return no(f"no line of {listed(missing)} in {DAY}")
        return yes(f"lines in {DAY} of {listed([f'{kind} of {system}' for system, kind in wanted])}")

    return ask


def slow_queries(state: State) -> Finding:
    """Lines of slow queries are counted, and every database whose lines are stored can have some."""
    database = of_kind({"postgres": "postgres"}, "no PostgreSQL server is placed in the settings")(state)
    if database.answer != "yes":
        return database
    found = passed([state.check("rules in use by loki")], "rules")
    if found.answer != "yes":
        return found
    evaluated = state.query("app:log_rules:evaluated")
    if not evaluated:
        return no("Loki's rules, which count slow queries, have no result in Prometheus")
    counted = sum(value for _, value in state.query(f"sum(sum_over_time(app:log_slow_queries:count1m[{DAY}]))"))
    return yes(f"{counted:.0f} lines of slow queries in {DAY}; {database.evidence}")


def retention(state: State) -> Finding:
    """Loki deletes lines after a declared time."""
    config: Any = load_yaml(state.ask("loki", "/config"))
    period = str((config.get("limits_config") or {}).get("retention_period") or "0s")
    if not (config.get("compactor") or {}).get("retention_enabled"):
        return no("compactor.retention_enabled is false: lines are never deleted")
    if period in ("0", "0s"):
        return no("limits_config.retention_period is 0: lines are never deleted")
    found = passed([state.check("configuration in use by loki")], "configurations")
    return found if found.answer == "no" else yes(f"lines are deleted after {period}")


def search(state: State) -> Finding:
    """A search for text in the lines of an hour has a result."""
    begun = time.monotonic()
    start, end = (f"{state.now.timestamp() - age:.0f}000000000" for age in (3600, 0))
    query = '{system=~".+"} |~ "[a-zA-Z]"'
    answer = state.ask("loki", "/loki/api/v1/query_range", query=query, limit="1", start=start, end=end)
    took = time.monotonic() - begun
    found = [value for stream in answer["data"]["result"] for value in stream["values"]]
    return yes(f"a search over {RECENT} took {took:.1f} s") if found else no(f"a search over {RECENT} finds no line")


def _systems(state: State, query: str) -> Sequence[str]:
    found: Iterable[str] = (labels.get("system", "") for labels, value in state.lines(query) if value)
    return sorted(set(found))
