"""cAdvisor: metrics of every container on the Docker host."""

from collections.abc import Iterable
from typing import Final

from pydantic import Field

from observability.core.naming import CONTAINER_LABELS, LABEL_SCRAPE
from observability.core.section import PartSettings
from observability.core.types import MemoryMb
from observability.parts.model import Allowance, Health, Here, Image, Part, Run, Server
from toolchain.gobuild import GoBuild
from toolchain.recipe import ROOT as REPOSITORY
from toolchain.recipe import Recipe

VERSION: Final = "0.60.6"

MODULES: Final = {
    "github.com/google/cadvisor": f"v{VERSION}",
    "github.com/google/cadvisor/lib": f"v{VERSION}",
    "github.com/prometheus/client_golang": "v1.22.0",
    "k8s.io/klog/v2": "v2.130.1",
    "k8s.io/utils": "v0.0.0-20250502105355-0f33e8f1c979",
}
"""Modules of the program in toolchain/cadvisor, at the versions that cAdvisor has; its own main is in no proxy."""

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
                f"--whitelisted_container_labels={','.join((*CONTAINER_LABELS, LABEL_SCRAPE))}",
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
    on_hosts=True,
    of_containers=True,
    rules=("container",),
    # Versions below 0.54 find no containers on Docker 29.
    images=(
        Image(
            name="cadvisor",
            reference=f"ghcr.io/google/cadvisor:v{VERSION}",
            recipe=Recipe(
                repository="google/cadvisor",
                tag=f"v{VERSION}",
                title="cAdvisor",
                build=GoBuild(
                    name="cadvisor",
                    module="cadvisor",
                    version=f"v{VERSION}",
                    sources=REPOSITORY / "toolchain/cadvisor",
                    requires=MODULES,
                    stamps={"main.version": VERSION},
                ),
                binaries={"/usr/bin/cadvisor": "cadvisor"},
                user="",
                uid=0,
                entrypoint=("/usr/bin/cadvisor", "-logtostderr"),
                ports=("8080/tcp",),
                without="web pages, the API and collectors that no stack enables",
            ),
        ),
    ),
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
