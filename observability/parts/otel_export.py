"""How the OpenTelemetry Collector sends: to a server of the stack or to its edge, from a queue on disk."""

from typing import Any, Final

from observability.parts.edge import EdgeSettings
from observability.parts.otel_collector import AUTHORITY_FILE, TOKEN_FILE, TOOLS

CREDENTIAL: Final = "bearertokenauth/edge"
"""The extension that adds a host's credential."""

ANY: Final = "0.0.0.0"  # noqa: S104 - in a container of its own, on the stack's network
"""Address on which the collector listens."""

STORAGE: Final = "file_storage/queue"
"""The extension that keeps the queues on disk."""

BACKOFF_LIMIT: Final = "10s"
"""The longest pause between two attempts; retries never end, so nothing that waits is lost."""


def credential() -> dict[str, Any]:
    """The extension by its name, on another host."""
    return {CREDENTIAL: {"filename": f"{TOOLS}/current/{TOKEN_FILE}"}}


def edge(settings: EdgeSettings, path: str = "") -> dict[str, Any]:
    """The edge as the receiver, with the host's credential; `path` is before that of the signal."""
    return {
        "endpoint": f"{settings.url}{path}",
        "auth": {"authenticator": CREDENTIAL},
        **({"tls": {"ca_file": f"{TOOLS}/current/{AUTHORITY_FILE}"}} if settings.authority else {}),
    }


def sending(queue_size: int, *, consumers: int, wait: bool) -> dict[str, Any]:
    """Time limits, retries and the queue, of so many bytes; `wait`: what sends to a full queue waits."""
    return {
        "timeout": "30s",
        "retry_on_failure": {
            "initial_interval": "500ms",
            "max_interval": BACKOFF_LIMIT,
            # 0: for ever; the default of 5 minutes loses what waits.
            "max_elapsed_time": 0,
        },
        "sending_queue": {
            "storage": STORAGE,
            "sizer": "bytes",
            "queue_size": queue_size,
            "block_on_overflow": wait,
            "num_consumers": consumers,
            "batch": {
                "sizer": "bytes",
                "min_size": 512 * 1024,
                "max_size": 2 * 1024**2,
                "flush_timeout": "1s",
            },
        },
    }
