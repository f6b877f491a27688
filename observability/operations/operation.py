"""The common steps of `up`, `preview` and `down`: everything is checked and obtained before anything is changed."""

import time
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

import docker
import httpx
import typer
from docker.errors import NotFound
from rich.console import Console

import toolchain
from dashboards.linked_rules import files as rule_files
from observability.core import naming
from observability.core.errors import ConfigError
from observability.operations import containers, drift, preflight
from observability.operations.changes import UPLOADS, Change, Changes
from observability.operations.engine import Engine, EngineError, Outcome
from observability.operations.home import Home
from observability.operations.host_report import sent_since
from observability.operations.hosts import Hosts
from observability.operations.rotation import Progress, Rotations
from observability.operations.rows import Row
from observability.operations.state import State
from observability.settings.load import StackConfig
from observability.settings.parts import essential
from observability.synth.declared import Declared
from observability.synth.record import on, record
from toolchain import grafana_plugin

GRAFANA_PLUGIN = "pulumi-resource-grafana"
"""Name of the plugin's program, which the engine reports when the program exits."""

HEALTH_SECONDS = 60.0
"""How long `up` waits for services that existed before."""


@dataclass(frozen=True, kw_only=True)
class Operation:
    """A stack that is ready for an operation."""

    config: StackConfig
    declared: list[Declared]
    client: docker.DockerClient
    engine: Engine
    home: Home
    console: Console
    hosts: Hosts
    refusal: ConfigError | None = None
    """The error with which `up` would refuse to start, if a preview has found one."""

    @classmethod
    def prepare(
        cls,
        stack: str,
        console: Console,
        *,
        to_run: bool = False,
        to_show: bool = False,
        complete: bool = True,
    ) -> "Operation":
        """Validate, declare, obtain and check; ConfigError where any of it fails, with nothing changed.

        Only an operation with `to_run` needs images and free ports. An image that is not available takes its part out
        of the stack, now and in later commands, until it is. `to_show`: for a preview of that, which finds out what
        would be left out and refused, and obtains no image. `complete`: every secret must be there.
        """
        home = Home.find()
        if to_run:
            _mend(home, stack, console)
            Rotations.of(home, stack).settle()
        elif (state := State.of(home, stack)) is not None:
            state.check(to_read=to_show)
        config = home.config(stack, complete=complete)
        # An invalid rule file is refused before anything is obtained; which of them apply is known only after that.
        checked = config
        rule_files(checked)
        if to_run:
            config = config.without({})
            tools = toolchain.ensure(config.images)
            config = _without(config, tools.left_out, tools)
            home.set_left_out(stack, config.left_out)
        elif to_show:
            config = config.without({})
            tools = toolchain.ensure({})
            config = _without(config, toolchain.foresee(config.images), tools)
        else:
            tools = toolchain.ensure({})
        if config.left_out.keys() == checked.left_out.keys():
            # What was computed of the one is used for the other.
            config = checked.without(config.left_out)
        # The queries to the CLI run at the same time: a changed setting must be in effect within three seconds.
        aside = ThreadPoolExecutor(1)
        if to_run:
            # Not for a preview: the settings of a pull request must not run a command.
            home.read_sources(config)
        home.generate_secrets(config)
        declared = record(config, rule_files(config), home.secrets(stack))
        engine = aside.submit(lambda: Engine(stack, tools, home, config))
        hosts = aside.submit(Hosts.connect, config)
        client = preflight.connect(tools.docker_host)
        refusal = None
        if to_run or to_show:
            try:
                preflight.check(config, declared, client)
                hosts.result().check(declared)
            except ConfigError as error:
                if to_run:
                    raise
                refusal = error
        return cls(
            config=config,
            declared=declared,
            client=client,
            engine=engine.result(),
            home=home,
            console=console,
            hosts=hosts.result(),
            refusal=refusal,
        )

    def run(
        self,
        what: Literal["up", "preview", "down"],
        *,
        with_data: bool = False,
        refresh: bool = False,
        also: Collection[str] = (),
    ) -> Outcome:
        """Run it, with a line per step except for a preview; an update that fails ends the command with exit code 1.

        `with_data` says that the volumes are removed after `down`, `refresh` that `preview` looks for changes made
        manually; `also` are resources that `up` replaces in addition to those that differ.
        """

        def on_step(kind: str, resource_type: str, name: str) -> None:
            if what == "up" and kind == "create" and resource_type.startswith("grafana:"):
                self.home.begin(self.config.stack, name)
            self.console.print(f"  {kind:<14} {resource_type.rpartition(':')[2]:<10} {name}", markup=False)

        try:
            self._mind_grafana(what, with_data=with_data, refresh=refresh)
            if what == "up":
                self._supply_hosts()
                again = {**self.again(clear=True), **dict.fromkeys(also, "")}
                self.home.begin_update(self.config.stack)
                outcome = self.engine.up(on_step, again, self.hosts.left_alone(self.declared))
                self.home.all_ended(self.config.stack)
                self.home.end_update(self.config.stack)
                return outcome
            if what == "preview":
                return self.engine.preview(self.again(), self.hosts.left_alone(self.declared), refresh=refresh)
            self._hosts_must_answer()
            return self.engine.down(on_step)
        except EngineError as error:
            self.console.print(self._lost_grafana(str(error)) or str(error), markup=False, style="red")
            self.console.print(f"{what} failed; fix that and run it again; what was done is kept.")
            raise typer.Exit(1) from error

    def again(self, *, clear: bool = False) -> dict[str, str]:
        """Recorded resources that `up` creates anew although their declaration did not change: the reason by name.

        They are missing in Docker, have failed, or differ there. `clear`: what the engine cannot replace is removed.
        """
        unsure = self.home.unfinished(self.config.stack)
        found = [
            (client, drift.repair(drift.Docker(client, on(self.declared, host)), self.engine.recorded, unsure=unsure))
            for host, client in self._engines().items()
        ]
        if clear:
            for client, one in found:
                self._clear(client, one)
        missing = containers.amiss(self.client, self.config.stack, on(self.declared, None))
        missing |= self.hosts.amiss(self.declared)
        return {**{name: why for _, one in found for name, why in one.replace.items()}, **missing}

    def _engines(self) -> dict[str | None, docker.DockerClient]:
        """The Docker Engine of each host that answers; None: the stack's own."""
        found: dict[str | None, docker.DockerClient] = {None: self.client}
        found.update(self.hosts.clients)
        return found

    def _clear(self, client: docker.DockerClient, found: drift.Repair) -> None:
        """Remove volumes with files that are not declared, and containers that the engine did not create."""
        for volume in found.volumes:
            for container in client.containers.list(all=True, filters={"volume": volume}, ignore_removed=True):
                container.remove(force=True, v=True)
            client.volumes.get(volume).remove()
            self.console.print(f"  {volume}: removed, as it has files that are not declared", markup=False)
        for name in found.containers:
            try:
                client.containers.get(name).remove(force=True, v=True)
            except NotFound:
                continue  # It was removed with its volume.
            self.console.print(f"  {name}: removed, as it is not the container that the record has", markup=False)
        for name in found.networks:
            for network in client.networks.list(names=[name]):
                if network.name == name:
                    network.reload()
                    for container in network.containers:
                        network.disconnect(container, force=True)
                    network.remove()
            self.console.print(f"  {name}: removed, as the record does not have this network", markup=False)

    def _supply_hosts(self) -> None:
        """Say which hosts are left out of the update, and bring the others the images that are in no registry."""
        for host, reason in self.hosts.silent.items():
            self.console.print(f"  {host} is left as it is: {reason}", markup=False, style="yellow")
        for host, image in self.hosts.supply(self.client):
            self.console.print(f"  copy           image      {image} to {host}", markup=False)

    def _hosts_must_answer(self) -> None:
        """ConfigError where the agent of a host cannot be removed."""
        for host, reason in self.hosts.silent.items():
            raise ConfigError(
                f"hosts.{host}: {reason}, so its agent cannot be removed",
                f"start it; or, if it is gone for good: ./obs host remove {host} {self.config.stack} --forget",
            )

    def changes(self, outcome: Outcome) -> list[Change]:
        """The changes of an outcome's steps, without any secret of the stack."""
        known = Changes(
            again=self.again(),
            recorded=self.engine.recorded(),
            declared={one.name: one.inputs[UPLOADS] for one in self.declared if UPLOADS in one.inputs},
            secrets=tuple(self.home.secrets(self.config.stack).values()),
        )
        return known.of(outcome.steps)

    def _lost_grafana(self, said: str) -> str | None:
        """The message to show where Grafana went down meanwhile: its provider then prints pages of errors."""
        url = self.config.grafana_url
        if url is None or not (GRAFANA_PLUGIN in said or urlsplit(url).netloc in said):
            return None
        from observability.operations.grafana import trouble

        reason = trouble(url)
        return f"Grafana at {url} does not answer any more: {reason}" if reason else None

    def _mind_grafana(self, what: str, *, with_data: bool, refresh: bool) -> None:
        """Read the changes made in Grafana by others; ConfigError where it is required and does not respond.

        If Grafana does not respond, its provider stops without a reason. `up` starts the stack's own Grafana, but not
        an external one; and if its volume is removed, nothing in it has to be removed.
        """
        url = self.config.grafana_url
        if url is None or (what == "preview" and not refresh):
            return
        # Imported here, as it takes 0.3 s, which a stack without Grafana need not wait for.
        from observability.operations.grafana import trouble

        own, made = self.config.runs("grafana"), bool(self.engine.grafana_resources())
        if not (made or (what == "up" and not own)):
            return
        reason = trouble(url)
        if reason is None:
            if what == "up":
                self._make_way()
                self.engine.look_into_grafana()
        elif not own or what == "preview":
            raise ConfigError(f"Grafana at {url} does not answer: {reason}", "start it, then run this again")
        elif what == "down" and with_data:
            self.engine.forget_grafana()
        elif what == "down":
            raise ConfigError(
                f"Grafana at {url} does not answer, so nothing can be taken out of it: {reason}",
                f"run ./obs up {self.config.stack}, which starts it, then ./obs down {self.config.stack}",
            )

    def _make_way(self) -> None:
        """Remove from Grafana what an interrupted update created there without a record of it."""
        from observability.operations.grafana import Grafana
        from observability.operations.leftovers import take_out

        config = self.config
        grafana = Grafana.of(config, self.home.secrets(config.stack))
        if grafana is None:
            return
        begun = self.home.begun(config.stack)
        recorded = {urn.rpartition("::")[2] for urn in self.engine.grafana_resources()}
        own = config.runs("grafana")
        try:
            # In the stack's own Grafana these names are used only by the stack.
            removed = take_out(grafana, self.declared, recorded, lambda name: own or name in begun)
        except httpx.HTTPStatusError as error:
            if own:
                return  # The secret was changed; only the update stores it there.
            raise ConfigError(
                f"Grafana at {grafana.url} answers {error.response.status_code} to what grafanaAuth allows",
                f"set it anew: ./obs secret set grafanaAuth {config.stack}    (role Admin)",
            ) from error
        for name in removed:
            self.console.print(f"  taken out of Grafana, as there is no record of it: {name}", markup=False)

    def wait(self) -> list[containers.ServiceState]:
        """The services' states, once all are healthy or a minute is over."""
        own = on(self.declared, None)
        here = containers.wait_until_well(self.client, self.config.stack, own, HEALTH_SECONDS)
        return here + [state for state in self.hosts.states(self.declared) if state.state != "unreachable"]

    def verified(self) -> list[Row]:
        """The rows of the quick `verify`: what is installed and in use, and what happens in the stack."""
        from observability.operations.verify import Subject, verify

        secrets = self.home.secrets(self.config.stack)
        subject = Subject(
            config=self.config, declared=self.declared, client=self.client, secrets=secrets, changed=True
        )
        return list(verify(subject, quick=True))

    def keep_state(self) -> str | None:
        """Give the backup what the data folder has now; the reason where that failed."""
        from observability.operations.backup import keep_state

        return keep_state(self.client, self.config, self.home)

    def advance_rotations(self) -> Progress:
        """Take the rotations of secrets one state further, once an update has left the stack well."""
        rotations = Rotations.of(self.home, self.config.stack)
        under_way = rotations.under_way()
        if not under_way:
            return Progress()
        names = tuple(self.config.settings.hosts)
        concerned = [host for host in self.hosts.clients if any(rotations.concerns(one, host) for one in under_way)]
        return rotations.advance(sent_since(self.config, concerned, time.time()), names)

    def sweep(self) -> list[str]:
        """Remove containers and networks of the stack that are not in the state; returns their names."""
        label = f"{naming.LABEL_STACK}={self.config.stack}"
        removed = []
        for container in self.client.containers.list(all=True, filters={"label": label}, ignore_removed=True):
            container.remove(force=True, v=True)
            removed.append(str(container.name))
        for network in self.client.networks.list(filters={"label": label}):
            network.remove()
            removed.append(str(network.name))
        return removed

    def remove_volumes(self) -> list[str]:
        """Remove the stack's volumes; returns their names."""
        label = f"{naming.LABEL_STACK}={self.config.stack}"
        found = self.client.volumes.list(filters={"label": label})
        for volume in found:
            volume.remove()
        return [str(volume.name) for volume in found]


