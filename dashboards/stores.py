"""Common parts of the dashboards of data stores: the selection of servers and their availability."""

import importlib
import importlib.util
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final

from grafana_foundation_sdk.builders import dashboard as build

from dashboards import state
from dashboards.common import Panel, over_time, states
from dashboards.layout import variable
from dashboards.subject import Subject
from observability.parts.registry import stores

_NO_STORES: Final = ("blackbox", "node")
"""Jobs whose servers are no data stores: addresses that are probed, and hosts."""


@dataclass(frozen=True, kw_only=True)
class Store:
    """The servers of one kind that belong to a system: those selected in the variable `instance`."""

    subject: Subject
    job: str

    def of(self, series: str, *matchers: str) -> str:
        """A series of the selected servers' exporter."""
        own = (f'system="{self.subject.name}"', f'job="{self.job}"', 'instance=~"$instance"')
        return f"{series}{{{','.join((*own, *matchers))}}}"

    def states(self) -> Panel:
        """When each server was up."""
        return answered(self.subject, [self.job])

    def variable(self) -> build.QueryVariable:
        """The variable that selects servers."""
        return servers(self.subject, [self.job])


def databases(subject: Subject) -> list[str]:
    """Jobs of the databases that are monitored for a system, sorted by name."""
    return sorted(job for job, store in stores().items() if store.database and job in subject.jobs)


def module(job: str) -> list[Any]:
    """The module with the rows and queries of one kind of database; None where there is no such module."""
    name = f"dashboards.{job}"
    return [importlib.import_module(name)] if importlib.util.find_spec(name) else []


def servers(subject: Subject, jobs: Iterable[str]) -> build.QueryVariable:
    """The variable that selects a system's servers of some kinds."""
    return variable("instance", "Server", f"label_values({_up(subject, jobs)}, instance)")


def answers(subject: Subject, jobs: Iterable[str]) -> str:
    """Whether the exporter reaches each server, and whether Prometheus reaches the exporter."""
    found = " or ".join(subject.of(stores()[job].up, job=job) for job in jobs)
    return f"min by (job, instance) ({_up(subject, jobs)} == 0 or {found})"


def answered(subject: Subject, jobs: Iterable[str]) -> Panel:
    """When each server was up."""
    return states(
        "Data Stores",
        "When each data store was up.",
        over_time(answers(subject, jobs), "{{job}} {{instance}}"),
        state.UP_OR_DOWN,
        width=24,
    ).height(state.TIMELINE_HEIGHT)


def dependencies(subject: Subject, width: int = 12) -> Panel | None:
    """When each server that a system needs was up, and each system that it calls without a critical alert."""
    jobs = [job for job in sorted(stores()) if job in subject.jobs and job not in _NO_STORES]
    called = subject.system.depends_on
    queries = [over_time(answers(subject, jobs), "{{job}} {{instance}}")] if jobs else []
    if called:
        of = f'system=~"{"|".join(called)}"'
        failing = state.firing('severity="critical"', of)
        well = f"0 * group by (system) ({failing}) or group by (system) (app:system:info{{{of}}})"
        queries.append(over_time(well, "{{system}}", "B"))
    if not queries:
        return None
    return states(
        "Data Stores and Dependencies",
        "When each server that the system uses was up. A system that it calls is down while a critical alert fires.",
        queries[0],
        state.UP_OR_DOWN,
        width,
        queries[1:],
    ).height(state.TIMELINE_HEIGHT)


def all_stores(of: str, jobs: Collection[str]) -> Panel | None:
    """When all servers of each kind of each of the systems that `of` selects were up; None without jobs of stores."""
    chosen = [job for job in sorted(stores()) if job in jobs and job not in _NO_STORES]
    if not chosen:
        return None
    up = " or ".join(f'{stores()[job].up}{{{of},job="{job}"}}' for job in chosen)
    unread = f'up{{{of},job=~"{"|".join(chosen)}"}} == 0'
    return states(
        "Data Stores",
        "When the data stores and proxies of each system were up.",
        over_time(f"min by (system, job) ({unread} or {up})", "{{system}} {{job}}"),
        state.UP_OR_DOWN,
    ).height(state.TIMELINE_HEIGHT)


def _up(subject: Subject, jobs: Iterable[str]) -> str:
    return f'up{{system="{subject.name}",job=~"{"|".join(jobs)}"}}'
