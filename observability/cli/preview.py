"""`obs preview`: the changes that `obs up` would make, per resource, without making them."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from observability.cli.common import AsJson, SkipCheck, Stack, err, out, print_json, say_error
from observability.settings import load

if TYPE_CHECKING:
    from observability.operations.changes import Change
    from observability.operations.engine import Outcome
    from observability.operations.operation import Operation

LINES: Final = 20
"""Maximum lines shown per resource; --json has all of them."""

_COLOURS: Final = {"create": "green", "update": "yellow", "replace": "magenta", "delete": "red"}


def preview(
    stack: Stack = "dev",
    refresh: Annotated[bool, typer.Option("--refresh", help="Also show what was changed by hand.")] = False,
    offline: Annotated[
        bool, typer.Option("--offline", help="List what is declared, without Docker, the CLI or any secret.")
    ] = False,
    skip_check: SkipCheck = False,
    as_json: AsJson = False,
) -> None:
    """Show what `up` would change: which properties differ, and why a resource is replaced. Nothing is changed."""
    from observability.cli.lifecycle import BESIDE, check_first, prepare_beside

    load.stack_file(stack)
    if not skip_check:
        check_first(stack)
    if offline:
        _declared(stack, as_json=as_json)
        return
    from observability.operations.operation import Operation

    prepare_beside(stack)
    operation = Operation.prepare(stack, err, to_show=True)
    outcome = operation.run("preview", refresh=refresh)
    changes = operation.changes(outcome)
    companions = {one.name: one.plan(stack) for one in BESIDE}
    if as_json:
        print_json({**_document(operation, outcome, changes), "beside": companions})
        return
    for change in changes:
        if not change.grouping:
            _show(change)
    for name, plan in companions.items():
        for line in plan:
            out.print(f"  {name}: {line}", markup=False)
    for line in _notes(operation):
        out.print(f"  {line}", style="yellow", markup=False)
    out.print(f"{stack}: {outcome.changed} changes, {outcome.unchanged} unchanged{_counted(outcome.changes)}")
    if operation.refusal is not None:
        say_error("up would be refused: " + operation.refusal.what, operation.refusal.fix)


def _show(change: "Change") -> None:
    kind = change.type.rpartition(":")[2]
    out.print(f"  {change.operation:<14} {kind:<10} {change.name}", style=_COLOURS.get(change.operation), markup=False)
    lines = [*lines_of(change)]
    for line in lines[:LINES]:
        out.print(f"      {line}", markup=False)
    if len(lines) > LINES:
        out.print(f"      and {len(lines) - LINES} more; --json has all of them", markup=False)
    for reason in change.because:
        out.print(f"      replaced because {reason}", style="magenta", markup=False)


def lines_of(change: "Change") -> Iterator[str]:
    """The differences, one line per value or, for a dashboard, per change of a panel."""
    from observability.operations.changes import line

    yield from change.described
    yield from map(line, change.differences)


def _notes(operation: "Operation") -> Iterator[str]:
    """The parts and the hosts that `up` will leave out, and the unwatched objects."""
    from observability.operations import parts

    for name, reason in operation.config.left_out.items():
        yield f"left out: {name}: {reason.partition(' (')[0]}; ./obs doctor {operation.config.stack} says why"
    for host, reason in operation.hosts.silent.items():
        yield f"{host} is left as it is: {reason}"
    yield from parts.not_watched(operation.config)


def _counted(changes: Mapping[str, int]) -> str:
    """The number of changes by kind, in brackets; empty where there are none."""
    from observability.operations.engine import SILENT

    found = ", ".join(f"{count} to {kind}" for kind, count in sorted(changes.items()) if kind not in SILENT and count)
    return f" ({found})" if found else ""


def _document(operation: "Operation", outcome: "Outcome", changes: "list[Change]") -> dict[str, Any]:
    """A complete preview as JSON."""
    config, refusal = operation.config, operation.refusal
    return {
        "stack": config.stack,
        "changed": outcome.changed,
        "unchanged": outcome.unchanged,
        "operations": dict(outcome.changes),
        "changes": [
            {
                "operation": one.operation,
                "type": one.type,
                "name": one.name,
                "properties": one.properties,
                "differences": [asdict(found) for found in one.differences],
                "described": one.described,
                "replaced_because": one.because,
            }
            for one in changes
        ],
        "left_out": dict(config.left_out),
        "not_watched": [asdict(one) for one in config.unplaced],
        "refused": {"what": refusal.what, "fix": refusal.fix} if refusal is not None else None,
    }


def _declared(stack: str, *, as_json: bool) -> None:
    """List every resource that the program declares, and what is missing before `up` can create it."""
    from observability.cli.look import load_all
    from observability.operations import parts
    from observability.synth.record import record

    config, rules = load_all(stack)
    declared = record(config, rules)
    if as_json:
        print_json(
            {
                "stack": stack,
                "declared": [{"type": one.type, "name": one.name} for one in declared],
                "systems": list(config.systems),
                "left_out": dict(config.left_out),
                "not_watched": [asdict(one) for one in config.unplaced],
                "secrets_missing": dict(config.missing),
            }
        )
        return
    for resource in declared:
        out.print(f"  {resource.type.rpartition(':')[2]:<24} {resource.name}", markup=False)
    out.print(f"{stack}: {len(declared)} resources declared, {len(config.systems)} systems watched")
    for line in parts.not_watched(config):
        out.print(f"  {line}", style="yellow", markup=False)
    for name, why in config.missing.items():
        out.print(f"  secret missing: {name}, needed by {why}", markup=False)
