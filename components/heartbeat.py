"""What expects the heartbeat of a dev stack, which has nothing outside that does."""

from dataclasses import dataclass

from pulumi import ComponentResource, ResourceOptions

from components.context import StackContext
from components.service import HealthCheck, Service, ServiceArgs
from observability.alerting import heartbeat
from observability.core.types import seconds

USER = "10001:10001"
"""uid and gid of the demo's image, of which it is a part."""


@dataclass(frozen=True, kw_only=True)
class HeartbeatArgs:
    """The stack it belongs to."""

    context: StackContext


class Heartbeat(ComponentResource):
    """The far end of the dead-man's switch; its log says when pings are missing."""

    def __init__(self, name: str, args: HeartbeatArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("observability:components:Heartbeat", name, None, opts)
        context = args.context
        period = seconds(context.config.notifications.heartbeat.interval)
        ask = f"import urllib.request as r; r.urlopen('http://127.0.0.1:{heartbeat.PORT}/', timeout=2)"
        Service(
            f"{name}-server",
            ServiceArgs(
                context=context,
                service=heartbeat.SERVICE,
                image=context.settings.image("demo"),
                memory_mb=48,
                user=USER,
                health=HealthCheck(test=("CMD", "python3", "-I", "-c", ask), interval="10s"),
                entrypoint=(
                    *("/usr/bin/python3", "-m", "demo.heartbeat", "--port", str(heartbeat.PORT)),
                    *("--period", f"{period:g}", "--grace", f"{period * heartbeat.GRACE:g}"),
                ),
            ),
            ResourceOptions(parent=self),
        )
        self.register_outputs({})
