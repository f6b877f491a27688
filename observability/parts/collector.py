"""The log collector: Grafana Alloy, Promtail or the OpenTelemetry Collector, as the settings say.

Promtail also runs where Alloy's image is not available.
"""

from collections.abc import Mapping
from typing import Final, Literal

from pydantic import Field

from observability.core.section import PartSettings
from observability.core.types import MemoryMb
from observability.parts.busybox import BUSYBOX
from observability.parts.loki_module import MODULE, REPLACES, stamps
from observability.parts.model import FULL, Allowance, Image, Part, Server
from observability.parts.otel_collector import LINES, OTEL, PORT
from toolchain.gobuild import GoBuild
from toolchain.recipe import Base, Recipe


class CollectorSettings(PartSettings):
    """What reads the containers' logs and sends them to Loki."""

    kind: Literal["alloy", "promtail", "otel"] = Field(
        "alloy",
        description=(
            "Grafana Alloy, Promtail (end of life: 2026-03-02) for those who run it, or the OpenTelemetry Collector."
        ),
    )
    memory_mb: MemoryMb = Field(192, description="Memory limit, MiB.")


ALLOY: Final = Image(name="alloy", reference="grafana/alloy:v1.21.2")

PROMTAIL: Final = Image(
    name="promtail",
    reference="grafana/promtail:3.6.3",
    recipe=Recipe(
        repository="grafana/promtail",
        tag="3.6.3",
        title="Promtail",
        build=GoBuild(
            name="promtail",
            module=MODULE,
            version="v3.6.3",
            packages=("clients/cmd/promtail",),
            replaces={
                **REPLACES,
                "github.com/hashicorp/memberlist": (
                    "github.com/grafana/memberlist v0.3.1-0.20220714140823-09ffed8adbbe"
                ),
                "github.com/influxdata/go-syslog/v3": "github.com/leodido/go-syslog/v4 v4.2.0",
            },
            stamps=stamps("3.6.3"),
            tags=("netgo",),
            keep=("clients/cmd/promtail/promtail-docker-config.yaml",),
        ),
        binaries={"/usr/bin/promtail": "promtail"},
        files={"/etc/promtail/config.yml": "clients/cmd/promtail/promtail-docker-config.yaml"},
        base=Base.DEBIAN,
        packages=("ca-certificates", "tzdata"),
        user="",
        uid=0,
        entrypoint=("/usr/bin/promtail",),
        cmd=("-config.file=/etc/promtail/config.yml",),
        without="reading of systemd's journal",
    ),
)

KINDS: Final[Mapping[str, tuple[Image, ...]]] = {
    "alloy": (ALLOY, PROMTAIL),
    "promtail": (PROMTAIL,),
    "otel": (OTEL,),
}
"""The programs that can collect where a kind is chosen, the preferred one first."""

BESIDES: Final[Mapping[str, tuple[Image, ...]]] = {OTEL.name: (BUSYBOX,)}
"""Images that a program needs besides its own: this one's health check, as its image has no shell."""

PROGRAMS: Final = (ALLOY.name, PROMTAIL.name, OTEL.name)
"""Names of the programs: of their images, and of their scrape jobs."""

PART: Final = Part[CollectorSettings, Server](
    name="collector",
    title="The log collector.",
    settings=CollectorSettings,
    profiles=FULL,
    needs=("loki",),
    images=(ALLOY, PROMTAIL, OTEL),
    one_image=True,
    rules=PROGRAMS,
    job="collector",
    ports={ALLOY.name: (12345,), PROMTAIL.name: (9080,), OTEL.name: (PORT, LINES)},
    # Its counters have the stream's own `system`.
    scrape={
        "honor_labels": True,
        # The OpenTelemetry Collector counts by receiver, of which every container has its own, named after its id.
        "metric_relabel_configs": [
            {"source_labels": ["receiver"], "regex": ".+/receiver_creator/.+", "action": "drop"}
        ],
    },
    allowances=(
        Allowance(
            service="collector",
            rule="not root",
            reason="Docker's socket and files of logs are root's, and a group's that differs by host; no capability",
        ),
        Allowance(
            service="collector",
            rule="no Docker socket",
            reason="only the engine has every container's log, wherever it keeps it; the socket is mounted read-only",
        ),
    ),
)
