"""Run the program with a monitor that only records the declarations."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from google.protobuf.json_format import MessageToDict
from pulumi.runtime import mocks, rpc
from pulumi.runtime.settings import ROOT, SETTINGS
from pulumi.runtime.stack import run_pulumi_func

from components.stack import MonitoringStack, MonitoringStackArgs
from observability.core.naming import PROJECT
from observability.settings.load import StackConfig

HIDDEN: Final = "[secret]"
"""Placeholder of a secret's value."""

CONTAINER: Final = "docker:index/container:Container"


@dataclass(frozen=True, kw_only=True)
class Declared:
    """One resource as the program declares it; secrets are hidden.

    `retained`: destroying the stack does not delete it.
    """

    type: str
    name: str
    parent: str | None
    inputs: Mapping[str, Any]
    retained: bool = False


class _Outputs(mocks.Mocks):
    """Outputs of a resource that succeeded: its inputs, and an exit code of 0."""

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        computed = {"exitCode": 0, "containerLogs": ""} if args.typ == CONTAINER else {}
        return f"{args.name}-id", {**args.inputs, **computed}

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        raise AssertionError(f"the program calls {args.token}, which nothing here answers")


class Recorder(mocks.MockMonitor):
    """A monitor that stores every declaration, in order, and refuses a second one of the same URN."""

    def __init__(self) -> None:
        super().__init__(_Outputs())
        self.declared: list[Declared] = []

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802, ANN401 - the monitor's protocol
        """Store the declaration, then respond as the engine would."""
        urn = self.make_urn(request.parent, request.type, request.name)
        if urn in self.resources:
            raise AssertionError(f"declared twice: {urn}")
        if request.type != "pulumi:pulumi:Stack":
            self.declared.append(
                Declared(
                    type=request.type,
                    name=request.name,
                    parent=request.parent.rpartition("::")[2] or None,
                    inputs=_plain(MessageToDict(request.object)),
                    retained=bool(request.retainOnDelete),
                )
            )
        return super().RegisterResource(request)  # type: ignore[no-untyped-call]  # the SDK's mocks have no types


def record(config: StackConfig, rule_files: Mapping[str, str]) -> list[Declared]:
    """Every resource of a stack, ordered by type and name; needs no engine, no Docker, no network.

    A secret's value is never read: a placeholder is used instead.
    """

    def secret(name: str) -> pulumi.Output[str]:
        return pulumi.Output.secret(f"value of {name}")

    recorder = Recorder()
    with _recording(recorder, config.stack):
        args = MonitoringStackArgs(config=config, rule_files=rule_files, secret=secret)
        asyncio.get_event_loop().run_until_complete(run_pulumi_func(lambda: _build(args)))
    return sorted(recorder.declared, key=lambda resource: (resource.type, resource.name))


def _build(args: MonitoringStackArgs) -> None:
    MonitoringStack("monitoring", args)


@contextmanager
def _recording(recorder: Recorder, stack: str) -> Iterator[None]:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        mocks.set_mocks(recorder.mocks, project=PROJECT, stack=stack, preview=False, monitor=recorder)
        yield
    finally:
        # A program that failed leaves tasks behind; the next one would wait for them without end.
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        SETTINGS.rpc_manager.clear()
        SETTINGS.outputs.clear()
        # The next program may be of another stack.
        ROOT.set(None)
        asyncio.set_event_loop(None)
        loop.close()


def _plain(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """A wire value as JSON: secrets hidden, whole numbers as integers."""
    if isinstance(value, dict):
        if value.get(rpc._special_sig_key) == rpc._special_secret_sig:
            return HIDDEN
        return {key: _plain(inner) for key, inner in sorted(value.items())}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
