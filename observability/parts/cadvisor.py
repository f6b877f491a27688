"""cAdvisor: metrics of every container on the Docker host."""

from collections.abc import Iterable
from typing import Final

from pydantic import Field

from observability.core.section import PartSettings
from observability.core.types import MemoryMb
from observability.parts.model import Allowance, Health, Here, Image, Part, Run, Server

PORT: Final = 8080
"""Port in the container."""

ROOT: Final = "0:0"
"""It reads the cgroups of all containers, and Docker's folder, which only root can read."""

FOLDERS: Final = {"/": "/rootfs", "/var/run": "/var/run", "/sys": "/sys", "/var/lib/docker": "/var/lib/docker"}
"""Folders of the host, and their mount points by its documentation."""

KERNEL_LOG: Final = "/dev/kmsg"
"""Where the kernel logs which process it killed for lack of memory; without it no such kill is counted."""

CAPABILITIES: Final = ("SYSLOG",)
"""To read that log where `kernel.dmesg_restrict` is 1, as on Debian and Ubuntu."""


class CadvisorSettings(PartSettings):
    """Metrics of every container on the Docker host."""

    memory_mb: MemoryMb = Field(192, description="Memory limit, MiB.")


def _runs(_: Here[CadvisorSettings, Server]) -> Iterable[Run]:
    return [
        Run(
            user=ROOT,
            health=Health(url=f"http://127.0.0.1:{PORT}/healthz"),
            command=(
                "--docker_only=true",
                "--store_container_labels=false",
                "--whitelisted_container_labels=io.observability.stack,io.observability.service",
                "--housekeeping_interval=15s",
            ),
            host_mounts=FOLDERS,
            devices=(KERNEL_LOG,),
            capabilities=CAPABILITIES,
        )
    ]


PART: Final = Part[CadvisorSettings, Server](
    name="cadvisor",
    title="Metrics of every container.",
    settings=CadvisorSettings,
    job="docker",
    port=PORT,
    runs=_runs,
    rules=("container",),
    # Versions below 0.54 find no containers on Docker 29.
    images=(Image(name="cadvisor", reference="ghcr.io/google/cadvisor:v0.60.6"),),
    allowances=(
        Allowance(
            service="cadvisor",
            rule="not root",
            reason="the accounts of all containers and Docker's folder are root's; it has one capability, SYSLOG",
        ),
        Allowance(
            service="cadvisor",
            rule="no device",
            reason="only /dev/kmsg says which container the kernel killed a process of; it is read only",
        ),
        Allowance(
            service="cadvisor",
            rule="no capability",
            reason="most distributions (kernel.dmesg_restrict) let the kernel's log be read with SYSLOG alone",
        ),
        Allowance(
            service="cadvisor",
            rule="no Docker socket",
            reason="it asks the engine for the containers' names; the folder with the socket is mounted read-only",
        ),
    ),
)
