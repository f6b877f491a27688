"""A Docker Engine on another machine, through the machine's own ssh, as Docker's command line reaches it.

Docker's Python client can do so too, but only with a library that reads neither all of ssh's configuration nor its
agent. Here every connection is one run of `ssh HOST docker system dial-stdio`, behind a socket of this process. They
share one connection of ssh, so that the host is signed in to once: a command makes dozens.
"""

import atexit
import shutil
import socket
import subprocess
import tempfile
import threading
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

CONNECT_SECONDS: Final = 30
"""How long the connection to the host may take."""

SHARED_SECONDS: Final = 60
"""How long the shared connection stays without use, if the process that made it was killed."""

_OPTIONS: Final = ("-T", "-o", "BatchMode=yes", "-o", f"ConnectTimeout={CONNECT_SECONDS}")
"""No terminal and no question: a host whose key is unknown is refused."""


class Relay:
    """A socket of this process, whose connections are those to the Docker Engine of another machine."""

    def __init__(self, url: str, options: tuple[str, ...] = ()) -> None:
        """Listen; `url` is ssh://[user@]host[:port], `options` are more arguments of ssh."""
        folder = Path(tempfile.mkdtemp(prefix="obs-ssh-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        shared = (f"-oControlPath={folder / 'shared'}", "-oControlMaster=auto", f"-oControlPersist={SHARED_SECONDS}")
        self._command = command(url, (*options, *shared))
        atexit.register(_end, command(url, (*options, shared[0], "-Oexit")))
        self.socket = folder / "docker.sock"
        self._errors = folder / "errors"
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(self.socket))
        self._listener.listen(64)
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def errors(self) -> str:
        """The last line that ssh or the remote command wrote to its standard error; empty without one."""
        lines = self._errors.read_text(encoding="utf-8", errors="replace").split("\n") if self._errors.exists() else []
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, self._errors.open("ab") as errors:
                # The program reads and writes the connection itself.
                end = connection.fileno()
                process = subprocess.Popen(self._command, stdin=end, stdout=end, stderr=errors)
            threading.Thread(target=process.wait, daemon=True).start()


def _end(command: list[str]) -> None:
    """End the shared connection of ssh; there is none where ssh could not connect."""
    with suppress(OSError, subprocess.TimeoutExpired):
        subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=CONNECT_SECONDS, check=False)


def command(url: str, options: tuple[str, ...] = ()) -> list[str]:
    """The command of one connection to the engine at ssh://[user@]host[:port]."""
    found = urlsplit(url)
    return [
        *("ssh", *_OPTIONS, *options),
        *(("-l", found.username) if found.username else ()),
        *(("-p", str(found.port)) if found.port else ()),
        *("--", found.hostname or "", "docker system dial-stdio"),
    ]


@cache
def relay(url: str, options: tuple[str, ...] = ()) -> Relay:
    """The relay to this engine; one for each in a process."""
    return Relay(url, options)
