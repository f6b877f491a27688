"""The scrape jobs of a stack: every target with its `system`, `job` and `instance`."""

from config.load import StackConfig
from scrape.job import PLATFORM, Job, Target, own
from scrape.parts import part_jobs
from scrape.targets import DEMO_SYSTEM

__all__ = ["PLATFORM", "Job", "Target", "jobs"]


def jobs(config: StackConfig) -> tuple[Job, ...]:
    """Every job of the stack, each service under its name on the stack's network."""
    settings = config.settings
    found = [own("prometheus", 9090), own("alertmanager", 9093)]
    if config.runs("node-exporter"):
        host = settings.node_exporter
        labels = {"system": PLATFORM, "instance": host.host_name}
        # The exporter sits in the host's own network; the host is the gateway of ours.
        found.append(
            Job(name="node", targets=(Target(address=f"{settings.network.gateway}:{host.port}", labels=labels),))
        )
    found += part_jobs(config)
    if config.runs("grafana"):
        found.append(own("grafana", 3000))
    if config.runs("demo"):
        labels = {"system": DEMO_SYSTEM, "instance": "demo:3000"}
        found.append(Job(name="backend", targets=(Target(address="demo:3000", labels=labels),)))
    found += [own(exporter.name, exporter.port, exporter.path) for exporter in settings.exporters]
    return tuple(found)
