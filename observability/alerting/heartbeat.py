"""The heartbeat: an external service that receives the Watchdog and raises an alarm when it stops."""

from typing import Any, Final

from observability.core.types import seconds
from observability.settings.load import StackConfig

SECRET: Final = "heartbeatUrl"  # noqa: S105 - its name
"""The external address that expects the pings; Healthchecks.io's protocol, by which any POST counts."""

SERVICE: Final = "heartbeat"
"""Name of the receiver and of its route."""

MARGIN_SECONDS: Final = 5
"""Alertmanager checks every group_interval whether repeat_interval has passed since the last message was delivered.
With the interval itself as repeat_interval, every other check would come just too early."""


def has_listener(config: StackConfig) -> bool:
    """Whether the address that expects the pings is stored."""
    return SECRET in config.secrets


def repeat_interval(config: StackConfig) -> str:
    """How long Alertmanager waits before the next ping may be sent."""
    return f"{seconds(config.notifications.heartbeat.interval) - MARGIN_SECONDS:g}s"


def receiver(config: StackConfig, secret_file: str) -> dict[str, Any]:
    """Alertmanager's receiver `heartbeat`; it sends nothing where no address is stored. The address is in a file.

    A resolved notification must not count as a ping, so none is sent.
    """
    if not has_listener(config):
        return {"name": SERVICE}
    return {"name": SERVICE, "webhook_configs": [{"url_file": secret_file, "send_resolved": False}]}
