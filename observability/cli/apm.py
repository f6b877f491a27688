"""`obs apm`: the settings an application needs for the vendors of the stack."""

from typing import Annotated

import typer

from observability.cli.common import AsJson, Stack, out, print_json
from observability.core.documents import nearest
from observability.core.errors import ConfigError


def apm(
    system: Annotated[str, typer.Argument(help="A watched system.")], stack: Stack = "dev", as_json: AsJson = False
) -> None:
    """Print the environment variables for a vendor's agent within an application; keys are named, not printed."""
    from observability.apm import datadog, new_relic
    from observability.operations.home import Home

    config = Home.find().config(stack)
    if system not in config.systems:
        known = list(config.systems)
        raise ConfigError(
            f"{stack} has no system {system!r}", f"{nearest(system, known)}known here: {', '.join(known)}"
        )
    variables = {**new_relic.variables(config, system), **datadog.variables(config, system)}
    secrets = new_relic.secrets(config)
    if not variables:
        raise ConfigError(
            f"{stack} has no vendor with agents for applications",
            f"add observability:newRelic or observability:datadogAgent to Pulumi.{stack}.yaml",
        )
    if as_json:
        print_json({"variables": variables, "secrets": secrets})
        return
    for name, value in variables.items():
        out.print(f"{name}={value}", markup=False)
    for name, secret in secrets.items():
        out.print(f"# {name}: the value of the secret {secret}, from the application's own store", markup=False)
