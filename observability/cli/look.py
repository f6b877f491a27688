"""Read-only commands, which inspect a stack or this machine."""

import os
import shlex
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console

from observability.cli.common import AsJson, Stack, out, print_json, print_rows
from observability.core.documents import nearest
from observability.core.errors import ConfigError
from observability.settings import load
from observability.settings.load import StackConfig

if TYPE_CHECKING:
    from observability.operations.rows import Row

_STATES = {"healthy": "green", "running": "green"}

_VERDICTS: Final = {
    "passed": ("ok", "green"),
    "failed": ("FAIL", "red"),
    "left out": ("left out", "yellow"),
    "warning": ("warning", "yellow"),
}
"""Text and colour of each verdict of a check."""

_NOT_JUDGED: Final = {"left out": "left out", "warning": "warnings"}
"""Verdicts that are neither passed nor failed, and their plural text."""


def synth(
    stack: Stack = "dev",
    out_dir: Annotated[Path, typer.Option("--out", help="Folder to write to.")] = Path("out"),
) -> None:
    """Write every generated file and every declared resource to a folder; needs no Docker, CLI or network."""
    from observability.synth.write import write

    config, rules = load_all(stack)
    written = write(config.without({}), rules, out_dir)
    out.print(f"{stack}: {len(written)} files in {out_dir}")


