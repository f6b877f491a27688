"""The commands of `obs`. Exit codes: 0 done, 1 the stack has a problem, 2 wrong use or bad configuration."""

import os
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from observability.cli import alerts, hosts, incident, lifecycle, look, secrets, silences, status_page
from observability.cli.alert_test import alert_test
from observability.cli.apm import apm
from observability.cli.backup import backup, backups, restore
from observability.cli.check import check
from observability.cli.checklist import checklist
from observability.cli.common import out, say_error
from observability.cli.completion import COMPLETE_VARIABLE, completion
from observability.cli.dashboards import dashboards
from observability.cli.drill import drill
from observability.cli.fault import fault
from observability.cli.grafana_token import grafana_token
from observability.cli.groups import DefaultGroup, OrderedGroup
from observability.cli.mcp import mcp
from observability.cli.mutes import mutes
from observability.cli.on_call import oncall, oncall_sync, oncall_verify
from observability.cli.preview import preview
from observability.cli.project import init, new_app
from observability.cli.route import route
from observability.cli.systems import check_system, new_system
from observability.cli.unlock import unlock
from observability.cli.uptime_robot import uptimerobot
from observability.cli.why import why
from observability.core import project
from observability.core.errors import ConfigError
from observability.core.version import version

# Commands import modules when they run: `synth` must not wait for Docker's client or Pulumi's engine.

SETUP: Final = "Set up"
RUN: Final = "Run"
ALERTS: Final = "Alerts"
GRAFANA: Final = "Grafana"
MORE: Final = "More"


class Commands(OrderedGroup):
    """All commands, in the order in which they are typically used."""

    ORDER = (
        *("init", "system", "new", "check", "doctor", "secret", "host"),
        *("preview", "up", "verify", "checklist", "status", "logs", "down", "unlock"),
        *("backup", "backups", "restore", "drill"),
        *("alerts", "why", "runbook", "silence", "mutes", "route", "alert-test", "oncall", "uptimerobot", "incident"),
        *("status-page", "dashboards", "grafana-token"),
        *("fault", "synth", "env", "apm", "mcp", "completion"),
    )


app = typer.Typer(
    name="obs",
    cls=Commands,
    help="A complete monitoring stack, one per environment. STACK is the last, optional argument; it defaults to dev.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

system_app = typer.Typer(help="Watched systems: their files, and what they expose.", no_args_is_help=True)
system_app.command("new")(new_system)
system_app.command("check")(check_system)

oncall_app = typer.Typer(cls=DefaultGroup, help="On-call shifts, and their synchronization with GoAlert.")
oncall_app.command("show")(oncall)
oncall_app.command("sync")(oncall_sync)
oncall_app.command("verify")(oncall_verify)

app.command(rich_help_panel=SETUP)(init)
app.add_typer(system_app, name="system", rich_help_panel=SETUP)
app.add_typer(new_app, name="new", rich_help_panel=SETUP)
app.command(rich_help_panel=SETUP)(check)
app.command(rich_help_panel=SETUP)(look.doctor)
app.add_typer(secrets.app, name="secret", rich_help_panel=SETUP)
app.add_typer(hosts.app, name="host", rich_help_panel=SETUP)

app.command(rich_help_panel=RUN)(preview)
app.command(rich_help_panel=RUN)(lifecycle.up)
app.command(rich_help_panel=RUN)(look.verify)
app.command(rich_help_panel=RUN)(checklist)
app.command(rich_help_panel=RUN)(look.status)
app.command(rich_help_panel=RUN)(look.logs)
app.command(rich_help_panel=RUN)(lifecycle.down)
app.command(rich_help_panel=RUN)(unlock)
app.command(rich_help_panel=RUN)(backup)
app.command(rich_help_panel=RUN)(backups)
app.command(rich_help_panel=RUN)(restore)
app.command(rich_help_panel=RUN)(drill)

app.command(rich_help_panel=ALERTS)(alerts.alerts)
app.command(rich_help_panel=ALERTS)(why)
app.command(rich_help_panel=ALERTS)(alerts.runbook)
app.add_typer(silences.app, name="silence", rich_help_panel=ALERTS)
app.command(rich_help_panel=ALERTS)(mutes)
app.command(rich_help_panel=ALERTS)(route)
app.command(rich_help_panel=ALERTS)(alert_test)
app.add_typer(oncall_app, name="oncall", rich_help_panel=ALERTS)
app.command(rich_help_panel=ALERTS)(uptimerobot)
app.add_typer(incident.app, name="incident", rich_help_panel=ALERTS)
app.add_typer(status_page.app, name="status-page", rich_help_panel=ALERTS)

app.command(rich_help_panel=GRAFANA)(dashboards)
app.command(rich_help_panel=GRAFANA)(grafana_token)

for companion in lifecycle.BESIDE:
    app.add_typer(companion.app, name=companion.name, rich_help_panel=MORE)
app.command(rich_help_panel=MORE)(fault)
app.command(rich_help_panel=MORE)(look.synth)
app.command(rich_help_panel=MORE)(look.env)
app.command(rich_help_panel=MORE)(apm)
app.command(rich_help_panel=MORE)(mcp)
app.command(rich_help_panel=MORE)(completion)

# Names of earlier versions.
app.command("new-system", hidden=True)(new_system)
app.command("check-system", hidden=True)(check_system)
app.command("oncall-sync", hidden=True)(oncall_sync)
app.command("oncall-verify", hidden=True)(oncall_verify)


def _print_version(wanted: bool) -> None:
    if wanted:
        out.print(f"obs {version()}", markup=False)
        raise typer.Exit


@app.callback()
def common_options(
    project_folder: Annotated[
        Path | None,
        typer.Option(
            "--project",
            metavar="DIR",
            envvar=project.VARIABLE,
            help="Folder with settings, systems, rules, dashboards and runbooks of your own.",
        ),
    ] = None,
    show_version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Options that stand before any command."""
    del show_version
    if project_folder is not None and str(project_folder):
        project.select(project_folder)


def main() -> None:
    """Run the command line; a ConfigError is printed as two lines with exit code 2, never as a traceback."""
    try:
        if COMPLETE_VARIABLE in os.environ:
            completion_for_shell()
        app(prog_name="./obs", complete_var=COMPLETE_VARIABLE)
    except ConfigError as error:
        say_error(*error.lines)
        sys.exit(2)


def completion_for_shell() -> None:
    """Prepare typer for a shell that requests completions."""
    from observability.cli.completion import prepare

    prepare()
