"""The dead-man's switch: where the Watchdog is sent, so that somebody notices when alerts no longer flow."""

from typing import Any, Final

from observability.core.types import seconds
from observability.settings.load import StackConfig

SECRET: Final = "heartbeatUrl"  # noqa: S105 - its name
"""The address outside that expects the pings; Healthchecks.io's protocol, by which any POST counts."""

SERVICE: Final = "heartbeat"
PORT: Final = 8000
"""What expects them within a dev stack that has no such address: a part of the demo."""

GRACE: Final = 0.5
"""By how much of the interval a ping may be late there. A dead Prometheus keeps its alerts alive for a minute; with
the interval of a minute it is so noticed after two and a half at the latest."""

MARGIN_SECONDS: Final = 5
"""Alertmanager looks every group_interval whether the last message is longer ago than repeat_interval, counted from
when that had been delivered: with the interval itself, every other look would come just too early."""


def is_local(config: StackConfig) -> bool:
    """Whether the stack has to listen itself."""
    return SECRET not in config.secrets and config.runs("demo")


def has_listener(config: StackConfig) -> bool:
    """Whether anybody expects the pings."""
    return SECRET in config.secrets or is_local(config)


def repeat_interval(config: StackConfig) -> str:
    """How long Alertmanager waits before the next ping may be sent."""
    return f"{seconds(config.notifications.heartbeat.interval) - MARGIN_SECONDS:g}s"


def receiver(config: StackConfig, secret_file: str) -> dict[str, Any]:
    """Alertmanager's receiver `heartbeat`, which tells nobody where nobody listens; the address outside is in a file.

    That the alert is over must not count as a ping.
    """
    if not has_listener(config):
        return {"name": SERVICE}
    where = {"url": f"http://{SERVICE}:{PORT}/ping/{config.stack}"} if is_local(config) else {"url_file": secret_file}
    return {"name": SERVICE, "webhook_configs": [{**where, "send_resolved": False}]}
