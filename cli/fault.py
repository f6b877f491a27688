"""`obs fault`: switch the faults of the demo, over the port on which it takes such orders."""

from typing import Annotated, Any, Final

import typer
from rich.console import Console

from config.errors import ConfigError
from config.load import StackConfig
from demo.faults import FAULTS, seconds

SYSTEM: Final = "social-selling"
"""The one system whose faults are ours to switch."""

ANSWER_SECONDS: Final = 5.0

out = Console(highlight=False, soft_wrap=True)


class UnreachableError(Exception):
    """The demo did not answer as it should; the message says how."""


def fault(
    system: Annotated[str, typer.Argument(help=f"The system: {SYSTEM}.")] = SYSTEM,
    name: Annotated[str | None, typer.Argument(help=f"The fault: {', '.join(FAULTS)}.")] = None,
    duration: Annotated[str, typer.Option("--for", help="How long, like 90s, 10m or 1h.")] = "10m",
    off: Annotated[bool, typer.Option("--off", help="Switch it off.")] = False,
    listed: Annotated[bool, typer.Option("--list", help="List the faults and which are on.")] = False,
    stack: Annotated[str, typer.Option(help="The stack whose demo it is.")] = "dev",
) -> None:
    """Make the demo misbehave, for a while: it stops by itself."""
    from cli.home import Home

    _check(system, name, duration, off=off)
    address = demo_address(Home.find().config(stack))
    try:
        if name is None or listed:
            faults = ask("GET", f"{address}/faults")
        elif off:
            faults = ask("DELETE", f"{address}/faults/{name}")
        else:
            faults = ask("POST", f"{address}/faults/{name}", duration=duration)
    except UnreachableError as error:
        out.print(f"the demo of {stack} does not answer at {address}: {error}", style="red", markup=False)
        out.print(f"see how it is: ./obs status {stack}")
        raise typer.Exit(1) from error
    for known, state in faults.items():
        if listed or name in (None, known):
            now = f"on until {state['until']}" if state["on"] else "off"
            out.print(f"{known:<14} {now:<30} {state['does']}", markup=False)


def _check(system: str, name: str | None, duration: str, *, off: bool) -> None:
    """ConfigError where there is no such system, fault or duration."""
    if system != SYSTEM:
        raise ConfigError(f"there is no system {system!r} with faults to switch", f"use {SYSTEM}")
    if name is not None and name not in FAULTS:
        raise ConfigError(f"there is no fault {name!r}", f"use one of {', '.join(FAULTS)}")
    if off and name is None:
        raise ConfigError("--off needs the fault that is to end", f"use one of {', '.join(FAULTS)}")
    try:
        seconds(duration)
    except ValueError as error:
        what, _, mend = str(error).partition("; ")
        raise ConfigError(f"--for: {what}", mend or "ask for less than a day") from error


def demo_address(config: StackConfig) -> str:
    """Where the stack's demo takes orders; ConfigError where it has none."""
    if not config.runs("demo"):
        raise ConfigError(f"the stack {config.stack} has no demo", "only a dev stack has one; see ./obs fault --help")
    host = config.settings.bind_address
    return f"http://{'127.0.0.1' if host.is_unspecified else host}:{config.settings.demo.fault_port}"


def ask(method: str, url: str, *, duration: str | None = None) -> dict[str, Any]:
    """The demo's faults by name, after it has done what it was asked; UnreachableError where it did not."""
    import httpx

    try:
        params = {"for": duration} if duration else None
        answer = httpx.request(method, url, params=params, timeout=ANSWER_SECONDS, trust_env=False)
        answer.raise_for_status()
        faults: dict[str, Any] = answer.json()["faults"]
    except (httpx.HTTPError, ValueError, KeyError) as error:
        raise UnreachableError(str(error) or type(error).__name__) from error
    return faults
