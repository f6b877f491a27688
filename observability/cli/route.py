"""`obs route`: who hears of an alert, and why."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console

from observability.alerting.alerts import alerts, filled
from observability.alerting.explain import Explanation, Hearing, explain
from observability.alerting.matchers import parse_labels
from observability.core.errors import ConfigError
from observability.settings.load import StackConfig, from_file, stack_secrets
from observability.settings.notifications import WEBHOOK_SECRET

out = Console(highlight=False, soft_wrap=True)


def route(
    labels: Annotated[
        str, typer.Argument(help="The alert's labels, like severity=critical,component=database; or its name.")
    ],
    stack: Annotated[str, typer.Argument(help="The stack: the <name> of a Pulumi.<name>.yaml.")] = "dev",
    system: Annotated[str | None, typer.Option(help="The alert's system, short for system=NAME.")] = None,
) -> None:
    """Say who hears of an alert with these labels and why, how soon, and what would keep it quiet."""
    from dashboards.linked_rules import files

    config = _config(stack)
    found = [
        explain(config, complete, datetime.now(UTC))
        for complete in filled(config, alerts(files(config)), given_labels(labels, system))
    ]
    for number, explanation in enumerate(found):
        if number:
            out.print()
        _show(explanation, stack)
    if not all(explanation.heard for explanation in found):
        raise typer.Exit(1)


def given_labels(text: str, system: str | None) -> dict[str, str]:
    """The labels that a person named: pairs, or an alert's name alone; ConfigError where they contradict --system."""
    labels = parse_labels(text if any(mark in text for mark in "=!~,{") or not text.strip() else f"alertname={text}")
    if system is None:
        return labels
    if labels.get("system", system) != system:
        raise ConfigError(
            f"system={labels['system']} and --system {system} are two systems", "name the alert's system once"
        )
    return {**labels, "system": system}


def _config(stack: str) -> StackConfig:
    """The stack's configuration, as if it had the secrets that it wants: who hears does not depend on them."""
    from observability.operations.home import Home

    home = Home.find()
    try:
        return home.config(stack)
    except ConfigError as error:
        stored = frozenset(home.secrets(stack))
        assumed = frozenset(stack_secrets(stack)) - {WEBHOOK_SECRET}
        try:
            config = from_file(stack, stored_secrets=stored | assumed).without(home.left_out(stack))
        except ConfigError:
            raise error from None
        out.print(error.what, style="yellow", markup=False)
        out.print(f"this is how it will be once they are stored: ./obs secret list {stack}\n", markup=False)
        return config


def _show(explanation: Explanation, stack: str) -> None:
    out.print(", ".join(f"{name}={value}" for name, value in explanation.labels.items()), style="bold", markup=False)
    for number, hearing in enumerate(explanation.hearings, start=1):
        _show_hearing(number, hearing)
    if explanation.quiet:
        out.print("  kept quiet while")
        for words in explanation.quiet:
            out.print(f"     {words}", markup=False)
    if "system" not in explanation.labels:
        out.print("  the team of its system may hear as well: --system NAME says who", style="dim")
    if not explanation.heard:
        out.print("  nobody hears of it", style="red")
        out.print(f"  name somebody in observability:notifications of Pulumi.{stack}.yaml; see docs/notifications.md")


def _show_hearing(number: int, hearing: Hearing) -> None:
    out.print(f"  {number}. {hearing.route.receiver}: {hearing.route.why}", markup=False)
    for name, where in hearing.told.items():
        out.print(f"     {name:<20} {where}", markup=False)
    if not hearing.told:
        out.print("     nobody", style="yellow")
        return
    out.print(f"     {hearing.timing}", style="dim", markup=False)
    for mute in hearing.mutes:
        style = "yellow" if mute.in_force else "dim"
        out.print(f"     left alone in {mute.name}: {mute.hours}; {mute.state}", style=style, markup=False)
