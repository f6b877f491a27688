"""The scrape jobs of metrics that arrive by OTLP: one for each system, of the page that the collector has for it."""

from collections.abc import Iterator

from observability.collector import otlp
from observability.parts.collector import NAME as COLLECTOR
from observability.parts.otlp_metrics import JOB, OtlpMetricsSettings
from observability.scrape.job import Job, Target
from observability.scrape.systems import ROBUST
from observability.settings.load import StackConfig


def jobs(config: StackConfig) -> Iterator[Job]:
    """A job for each system that sends metrics, and one for services of no system."""
    limit = (config.settings.otlp_metrics or OtlpMetricsSettings()).series
    for name, port in otlp.ports(config).items():
        system = config.systems.get(name)
        address = f"{COLLECTOR}:{port}"
        yield Job(
            name=JOB,
            job_name=f"{JOB}-{name}",
            targets=(Target(address=address, labels={"system": name, "job": JOB, "instance": address}),),
            extra={
                **ROBUST,
                # A series has the system and the instance of its resource.
                "honor_labels": True,
                "sample_limit": config.system_settings(name).otlp_metrics.series or limit,
                **({"scrape_native_histograms": True} if system and system.native_histograms else {}),
            },
        )