def verify(
    stack: Stack = "dev",
    quick: Annotated[bool, typer.Option("--quick", help="Leave out the check that sends an alert.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Fail on what is left out and on warnings as well.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check that the running stack works, one row per check; what is left out is not checked and counted apart."""
    from observability.operations.home import Home
    from observability.operations.preflight import connect
    from observability.operations.verify import Subject
    from observability.operations.verify import verify as checks
    from observability.synth.record import record

    config, rules = load_all(stack)
    secrets = Home.find().secrets(stack)
    subject = Subject(config=config, declared=record(config, rules, secrets), client=connect(), secrets=secrets)
    rows = []
    for row in checks(subject, quick=quick):
        rows.append(as_document(row))
        if not as_json:
            print_row(row)
    counted = Counter(str(row["verdict"]) for row in rows)
    if as_json:
        print_json(rows)
    else:
        judged = counted["passed"] + counted["failed"]
        others = "".join(f", {counted[one]} {many}" for one, many in _NOT_JUDGED.items() if counted[one])
        out.print(f"{counted['passed']} of {judged} checks passed{others}")
    if counted["failed"] or (strict and counted.total() > counted["passed"]):
        raise typer.Exit(1)


def as_document(row: "Row") -> dict[str, object]:
    """A row of `verify` as JSON."""
    return {
        "check": row.check,
        "ok": row.verdict != "failed",
        "verdict": row.verdict,
        "detail": row.detail,
        "fix": row.fix,
    }


def print_row(row: "Row", *, to: Console = out) -> None:
    """Print a row of `verify`: its verdict, the check, what was observed and what to do."""
    word, colour = _VERDICTS[row.verdict]
    to.print(f"[{colour}]{word:<8}[/{colour}] ", end="")
    to.print(f"{row.check:<44} {row.text}", markup=False)


def status(stack: Stack = "dev", as_json: AsJson = False) -> None:
    """Show every service with its health, memory and image."""
    from observability.operations.containers import states
    from observability.operations.hosts import Hosts
    from observability.operations.preflight import connect
    from observability.synth.record import on, record

    config, rules = load_all(stack)
    declared = record(config, rules)
    found = states(connect(), stack, on(declared, None), memory=True)
    found += Hosts.connect(config).states(declared)
    if as_json:
        print_json(
            [
                {
                    "service": state.service,
                    "state": state.state,
                    "ok": state.ok,
                    "memory_mib": round(state.memory_mib, 1),
                    "limit_mib": round(state.limit_mib, 1),
                    "image": state.image,
                }
                for state in found
            ]
        )
    else:
        rows = [
            {
                "service": state.service,
                "state": state.state,
                "memory": f"{state.memory_mib:.0f} MiB",
                "limit": f"{state.limit_mib:.0f} MiB",
                "image": state.image,
            }
            for state in found
        ]
        colours = {state.state: _STATES.get(state.state, "red") for state in found}
        print_rows(rows, as_json=False, colours=colours)
        out.print(f"memory in use: {sum(state.memory_mib for state in found):.0f} MiB")
    if not all(state.ok for state in found):
        raise typer.Exit(1)


def doctor(stack: Stack = "dev", as_json: AsJson = False) -> None:
    """Check this machine and the settings: what is present, what is missing, and how it would be obtained."""
    import toolchain
    from observability.alerting import uptime_robot
    from observability.operations import log_files, parts
    from observability.operations.home import Home

    config, rules = load_all(stack)
    findings = [("settings", True, f"Pulumi.{stack}.yaml is valid, {len(rules)} rule files")]
    findings.append(("systems", True, f"{len(config.systems)} watched: {', '.join(config.systems) or 'none'}"))
    for missing in config.unplaced:
        what = f"{missing.what} of {missing.system}"
        findings.append((what, missing.reason is not None, missing.reason or "declared, and placed nowhere"))
    for name, why in config.missing.items():
        findings.append((f"secret {name}", False, f"needed by {why}: ./obs secret set {name} {stack}"))
    findings += [(what, found != "failed", detail) for what, found, detail in parts.receivers(config)]
    findings += [(f"UptimeRobot {name}", True, f"left out: {why}") for name, why in uptime_robot.unwatched(config)]
    findings += log_files.local(config)
    findings += [(found.name, found.ok, found.detail) for found in toolchain.inspect(config.images)]
    findings.append(("data folder", True, str(Home.find().folder)))
    if as_json:
        print_json([{"name": name, "ok": ok, "detail": detail} for name, ok, detail in findings])
    else:
        for name, ok, detail in findings:
            out.print(f"{'[green]ok     [/green]' if ok else '[yellow]missing[/yellow]'} ", end="")
            out.print(f"{name:<24} {detail}", markup=False)
    if not all(ok for _, ok, _ in findings):
        raise typer.Exit(1)


def logs(
    service: Annotated[str, typer.Argument(help="A service, as `obs status` names it.")],
    stack: Stack = "dev",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Keep printing new lines; end with Ctrl-C.")] = False,
    tail: Annotated[int, typer.Option("--tail", min=1, help="Number of lines.")] = 100,
    since: Annotated[str | None, typer.Option("--since", help="Only lines of this period, like 10m or 2h.")] = None,
) -> None:
    """Print the last lines that a service of the stack has logged."""
    import time

    from observability.core.types import seconds
    from observability.operations.containers import of_stack
    from observability.operations.preflight import connect

    load.stack_file(stack)
    found = of_stack(connect(), stack)
    if service not in found:
        known = ", ".join(sorted(found)) or f"none: {stack} does not run; ./obs up {stack} creates it"
        raise ConfigError(
            f"{stack} has no container of a service {service!r}", f"{nearest(service, found)}here: {known}"
        )
    start: float | None = None
    if since is not None:
        try:
            start = time.time() - seconds(since)
        except ValueError as error:
            raise ConfigError(f"--since {since}: {error}".partition(";")[0], "write it like 90s, 10m or 2h") from None
    lines = found[service].logs(stream=True, follow=follow, tail=tail, since=start)
    try:
        for line in lines:
            sys.stdout.buffer.write(line)
            sys.stdout.flush()
    except KeyboardInterrupt:
        return


def env(stack: Stack = "dev") -> None:
    """Print the shell lines after which plain `pulumi up` works on the same stack: eval "$(./obs env dev)"."""
    import toolchain
    from observability.core import project
    from observability.operations.home import Home

    load_all(stack)
    home = Home.find()
    tools = toolchain.ensure({})
    folders = [str(folder) for folder in (tools.plugin_dir, tools.pulumi.parent) if folder is not None]
    variables = {**home.environment(), "PULUMI_STACK": stack}
    own = project.own()
    if own is not None:
        variables[project.VARIABLE] = str(own)
    for name, value in variables.items():
        sys.stdout.write(f"export {name}={shlex.quote(value)}\n")
    sys.stdout.write(f"export PATH={shlex.quote(os.pathsep.join(folders))}:$PATH\n")
    sys.stdout.write(f"cd {shlex.quote(str(home.refresh_project(stack)))}\n")


def load_all(stack: str) -> tuple[StackConfig, dict[str, str]]:
    """The stack's configuration and the rule files; ConfigError where either is invalid.

    Placeholders are used for missing secrets, which the configuration lists.
    """
    from dashboards.linked_rules import files
    from observability.operations.home import Home

    config = Home.find().config(stack)
    return config, files(config)
