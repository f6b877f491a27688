"""Ports of this machine for servers that tests start."""

import random
import socket
from typing import Final

RANGE: Final = range(20_000, 32_000)
"""Below the ports that Linux gives to connections and to servers that ask for any port (32768 and up by default).

One of those may be given to another program between the choice and the start of a server.
"""
_given: Final[set[int]] = set()


def free_port(address: str = "127.0.0.1") -> int:
    """A port on which nothing listens, and which this process has not given before."""
    for port in random.SystemRandom().sample(RANGE, len(RANGE)):
        if port in _given:
            continue
        with socket.socket() as probe:
            try:
                probe.bind((address, port))
            except OSError:
                continue
        _given.add(port)
        return port
    raise AssertionError(f"no free port in {RANGE}")
