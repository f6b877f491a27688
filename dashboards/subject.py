"""What a dashboard is about: one system as this stack monitors it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from grafana_foundation_sdk.builders import dashboard as build

from dashboards.common import GREEN, SEVERITIES, steps
from dashboards.layout import tagged, to
from dashboards.summaries import Summaries
from observability.scrape.job import PLATFORM
from observability.scrape.jobs import jobs
from observability.settings.load import StackConfig
from observability.systems.model import Scrape, System
from observability.systems.resolve import Threshold
from observability.systems.thresholds import THRESHOLDS
from rules.promql import matchers


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One system: its file, which of its targets are scraped in this stack, and its thresholds."""

    system: System
    jobs: frozenset[str] = frozenset()
    """The scrape jobs that have a target of this system in this stack."""
    thresholds: Mapping[str, tuple[Threshold, ...]] = field(default_factory=dict)
    logs: bool = False
    """Whether log lines are stored."""
    exemplars: bool = False
    """Whether exemplars are stored."""
    host: str | None = None
    """The `system` of the hosts that it runs on, where one is monitored."""
    runbooks: str | None = None
    """Address of the runbooks' folder, where the settings state it."""
    summaries: Summaries = field(default_factory=Summaries)
    """The summaries of the alerts that it can have."""

    @property
    def name(self) -> str:
        """Its value of the label `system`."""
        return self.system.name

    def of(self, series: str, **labels: str) -> str:
        """A series of this system, narrowed by labels."""
        return series + matchers({"system": self.name, **labels})

    @property
    def has_slos(self) -> bool:
        """Whether it has a service level objective."""
        return any((self.system.slos.availability, self.system.slos.latency))

    def limits(self, threshold: str) -> str | None:
        """Query of a threshold's series; None where the threshold has no value."""
        return self.of(f"app:threshold:{threshold}") if self.thresholds.get(threshold) else None

    def quantile(self, threshold: str) -> str:
        """The percentile that a threshold is about, as the label `quantile`; 0.95 where it has no value."""
        found = self.thresholds.get(threshold, ())
        return next((one.quantile for one in found if one.quantile), "0.95")

    def colours(self, threshold: str) -> build.ThresholdsConfig:
        """Green within all thresholds, and beyond each one the colour of its severity."""
        found = sorted(self.thresholds.get(threshold, ()), key=lambda one: one.value)
        colors = [SEVERITIES[one.severity] for one in found]
        colors = [*colors, GREEN] if THRESHOLDS[threshold].breached == "below" else [GREEN, *colors]
        return steps(*zip([None, *(one.value for one in found)], colors, strict=True))

    @property
    def links(self) -> list[build.DashboardLink]:
        """Links to the overview, to the system's other dashboards and to its logs."""
        return [
            to("Overview", "/d/obs-overview"),
            tagged(self.system.title, f"system:{self.name}"),
            *([to("Logs", f"/d/obs-logs?var-system={self.name}")] if self.logs else []),
        ]

    @property
    def tags(self) -> list[str]:
        """Tag by which its dashboards link to each other."""
        return [f"system:{self.name}"]

    @property
    def alerts(self) -> str:
        """Matcher of its alerts."""
        return f'system="{self.name}"'


STACK: Final = System(
    name=PLATFORM,
    title="Platform",
    description="The hosts and data stores of the monitoring stack itself.",
    team=PLATFORM,
    scrape=Scrape(job="prometheus", port=9090),
    series={},
)
"""The stack itself as a system: it has hosts, may have data stores, and has no signals."""


def subjects(config: StackConfig) -> tuple[Subject, ...]:
    """The stack itself, and every monitored system."""
    scraped = [(job.name, target.labels.get("system")) for job in jobs(config) for target in job.targets]
    hosts = {system for job, system in scraped if job == "node" and system}
    demanded = _by_system(config)
    summaries = Summaries.of(config).without("monitoring")
    return tuple(
        Subject(
            system=system,
            jobs=frozenset(job for job, owner in scraped if owner == name),
            thresholds=demanded.get(name, {}),
            logs=config.runs("loki"),
            exemplars=config.settings.prometheus.exemplars > 0,
            host=name if name in hosts else _shared_host(config, name, hosts),
            runbooks=config.settings.links.runbooks,
            summaries=summaries,
        )
        for name, system in {PLATFORM: STACK, **config.systems}.items()
    )


def _shared_host(config: StackConfig, system: str, watched: Collection[str]) -> str | None:
    """The stack's own `system` where, by the settings, the system runs on the stack's host and that is monitored."""
    return PLATFORM if PLATFORM in watched and config.system_settings(system).servers("hosts") else None


def _by_system(config: StackConfig) -> dict[str, dict[str, tuple[Threshold, ...]]]:
    """The thresholds, by system and by name."""
    found: dict[str, dict[str, tuple[Threshold, ...]]] = {}
    for threshold in config.thresholds:
        own = found.setdefault(threshold.system, {})
        own[threshold.name] = (*own.get(threshold.name, ()), threshold)
    return found
