"""Run a tool of a pinned image on files, as with `docker run`."""

import io
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import docker

from observability.parts.images import PINS
from tests.waits import HANG_SECONDS

MEMORY: Final = {"GOGC": "400", "GOMEMLIMIT": "512MiB"}
"""For tools in Go: they run for a short time, and collect garbage less often than they do by default."""


@dataclass(frozen=True, kw_only=True)
class ToolResult:
    """Its exit code, and its output."""

    code: int
    output: str


def run_tool(service: str, command: Sequence[str], files: Mapping[str, str]) -> ToolResult:
    """The tool's result for the files, which are in its working folder /work."""
    client = docker.from_env()
    container = client.containers.create(
        PINS[service],
        entrypoint=list(command),
        environment=MEMORY,
        working_dir="/work",
        user="65534",
        network_disabled=True,
    )
    try:
        container.put_archive("/", archive(files))
        container.start()
        code = container.wait(timeout=HANG_SECONDS)["StatusCode"]
        return ToolResult(code=code, output=container.logs().decode())
    finally:
        container.remove(force=True, v=True)


def archive(files: Mapping[str, str]) -> bytes:
    """A tar of the files in a folder /work."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, text in files.items():
            data = text.encode()
            info = tarfile.TarInfo(f"work/{path}")
            info.size, info.mode = len(data), 0o644
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()
