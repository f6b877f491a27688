"""node_exporter: the stack's own host, and hosts of the systems that already run one."""

from collections.abc import Iterable
from typing import Final

from pydantic import Field

from observability.core.naming import PLATFORM
from observability.core.section import PartSettings
from observability.core.types import Address, MemoryMb, Port
from observability.parts.model import (
    ALWAYS,
    NOBODY,
    Allowance,
    Health,
    Here,
    Image,
    Part,
    Run,
    Scraped,
    Server,
    Store,
)
from toolchain.gobuild import GoBuild
from toolchain.recipe import Recipe, stamps

BACKUP: Final = "backup"
"""The part that writes metrics for it to read."""
TEXTFILE: Final = "textfile"
"""Role of the volume with them."""
TEXTFILES: Final = "/textfile"
"""Where it reads them."""
ROOTFS: Final = "/host"
"""Where the host's root is mounted."""


class NodeExporterSettings(PartSettings):
    """Metrics of the Docker host."""

    port: Port = Field(9100, description="Port on the stack network's gateway; nothing else on the host may hold it.")
    host_name: str = Field(
        "docker-host",
        description="The host's name in the label `instance`.",
        max_length=253,
        pattern=r"^[a-zA-Z0-9_.-]+$",
    )
    memory_mb: MemoryMb = Field(64, description="Memory limit, MiB.")


class Host(Server):
    """A host that a system runs on: one with a node exporter of its own, or the stack's own Docker host."""

    name: str = Field(
        description="Name of the host, in the label `instance`.", max_length=253, pattern=r"^[a-zA-Z0-9_.-]+$"
    )
    address: Address | None = Field(
        None,
        description="Host and port of the node exporter that runs there; none: it is the stack's own Docker host, "
        "which nodeExporter.hostName names, or one of observability:hosts.",
    )

    @property
    def instance(self) -> str:
        """The host's name."""
        return self.name


def _targets(here: Here[NodeExporterSettings, Host]) -> Iterable[Scraped]:
    # The exporter is in the host's own network; the host is the gateway of the stack's network.
    labels = {"system": PLATFORM, "instance": here.settings.host_name}
    return [Scraped(address=f"{here.gateway}:{here.settings.port}", labels=labels)]


def _runs(here: Here[NodeExporterSettings, Host]) -> Iterable[Run]:
    address = f"{here.gateway}:{here.settings.port}"
    written = here.runs(BACKUP)
    return [
        Run(
            user=NOBODY,
            health=Health(url=f"http://{address}/"),
            # The host's processes are seen in the host's /proc, which the mount of / includes.
            command=(
                f"--path.rootfs={ROOTFS}",
                f"--path.procfs={ROOTFS}/proc",
                f"--web.listen-address={address}",
                *((f"--collector.textfile.directory={TEXTFILES}",) if written else ()),
            ),
            host_mounts={"/": ROOTFS},
            reads={TEXTFILE: TEXTFILES} if written else {},
            host_network=True,
        )
    ]


PART: Final = Part[NodeExporterSettings, Host](
    name="node-exporter",
    title="Metrics of the Docker host.",
    settings=NodeExporterSettings,
    profiles=ALWAYS,
    on_hosts=True,
    idle=True,
    job="node",
    store=Store(
        job="node",
        key="hosts",
        server=Host,
        description="Hosts it runs on.",
        address=lambda host: host.address,
    ),
    targets=_targets,
    runs=_runs,
    rules=("disk", "host"),
    images=(
        Image(
            name="node-exporter",
            reference="prom/node-exporter:v1.12.1",
            recipe=Recipe(
                repository="prom/node-exporter",
                tag="v1.12.1",
                title="node_exporter",
                build=GoBuild(
                    name="node-exporter",
                    module="github.com/prometheus/node_exporter",
                    version="v1.12.1",
                    stamps=stamps("1.12.1"),
                    tags=("netgo",),
                ),
                binaries={"/bin/node_exporter": "node_exporter"},
                entrypoint=("/bin/node_exporter",),
                ports=("9100/tcp",),
            ),
        ),
    ),
    allowances=(
        Allowance(
            service="node-exporter",
            rule="own network",
            reason="the counters of the host's network interfaces can only be read in the host's own network",
        ),
    ),
)
