"""One Pulumi stack under one Docker plugin: the basis of the contract's tests."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from docker import DockerClient
from docker.models.containers import Container
from docker.models.networks import Network
from docker.models.volumes import Volume
from pulumi import automation
from pulumi.automation.events import EngineEvent, StepEventMetadata
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS

from observability.operations.engine import without_answers, without_debug_messages

# A program that fails leaves calls to its engine, which has ended. gRPC goes on connecting to that address; a later
# engine at the same port would share that connection and be refused as the dead one is.
_GRPC_CHANNEL_OPTIONS.append(("grpc.use_local_subchannel_pool", 1))

Program = Callable[[], None]
Ops = dict[str, str]
"""The engine's operation by resource name."""


@dataclass(frozen=True)
class Plugin:
    """A way to serve Docker resources: its name and the environment in which the engine finds it and no other."""

    name: str
    environment: dict[str, str]
    cli: automation.PulumiCommand

    def within(self, environment: dict[str, str]) -> "Plugin":
        """Return the plugin with additional environment variables."""
        return replace(self, environment=self.environment | environment)


@dataclass
class Run:
    """What one operation of the engine did."""

    ops: Ops = field(default_factory=dict)
    kinds: dict[str, dict[str, str]] = field(default_factory=dict)
    """By resource name: the kind of difference by top-level property."""
    steps: list[tuple[str, str]] = field(default_factory=list)
    """Name and operation, in the order in which they began."""
    metadata: list[StepEventMetadata] = field(default_factory=list)
    """The steps as the engine reported them, including those of components and of the parts of replacements."""
    output: str = ""
    failed: bool = False

    def take(self, event: EngineEvent) -> None:
        """Record one event of the engine."""
        if event.resource_pre_event is None:
            return
        step = event.resource_pre_event.metadata
        self.metadata.append(step)
        name = step.urn.rpartition("::")[2]
        if step.type.startswith("docker:"):
            self.steps.append((name, str(step.op.value)))
            self.ops[name] = "replace" if self.ops.get(name) == "replace" else str(step.op.value)
            for path, diff in (step.detailed_diff or {}).items():
                top = path.partition(".")[0].partition("[")[0]
                self.kinds.setdefault(name, {})[top] = str(diff.diff_kind.value)

    @property
    def changes(self) -> Ops:
        """The operations other than "nothing to do"."""
        return {name: op for name, op in self.ops.items() if op not in ("same", "refresh")}


class Lab:
    """A stack whose program can be changed from run to run; names in Docker carry its prefix."""

    def __init__(self, plugin: Plugin, prefix: str, folder: Path, docker: DockerClient) -> None:
        self.plugin = plugin
        self.prefix = prefix
        self.docker = docker
        self._folder = folder
        self._stack = automation.create_or_select_stack(
            "test",
            "contract",
            lambda: None,
            opts=automation.LocalWorkspaceOptions(
                work_dir=str(folder),
                pulumi_command=plugin.cli,
                secrets_provider="passphrase",
                env_vars=plugin.environment | {"PULUMI_CONFIG_PASSPHRASE": "contract"},
                project_settings=automation.ProjectSettings(
                    "contract", "python", backend=automation.ProjectBackend(f"file://{folder}")
                ),
            ),
        )

        without_answers(self._stack)

    def hand_over(self, plugin: Plugin) -> None:
        """Continue with another plugin."""
        self.plugin = plugin
        self._stack.workspace.env_vars = {**self._stack.workspace.env_vars, **plugin.environment}

    def name(self, role: str) -> str:
        """Return the name in Docker of the resource with a role."""
        return f"{self.prefix}-{role}"

    def inspect(self, role: str) -> dict[str, Any]:
        """Return what Docker reports for a container."""
        attributes: dict[str, Any] = self.docker.api.inspect_container(self.name(role))
        return attributes

    def up(self, program: Program, **options: Any) -> Run:  # noqa: ANN401 - the engine's own options
        """Bring the stack to the program's state; an update that fails is a run marked as failed."""
        return self._run(self._stack.up, program=program, **options)

    def preview(self, program: Program, **options: Any) -> Run:  # noqa: ANN401 - the engine's own options
        """Preview an update."""
        return self._run(self._stack.preview, program=program, **options)

    def refresh(self) -> Run:
        """Refresh all resources."""
        return self._run(self._stack.refresh)

    def destroy(self) -> Run:
        """Delete all resources."""
        return self._run(self._stack.destroy)

    def state(self) -> dict[str, dict[str, Any]]:
        """Return the stack's Docker resources as recorded, by name."""
        resources = (self._stack.export_stack().deployment or {}).get("resources", [])
        return {item["urn"].rpartition("::")[2]: item for item in resources if item["type"].startswith("docker:")}

    def deployment(self) -> dict[str, Any]:
        """Return the record of the stack as it is exported, with secrets in plain text."""
        return dict(self._stack.export_stack().deployment or {})

    def urn(self, name: str) -> str:
        """Return the URN of a recorded resource."""
        found = [one["urn"] for one in self.deployment()["resources"] if one["urn"].endswith(f"::{name}")]
        return str(found[0])

    def record(self) -> str:
        """Return the state as stored in the backend."""
        return (self._folder / ".pulumi" / "stacks" / "contract" / "test.json").read_text(encoding="utf-8")

    def outputs(self) -> dict[str, Any]:
        """Return the stack's outputs."""
        return {name: output.value for name, output in automation.Stack.outputs(self._stack).items()}

    def sweep(self) -> None:
        """Remove from Docker what a failed or killed run left with the prefix."""
        for item in self.left():
            item.remove(**({"force": True, "v": True} if isinstance(item, Container) else {}))

    def left(self) -> list[Container | Network | Volume]:
        """Return the resources in Docker with the prefix."""
        return [
            *self.docker.containers.list(all=True, filters={"name": f"^/{self.prefix}-"}, ignore_removed=True),
            *self.docker.networks.list(filters={"name": f"^{self.prefix}-"}),
            *self.docker.volumes.list(filters={"name": f"^{self.prefix}-"}),
        ]

    def _run(self, operation: Callable[..., Any], **options: Any) -> Run:  # noqa: ANN401
        run = Run()
        lines: list[str] = []
        try:
            with without_debug_messages():
                operation(on_event=run.take, on_output=lines.append, on_error=lines.append, color="never", **options)
        except automation.CommandError as error:
            run.failed = True
            lines.append(str(error))
        run.output = "\n".join(lines)
        return run
