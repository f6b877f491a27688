"""Thresholds of hosts, containers, data stores, proxies, endpoints and the stack itself: every system has them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from observability.systems.hosts import CONTAINERS, HOSTS
from observability.systems.logs import LOGS
from observability.systems.stack import ENDPOINTS, STACK
from observability.systems.stores import STORES
from observability.systems.threshold_spec import ThresholdSpec

INFRASTRUCTURE: Final[Mapping[str, ThresholdSpec]] = MappingProxyType(
    {**HOSTS, **CONTAINERS, **STORES, **LOGS, **ENDPOINTS, **STACK}
)
"""Every threshold that does not depend on a system's own metrics."""
