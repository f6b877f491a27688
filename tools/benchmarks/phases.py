"""`python -m tools.benchmarks.phases COMMAND… [STACK]`: where the time of a command of obs goes, as a table.

Runs the command once in a process of its own, for example `up dev` where nothing changed, and measures the functions
below. Wall-clock seconds, CPU seconds of the thread, and CPU seconds of the processes that it started and waited for.
What a function does within another one of the table counts for the inner one only. Nothing is added to obs itself.
"""

import atexit
import functools
import importlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from observability.settings.load import ROOT

IMPORTS: Final = "import of modules"
REST: Final = "the rest"
OUTPUT: Final = "OBS_PHASES"

PHASES: Final = {
    "check of all content, or that it passed before": ("observability.cli.lifecycle:check_first",),
    "what is obtained: Docker, CLI, plugin, images": ("toolchain.obtain:ensure", "toolchain.obtain:foresee"),
    "settings": ("observability.operations.home:Home.config", "observability.operations.home:Home.secrets"),
    "rules": ("observability.operations.operation:rule_files",),
    "resources, as declared": ("observability.operations.operation:record",),
    "working copy, and CLI: select": ("observability.operations.operation:Engine",),
    "preflight": ("observability.operations.preflight:check", "observability.operations.preflight:connect"),
    "comparison with Docker": ("observability.operations.drift:repair", "observability.operations.containers:amiss"),
    "the program within the engine's run": ("observability.operations.engine:deploy",),
    "CLI: the engine's run": ("observability.operations.engine:Engine._run",),
    "CLI: export of the record": ("pulumi.automation:Stack.export_stack",),
    "wait until the services are healthy": ("observability.operations.containers:wait_until_well",),
    "quick verify": ("observability.operations.operation:Operation.verified",),
}
"""The functions of each row."""


@dataclass
class Spent:
    """Seconds of one row."""

    wall: float = 0.0
    own: float = 0.0
    children: float = 0.0
    calls: int = 0


SPENT: Final[dict[str, Spent]] = {}
_STACK: Final = threading.local()


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _now() -> tuple[float, float, float]:
    return time.monotonic(), time.thread_time(), _children()


def _add(row: str, begun: tuple[float, float, float], inner: list[float]) -> list[float]:
    """Count the time since `begun` for a row, without that of inner rows; returns all of it."""
    whole = [now - then for now, then in zip(_now(), begun, strict=True)]
    spent = SPENT.setdefault(row, Spent())
    spent.wall += whole[0] - inner[0]
    spent.own += whole[1] - inner[1]
    spent.children += whole[2] - inner[2]
    spent.calls += 1
    return whole


def timed(row: str, work: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which counts for a row."""

    @functools.wraps(work, updated=())
    def measured(*given: Any, **named: Any) -> Any:  # noqa: ANN401 - whatever the function takes
        outer = getattr(_STACK, "inner", None)
        _STACK.inner = [0.0, 0.0, 0.0]
        begun = _now()
        try:
            return work(*given, **named)
        finally:
            whole = _add(row, begun, _STACK.inner)
            _STACK.inner = [one + more for one, more in zip(outer, whole, strict=True)] if outer else None

    return measured


def _replace(row: str, target: str) -> None:
    module, _, path = target.partition(":")
    *owners, name = path.split(".")
    owner: Any = importlib.import_module(module)
    for one in owners:
        owner = getattr(owner, one)
    made = timed(row, getattr(owner, name))
    setattr(owner, name, made)
    # The package's own name for it.
    if module == "toolchain.obtain":
        setattr(importlib.import_module("toolchain"), name, made)


def run(arguments: list[str]) -> None:
    """Run the command in this process, and write what was measured to the file that OUTPUT names."""
    start = _now()
    atexit.register(_write, start)
    from observability.cli.app import main

    importlib.import_module("observability.operations.operation")
    _add(IMPORTS, start, [0.0, 0.0, 0.0])
    for row, targets in PHASES.items():
        for target in targets:
            _replace(row, target)
    sys.argv = ["obs", *arguments]
    main()


def _write(start: tuple[float, float, float]) -> None:
    whole = [now - then for now, then in zip(_now(), start, strict=True)]
    whole[1] = time.process_time()
    counted = [sum(getattr(one, name) for one in SPENT.values()) for name in ("wall", "own", "children")]
    rest = [max(0.0, one - two) for one, two in zip(whole, counted, strict=True)]
    rows = {row: vars(spent) for row, spent in SPENT.items()}
    rows[REST] = {"wall": rest[0], "own": rest[1], "children": rest[2], "calls": 1}
    rows["in all"] = {"wall": whole[0], "own": whole[1], "children": whole[2], "calls": 1}
    Path(os.environ[OUTPUT]).write_text(json.dumps(rows), encoding="utf-8")


def main() -> int:
    """Measure and print; returns the exit code of the command."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "phases.json"
        given = [sys.executable, "-P", "-c", "import sys; from tools.benchmarks.phases import run; run(sys.argv[1:])"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), OUTPUT: str(output)}
        done = subprocess.run([*given, *sys.argv[1:]], env=environment, stdout=subprocess.DEVNULL, check=False)
        rows = json.loads(output.read_text(encoding="utf-8"))
    table = Table(
        "row", "calls", "wall s", "CPU s of obs", "CPU s of its processes", title=" ".join(sys.argv[1:]), box=None
    )
    for row, spent in sorted(rows.items(), key=lambda one: (one[0] == "in all", -one[1]["wall"])):
        table.add_row(row, str(spent["calls"]), *(f"{spent[name]:.2f}" for name in ("wall", "own", "children")))
    out = Console(highlight=False, width=118)
    out.print(table)
    out.print(f"exit code {done.returncode}; {os.cpu_count()} cores; load {os.getloadavg()[0]:.1f}")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
