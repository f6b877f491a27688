"""`obs unlock`: repair the record of a stack after an update that was killed."""

from typing import Annotated

import typer

from observability.cli.common import Stack, out
from observability.core.errors import ConfigError
from observability.settings import load


def unlock(
    stack: Stack = "dev",
    force: Annotated[
        bool,
        typer.Option("--force", help="Remove a lock of another machine too, which cannot be asked whether it runs."),
    ] = False,
) -> None:
    """Remove the lock of an update that was killed, and put the newest whole record in the place of a damaged one."""
    from observability.operations.home import Home
    from observability.operations.state import State, read

    load.stack_file(stack)
    home = Home.find()
    state = State.of(home, stack)
    if state is None:
        raise ConfigError(
            f"the record of {stack} is not in a folder of this machine: PULUMI_BACKEND_URL names another backend",
            f'unlock it there: eval "$(./obs env {stack})" && pulumi cancel --yes',
        )
    done = state.unlock(force=force)
    another = False
    if done or state.damage is not None:
        # The next update compares everything in Docker with the record.
        home.begin_update(stack)
    if state.damage is not None:
        another = state.newest is None
        done.append(state.set_aside() if another else str(state.restore()))
    for line in done:
        out.print(line, markup=False)
    if another:
        out.print(
            f"next: ./obs up {stack}, which begins another record: it makes every container and network of {stack} "
            "anew, and keeps the volumes with the data",
            markup=False,
        )
        return
    if not state.file.is_file():
        out.print(f"{stack}: nothing is locked, and there is no record: it was never started from {home.folder}")
        return
    record = read(state.file, stack)
    if done:
        out.print(
            f"next: ./obs up {stack}, which goes on from {record}: a container that this does not have, or that "
            "differs from it, is made anew, and all others go on running",
            markup=False,
        )
    else:
        out.print(f"{stack}: nothing is locked, and {record} is whole", markup=False)
