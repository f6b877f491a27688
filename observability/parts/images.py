"""Every container image of the stack, pinned in its part's file; the newest versions known to work."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from observability.parts.registry import images

PINS: Final[Mapping[str, str]] = MappingProxyType({name: image.reference for name, image in images().items()})
"""Image reference by the name of the service that runs it."""


def pinned(service: str) -> str:
    """Full reference of a service's image."""
    return PINS[service]
