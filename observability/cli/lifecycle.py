"""`obs up` and `obs down`: create, change and remove a stack."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from observability.cli import beside, uptime_robot
from observability.cli.common import AsJson, SkipCheck, Stack, err, out, print_json, say_error
from observability.cli.look import as_document, print_row
from observability.core.errors import ConfigError
from observability.settings import load

if TYPE_CHECKING:
    from observability.operations.containers import ServiceState
    from observability.operations.operation import Operation
    from observability.operations.rotation import Progress
    from observability.operations.rows import Row
    from observability.settings.load import StackConfig

BESIDE = beside.found()


def up(stack: Stack = "dev", skip_check: SkipCheck = False, as_json: AsJson = False) -> None:
    """Create or update a stack, wait until it is healthy, and print its addresses."""
    from observability.operations.operation import Operation
    from observability.operations.status_page import send

    load.stack_file(stack)
    if not skip_check:
        check_first(stack)
    prepare_beside(stack)
    operation = Operation.prepare(stack, err, to_run=True)
    for companion in BESIDE:
        companion.up(stack, err)
    operation.home.remember_made(stack)
    outcome = operation.run("up")
    bad, rows = _after(operation)
    repair = sorted({name for row in rows for name in row.repair})
    if repair:
        # What a server has in use is known only once it runs.
        outcome.add(operation.run("up", also=repair))
        bad, rows = _after(operation)
    while not (bad or any(row.verdict == "failed" and not row.passing for row in rows)):
        progress = operation.advance_rotations()
        _say_rotated(progress, stack)
        if not progress.again:
            break
        operation = Operation.prepare(stack, err, to_run=True)
        outcome.add(operation.run("up"))
        bad, rows = _after(operation)
    found_bad = [row for row in rows if row.verdict == "failed"]
    outside = uptime_robot.after_up(operation.home, operation.config)
    unsent = "" if bad else send(operation.config, operation.home)
    if reason := operation.keep_state():
        err.print(f"  the next backups have an older data folder: {reason}", style="yellow", markup=False)
    found = [operation.config.addresses, *(companion.addresses(stack) for companion in BESIDE)]
    opened = dict(pair for one in found for pair in one.items())
    if as_json:
        print_json(
            {
                "stack": stack,
                "changed": outcome.changed,
                "unchanged": outcome.unchanged,
                "operations": dict(outcome.changes),
                "unhealthy": [{"service": state.service, "state": state.state} for state in bad],
                "failed_checks": [as_document(row) for row in found_bad],
                "addresses": opened,
                "data_folder": str(operation.home.folder),
                "left_out": dict(operation.config.left_out),
                "not_watched": [asdict(one) for one in operation.config.unplaced],
            }
        )
    else:
        out.print(f"{stack}: {outcome.changed} changes, {outcome.unchanged} resources unchanged")
    for state in bad:
        say_error(f"{state.service} is {state.state}", f"see its log: ./obs logs {state.service} {stack}")
    for row in found_bad:
        print_row(row, to=err)
    if unsent:
        say_error(f"the status page lacks what is declared: {unsent}", f"run ./obs up {stack} again")
    if bad or unsent or not outside or any(not row.passing for row in found_bad):
        raise typer.Exit(1)
    if not as_json:
        _show(operation, opened)


def _after(operation: "Operation") -> "tuple[list[ServiceState], list[Row]]":
    """After an update: the services that are not well, and where all are, the rows of the quick `verify`."""
    bad = [state for state in operation.wait() if not state.ok]
    return bad, [] if bad else operation.verified()


def _say_rotated(progress: "Progress", stack: str) -> None:
    """What the end of an update means for the secrets that are being replaced."""
    for name in progress.ended:
        err.print(f"  {name}: the new value is in use, and the one before is in use nowhere", markup=False)
    for name, hosts in progress.waiting.items():
        late = ", ".join(hosts)
        err.print(
            f"  {name}: {late} has not sent with the new value yet, so the one before is accepted as well; "
            f"the next ./obs up {stack} that reaches it goes on",
            style="yellow",
            markup=False,
        )


def _show(operation: "Operation", opened: Mapping[str, str]) -> None:
    """The addresses of the stack's services, and what is missing from the stack."""
    from observability.operations import parts

    for service, address in opened.items():
        out.print(f"  {service:<14} {address}")
    out.print(f"  {'secrets':<14} {operation.home.folder} (state, passphrase and stored secrets; keep it)")
    for line in parts.not_watched(operation.config):
        out.print(f"  {line}", style="yellow", markup=False)
    for path, _, detail in parts.receivers(operation.config):
        out.print(f"  {path}: {detail}", style="yellow", markup=False)


def down(
    stack: Stack = "dev",
    volumes: Annotated[
        bool, typer.Option("--volumes", help="Remove the data as well. This cannot be undone.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for the stack's name; for scripts.")] = False,
    adopt: Annotated[
        bool, typer.Option("--adopt", help="Remove a stack that was not created from this data folder.")
    ] = False,
) -> None:
    """Remove a stack's containers and network; its data stays without --volumes."""
    from observability.operations.home import Home
    from observability.operations.operation import Operation

    config = Home.find().config(stack)
    _check_ours(config, adopt=adopt)
    if volumes and not yes:
        _confirm(config)
    prepare_beside(stack)
    operation = Operation.prepare(stack, err, complete=False)
    operation.run("down", with_data=volumes)
    for name in operation.sweep():
        err.print(f"  removed {name}, which the state did not know", markup=False)
    for name in operation.hosts.remove(volumes=volumes):
        err.print(f"  removed {name}", markup=False)
    removed = operation.remove_volumes() if volumes else []
    out.print(f"{stack}: down" + (f", {len(removed)} volumes removed" if volumes else "; volumes kept"))
    for companion in BESIDE:
        companion.down(stack, err, volumes=volumes)


def prepare_beside(stack: str) -> None:
    """Store the secrets with which the stack watches its companions."""
    for companion in BESIDE:
        companion.prepare(stack)


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
    """ConfigError where Docker has objects of this stack and this data folder never created a stack of that name."""
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
    """Ask for the name of a stack in prod; ConfigError where another is typed, or there is no terminal."""
    import sys

    if config.settings.environment != "prod":
        return
    what = f"down --volumes removes all data of {config.stack}, an environment of type prod"
    if not sys.stdin.isatty():
        raise ConfigError(f"{what}, and nobody can be asked", "add --yes where a script is to do it")
    if typer.prompt(f"{what}; type the stack's name to confirm") != config.stack:
        raise ConfigError("that is not the stack's name; nothing was removed", "run the command again")
