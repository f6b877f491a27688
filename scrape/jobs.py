"""The scrape jobs of a stack: every target with its `system`, `job` and `instance`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from config.load import StackConfig

PLATFORM = "platform"
"""The `system` of the stack's own parts and of their host."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """One address to scrape, `host:port`, and the labels its series carry."""

    address: str
    labels: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Job:
    """Targets that are read the same way."""

    name: str
    targets: tuple[Target, ...]
    path: str = "/metrics"
    extra: Mapping[str, Any] = field(default_factory=dict)

    def to_config(self) -> dict[str, Any]:
        """The job as Prometheus' `scrape_config`."""
        return {
            "job_name": self.name,
            "metrics_path": self.path,
            **self.extra,
            "static_configs": [
                {"targets": [target.address], "labels": dict(target.labels)} for target in self.targets
            ],
        }


def jobs(config: StackConfig) -> tuple[Job, ...]:
    """Every job of the stack, each service under its name on the stack's network."""
    settings = config.settings
    found = [_own("prometheus", 9090), _own("alertmanager", 9093)]
    if settings.node_exporter.enabled:
        host = settings.node_exporter
        labels = {"system": PLATFORM, "instance": host.host_name}
        # The exporter sits in the host's own network; the host is the gateway of ours.
        found.append(
            Job(name="node", targets=(Target(address=f"{settings.network.gateway}:{host.port}", labels=labels),))
        )
    found += [_own(exporter.name, exporter.port, exporter.path) for exporter in settings.exporters]
    return tuple(found)


def _own(service: str, port: int, path: str = "/metrics") -> Job:
    address = f"{service}:{port}"
    return Job(
        name=service, path=path, targets=(Target(address=address, labels={"system": PLATFORM, "instance": address}),)
    )
