"""A scrape job: targets with their `system` and `instance`, scraped with the same settings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from observability.core.naming import PLATFORM as PLATFORM


@dataclass(frozen=True, kw_only=True)
class Target:
    """One address to scrape, `host:port`, and the labels of its series."""

    address: str
    labels: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Job:
    """Targets that are scraped with the same settings.

    `name` is the label `job`. `job_name` is Prometheus' own name for it, unique where several jobs share a label.
    Besides the targets known here there may be discovered ones, as configured in `extra`.
    A query in `path` (`/metrics?format=prometheus`) becomes Prometheus' `params`.
    """

    name: str
    targets: tuple[Target, ...]
    path: str = "/metrics"
    extra: Mapping[str, Any] = field(default_factory=dict)
    job_name: str | None = None

    def to_config(self) -> dict[str, Any]:
        """The job as Prometheus' `scrape_config`."""
        static = [{"targets": [target.address], "labels": dict(target.labels)} for target in self.targets]
        # Prometheus escapes everything in metrics_path, a question mark too.
        path, _, query = self.path.partition("?")
        return {
            "job_name": self.job_name or self.name,
            "metrics_path": path,
            **({"params": parse_qs(query, keep_blank_values=True)} if query else {}),
            **self.extra,
            **({"static_configs": static} if static else {}),
        }


def own(
    service: str, port: int, path: str = "/metrics", *, job: str | None = None, replicas: Sequence[str] = ()
) -> Job:
    """The job of a service of the stack, by default named like the service; `replicas` if there are several."""
    addresses = [f"{name}:{port}" for name in replicas or (service,)]
    targets = (Target(address=address, labels={"system": PLATFORM, "instance": address}) for address in addresses)
    return Job(name=job or service, path=path, targets=tuple(targets))
