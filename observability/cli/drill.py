"""`obs drill`: prove that a backup can be restored, and how long that takes."""

import time
from typing import TYPE_CHECKING, Any

import typer

from observability.cli.backup import row, target_of
from observability.cli.common import AsJson, Stack, err, out, print_json

if TYPE_CHECKING:
    from observability.operations.drill import Result


def drill(stack: Stack = "dev", as_json: AsJson = False) -> None:
    """Back up a running stack, restore it beside it, compare the answers to 20 queries, and remove the copy."""
    from observability.core.types import seconds
    from observability.operations import backup as backing
    from observability.operations import drill as operation
    from observability.operations.home import Home
    from observability.operations.preflight import connect

    home = Home.find()
    config = home.config(stack)
    container = backing.container_of(connect(), config)
    running = config.addresses

    def say(line: str) -> None:
        err.print(f"  {line}", markup=False)

    begin = time.time()
    at = begin - operation.SETTLED
    urls: dict[operation.Server, str] = {"prometheus": running["prometheus"]}
    if "loki" in running:
        urls["loki"] = running["loki"]
    backing.hand_over(container, home, stack)
    if backing.run_now(container, say):
        raise typer.Exit(1)
    made = time.time()
    snapshot = backing.listed(container)[-1]
    _, target = target_of(config, home)
    result = operation.Result(snapshot=snapshot, backup_seconds=made - begin)
    restoring = time.monotonic()
    with operation.scratch(target, snapshot, say) as restored:
        result.restore_seconds = time.monotonic() - restoring
        asked = operation.choose(urls["prometheus"], lines="loki" in restored, at=at)
        result.compared = operation.compare(urls, restored, asked, at)
        newest = operation.newest(restored["prometheus"], made)
        result.lost_seconds = made - newest if newest else float("inf")
    every = seconds(config.settings.part("backup").schedule.every)
    if as_json:
        print_json(document(stack, result, every))
    else:
        _print(stack, result, every)
    if not result.ok:
        raise typer.Exit(1)


def document(stack: str, result: "Result", every: float) -> dict[str, Any]:
    """The result as JSON; times in seconds."""
    return {
        "stack": stack,
        "ok": result.ok,
        "snapshot": row(result.snapshot),
        "queries": [
            {
                "server": one.question.server,
                "query": one.question.query,
                "series": len(one.running),
                "equal": one.equal,
                "difference": one.difference,
            }
            for one in result.compared
        ],
        "backup_seconds": round(result.backup_seconds, 1),
        "rto_seconds": round(result.restore_seconds, 1),
        "rpo_seconds": round(result.lost_seconds, 1),
        "rpo_at_most_seconds": round(every + result.backup_seconds, 1),
    }


def _print(stack: str, result: "Result", every: float) -> None:
    for one in result.compared:
        verdict = f"same, {len(one.running)} series" if one.equal else one.difference
        style = "green" if one.equal else "red"
        out.print(f"  {one.question.server:<11} {one.question.query:<70} {verdict}", style=style, markup=False)
    same = sum(one.equal for one in result.compared)
    out.print(f"{stack}: snapshot {result.snapshot.id}: {same} of {len(result.compared)} answers are the same")
    out.print(
        f"  RTO {result.restore_seconds:.0f} s: from the begin of the restore until the servers answered", markup=False
    )
    out.print(
        f"  RPO {result.lost_seconds:.0f} s: from the newest restored sample to the end of this backup; at most "
        f"{every + result.backup_seconds:.0f} s with the schedule",
        markup=False,
    )
