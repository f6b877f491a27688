"""Companions of a stack: they run next to it without being part of it, if the stack's file asks for them.

A module of this package that has `COMPANION` defines one: its commands, and the steps before and after the stack is
brought up or removed.
"""

import importlib
import pkgutil
from collections.abc import Mapping
from typing import Protocol

import typer
from rich.console import Console

import observability.cli as package


class Beside(Protocol):
    """One companion; each method does nothing where the stack's file does not ask for it."""

    @property
    def name(self) -> str:
        """Name of its command group."""

    @property
    def app(self) -> typer.Typer:
        """Its commands."""

    def prepare(self, stack: str) -> None:
        """Store the secrets with which the stack watches it; nothing is started."""

    def plan(self, stack: str) -> list[str]:
        """What `up` would do, one line each."""

    def up(self, stack: str, console: Console) -> None:
        """Bring it up, before the stack is."""

    def down(self, stack: str, console: Console, *, volumes: bool) -> None:
        """Remove it after the stack; with `volumes` its data as well."""

    def addresses(self, stack: str) -> Mapping[str, str]:
        """Its addresses for the user, by name."""


def found() -> list[Beside]:
    """All of them, by the name of their module."""
    modules = sorted(one.name for one in pkgutil.iter_modules(package.__path__) if not one.name.startswith("__"))
    skipped = {"app", "beside", "lifecycle"}
    imported = (importlib.import_module(f"{package.__name__}.{name}") for name in modules if name not in skipped)
    return [module.COMPANION for module in imported if hasattr(module, "COMPANION")]
