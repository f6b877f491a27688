"""Backups of a running stack: made now, listed, and the archive of the data folder that is part of each."""

import io
import json
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any, Final

import docker
from docker.errors import DockerException, NotFound
from docker.models.containers import Container

from observability.core import naming
from observability.core.errors import ConfigError
from observability.operations.home import Home
from observability.parts.backup import NAME, STAGE, script
from observability.settings import load
from observability.settings.load import StackConfig

ARCHIVE: Final = "state.tar"
_FOLDER: Final = "state"
"""Folder of the archive, below that of the container's own volume."""
STACK_FILE: Final = "stack-file"
"""Folder, in the archive, of the stack's file."""

BUSY: Final = 75
"""Exit code of the script where a backup is running already."""

_SHARED: Final = frozenset({"passphrase", "meta.yaml"})
"""Files of the data folder that its stacks share."""
_NOT_KEPT: Final = frozenset({"locks", "backups"})
"""Folders of the engine that say what runs now, and that have earlier copies of its record."""

OnLine = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """One backup: its id, when its copies were made, the size of its data and of what it added, bytes."""

    id: str
    time: datetime
    size: int
    added: int

    @classmethod
    def read(cls, found: Mapping[str, Any]) -> "Snapshot":
        """From restic's JSON."""
        summary = found.get("summary") or {}
        return cls(
            id=str(found["short_id"]),
            time=datetime.fromisoformat(_microseconds(str(found["time"]))).astimezone(UTC),
            size=int(summary.get("total_bytes_processed", 0)),
            added=int(summary.get("data_added_packed", 0)),
        )


def _microseconds(time: str) -> str:
    """A time in RFC 3339 with nanoseconds, as Python reads it."""
    whole, point, rest = time.partition(".")
    if not point:
        return time
    digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
    return f"{whole}.{digits[:6]:0<6}{rest[len(digits) :]}"


def snapshots(listed: str) -> list[Snapshot]:
    """The snapshots in restic's JSON, the oldest first."""
    return sorted((Snapshot.read(one) for one in json.loads(listed) or ()), key=lambda one: one.time)


def chosen(found: list[Snapshot], wanted: str, stack: str) -> Snapshot:
    """The snapshot of this id, or of a beginning that only one has; `latest`: the newest. ConfigError without one."""
    if not found:
        raise ConfigError(f"there is no backup of {stack} in its repository", f"make one: ./obs backup {stack}")
    if wanted == "latest":
        return found[-1]
    matching = [one for one in found if wanted and one.id.startswith(wanted[: len(one.id)])]
    if len(matching) != 1:
        newest = ", ".join(one.id for one in found[:-4:-1])
        raise ConfigError(
            f"{'several snapshots begin' if matching else 'no snapshot begins'} with {wanted!r}",
            f"the newest are {newest}; ./obs backups {stack} lists all",
        )
    return matching[0]


def belongs(path: PurePosixPath, stack: str) -> bool:
    """Whether a file of the data folder, by its path there, is the stack's or shared by all."""
    if _NOT_KEPT & set(path.parts[:-1]):
        return False
    own = {stack, f"Pulumi.{stack}.yaml", f".{stack}.encrypted"}
    return path.name in _SHARED or any(part in own or part.startswith(f"{stack}.") for part in path.parts)


def archive(home: Home, stack: str) -> bytes:
    """A tar of what the data folder has of a stack, and of the stack's file."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as out:
        for path in sorted(home.folder.rglob("*")):
            name = PurePosixPath(path.relative_to(home.folder).as_posix())
            if path.is_file() and not path.is_symlink() and belongs(name, stack):
                _add(out, str(name), path.read_bytes())
        file = load.stack_file(stack)
        _add(out, f"{STACK_FILE}/{file.name}", file.read_bytes())
    return buffer.getvalue()


def _add(out: tarfile.TarFile, name: str, content: bytes, mode: int = 0o600) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(content), mode
    out.addfile(info, io.BytesIO(content))


def packed(files: Mapping[str, bytes], mode: int = 0o600) -> bytes:
    """A tar of these files, which by default only their owner can read: content by path."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as out:
        for name, content in files.items():
            _add(out, name, content, mode)
    return buffer.getvalue()


def container_of(client: docker.DockerClient, config: StackConfig) -> Container:
    """The container that backs up the stack; ConfigError where it does not run."""
    if not config.runs(NAME):
        if reason := config.left_out.get(NAME):
            raise ConfigError(f"the image of the backup is not available: {reason}", "see ./obs doctor")
        raise ConfigError(
            f"{config.stack} is not backed up", f"set observability:backup.repository in Pulumi.{config.stack}.yaml"
        )
    try:
        found = client.containers.get(naming.container(config.stack, NAME))
    except NotFound:
        found = None
    if found is None or found.status != "running":
        raise ConfigError(f"the backup of {config.stack} does not run", f"run ./obs up {config.stack} first")
    return found


def hand_over(container: Container, home: Home, stack: str) -> None:
    """Give the container what the data folder has now; each later backup has it too."""
    path = f"{_FOLDER}/{ARCHIVE}"
    container.put_archive(STAGE, packed({path: archive(home, stack)}))


def keep_state(client: docker.DockerClient, config: StackConfig, home: Home) -> str | None:
    """`hand_over` at the end of an update; the reason where it could not be done, None where it was."""
    if not config.runs(NAME):
        return None
    try:
        hand_over(container_of(client, config), home, config.stack)
    except (ConfigError, DockerException) as error:
        return str(error)
    return None


def execute(container: Container, command: str | list[str], on_line: OnLine) -> int:
    """Run a command in a container, each line of its output as it comes; returns the exit code."""
    api: Any = container.client.api if container.client else None
    made = api.exec_create(container.id, command)["Id"]
    for line in lines(api.exec_start(made, stream=True)):
        on_line(line)
    return int(api.exec_inspect(made)["ExitCode"])


def lines(pieces: Iterator[bytes]) -> Iterator[str]:
    """The lines of a text that comes in pieces."""
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield line.decode(errors="replace")
    if rest:
        yield rest.decode(errors="replace")


def run_now(container: Container, on_line: OnLine) -> int:
    """Back up once; returns the script's exit code."""
    return execute(container, list(script("now")), on_line)


def listed(container: Container) -> list[Snapshot]:
    """The snapshots in the repository; ConfigError where it cannot be read."""
    said: list[str] = []
    code = execute(container, list(script("list")), said.append)
    if code:
        raise ConfigError(
            f"the repository cannot be read: {said[-1] if said else f'exit code {code}'}",
            "check its address, its password (./obs secret list) and whether a backup was ever made",
        )
    return snapshots("\n".join(line for line in said if line.startswith("[")))


def size(count: float) -> str:
    """Bytes in a unit that is easy to read."""
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"
