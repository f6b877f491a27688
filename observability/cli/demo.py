"""`obs demo`: the example systems that a stack can watch, as separate containers."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console

from demo.tenant.options import read, require
from observability.cli.common import AsJson, Stack, print_rows

if TYPE_CHECKING:
    from demo.tenant.tenant import Tenant

app = typer.Typer(
    help="The demo: five example systems in containers of their own, which a stack watches like any others.",
    no_args_is_help=True,
)
out = Console(highlight=False, soft_wrap=True)
err = Console(highlight=False, soft_wrap=True, stderr=True)

NAME: Final = "demo"


@app.command()
def up(stack: Stack = "dev") -> None:
    """Start the demo, with or without its stack, and wait until it is healthy."""
    _up(stack, err)
    for name, address in COMPANION.addresses(stack).items():
        out.print(f"  {name:<14} {address}")


@app.command()
def down(
    stack: Stack = "dev",
    volumes: Annotated[bool, typer.Option("--volumes", help="Remove its data and passwords as well.")] = False,
) -> None:
    """Remove the demo's containers and network; the stack that watches it stays as it is."""
    require(stack)
    COMPANION.down(stack, err, volumes=volumes)


@app.command()
def status(stack: Stack = "dev", as_json: AsJson = False) -> None:
    """Show the demo's containers; exit code 1 where one is not healthy."""
    from observability.operations.preflight import connect

    found = _tenant(stack).states(connect())
    colours = {state.state: "green" if state.ok else "red" for state in found}
    print_rows([asdict(state) for state in found], as_json=as_json, colours=colours)
    if not all(state.ok for state in found):
        raise typer.Exit(1)


class _Demo:
    """The demo as a companion of a stack; see `observability.cli.beside`."""

    name: Final = NAME
    app: Final = app

    def prepare(self, stack: str) -> None:
        """Store the secrets with which the stack watches the demo, if the stack's file asks for it."""
        if read(stack) is not None:
            _store_secrets(stack)

    def plan(self, stack: str) -> list[str]:
        """The changes to its containers, if the stack's file asks for it."""
        from observability.operations.preflight import connect

        return _tenant(stack).plan(connect()) if read(stack) is not None else []

    def up(self, stack: str, console: Console) -> None:
        """Bring it up if the stack's file asks for it."""
        if read(stack) is not None:
            _up(stack, console)

    def down(self, stack: str, console: Console, *, volumes: bool) -> None:
        """Remove it if the stack's file asks for it."""
        from observability.operations.preflight import connect

        if read(stack) is None:
            return
        removed = _tenant(stack).down(connect(), volumes=volumes)
        console.print(f"{NAME}: " + (f"removed {', '.join(removed)}" if removed else "was not there"), markup=False)

    def addresses(self, stack: str) -> dict[str, str]:
        """Its addresses for the user."""
        found = read(stack)
        return {NAME: found.shop_address} if found is not None else {}


COMPANION: Final = _Demo()


def _tenant(stack: str) -> "Tenant":
    from demo.tenant.tenant import Tenant
    from observability.operations.home import Home

    options = require(stack)
    return Tenant(options=options, folder=Home.find().folder / NAME / options.name)


def _up(stack: str, console: Console) -> None:
    """Bring it up and store its secrets for the stack; exit code 1 where a container fails."""
    from demo.tenant.containers import TenantError

    tenant = _tenant(stack)
    changes: list[str] = []

    def say(line: str) -> None:
        changes.append(line)
        console.print(f"  {line}", markup=False)

    try:
        found = tenant.up(console, say)
    except TenantError as error:
        console.print(str(error), style="red", markup=False)
        raise typer.Exit(1) from error
    _store_secrets(stack)
    console.print(f"{NAME}: {len(changes)} changes, {len(found)} containers healthy", markup=False)


def _store_secrets(stack: str) -> None:
    """Store the changed ones of the secrets with which the stack watches the demo, as `obs secret set` does."""
    from observability.operations.home import Home

    tenant, home = _tenant(stack), Home.find()
    stored = home.secrets(stack)
    for name, value in tenant.stack_secrets(stack).items():
        if tenant.owns(stack, name, stored.get(name)) and stored.get(name) != value:
            home.set_secret(stack, name, value)
