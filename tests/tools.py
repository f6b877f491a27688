"""Run a tool of a pinned image on files, as with `docker run`."""

import hashlib
import io
import json
import tarfile
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import docker

from observability.parts.images import PINS
from tests.waits import HANG_SECONDS
from toolchain import cache_dir

MEMORY: Final = {"GOGC": "400", "GOMEMLIMIT": "512MiB"}
"""For tools in Go: they run for a short time, and collect garbage less often than they do by default."""

KEPT_SECONDS: Final = 30 * 86400
"""How long a result is kept after its last use."""


@dataclass(frozen=True, kw_only=True)
class ToolResult:
    """Its exit code, and its output."""

    code: int
    output: str


def run_tool(service: str, command: Sequence[str], files: Mapping[str, str]) -> ToolResult:
    """The tool's result for the files, which are in its working folder /given.

    It depends on nothing else: a success is kept, and returned again for the same image, command and files.
    """
    client = docker.from_env()
    kept = _kept(str(client.images.get(PINS[service]).id), command, files)
    if kept.is_file():
        kept.touch()
        return ToolResult(code=0, output=kept.read_text(encoding="utf-8"))
    result = _ran(client, service, command, files)
    if result.code == 0:
        _keep(kept, result.output)
    return result


def _kept(image: str, command: Sequence[str], files: Mapping[str, str]) -> Path:
    """The file of a result."""
    asked = json.dumps([image, MEMORY, list(command), sorted(files.items())])
    return cache_dir() / "tool-results" / hashlib.sha256(asked.encode()).hexdigest()


def _keep(path: Path, output: str) -> None:
    """Store a result, and remove those that no run has used for a month."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for other in path.parent.iterdir():
        with suppress(FileNotFoundError):  # Another worker may remove it at the same time.
            if time.time() - other.stat().st_mtime > KEPT_SECONDS:
                other.unlink()
    with tempfile.NamedTemporaryFile("w", dir=path.parent, encoding="utf-8", delete=False) as made:
        made.write(output)
    Path(made.name).replace(path)


def _ran(client: docker.DockerClient, service: str, command: Sequence[str], files: Mapping[str, str]) -> ToolResult:
    container = client.containers.create(
        PINS[service],
        entrypoint=list(command),
        environment=MEMORY,
        working_dir="/given",
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
    """A tar of the files in a folder /given."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, text in files.items():
            data = text.encode()
            info = tarfile.TarInfo(f"given/{path}")
            info.size, info.mode = len(data), 0o644
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()
