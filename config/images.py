"""Every container image the stack runs, pinned; bump one in a commit that touches this file alone.

Sources of the newest versions: the releases page of each project. Pins are the newest that were seen to work here.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

PINS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "prometheus": "prom/prometheus:v3.15.0",
        "alertmanager": "prom/alertmanager:v0.34.2",
        "node-exporter": "prom/node-exporter:v1.12.1",
    }
)
"""Image reference by the name of the service that runs it."""
