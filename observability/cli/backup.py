"""`obs backup`, `obs backups` and `obs restore`: copies of what a stack has stored."""

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from observability.cli.common import AsJson, Stack, err, out, print_json, print_rows
from observability.core.errors import ConfigError

if TYPE_CHECKING:
    import docker

    from observability.operations.backup import Snapshot
    from observability.operations.home import Home
    from observability.operations.restore import Target
    from observability.settings.load import StackConfig


def backup(stack: Stack = "dev", as_json: AsJson = False) -> None:
    """Back up a running stack now: metrics, lines, silences, Grafana, and its part of the data folder."""
    from observability.operations import backup as operation
    from observability.operations.home import Home
    from observability.operations.preflight import connect

    home = Home.find()
    config = home.config(stack)
    container = operation.container_of(connect(), config)
    operation.hand_over(container, home, stack)
    code = operation.run_now(container, lambda line: err.print(line, markup=False))
    if code == operation.BUSY:
        raise ConfigError(f"a backup of {stack} is running already", f"follow it: ./obs logs backup {stack} --follow")
    made = operation.listed(container)[-1] if code == 0 else None
    if as_json:
        print_json({"stack": stack, "succeeded": made is not None, "snapshot": row(made) if made else None})
    elif made:
        out.print(f"{stack}: snapshot {made.id}, {operation.size(made.size)}", markup=False)
    if made is None:
        raise typer.Exit(1)


def backups(stack: Stack = "dev", as_json: AsJson = False) -> None:
    """List the backups of a stack in its repository."""
    from observability.operations import backup as operation
    from observability.operations.home import Home

    home = Home.find()
    config = home.config(stack)
    _check_set(config)
    try:
        from observability.operations.preflight import connect

        found = operation.listed(operation.container_of(connect(), config))
    except ConfigError as error:
        if "does not run" not in str(error):
            raise
        with target_of(config, home)[1].container() as container:
            found = operation.listed(container)
    rows = [row(one) for one in found]
    if not as_json:
        for one in rows:
            one["size"], one["added"] = operation.size(one["size"]), operation.size(one["added"])
    print_rows(rows, as_json=as_json)
    if not found and not as_json:
        out.print(f"there is no backup of {stack} yet", markup=False)


def row(snapshot: "Snapshot") -> dict[str, Any]:
    """A snapshot as a row; sizes in bytes."""
    return {
        "id": snapshot.id,
        "time": f"{snapshot.time:%Y-%m-%d %H:%M:%S} UTC",
        "size": snapshot.size,
        "added": snapshot.added,
    }


def restore(
    stack: Stack = "dev",
    snapshot: Annotated[str, typer.Option("--snapshot", help="Id of a backup, as `obs backups` lists it.")] = "latest",
    only: Annotated[
        str, typer.Option("--only", help="Only these, separated by commas: services like prometheus, or state.")
    ] = "",
    stop: Annotated[
        bool, typer.Option("--stop", help="Stop the containers that use the data, and start them again at the end.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Put a backup back: data that it replaces is kept until all of the new is in its place."""
    from observability.operations import backup as operation
    from observability.operations import restore as restoring
    from observability.operations.home import Home

    begin = time.monotonic()
    home = Home.find()
    config = home.config(stack)
    _check_set(config)
    names = [name for name in only.replace(" ", "").split(",") if name]
    plan = restoring.plan(config, names, has_state=home.made(stack))
    client, target = target_of(config, home)
    running = restoring.users(client, stack, plan.services)
    if not stop:
        restoring.refuse_running(running, stack)
    with target.container() as container:
        found = operation.chosen(operation.listed(container), snapshot, stack)
        state = restoring.read_state(container, found) if plan.state else None
    aside = restoring.put_state(home, stack, state) if state is not None else None
    code = _put_back(config, home, found, plan, running) if plan.services else 0
    if as_json:
        print_json(
            {
                "stack": stack,
                "snapshot": found.id,
                "restored": [*plan.services, *(("state",) if state is not None else ())] if code == 0 else [],
                "stopped": [str(one.name) for one in running],
                "replaced": str(aside) if aside else None,
                "seconds": round(time.monotonic() - begin, 1),
            }
        )
    elif code == 0:
        took = time.monotonic() - begin
        out.print(f"{stack}: restored snapshot {found.id} of {row(found)['time']} in {took:.0f} s", markup=False)
        if aside:
            out.print(f"  what it replaced in the data folder is in {aside}", markup=False)
        if not running:
            out.print(f"  next: ./obs up {stack}", markup=False)
    if code:
        raise typer.Exit(1)


def _put_back(config: "StackConfig", home: "Home", found: "Snapshot", plan: Any, running: Any) -> int:  # noqa: ANN401
    """Restore the volumes, with the containers that use them stopped; returns the exit code."""
    from observability.operations import restore as restoring

    client, target = target_of(config, home, plan.services)
    for one in running:
        err.print(f"  stopping {one.name}", markup=False)
        one.stop(timeout=30)
    try:
        with target.container() as container:
            return restoring.restore(container, found, plan, lambda line: err.print(f"  {line}", markup=False))
    finally:
        for one in running:
            err.print(f"  starting {one.name}", markup=False)
            client.containers.get(str(one.name)).start()


def _check_set(config: "StackConfig") -> None:
    """ConfigError where the settings name no repository, or its password is not stored."""
    settings = config.settings.part("backup")
    if settings.repository is None:
        raise ConfigError(
            f"{config.stack} has no repository of backups",
            f"set observability:backup.repository in Pulumi.{config.stack}.yaml",
        )
    for _, name in settings.wanted_secrets:
        if name in config.missing:
            raise ConfigError(
                f"the secret {name} is missing, without which the repository cannot be read",
                f"run: ./obs secret set {name} {config.stack}",
            )


def target_of(
    config: "StackConfig",
    home: "Home",
    services: Any = (),  # noqa: ANN401 - names
) -> "tuple[docker.DockerClient, Target]":
    """Where a restore runs, with restic's image there and the volumes of these services made."""
    import toolchain
    from observability.operations import restore as restoring
    from observability.parts.restic import RESTIC

    images = {RESTIC.name: config.settings.image(RESTIC.name)}
    client, left_out = toolchain.ensure_images(images, {RESTIC.name: RESTIC.recipe} if RESTIC.recipe else {})
    if reason := left_out.get(RESTIC.name):
        raise ConfigError(f"the image of the backup is not available: {reason}", "see ./obs doctor")
    volumes = restoring.make_volumes(client, config.stack, services)
    return client, restoring.Target(client=client, config=config, secrets=home.secrets(config.stack), volumes=volumes)
