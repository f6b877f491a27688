"""Read secrets from where the settings say that they are kept."""

import os
import shlex
import subprocess
from pathlib import Path
from typing import Final

from observability.core.errors import ConfigError
from observability.settings.sources import SecretSource

TIMEOUT: Final = 60.0
"""Seconds within which a command must print the value."""


def read(where: str, source: SecretSource) -> str:
    """The secret's value, without white space around it; ConfigError names `where`, the path of the setting.

    No error contains what a command printed on standard output.
    """
    if source.file:
        found = _file(where, source.file)
    elif source.env:
        found = os.environ.get(source.env, "")
        if not found.strip():
            raise ConfigError(f"{where}.env: the variable {source.env} is not set, or empty", "set it, and try again")
    else:
        found = _output(where, source.command)
    if not found.strip():
        raise ConfigError(f"{where}: the value is empty", "store the secret there, and try again")
    return found.strip()


def _file(where: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise ConfigError(f"{where}.file: {path}: {reason}", "correct the path, or let this user read it") from error


def _output(where: str, command: tuple[str, ...]) -> str:
    shown = shlex.join(command)
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=TIMEOUT
        )
    except subprocess.TimeoutExpired as error:
        raise ConfigError(
            f"{where}.command: {shown}: no answer in {TIMEOUT:.0f} s", "sign in, so that it does not ask for anything"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it prints no text"
        raise ConfigError(f"{where}.command: {shown}: {reason}", "install the program, or correct its name") from error
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()
        raise ConfigError(
            f"{where}.command: {shown}: exit code {done.returncode}{f': {said[-1]}' if said else ''}",
            "run it by hand, and correct what it reports",
        )
    return done.stdout
