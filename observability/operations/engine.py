"""Runs the Pulumi engine through the Automation API, with the program in this process."""

import os
import subprocess
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Final

from pulumi import automation, log
from pulumi.automation import events
from semver import VersionInfo

from components.stack import deploy
from observability.core import naming
from observability.core.naming import PROJECT
from observability.operations.changes import Recorded, records
from observability.operations.home import Home
from observability.settings.load import StackConfig
from toolchain import Toolchain
from toolchain.pulumi_cli import LEAST

OnStep = Callable[[str, str, str], None]
"""Called for every change as it begins, with its kind, and the resource's type and name."""

SILENT = ("same", "read", "refresh")
"""Kinds of step that change nothing."""

_PARTS = ("delete-replaced", "create-replacement")
"""The two halves of a step that is reported as `replace`."""


MEMORY: Final = {} if "GOGC" in os.environ else {"GOGC": "off", "GOMEMLIMIT": "512MiB"}
"""A process of the engine lives for seconds: its memory is collected where it needs much, and not before.

Collecting as usual takes a third of the CPU time of a command of the CLI.
"""


class _Found(automation.PulumiCommand):
    """The CLI that the toolchain has found. The SDK would start it for its version, which the toolchain knows."""

    def __init__(self, pulumi: Path) -> None:
        self.command = str(pulumi)
        self.version = VersionInfo(*LEAST)


class EngineError(Exception):
    """An update that failed; the message contains the errors of the engine and its servers."""


@dataclass
class Outcome:
    """The result of an operation: the number of resources by kind of change, and the steps that change something."""

    changes: Counter[str] = field(default_factory=Counter)
    steps: list[events.StepEventMetadata] = field(default_factory=list)

    def add(self, later: "Outcome") -> None:
        """Add what a later operation changed; the number of unchanged resources is the later one's."""
        for kind in SILENT:
            self.changes.pop(kind, None)
        self.changes += later.changes
        self.steps += later.steps

    @property
    def changed(self) -> int:
        """Number of resources created, changed, replaced or deleted."""
        return sum(count for kind, count in self.changes.items() if kind not in SILENT)

    @property
    def unchanged(self) -> int:
        """Number of unchanged resources."""
        return sum(self.changes.values()) - self.changed


