"""The scrape jobs of a stack: every target with its `system`, `job` and `instance`."""

from observability.scrape.job import PLATFORM, Job, Target, own
from observability.scrape.parts import part_jobs
from observability.scrape.systems import system_jobs
from observability.settings.load import StackConfig

__all__ = ["PLATFORM", "Job", "Target", "jobs"]


def jobs(config: StackConfig) -> tuple[Job, ...]:
    """Every job of the stack, each service under its name on the stack's network."""
    settings = config.settings
    found = [own("prometheus", 9090), own("alertmanager", 9093, replicas=settings.alertmanager.services)]
    hosts = _hosts(config)
    if hosts:
        found.append(Job(name="node", targets=hosts))
    found += part_jobs(config)
    if config.runs("grafana"):
        found.append(own("grafana", 3000))
    found += system_jobs(config)
    found += [own(exporter.name, exporter.port, exporter.path) for exporter in settings.exporters]
    return tuple(found)


def _hosts(config: StackConfig) -> tuple[Target, ...]:
    """The stack's own host, where its exporter runs, and those of the systems."""
    settings = config.settings
    host = settings.node_exporter
    found = [
        Target(address=other.address, labels={"system": other.system, "instance": other.host_name or other.address})
        for other in host.targets
    ]
    if config.runs("node-exporter"):
        labels = {"system": PLATFORM, "instance": host.host_name}
        # The exporter sits in the host's own network; the host is the gateway of ours.
        found.insert(0, Target(address=f"{settings.network.gateway}:{host.port}", labels=labels))
    return tuple(found)
