"""What `up`, `preview` and `down` have in common: everything is checked and obtained before anything is touched."""

from dataclasses import dataclass
from typing import Literal

import docker
import typer
from rich.console import Console

import toolchain
from cli import containers, preflight
from cli.engine import Engine, EngineError, Outcome
from cli.home import Home
from config import load, naming
from config.errors import ConfigError
from config.images import PINS
from config.load import ROOT, StackConfig
from rules import load as load_rules
from synth.record import Declared, record

HEALTH_SECONDS = 60.0
"""How long `up` waits for services that were there already."""


def images(config: StackConfig) -> dict[str, str]:
    """The images a stack runs, by service."""
    settings = config.settings
    wanted = {name: settings.image(name) for name in PINS}
    if not settings.node_exporter.enabled:
        del wanted["node-exporter"]
    return wanted | {exporter.name: settings.exporter_image(exporter) for exporter in settings.exporters}


@dataclass(frozen=True, kw_only=True)
class Operation:
    """A stack that is ready to be worked on."""

    config: StackConfig
    declared: list[Declared]
    client: docker.DockerClient
    engine: Engine
    home: Home
    console: Console

    @classmethod
    def prepare(cls, stack: str, console: Console, *, to_run: bool = False) -> "Operation":
        """Validate, declare, obtain and check; ConfigError where any of it fails, with nothing changed.

        Only what is to run needs images and free ports.
        """
        home = Home.find()
        config = load.from_file(stack, stored_secrets=frozenset(home.secrets(stack)))
        declared = record(config, load_rules(ROOT / "rules"))
        tools = toolchain.ensure(images(config) if to_run else {})
        for name, reason in tools.left_out.items():
            raise ConfigError(f"the image of {name} is not to be had: {reason}", "see ./obs doctor")
        client = preflight.connect(tools.docker_host)
        if to_run:
            preflight.check(config, declared, client)
        return cls(
            config=config,
            declared=declared,
            client=client,
            engine=Engine(stack, tools, home),
            home=home,
            console=console,
        )

    def run(self, what: Literal["up", "preview", "down"]) -> Outcome:
        """Do it, with a line per step; an update that fails ends the command with exit code 1."""

        def on_step(kind: str, resource_type: str, name: str) -> None:
            self.console.print(f"  {kind:<14} {resource_type.rpartition(':')[2]:<10} {name}", markup=False)

        try:
            if what == "up":
                return self.engine.up(on_step, containers.amiss(self.client, self.config.stack, self.declared))
            return self.engine.preview(on_step) if what == "preview" else self.engine.down(on_step)
        except EngineError as error:
            self.console.print(str(error), markup=False, style="red")
            self.console.print(f"{what} failed; mend that and run it again: what was done is kept.")
            raise typer.Exit(1) from error

    def wait(self) -> list[containers.ServiceState]:
        """The services' states, once all are well or a minute is over."""
        return containers.wait_until_well(self.client, self.config.stack, self.declared, HEALTH_SECONDS)

    def sweep(self) -> list[str]:
        """Remove containers and networks of the stack that the state did not know of; their names."""
        label = f"{naming.LABEL_STACK}={self.config.stack}"
        removed = []
        for container in self.client.containers.list(all=True, filters={"label": label}):
            container.remove(force=True)
            removed.append(str(container.name))
        for network in self.client.networks.list(filters={"label": label}):
            network.remove()
            removed.append(str(network.name))
        return removed

    def remove_volumes(self) -> list[str]:
        """Remove the stack's volumes; their names."""
        label = f"{naming.LABEL_STACK}={self.config.stack}"
        found = self.client.volumes.list(filters={"label": label})
        for volume in found:
            volume.remove()
        return [str(volume.name) for volume in found]
