"""cAdvisor: metrics of every container on the Docker host."""

from dataclasses import dataclass

from pulumi import ComponentResource, ResourceOptions

from components.context import StackContext
from components.service import HostMount, Service, ServiceArgs, http_health

ROOT = "0:0"
"""It reads the kernel's accounts of all containers, and Docker's folder, which are root's."""

FOLDERS = {"/": "/rootfs", "/var/run": "/var/run", "/sys": "/sys", "/var/lib/docker": "/var/lib/docker"}
"""Folders of the host, and where its documentation wants them."""

KERNEL_LOG = "/dev/kmsg"
"""Where the kernel says which process it killed for want of memory; without it no such kill is ever counted."""

CAPABILITIES = ("SYSLOG",)
"""To read that log where `kernel.dmesg_restrict` is 1, as on Debian and Ubuntu."""


@dataclass(frozen=True, kw_only=True)
class CadvisorArgs:
    """The stack it belongs to."""

    context: StackContext


class Cadvisor(ComponentResource):
    """Container metrics. Versions below 0.54 see nothing on Docker 29."""

    def __init__(self, name: str, args: CadvisorArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("observability:components:Cadvisor", name, None, opts)
        context = args.context
        Service(
            f"{name}-server",
            ServiceArgs(
                context=context,
                service="cadvisor",
                image=context.settings.image("cadvisor"),
                memory_mb=context.settings.cadvisor.memory_mb,
                user=ROOT,
                health=http_health("http://127.0.0.1:8080/healthz"),
                command=(
                    "--docker_only=true",
                    "--store_container_labels=false",
                    "--whitelisted_container_labels=io.observability.stack,io.observability.service",
                    "--housekeeping_interval=15s",
                ),
                host_mounts=tuple(HostMount(source=source, path=path) for source, path in FOLDERS.items()),
                devices=(KERNEL_LOG,),
                capabilities=CAPABILITIES,
            ),
            ResourceOptions(parent=self),
        )
        self.register_outputs({})
