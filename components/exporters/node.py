"""node-exporter: the Docker host itself."""

from dataclasses import dataclass

from pulumi import ComponentResource, ResourceOptions

from components.context import StackContext
from components.service import NOBODY, HostMount, Service, ServiceArgs, http_health

ROOT = "/host"


@dataclass(frozen=True, kw_only=True)
class NodeExporterArgs:
    """The stack it belongs to."""

    context: StackContext


class NodeExporter(ComponentResource):
    """The host's metrics, served on the host's own address in the stack's network and nowhere else."""

    def __init__(self, name: str, args: NodeExporterArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("observability:components:NodeExporter", name, None, opts)
        context = args.context
        settings = context.settings.node_exporter
        address = f"{context.settings.network.gateway}:{settings.port}"
        Service(
            f"{name}-server",
            ServiceArgs(
                context=context,
                service="node-exporter",
                image=context.settings.image("node-exporter"),
                memory_mb=settings.memory_mb,
                user=NOBODY,
                health=http_health(f"http://{address}/"),
                command=(f"--path.rootfs={ROOT}", f"--web.listen-address={address}"),
                host_mounts=(HostMount(source="/", path=ROOT),),
                host_namespaces=True,
                # The address it listens on exists once the network does.
                after=(context.network,),
            ),
            ResourceOptions(parent=self),
        )
        self.register_outputs({})
