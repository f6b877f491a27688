"""`obs up`, `preview` and `down`: what creates, changes and removes a stack."""

from typing import TYPE_CHECKING, Annotated

import typer

from observability.cli import beside
from observability.cli.common import Stack, err, out, say_error
from observability.core.errors import ConfigError
from observability.settings import load

if TYPE_CHECKING:
    from observability.settings.load import StackConfig

BESIDE = beside.found()


SkipCheck = Annotated[
    bool,
    typer.Option("--skip-check", envvar="OBS_SKIP_CHECK", help="Leave out `obs check`; servers still check files."),
]


def up(stack: Stack = "dev", skip_check: SkipCheck = False) -> None:
    """Create or update a stack, wait until it is healthy, and print its addresses."""
    from components.stack import addresses
    from observability.operations import parts
    from observability.operations.operation import Operation

    load.stack_file(stack)
    if not skip_check:
        check_first(stack)
    _prepare_beside(stack)
    operation = Operation.prepare(stack, err, to_run=True)
    for companion in BESIDE:
        companion.up(stack, err)
    operation.home.remember_made(stack)
    outcome = operation.run("up")
    bad = [state for state in operation.wait() if not state.ok]
    total = sum(outcome.changes.values())
    out.print(f"{stack}: {outcome.changed} changes, {total - outcome.changed} resources unchanged")
    for state in bad:
        say_error(f"{state.service} is {state.state}", f"see its log: ./obs logs {state.service} {stack}")
    if bad:
        raise typer.Exit(1)
    opened = [addresses(operation.config), *(companion.addresses(stack) for companion in BESIDE)]
    for service, address in (pair for found in opened for pair in found.items()):
        out.print(f"  {service:<14} {address}")
    out.print(f"  {'secrets':<14} {operation.home.folder} (state, passphrase and stored secrets; keep it)")
    for path, _, detail in parts.receivers(operation.config):
        out.print(f"  {path}: {detail}", style="yellow", markup=False)


def preview(
    stack: Stack = "dev",
    refresh: Annotated[bool, typer.Option("--refresh", help="Look for what was changed by hand as well.")] = False,
    offline: Annotated[
        bool, typer.Option("--offline", help="List what is declared, without Docker, the CLI or any secret.")
    ] = False,
    skip_check: SkipCheck = False,
) -> None:
    """Show what `up` would change, and change nothing."""
    load.stack_file(stack)
    if not skip_check:
        check_first(stack)
    if offline:
        _declared(stack)
        return
    from observability.operations.operation import Operation

    _prepare_beside(stack)
    outcome = Operation.prepare(stack, err).run("preview", refresh=refresh)
    out.print(f"{stack}: {outcome.changed} changes, {sum(outcome.changes.values()) - outcome.changed} unchanged")


def down(
    stack: Stack = "dev",
    volumes: Annotated[bool, typer.Option("--volumes", help="Remove the data as well. There is no way back.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for the stack's name; for scripts.")] = False,
    adopt: Annotated[
        bool, typer.Option("--adopt", help="Remove a stack that was not created from this data folder.")
    ] = False,
) -> None:
    """Remove a stack's containers and network; its data stays unless you say otherwise."""
    from observability.operations.home import Home
    from observability.operations.operation import Operation

    config = Home.find().config(stack)
    _check_ours(config, adopt=adopt)
    if volumes and not yes:
        _confirm(config)
    _prepare_beside(stack)
    operation = Operation.prepare(stack, err, complete=False)
    operation.run("down", with_data=volumes)
    for name in operation.sweep():
        err.print(f"  removed {name}, which the state did not know", markup=False)
    removed = operation.remove_volumes() if volumes else []
    out.print(f"{stack}: down" + (f", {len(removed)} volumes removed" if volumes else "; volumes kept"))
    for companion in BESIDE:
        companion.down(stack, err, volumes=volumes)


def _prepare_beside(stack: str) -> None:
    """Store the secrets by which the stack watches what runs beside it."""
    for companion in BESIDE:
        companion.prepare(stack)


def _declared(stack: str) -> None:
    """List every resource that the program declares, and what is missing before `up` can create it."""
    from observability.cli.look import load_all
    from observability.synth.record import record

    config, rules = load_all(stack)
    declared = record(config, rules)
    for resource in declared:
        out.print(f"  {resource.type.rpartition(':')[2]:<24} {resource.name}", markup=False)
    out.print(f"{stack}: {len(declared)} resources declared, {len(config.systems)} systems watched")
    for missing in config.unplaced:
        reason = missing.reason or "declared, and placed nowhere"
        out.print(f"  not watched: {missing.what} of {missing.system}: {reason}", markup=False)
    for name, why in config.missing.items():
        out.print(f"  secret missing: {name}, needed by {why}", markup=False)


def check_first(stack: str) -> None:
    """Run `obs check` for a stack; ConfigError with the first problem where there is one.

    Content that passed before and has not changed since is not checked again.
    """
    from observability.check.passed import check_once
    from observability.operations.home import Home

    home = Home.find()
    problems = check_once(home.config(stack), home.folder)
    if not problems:
        return
    for problem in problems[1:]:
        say_error(str(problem), f"    fix: {problem.fix}")
    first = problems[0]
    raise ConfigError(str(first), f"{first.fix}; ./obs check shows all {len(problems)} problems, nothing was changed")


def _check_ours(config: "StackConfig", *, adopt: bool) -> None:
    """ConfigError where Docker has objects of this stack and this data folder never created one of that name."""
    from observability.operations.home import Home
    from observability.operations.preflight import connect, objects_of

    home = Home.find()
    if adopt or home.made(config.stack):
        return
    found = objects_of(connect(), config.stack)
    if found:
        raise ConfigError(
            f"the stack {config.stack} that runs here ({len(found)} objects, {found[0]} among them) was not created "
            f"from the data folder {home.folder}",
            "set OBS_DATA_DIR to the folder it was created from; or remove it all the same, with --adopt",
        )


def _confirm(config: "StackConfig") -> None:
    """Ask for the name of a stack in prod; ConfigError where another is typed, or nobody can be asked."""
    import sys

    if config.settings.environment != "prod":
        return
    what = f"down --volumes removes all data of {config.stack}, an environment of type prod"
    if not sys.stdin.isatty():
        raise ConfigError(f"{what}, and nobody can be asked", "add --yes where a script is to do it")
    if typer.prompt(f"{what}; type the stack's name to confirm") != config.stack:
        raise ConfigError("that is not the stack's name; nothing was removed", "run the command again")
