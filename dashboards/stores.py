"""Common parts of the dashboards of data stores: the selection of servers and their availability."""

import importlib
import importlib.util
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from grafana_foundation_sdk.builders import dashboard as build

from dashboards import state
from dashboards.common import Panel, over_time, states
from dashboards.layout import variable
from dashboards.subject import Subject
from observability.parts.registry import stores


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
    )


def _up(subject: Subject, jobs: Iterable[str]) -> str:
    return f'up{{system="{subject.name}",job=~"{"|".join(jobs)}"}}'
