"""Runs other programs: with a time limit, without showing their output, without leaving processes behind."""

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
    """A way to obtain something failed; the text is the reason in one line."""


def environment(**changes: str) -> dict[str, str]:
    """The current environment with changes, for one child process."""
    return {**os.environ, **changes}


def run(
    command: Sequence[str | Path],
    *,
    limit: float,
    log: str,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> str:
    """Return the program's output; `ObtainError` if it fails or takes more than `limit` seconds.

    All output is kept in the log of that name; its last line is the reason in the error.
    """
    with _log(log_file(log)) as output:
        # In its own session, so that on a time-out its children are ended too.
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
    """A new file under this name: another run that still writes to the old one keeps its own file."""
    descriptor, name = tempfile.mkstemp(dir=path.parent)
    Path(name).replace(path)
    return open(descriptor, "w+", errors="replace")  # noqa: PTH123 - a descriptor, not a path


def ask(command: Sequence[str | Path], env: Mapping[str, str] | None = None) -> str:
    """The output of a quick command; empty if it does not end within ten seconds."""
    try:
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, env=env, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def end(child: subprocess.Popen[Any], patience: float = 5.0) -> None:
    """End a program started in its own session, with its children: SIGTERM, and SIGKILL after `patience` seconds."""
    for sign, wait in ((signal.SIGTERM, patience), (signal.SIGKILL, None)):
        if child.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                os.killpg(child.pid, sign)
                child.wait(wait)


def end_all() -> None:
    """End the programs that other threads wait for in `run`, so that an interrupt takes effect at once."""
    for child in tuple(_running):
        end(child)


def last_line(text: str, width: int = 240) -> str:
    """Last line that is not empty, shortened."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:width] if lines else ""
