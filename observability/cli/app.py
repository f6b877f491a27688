"""The commands of `obs`. Exit codes: 0 done, 1 the stack is not as it should be, 2 wrong use or bad configuration."""

import os
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from dashboards.linked_rules import files as rule_files
from observability.cli import beside
from observability.cli.alert_test import alert_test
from observability.cli.check import check
from observability.cli.dashboards import dashboards
from observability.cli.fault import fault
from observability.cli.grafana_token import grafana_token
from observability.cli.mutes import mutes
from observability.cli.on_call import oncall, oncall_sync, oncall_verify
from observability.cli.route import route
from observability.cli.silences import app as silence_app
from observability.cli.systems import check_system, new_system
from observability.core.errors import ConfigError
from observability.settings import load
from observability.settings.load import StackConfig

# Commands import what they need when they run: `synth` must not wait for Docker's client or Pulumi's engine.

app = typer.Typer(
    name="obs",
    help="A complete monitoring stack, one per environment. STACK defaults to dev.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
secret_app = typer.Typer(help="Secrets, kept outside the repository.", no_args_is_help=True)
app.add_typer(secret_app, name="secret")
app.add_typer(silence_app, name="silence")
BESIDE = beside.found()
for companion in BESIDE:
    app.add_typer(companion.app, name=companion.name)
app.command()(fault)
app.command()(grafana_token)
app.command()(dashboards)
app.command()(route)
app.command()(mutes)
app.command()(alert_test)
app.command()(oncall)
app.command()(oncall_sync)
app.command()(oncall_verify)
app.command()(new_system)
app.command()(check_system)
app.command()(check)
out = Console(highlight=False, soft_wrap=True)
err = Console(highlight=False, soft_wrap=True, stderr=True)

Stack = Annotated[str, typer.Argument(help="The stack: the <name> of a Pulumi.<name>.yaml.")]


def main() -> None:
    """Run the command line; a ConfigError is two lines and exit code 2, never a traceback."""
    try:
        app(prog_name="./obs")
    except ConfigError as error:
        _say_error(error.what, error.mend)
        sys.exit(2)


@app.command()
def up(stack: Stack = "dev") -> None:
    """Create or update a stack, wait until it is healthy, and say where it is."""
    from components.stack import addresses
    from observability.operations import parts
    from observability.operations.operation import Operation

    load.stack_file(stack)
    for companion in BESIDE:
        companion.up(stack, err)
    operation = Operation.prepare(stack, err, to_run=True)
    outcome = operation.run("up")
    bad = [state for state in operation.wait() if not state.ok]
    total = sum(outcome.changes.values())
    out.print(f"{stack}: {outcome.changed} changes, {total - outcome.changed} resources unchanged")
    for state in bad:
        _say_error(f"{state.service} is {state.state}", f"see its log: docker logs obs-{stack}-{state.service}")
    if bad:
        raise typer.Exit(1)
    opened = [addresses(operation.config), *(companion.addresses(stack) for companion in BESIDE)]
    for service, address in (pair for found in opened for pair in found.items()):
        out.print(f"  {service:<14} {address}")
    out.print(f"  {'secrets':<14} {operation.home.folder} (state, passphrase and stored secrets; keep it)")
    for path, _, detail in parts.receivers(operation.config):
        out.print(f"  {path}: {detail}", style="yellow", markup=False)


@app.command()
def preview(
    stack: Stack = "dev",
    refresh: Annotated[bool, typer.Option("--refresh", help="Look for what was changed by hand as well.")] = False,
    offline: Annotated[
        bool, typer.Option("--offline", help="List what is declared, without Docker, the CLI or any secret.")
    ] = False,
) -> None:
    """Show what `up` would change, and change nothing."""
    if offline:
        _declared(stack)
        return
    from observability.operations.operation import Operation

    outcome = Operation.prepare(stack, err).run("preview", refresh=refresh)
    out.print(f"{stack}: {outcome.changed} changes, {sum(outcome.changes.values()) - outcome.changed} unchanged")


@app.command()
def down(
    stack: Stack = "dev",
    volumes: Annotated[bool, typer.Option("--volumes", help="Remove the data as well. There is no way back.")] = False,
) -> None:
    """Remove a stack's containers and network; its data stays unless you say otherwise."""
    from observability.operations.operation import Operation

    operation = Operation.prepare(stack, err)
    operation.run("down", with_data=volumes)
    for name in operation.sweep():
        err.print(f"  removed {name}, which the state did not know", markup=False)
    removed = operation.remove_volumes() if volumes else []
    out.print(f"{stack}: down" + (f", {len(removed)} volumes removed" if volumes else "; volumes kept"))
    for companion in BESIDE:
        companion.down(stack, err, volumes=volumes)


@app.command()
def synth(
    stack: Stack = "dev",
    out_dir: Annotated[Path, typer.Option("--out", help="Folder to write to.")] = Path("out"),
) -> None:
    """Write every generated file and every declared resource to a folder; needs no Docker, CLI or network."""
    from observability.synth.write import write

    config, rules = _load(stack, complete=False)
    written = write(config.without({}), rules, out_dir)
    out.print(f"{stack}: {len(written)} files in {out_dir}")


@app.command()
def verify(
    stack: Stack = "dev",
    quick: Annotated[bool, typer.Option("--quick", help="Leave out the check that sends an alert.")] = False,
) -> None:
    """Check that the running stack works, one row per check."""
    from observability.operations.home import Home
    from observability.operations.preflight import connect
    from observability.operations.verify import Subject
    from observability.operations.verify import verify as checks
    from observability.synth.record import record

    config, rules = _load(stack)
    secrets = Home.find().secrets(stack)
    subject = Subject(config=config, declared=record(config, rules), client=connect(), secrets=secrets)
    failed = count = 0
    for row in checks(subject, quick=quick):
        count += 1
        failed += not row.ok
        mark = "[green]ok  [/green]" if row.ok else "[red]FAIL[/red]"
        out.print(f"{mark} ", end="")
        out.print(f"{row.check:<44} {row.detail}", markup=False)
    out.print(f"{count - failed} of {count} checks passed")
    if failed:
        raise typer.Exit(1)


@app.command()
def status(stack: Stack = "dev") -> None:
    """Show every service with its health, memory and image."""
    from observability.operations.containers import states
    from observability.operations.preflight import connect
    from observability.synth.record import record

    config, rules = _load(stack)
    found = states(connect(), stack, record(config, rules), memory=True)
    table = Table("service", "state", "memory", "limit", "image", box=None)
    for state in found:
        colour = "green" if state.ok else "red"
        table.add_row(
            state.service,
            f"[{colour}]{state.state}[/{colour}]",
            f"{state.memory_mib:.0f} MiB",
            f"{state.limit_mib:.0f} MiB",
            state.image,
        )
    out.print(table)
    out.print(f"memory in use: {sum(state.memory_mib for state in found):.0f} MiB")
    if not all(state.ok for state in found):
        raise typer.Exit(1)


@app.command()
def doctor(stack: Stack = "dev") -> None:
    """Look at this machine and the settings: what is there, what is missing, what would be done about it."""
    import toolchain
    from observability.operations import parts
    from observability.operations.home import Home

    config, rules = _load(stack, complete=False)
    findings = [("settings", True, f"Pulumi.{stack}.yaml is valid, {len(rules)} rule files")]
    findings.append(("systems", True, f"{len(config.systems)} watched: {', '.join(config.systems) or 'none'}"))
    for missing in config.unplaced:
        what = f"{missing.what} of {missing.system}"
        findings.append((what, missing.reason is not None, missing.reason or "declared, and placed nowhere"))
    for name, why in config.missing.items():
        findings.append((f"secret {name}", False, f"needed by {why}: ./obs secret set {name} {stack}"))
    findings += parts.receivers(config)
    findings += [(found.name, found.ok, found.detail) for found in toolchain.inspect(config.images)]
    findings.append(("data folder", True, str(Home.find().folder)))
    for name, ok, detail in findings:
        out.print(f"{'[green]ok     [/green]' if ok else '[yellow]missing[/yellow]'} ", end="")
        out.print(f"{name:<24} {detail}", markup=False)
    if not all(ok for _, ok, _ in findings):
        raise typer.Exit(1)


@app.command()
def env(stack: Stack = "dev") -> None:
    """Print the shell lines after which plain `pulumi up` works on the same stack: eval "$(./obs env dev)"."""
    import toolchain
    from observability.operations.home import Home

    _load(stack)
    home = Home.find()
    tools = toolchain.ensure({})
    folders = [str(folder) for folder in (tools.plugin_dir, tools.pulumi.parent) if folder is not None]
    variables = {**home.environment(), "PULUMI_STACK": stack}
    for name, value in variables.items():
        sys.stdout.write(f"export {name}={shlex.quote(value)}\n")
    sys.stdout.write(f"export PATH={shlex.quote(os.pathsep.join(folders))}:$PATH\n")
    sys.stdout.write(f"cd {shlex.quote(str(home.refresh_project(stack)))}\n")


@secret_app.command("set")
def secret_set(
    name: Annotated[str, typer.Argument(help="Name of the secret.")],
    stack: Stack = "dev",
) -> None:
    """Store a secret, read from standard input (asked for on a terminal); the next `up` uses it."""
    from observability.operations.home import Home

    load.stack_file(stack)
    value = typer.prompt(name, hide_input=True) if sys.stdin.isatty() else sys.stdin.read().strip()
    Home.find().set_secret(stack, name, value)
    out.print(f"{stack}: {name} stored")


@secret_app.command("list")
def secret_list(stack: Stack = "dev") -> None:
    """List the secrets a stack can have, and which it has; never a value."""
    from observability.operations.home import Home

    known = load.stack_secrets(stack)
    stored = Home.find().secrets(stack)
    for name, spec in known.items():
        out.print(f"{'set    ' if name in stored else 'not set'} {name}: {spec.description}", markup=False)


def _load(stack: str, *, complete: bool = True) -> tuple[StackConfig, dict[str, str]]:
    """The stack's configuration and the rule files; ConfigError where either is bad.

    `complete` False: placeholders stand for missing secrets, which the configuration lists.
    """
    from observability.operations.home import Home

    config = Home.find().config(stack, complete=complete)
    return config, rule_files(config)


def _declared(stack: str) -> None:
    """List every resource that the program declares, and what is missing before `up` can make it."""
    from observability.synth.record import record

    config, rules = _load(stack, complete=False)
    declared = record(config, rules)
    for resource in declared:
        out.print(f"  {resource.type.rpartition(':')[2]:<24} {resource.name}", markup=False)
    out.print(f"{stack}: {len(declared)} resources declared, {len(config.systems)} systems watched")
    for missing in config.unplaced:
        reason = missing.reason or "declared, and placed nowhere"
        out.print(f"  not watched: {missing.what} of {missing.system}: {reason}", markup=False)
    for name, why in config.missing.items():
        out.print(f"  secret missing: {name}, needed by {why}", markup=False)


def _say_error(*lines: str) -> None:
    for line in lines:
        err.print(line, style="red" if line is lines[0] else "", markup=False)
