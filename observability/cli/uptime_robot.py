"""`obs uptimerobot`: the monitors at UptimeRobot, which `obs up` keeps as declared."""

from typing import TYPE_CHECKING, Annotated

import typer

from observability.cli.common import AsJson, Stack, err, out, print_json, say_error
from observability.core.errors import ConfigError

if TYPE_CHECKING:
    from observability.operations.home import Home
    from observability.settings.load import StackConfig


def uptimerobot(
    stack: Stack = "dev",
    remove: Annotated[bool, typer.Option("--remove", help="Remove the stack's monitors.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make UptimeRobot's monitors what the settings declare, as `up` does, and name the endpoints that have none."""
    from observability.alerting.uptime_robot import unwatched
    from observability.operations.home import Home
    from observability.operations.uptime_robot import Client, UptimeRobotError, apply
    from observability.settings.uptime_robot import SECRET

    home = Home.find()
    config = home.config(stack)
    home.read_sources(config)
    key = home.secrets(stack).get(SECRET)
    if key is None:
        raise ConfigError(f"{stack} has no key of UptimeRobot", f"run: ./obs secret set {SECRET} {stack}")
    changes: list[str] = []
    try:
        for change in apply(home, config, Client(key), remove=remove):
            err.print(f"  {change}", markup=False)
            changes.append(change)
    except UptimeRobotError as error:
        say_error(error.what, error.fix)
        raise typer.Exit(1) from None
    missing = () if remove else unwatched(config)
    if as_json:
        print_json({"changes": changes, "unwatched": [{"name": name, "reason": why} for name, why in missing]})
        return
    for name, why in missing:
        out.print(f"  not watched from outside: {name}: {why}", style="yellow", markup=False)
    count = len(changes)
    out.print(f"{stack}: {count} change{'s' * (count > 1)}" if changes else f"{stack}: no change")


def after_up(home: "Home", config: "StackConfig") -> bool:
    """Synchronize the monitors at the end of `up`, where the key is stored; whether that went well."""
    from observability.alerting.uptime_robot import unwatched
    from observability.operations.uptime_robot import Client, UptimeRobotError, apply, left
    from observability.settings.uptime_robot import SECRET

    key = home.secrets(config.stack).get(SECRET)
    if key is None:
        names = left(home, config.stack)
        if names:
            err.print(
                f"  UptimeRobot still has {', '.join(names)}, and the key to remove them is not stored: store it "
                f"again and run ./obs uptimerobot {config.stack} --remove, or remove them there",
                style="yellow",
                markup=False,
            )
        return True
    try:
        for change in apply(home, config, Client(key)):
            err.print(f"  UptimeRobot: {change}", markup=False)
    except UptimeRobotError as error:
        say_error(error.what, error.fix)
        return False
    for name, why in unwatched(config):
        err.print(f"  not watched from outside: {name}: {why}", style="yellow", markup=False)
    return True
