"""What a scrape job is: targets with their `system` and `instance`, read the same way."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

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


def own(service: str, port: int, path: str = "/metrics", *, job: str | None = None) -> Job:
    """The job of one of the stack's own services, by default named as the service."""
    address = f"{service}:{port}"
    labels = {"system": PLATFORM, "instance": address}
    return Job(name=job or service, path=path, targets=(Target(address=address, labels=labels),))
