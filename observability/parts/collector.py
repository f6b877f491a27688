"""The log collector: the OpenTelemetry Collector."""

from collections.abc import Iterator
from typing import Any, Final

from pydantic import Field

from observability.core.section import PartSettings
from observability.core.types import MemoryMb
from observability.parts.busybox import BUSYBOX
from observability.parts.model import FULL, Allowance, Here, Part, Scraped, Server, own
from observability.parts.otel_collector import LINES, OTEL, PORT

NAME: Final = "collector"
"""Name of the part, of its service and of its scrape job."""


class CollectorSettings(PartSettings):
    """The OpenTelemetry Collector, which reads the containers' logs and sends them to Loki."""

    memory_mb: MemoryMb = Field(192, description="Memory limit, MiB.")


def _targets(_: Here[Any, Any]) -> Iterator[Scraped]:
    """Its own metrics, and the counters of what is in the lines."""
    yield from (own(f"{NAME}:{port}") for port in (PORT, LINES))


PART: Final = Part[CollectorSettings, Server](
    name=NAME,
    title="The log collector.",
    settings=CollectorSettings,
    profiles=FULL,
    needs=("loki", "docker-proxy"),
    # That of its health check, as its own has no shell.
    images=(OTEL, BUSYBOX),
    rules=("collector",),
    job=NAME,
    targets=_targets,
    # Its counters have the stream's own `system`.
    scrape={
        "honor_labels": True,
        # It counts by receiver, of which every container has its own, named after its id.
        "metric_relabel_configs": [
            {"source_labels": ["receiver"], "regex": ".+/receiver_creator/.+", "action": "drop"}
        ],
    },
    allowances=(
        Allowance(
            service=NAME,
            rule="not root",
            reason="Docker's files of logs are root's; no capability",
        ),
    ),
)
"""The log collector."""
