"""What runs beside a stack without being part of it, where the stack's file asks for it.

A module of this package that has `BESIDE` brings one: its commands, and what `up` and `down` of the stack do for it.
"""

import importlib
import pkgutil
from collections.abc import Mapping
from typing import Protocol

import typer
from rich.console import Console

import observability.cli as package


class Beside(Protocol):
    """One such thing; each method does nothing where the stack's file does not ask for it."""

    @property
    def name(self) -> str:
        """Name of its command group."""

    @property
    def app(self) -> typer.Typer:
        """Its own commands."""

    def up(self, stack: str, console: Console) -> None:
        """Bring it up before the stack, and store the secrets by which the stack watches it."""

    def down(self, stack: str, console: Console, *, volumes: bool) -> None:
        """Remove it after the stack; with `volumes` its data as well."""

    def addresses(self, stack: str) -> Mapping[str, str]:
        """Where a person opens it, by name."""


def found() -> list[Beside]:
    """All of them, by the name of their module."""
    modules = sorted(one.name for one in pkgutil.iter_modules(package.__path__) if not one.name.startswith("__"))
    skipped = {"app", "beside"}
    imported = (importlib.import_module(f"{package.__name__}.{name}") for name in modules if name not in skipped)
    return [module.BESIDE for module in imported if hasattr(module, "BESIDE")]
