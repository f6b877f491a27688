"""Ports of this machine for servers that tests start."""

import fcntl
import random
import socket
import tempfile
from pathlib import Path
from typing import Final, TextIO

RANGE: Final = range(20_000, 32_000)
"""Below the ports that Linux gives to connections and to servers that ask for any port (32768 and up by default).

One of those may be given to another program between the choice and the start of a server.
"""
_given: Final[dict[int, TextIO]] = {}
"""By port, the file whose lock keeps it from other processes of the tests until this one ends."""


def free_port(address: str = "127.0.0.1") -> int:
    """A port on which nothing listens, and which no process of the tests was given that still runs."""
    folder = Path(tempfile.gettempdir(), "obs-test-ports")
    folder.mkdir(exist_ok=True)
    for port in random.SystemRandom().sample(RANGE, len(RANGE)):
        file = (folder / str(port)).open("w")
        if port not in _given and _locked(file) and _free(address, port):
            _given[port] = file
            return port
        file.close()
    raise AssertionError(f"no free port in {RANGE}")


def _locked(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _free(address: str, port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True