class Engine:
    """One stack under the engine."""

    def __init__(
        self,
        stack: str,
        toolchain: Toolchain,
        home: Home,
        config: StackConfig,
    ) -> None:
        """Select the stack, whose configuration the command has."""
        variables = {**MEMORY, **home.environment(), "DOCKER_HOST": toolchain.docker_host}
        if toolchain.plugin_dir is not None:
            variables["PATH"] = f"{toolchain.plugin_dir}{os.pathsep}{os.environ['PATH']}"
            variables["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] = "true"
        folder = home.refresh_project(stack, left_out=config.left_out)
        program = partial(deploy, config)
        command = _Found(toolchain.pulumi)
        options = automation.LocalWorkspaceOptions(work_dir=str(folder), env_vars=variables, pulumi_command=command)
        try:
            self._stack = automation.select_stack(stack, PROJECT, program, opts=options)
        except automation.StackNotFoundError:
            self._stack = automation.create_stack(stack, PROJECT, program, opts=options)
        without_answers(self._stack)
        new = home.to_encrypt(stack)
        for name, value in new.items():
            _encrypt(stack, name, value, command.command, folder, variables)
        if new:
            home.encrypted(stack)

    def up(self, on_step: OnStep, again: Collection[str] = (), alone: Collection[str] = ()) -> Outcome:
        """Create or update everything; resources named in `again` are replaced even if they did not change, those in
        `alone` are left as they are.
        """
        replace, exclude = self._named(again), _any_of(alone)
        return self._run(
            lambda on_event: self._stack.up(replace=replace, exclude=exclude, color="never", on_event=on_event),
            on_step,
        )

    def preview(self, again: Collection[str] = (), alone: Collection[str] = (), *, refresh: bool = False) -> Outcome:
        """What `up` would do, without doing it; with `refresh`, changes made outside of obs are read first."""
        replace, exclude = self._named(again), _any_of(alone)
        return self._run(
            lambda on_event: self._stack.preview(
                replace=replace, exclude=exclude, refresh=refresh or None, color="never", on_event=on_event
            ),
            _unheard,
            changing=False,
        )

    def down(self, on_step: OnStep) -> Outcome:
        """Remove everything but the volumes."""
        return self._run(lambda on_event: self._stack.destroy(color="never", on_event=on_event), on_step)

    def grafana_resources(self) -> list[str]:
        """URNs of the recorded resources in Grafana."""
        return [urn for urn in self._urns() if _type_of(urn).startswith("grafana:")]

    def look_into_grafana(self) -> None:
        """Compare Grafana with the record of it; the next `up` restores what was changed or removed there."""
        found = self.grafana_resources()
        if found:
            self._run(lambda on_event: self._stack.refresh(target=found, color="never", on_event=on_event), _unheard)

    def forget_grafana(self) -> None:
        """Remove the resources in Grafana from the record, without a request to Grafana."""
        self._forget(self.grafana_resources())

    def forget_host(self, host: str) -> int:
        """Remove the agent of a host from the record, without a request to the host; returns how many resources."""
        resources = self._resources
        gone = {one["urn"] for one in resources if one["urn"].rpartition("::")[2] == naming.agent(host)}
        while more := {one["urn"] for one in resources if one.get("parent") in gone} - gone:
            gone |= more
        self._forget(gone)
        return len(gone)

    def _forget(self, urns: Collection[str]) -> None:
        state = self._stack.export_stack()
        gone = set(urns)
        if gone and state.deployment is not None:
            kept = [resource for resource in state.deployment["resources"] if resource["urn"] not in gone]
            rest = {**state.deployment, "resources": kept}
            self._stack.import_stack(automation.Deployment(version=state.version, deployment=rest))
            self._reset()

    def recorded(self) -> dict[str, Recorded]:
        """The recorded state of each resource, by name."""
        return records(self._resources)

    def _named(self, names: Collection[str]) -> list[str] | None:
        """URNs of the recorded resources of these names; None where there are none."""
        return [urn for urn in self._urns() if urn.rpartition("::")[2] in names] if names else None

    def _urns(self) -> list[str]:
        return [resource["urn"] for resource in self._resources]

    @cached_property
    def _resources(self) -> list[dict[str, Any]]:
        """The recorded resources, exported once until an operation changes them: an export is a process of the CLI."""
        return list((self._stack.export_stack().deployment or {}).get("resources") or [])

    def _reset(self) -> None:
        vars(self).pop("_resources", None)

    def _run(
        self,
        operation: Callable[[Callable[[events.EngineEvent], None]], Any],
        on_step: OnStep,
        *,
        changing: bool = True,
    ) -> Outcome:
        outcome = Outcome()
        errors: list[str] = []

        def on_event(event: events.EngineEvent) -> None:
            if event.diagnostic_event and event.diagnostic_event.severity == "error":
                errors.append(event.diagnostic_event.message.strip())
            if event.resource_pre_event:
                step = event.resource_pre_event.metadata
                kind, name = str(step.op.value), step.urn.rpartition("::")[2]
                # The engine does not count providers that it creates itself.
                own = step.type.startswith("pulumi:providers:") and name.startswith("default")
                if kind not in (*SILENT, *_PARTS) and not own:
                    outcome.steps.append(step)
                    if step.type.startswith(("docker:", "grafana:")):
                        on_step(kind, step.type, name)
            if event.summary_event:
                for kind, count in event.summary_event.resource_changes.items():
                    outcome.changes[str(getattr(kind, "value", kind))] += count

        try:
            with without_debug_messages():
                operation(on_event)
        except automation.ConcurrentUpdateError as error:
            raise EngineError(
                "another update of this stack is under way, or one was killed\n"
                f"wait until it has ended; if it was killed: ./obs unlock {self._stack.name}"
            ) from error
        except automation.CommandError as error:
            raise EngineError(_digest(errors) or str(error)) from error
        finally:
            if changing:
                self._reset()
        return outcome


def without_answers(stack: automation.Stack) -> None:
    """After an operation the SDK asks the CLI for the outputs and the history: three processes, for nobody."""
    vars(stack).update(outputs=dict, info=lambda *_: "not asked for")


@contextmanager
def without_debug_messages() -> Iterator[None]:
    """The SDK would call the engine for each step of each resource, only for it to drop the message."""
    usual = log.debug
    log.debug = lambda *_, **__: None
    try:
        yield
    finally:
        log.debug = usual


def _encrypt(stack: str, name: str, value: str, pulumi: str, folder: Path, variables: Mapping[str, str]) -> None:
    """Store a secret in the working copy, encrypted.

    The Automation API would pass the value as an argument, which every process on the machine can read.
    """
    done = subprocess.run(
        [pulumi, "config", "set", "--secret", f"{PROJECT}:{name}", "--stack", stack, "--non-interactive"],
        # One line break at the end is not part of a value that is read from standard input.
        input=value + "\n",
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise EngineError(f"the secret {name} was not stored: {done.stderr.strip()}")


def _any_of(names: Collection[str]) -> list[str] | None:
    """Patterns of the URNs of these names, recorded or not; None where there are none."""
    return [f"**::{name}" for name in names] or None


def _type_of(urn: str) -> str:
    """Type of the resource: the last part of its chain of types."""
    return urn.split("::")[2].rpartition("$")[2]


def _unheard(_kind: str, _type: str, _name: str) -> None:
    """Report nothing during the operation."""


def _digest(errors: list[str]) -> str:
    """The messages, without duplicates: the engine repeats them in its own frame, and ends with a summary."""
    kept: list[str] = []
    for message in errors:
        if message != "update failed" and not any(message in other or other in message for other in kept):
            kept.append(message)
    return "\n".join(kept)