def _mend(home: Home, stack: str, console: Console) -> None:
    """Repair what a killed `up` left of the record, where that needs no decision, and say so; else ConfigError."""
    state = State.of(home, stack)
    if state is None:
        return
    done = state.unlock()
    if done or state.damage is not None:
        home.begin_update(stack)
    if (restored := state.restore()) is not None:
        done.append(restored)
    for line in done:
        console.print(f"  {line}", markup=False, style="yellow")


def _without(config: StackConfig, left_out: Mapping[str, str], tools: toolchain.Toolchain) -> StackConfig:
    """The stack without these images, and without Grafana where its plugin is not available.

    ConfigError where the stack cannot run without one of them.
    """
    for name in left_out.keys() & essential():
        raise ConfigError(f"the image of {name} is not available: {left_out[name]}", "see ./obs doctor")
    return config.without({**left_out, **_grafana_left_out(config.without(left_out), tools)})


def _grafana_left_out(config: StackConfig, tools: toolchain.Toolchain) -> dict[str, str]:
    """Grafana with the reason, where its plugin is not available; ConfigError where it is an external one."""
    reason = grafana_plugin.obtain(tools.pulumi) if config.grafana_url is not None else None
    if reason is not None and not config.runs("grafana"):
        raise ConfigError(reason, "install it, or take observability:grafana.url out")
    return {"grafana": reason} if reason is not None else {}
