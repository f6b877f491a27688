"""Groups of commands: one with a default command, and one in the order of registration."""

from typing import Any

from typer.core import TyperGroup


class DefaultGroup(TyperGroup):
    """Runs the first command of the group where none is named: `obs oncall prod` is `obs oncall show prod`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - typer's own context
        """Insert the default command where the arguments name none; -h and --help belong to the group."""
        if not (args and (args[0] in self.commands or args[0] in ctx.help_option_names)):
            args = [next(iter(self.commands)), *args]
        found: list[str] = super().parse_args(ctx, args)
        return found


class OrderedGroup(TyperGroup):
    """Lists its commands in the order of use, which `ORDER` of a subclass states."""

    ORDER: tuple[str, ...] = ()

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401 - typer's own context
        """Names of the commands; those that `ORDER` does not name come last."""
        found: list[str] = super().list_commands(ctx)
        return sorted(found, key=lambda name: self.ORDER.index(name) if name in self.ORDER else len(self.ORDER))
