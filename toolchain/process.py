"""Running other programs: bounded in time, nothing of their noise shown, nothing of them left behind."""

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from toolchain.cache import log_file

_running: set[subprocess.Popen[Any]] = set()


class ObtainError(Exception):
    """A way to obtain something did not work; its text is one line of why."""


def environment(**changes: str) -> dict[str, str]:
    """Our own environment with changes, for one child."""
    return {**os.environ, **changes}


def run(
    command: Sequence[str | Path],
    *,
    limit: float,
    log: str,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> str:
    """Return what the program printed; `ObtainError` if it ends badly or takes over `limit` seconds.

    All it prints is kept in the log of that name, and the last line of it is the reason given.
    """
    with _log(log_file(log)) as output:
        # In a session of its own, so that on a time-out its children go with it.
        child = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=env,
            cwd=cwd,
            start_new_session=True,
        )
        _running.add(child)
        try:
            code = child.wait(limit)
        except subprocess.TimeoutExpired:
            raise ObtainError(f"no answer within {limit:g} s") from None
        finally:
            _running.discard(child)
            end(child)
        output.seek(0)
        printed = output.read()
    if code != 0:
        raise ObtainError(last_line(printed) or f"{command[0]} ended with code {code}")
    return printed


def _log(path: Path) -> IO[str]:
    """A new file under this name: another run that writes to the one of that name goes on with its own."""
    descriptor, name = tempfile.mkstemp(dir=path.parent)
    Path(name).replace(path)
    return open(descriptor, "w+", errors="replace")  # noqa: PTH123 - a descriptor, not a path


def ask(command: Sequence[str | Path], env: Mapping[str, str] | None = None) -> str:
    """What a quick question to a program printed; empty if it has no answer within ten seconds."""
    try:
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, env=env, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def end(child: subprocess.Popen[Any], patience: float = 5.0) -> None:
    """End a program started in its own session with all it started: politely, and after `patience` seconds at once."""
    for sign, wait in ((signal.SIGTERM, patience), (signal.SIGKILL, None)):
        if child.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                os.killpg(child.pid, sign)
                child.wait(wait)


def end_all() -> None:
    """End what other threads wait for in `run`, so that an interrupted user need not wait too."""
    for child in tuple(_running):
        end(child)


def last_line(text: str, width: int = 240) -> str:
    """Last line that says something, shortened."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:width] if lines else ""
