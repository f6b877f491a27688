"""Metrics that applications send by OTLP: the collector of each host exposes them, and Prometheus scrapes that."""

from typing import Annotated, Final

from pydantic import Field

from observability.core.section import Section
from observability.core.types import MemoryMb
from observability.parts.collector import NAME as COLLECTOR
from observability.parts.model import FULL, Part, Server

NAME: Final = "otlp-metrics"
"""Name of the part; its section is `otlpMetrics`."""

JOB: Final = "otlp"
"""Value of the label `job` of these series."""

FIRST_PORT: Final = 8900
"""Port in the collector's container of the metrics of the first system; each further system has the next one."""

SeriesLimit = Annotated[int, Field(ge=100, le=10_000_000)]
"""Samples of a scrape."""


class OtlpMetricsSettings(Section):
    """Metrics by OTLP, at the ports of the section `traces`, or at 4317 and 4318 without that section."""

    series: SeriesLimit = Field(
        30_000, description="Series of a system on a host at most; while it sends more, none of them is stored."
    )
    memory_mb: MemoryMb = Field(128, description="Memory of each collector besides its own memoryMb, MiB.")


PART: Final = Part[None, Server](
    name=NAME,
    title="Metrics by OTLP.",
    profiles=FULL,
    active=lambda settings: settings is not None,
    needs=(COLLECTOR,),
    rules=("otlp",),
    panels={"obs-stack": {"Refused Metrics": ("MetricsRefused",)}},
)
"""Metrics by OTLP."""
