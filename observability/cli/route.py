"""`obs route`: the receivers of an alert, and the routes by which it reaches them."""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console

from observability.alerting.alerts import alerts, filled
from observability.alerting.explain import Delivery, Explanation, explain
from observability.alerting.matchers import parse_labels
from observability.cli.common import AsJson, Stack, print_json
from observability.cli.silences import Silence
from observability.core.errors import ConfigError
from observability.operations.alertmanager import Alertmanager
from observability.settings.load import StackConfig

out = Console(highlight=False, soft_wrap=True)


def route(
    labels: Annotated[
        str, typer.Argument(help="The alert's name, or labels like severity=critical,component=database.")
    ],
    stack: Stack = "dev",
    system: Annotated[str | None, typer.Option(help="The alert's system, short for system=NAME.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the receivers of an alert with these labels, when they are notified, and what would mute it."""
    from dashboards.linked_rules import files

    config = _config(stack, quiet=as_json)
    complete = filled(config, alerts(files(config)), given_labels(labels, system))
    silences = _silences(config)
    found = [explain(config, labels, datetime.now(UTC)) for labels in complete]
    if as_json:
        print_json(
            {
                "alerts": [document(explanation, silences or ()) for explanation in found],
                "silences_considered": silences is not None,
                "secrets_missing": list(config.missing),
            }
        )
    else:
        for number, explanation in enumerate(found):
            if number:
                out.print()
            _show(explanation, stack, silences or ())
        if silences is None:
            out.print("  Alertmanager does not answer, so silences are not considered", style="dim")
    if not all(explanation.delivered for explanation in found):
        raise typer.Exit(1)


def _silences(config: StackConfig) -> list[Silence] | None:
    """The silences of the running stack; None where Alertmanager does not respond."""
    import httpx

    try:
        return [Silence.read(document) for document in Alertmanager.of(config).silences()]
    except httpx.HTTPError:
        return None


def given_labels(text: str, system: str | None) -> dict[str, str]:
    """The labels of the command line; ConfigError where they contradict --system."""
    labels = parse_labels(text)
    if system is None:
        return labels
    if labels.get("system", system) != system:
        raise ConfigError(
            f"system={labels['system']} and --system {system} are two systems", "name the alert's system once"
        )
    return {**labels, "system": system}


def _config(stack: str, *, quiet: bool = False) -> StackConfig:
    """The stack's configuration, as if all secrets were stored: the receivers do not depend on their values."""
    from observability.operations.home import Home

    config = Home.find().config(stack)
    if config.missing and not quiet:
        out.print(f"secrets are missing: {', '.join(config.missing)}", style="yellow", markup=False)
        out.print(f"this holds once they are stored: ./obs secret list {stack}\n", markup=False)
    return config


def document(explanation: Explanation, silences: Collection[Silence]) -> dict[str, Any]:
    """The routing of an alert, as JSON; `certain` where a silence mutes it whatever labels are not given."""
    return {
        "labels": dict(explanation.labels),
        "delivered": explanation.delivered,
        "deliveries": [
            {
                "receiver": one.route.receiver,
                "why": one.route.why,
                "destinations": dict(one.destinations),
                "timing": one.timing,
                "mute_times": [asdict(mute) for mute in one.mutes],
            }
            for one in explanation.deliveries
        ],
        "muted_while": explanation.muted_while,
        "silences": [
            {
                "id": one.id,
                "matchers": [*map(str, one.matchers)],
                "author": one.author,
                "reason": one.reason,
                "until": one.until.isoformat(),
                "certain": one.mutes(explanation.labels),
            }
            for one in silences
            if one.mutes(explanation.labels) or one.may_mute(explanation.labels)
        ],
    }


def _show(explanation: Explanation, stack: str, silences: Collection[Silence]) -> None:
    out.print(", ".join(f"{name}={value}" for name, value in explanation.labels.items()), style="bold", markup=False)
    _show_silences(explanation.labels, silences)
    for number, delivery in enumerate(explanation.deliveries, start=1):
        _show_delivery(number, delivery)
    if explanation.muted_while:
        out.print("  muted while")
        for words in explanation.muted_while:
            out.print(f"     {words}", markup=False)
    if "system" not in explanation.labels:
        out.print("  with --system NAME also the receivers of that system's team", style="dim")
    if not explanation.delivered:
        out.print("  no receiver is notified", style="red")
        out.print(f"  name one in observability:notifications of Pulumi.{stack}.yaml; see docs/notifications.md")


def _show_silences(labels: Mapping[str, str], silences: Collection[Silence]) -> None:
    """The active silences that mute the alert, and those that mute it with some labels that are not given."""
    for silence in silences:
        until = f"until {silence.until.astimezone(UTC):%Y-%m-%d %H:%M} UTC by {silence.author}: {silence.reason}"
        if silence.mutes(labels):
            out.print(f"  silenced by {silence.short} {until}; nothing is sent", style="yellow", markup=False)
        elif silence.may_mute(labels):
            where = ", ".join(str(matcher) for matcher in silence.matchers if matcher.label not in labels)
            out.print(f"  silenced by {silence.short} where {where}, {until}", style="yellow", markup=False)


def _show_delivery(number: int, delivery: Delivery) -> None:
    out.print(f"  {number}. {delivery.route.receiver}: {delivery.route.why}", markup=False)
    for name, where in delivery.destinations.items():
        out.print(f"     {name:<20} {where}", markup=False)
    if not delivery.destinations:
        out.print("     no receiver", style="yellow")
        return
    out.print(f"     {delivery.timing}", style="dim", markup=False)
    for mute in delivery.mutes:
        style = "yellow" if mute.active else "dim"
        out.print(f"     muted in {mute.name}: {mute.hours}; {mute.state}", style=style, markup=False)
