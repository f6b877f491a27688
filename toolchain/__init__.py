"""Obtains what a new machine may lack: Docker Engine, the Pulumi CLI, its Docker plugin, the images.

Each is obtained the official way first. If that is refused, from package registries: Debian packages, Go modules.
"""

import importlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from toolchain.cache import cache_dir
    from toolchain.obtain import Finding, Toolchain, ensure, ensure_images, foresee, inspect
    from toolchain.report import ConsoleReport, Report

__all__ = [
    "ConsoleReport",
    "Finding",
    "Report",
    "Toolchain",
    "cache_dir",
    "ensure",
    "ensure_images",
    "foresee",
    "inspect",
]

_MODULES: Final = {
    "cache_dir": "cache",
    "ensure": "obtain",
    "ensure_images": "obtain",
    "foresee": "obtain",
    "inspect": "obtain",
    "Finding": "obtain",
    "Toolchain": "obtain",
    "ConsoleReport": "report",
    "Report": "report",
}


def __getattr__(name: str) -> object:
    """Import on first use: the stand-in plugin starts in this package on every run and needs none of it."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    return value
