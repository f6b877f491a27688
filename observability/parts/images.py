"""Every container image the stack runs, pinned in its part's file; the newest versions that were seen to work."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from observability.parts.registry import images

PINS: Final[Mapping[str, str]] = MappingProxyType({name: image.reference for name, image in images().items()})
"""Image reference by the name of the service that runs it."""

_DEMO: Final = Path(__file__).resolve().parents[2] / "demo"


def pinned(service: str) -> str:
    """Full reference of a service's image. The demo's names what it is built from: a changed file is another image."""
    if service != "demo":
        return PINS[service]
    files = sorted(path for path in _DEMO.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    digest = hashlib.sha256()
    for path in files:
        digest.update(f"{path.relative_to(_DEMO)}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return f"{PINS[service]}-{digest.hexdigest()[:8]}"
