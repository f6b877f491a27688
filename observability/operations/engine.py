"""Runs the Pulumi engine through the Automation API, with the program in this process."""

import os
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pulumi import automation
from pulumi.automation import events

from components.stack import deploy
from observability.core.naming import PROJECT
from observability.operations.changes import Recorded, records
from observability.operations.home import Home
from toolchain import Toolchain

OnStep = Callable[[str, str, str], None]
"""Called for every change as it begins, with its kind, and the resource's type and name."""

SILENT = ("same", "read", "refresh")
"""Kinds of step that change nothing."""

_PARTS = ("delete-replaced", "create-replacement")
"""The two halves of a step that is reported as `replace`."""


class EngineError(Exception):
    """An update that failed; the message contains the errors of the engine and its servers."""


@dataclass
class Outcome:
    """The result of an operation: the number of resources by kind of change, and the steps that change something."""

    changes: Counter[str] = field(default_factory=Counter)
    steps: list[events.StepEventMetadata] = field(default_factory=list)

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
        command: automation.PulumiCommand,
        left_out: Mapping[str, str] | None = None,
    ) -> None:
        """Select the stack; `left_out` are the unavailable images, None: those of the last `up`."""
        variables = {**home.environment(), "DOCKER_HOST": toolchain.docker_host}
        if toolchain.plugin_dir is not None:
            variables["PATH"] = f"{toolchain.plugin_dir}{os.pathsep}{os.environ['PATH']}"
            variables["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] = "true"
        folder = home.refresh_project(stack, left_out=left_out)
        options = automation.LocalWorkspaceOptions(work_dir=str(folder), env_vars=variables, pulumi_command=command)
        try:
            self._stack = automation.select_stack(stack, PROJECT, deploy, opts=options)
        except automation.StackNotFoundError:
            self._stack = automation.create_stack(stack, PROJECT, deploy, opts=options)
        new = home.to_encrypt(stack)
        if new:
            self._stack.set_all_config(
                {f"{PROJECT}:{name}": automation.ConfigValue(value, secret=True) for name, value in new.items()}
            )
            home.encrypted(stack)

    def up(self, on_step: OnStep, again: Collection[str] = ()) -> Outcome:
        """Create or update everything; resources named in `again` are replaced even if they did not change."""
        replace = self._named(again)
        return self._run(lambda on_event: self._stack.up(replace=replace, color="never", on_event=on_event), on_step)

    def preview(self, again: Collection[str] = (), *, refresh: bool = False) -> Outcome:
        """What `up` would do, without doing it; with `refresh`, changes made outside of obs are read first."""
        replace = self._named(again)
        return self._run(
            lambda on_event: self._stack.preview(
                replace=replace, refresh=refresh or None, color="never", on_event=on_event
            ),
            _unheard,
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
        state = self._stack.export_stack()
        gone = set(self.grafana_resources())
        if gone and state.deployment is not None:
            kept = [resource for resource in state.deployment["resources"] if resource["urn"] not in gone]
            rest = {**state.deployment, "resources": kept}
            self._stack.import_stack(automation.Deployment(version=state.version, deployment=rest))

    def recorded(self) -> dict[str, Recorded]:
        """The recorded state of each resource, by name."""
        return records(self._stack.export_stack().deployment or {})

    def _named(self, names: Collection[str]) -> list[str] | None:
        """URNs of the recorded resources of these names; None where there are none."""
        return [urn for urn in self._urns() if urn.rpartition("::")[2] in names] if names else None

    def _urns(self) -> list[str]:
        deployment = self._stack.export_stack().deployment or {}
        return [resource["urn"] for resource in deployment.get("resources") or []]

    def _run(
        self,
        operation: Callable[[Callable[[events.EngineEvent], None]], Any],
        on_step: OnStep,
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
            operation(on_event)
        except automation.ConcurrentUpdateError as error:
            raise EngineError(
                "another update of this stack is under way, or one was killed\n"
                f'if it was killed: eval "$(./obs env {self._stack.name})" && pulumi cancel --yes'
            ) from error
        except automation.CommandError as error:
            raise EngineError(_digest(errors) or str(error)) from error
        return outcome


def pulumi_command(pulumi: Path) -> automation.PulumiCommand:
    """The CLI; the SDK requires either a folder with `bin/pulumi` in it or the program on the PATH."""
    if pulumi.parent.name == "bin":
        return automation.PulumiCommand(root=str(pulumi.parent.parent))
    return automation.PulumiCommand()


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
