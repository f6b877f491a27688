"""`obs fault`: switches the faults of the demo's systems, over the demo's port for faults."""

from collections.abc import Collection, Mapping
from typing import Annotated, Any, Final

import typer
from rich.console import Console

from demo.alerts import Alert
from demo.faults import Fault, seconds
from demo.systems import FAULTS
from demo.tenant import options
from observability.cli.common import AsJson, Stack, err, print_json, stack_last
from observability.core import http
from observability.core.documents import nearest
from observability.core.errors import ConfigError

ANSWER_SECONDS: Final = 5.0

SPARE_MINUTES: Final = 5
"""Default time for which a fault stays on after its alerts have fired."""

Listed = Mapping[str, Mapping[str, Any]]
"""By system and fault: until when it is on, as reported by the demo."""

out = Console(highlight=False, soft_wrap=True)


class UnreachableError(Exception):
    """The demo did not respond as expected; the message has the details."""


def fault(
    system: Annotated[str | None, typer.Argument(help=f"The system: {', '.join(FAULTS)}.")] = None,
    name: Annotated[str | None, typer.Argument(help="The fault; --list names them.")] = None,
    stack: Stack = "dev",
    duration: Annotated[
        str | None, typer.Option("--for", help="Duration, like 90s, 10m or 1h; default: until its alerts fire.")
    ] = None,
    off: Annotated[bool, typer.Option("--off", help="End it now.")] = False,
    listed: Annotated[bool, typer.Option("--list", help="List the faults, and the alerts that each raises.")] = False,
    as_json: AsJson = False,
) -> None:
    """Start a fault in a system of the demo; it ends by itself. Without a fault: list the active ones."""
    (system, name), stack = stack_last((system, name), stack)
    _check(system, name, duration, off=off)
    if listed:
        _list(system, name, as_json=as_json)
        return
    address = options.require(stack).faults_address
    try:
        if name is None:
            _show(ask("GET", f"{address}/faults"), system, as_json=as_json)
            return
        one = FAULTS[str(system)][name]
        lasts = duration or f"{one.minutes + SPARE_MINUTES}m"
        method, until = ("DELETE", None) if off else ("POST", lasts)
        state = ask(method, f"{address}/faults/{system}/{name}", duration=until)[str(system)][name]
    except UnreachableError as error:
        console = err if as_json else out
        console.print(f"the demo of {stack} does not answer at {address}: {error}", style="red", markup=False)
        console.print(f"see how it is: ./obs demo status {stack}")
        raise typer.Exit(1) from error
    if as_json:
        print_json({**_document(str(system), one), "until": state["until"] or None})
        return
    _say(name, state)
    if not off:
        _expect(one, seconds(lasts))


def _expect(one: Fault, lasts: float) -> None:
    """The alerts that will fire, and when."""
    if not one.raises:
        out.print("no alert is to fire")
        return
    out.print(f"expect {_alerts(one.raises)} within {one.minutes} minutes")
    if lasts < one.minutes * 60:
        out.print(f"it may end before that: --for {one.minutes + SPARE_MINUTES}m would not", style="yellow")


def _check(system: str | None, name: str | None, duration: str | None, *, off: bool) -> None:
    """ConfigError where there is no such system, fault or duration."""
    if system is not None and system not in FAULTS:
        raise _unknown(f"there is no system {system!r} with faults to switch", system, FAULTS)
    known = FAULTS[system] if system is not None else {}
    if name is not None and name not in known:
        raise _unknown(f"{system} has no fault {name!r}", name, known)
    if off and name is None:
        raise ConfigError(
            "--off needs the system and the fault that is to end",
            "see which are on with ./obs fault, then: ./obs fault SYSTEM FAULT --off",
        )
    try:
        seconds(duration or "10m")
    except ValueError as error:
        what, _, fix = str(error).partition("; ")
        raise ConfigError(f"--for: {what}", fix or "ask for less than a day") from error


def _unknown(what: str, given: str, known: Collection[str]) -> ConfigError:
    return ConfigError(what, f"{nearest(given, known)}use one of {', '.join(known)}")


def _document(system: str, one: Fault) -> dict[str, Any]:
    """A fault and its alerts, as JSON; `minutes` until all of them fire."""
    return {
        "system": system,
        "fault": one.name,
        "does": one.does,
        "raises": [{"alert": alert.name, "severity": alert.severity} for alert in one.raises],
        "may_raise": [{"alert": alert.name, "severity": alert.severity} for alert in one.may_raise],
        "minutes": one.minutes,
    }


def _list(system: str | None, name: str | None, *, as_json: bool) -> None:
    """Every fault, or the system's, or the named one."""
    if as_json:
        chosen = [
            (known, one) for known, faults in FAULTS.items() if system in (None, known) for one in faults.values()
        ]
        print_json([_document(known, one) for known, one in chosen if name in (None, one.name)])
        return
    for known, faults in FAULTS.items():
        if system in (None, known):
            out.print(known, style="bold", markup=False)
            for one in faults.values():
                if name in (None, one.name):
                    _describe(one)


def _describe(one: Fault) -> None:
    out.print(f"  {one.name:<38} {one.does}", markup=False)
    raised = _alerts(one.raises) or "no alert"
    later = f"; later perhaps {_alerts(one.may_raise)}" if one.may_raise else ""
    out.print(f"  {'':<38} → {raised}{later}", style="dim", markup=False)


def _alerts(alerts: Collection[Alert]) -> str:
    severities: dict[str, list[str]] = {}
    for alert in alerts:
        severities.setdefault(alert.name, []).append(alert.severity)
    return ", ".join(f"{name} ({', '.join(found)})" for name, found in severities.items())


def _show(faults: Listed, system: str | None, *, as_json: bool) -> None:
    """The faults that are on."""
    on = [
        (known, name, state)
        for known, found in faults.items()
        for name, state in found.items()
        if state["until"] and system in (None, known)
    ]
    if as_json:
        keys = ("until", "does")
        print_json(
            [{"system": known, "fault": name, **{key: state[key] for key in keys}} for known, name, state in on]
        )
        return
    for known, name, state in on:
        _say(f"{known} {name}", state)
    if not on:
        out.print("no fault is on; ./obs fault --list names them", markup=False)


def _say(name: str, state: Mapping[str, Any]) -> None:
    now = f"on until {state['until']}" if state["until"] else "off"
    out.print(f"{name:<38} {now:<30} {state['does']}", markup=False)


def ask(method: str, url: str, *, duration: str | None = None) -> Listed:
    """The demo's faults, after it has processed the request; UnreachableError where it did not."""
    import httpx

    try:
        params = {"for": duration} if duration else None
        answer = http.request(method, url, params=params, timeout=ANSWER_SECONDS, trust_env=False)
        answer.raise_for_status()
        faults: Listed = answer.json()["faults"]
    except (httpx.HTTPError, ValueError, KeyError) as error:
        raise UnreachableError(str(error) or type(error).__name__) from error
    return faults
