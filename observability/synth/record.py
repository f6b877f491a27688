"""Run the program with a monitor that only records the declarations."""

import asyncio
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import pulumi
from google.protobuf.json_format import MessageToDict
from pulumi.runtime import mocks, rpc
from pulumi.runtime.settings import ROOT, SETTINGS
from pulumi.runtime.stack import run_pulumi_func

from components.stack import MonitoringStack, MonitoringStackArgs
from observability.core.naming import PROJECT, host_of_agent
from observability.settings.load import StackConfig
from observability.synth.declared import CONTAINER, Declared

HIDDEN: Final = "[secret]"
"""Placeholder of a secret's value."""

_UNKNOWN: Final = "valueThatIsNotKnownHereOf"
"""Begin of the placeholder of a secret; letters only, so that it is the same in any encoding of a file's format."""


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
                    host=_host(request.provider) if request.type.startswith("docker:") else None,
                    digests=digests(MessageToDict(request.object)) if request.type == CONTAINER else {},
                )
            )
        return super().RegisterResource(request)  # type: ignore[no-untyped-call]  # the SDK's mocks have no types


def record(
    config: StackConfig, rule_files: Mapping[str, str], secrets: Mapping[str, str] | None = None
) -> list[Declared]:
    """Every resource of a stack, ordered by type and name; needs no engine, no Docker, no network.

    The values of `secrets` are used for the digests of files only; a placeholder is used for any other secret.
    """
    known = secrets or {}

    def secret(name: str) -> pulumi.Output[str]:
        return pulumi.Output.secret(known.get(name, f"{_UNKNOWN}{name}"))

    recorder = Recorder()
    with _recording(recorder, config.stack):
        args = MonitoringStackArgs(config=config, rule_files=rule_files, secret=secret)
        asyncio.get_event_loop().run_until_complete(run_pulumi_func(lambda: _build(args)))
    return sorted(recorder.declared, key=lambda resource: (resource.type, resource.name))


def on(declared: Sequence[Declared], host: str | None) -> list[Declared]:
    """Those of the declared resources that are on a host; None: on the stack's own, or on none."""
    return [one for one in declared if one.host == host]


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


def _host(provider: str) -> str | None:
    """The host of a provider, given as `<urn>::<id>`; None for the default one."""
    return host_of_agent(provider.rpartition("::")[0].rpartition("::")[2])


def digests(inputs: Mapping[str, Any]) -> dict[str, str | None]:
    """SHA-256 of each file that a container with these inputs uploads, by path; None where it is not known."""
    found: dict[str, str | None] = {}
    for upload in inputs.get("uploads") or ():
        content = upload["content"]
        if isinstance(content, dict):
            content = content["value"]
        known = _UNKNOWN not in content
        found[upload["file"]] = hashlib.sha256(content.encode()).hexdigest() if known else None
    return found


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
