"""The engine's record of a stack in a folder: whether it is whole and free, and how it is repaired.

The engine keeps it as `.pulumi/stacks/<project>/<stack>.json`, the one before beside it as `.bak`, and one for each
update that has ended in `backups` and in `history`. While an update runs, a file in `locks` names its process.
"""

import gzip
import json
import os
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal

from observability.core.errors import ConfigError
from observability.core.naming import PROJECT
from observability.operations.home import Home

ENDINGS: Final = (".json", ".json.gz")
"""Endings of a record, the second where the engine compresses."""

EARLIEST: Final = datetime.min.replace(tzinfo=UTC)

_PROC: Final = Path("/proc")

_DRIFT: Final = timedelta(seconds=5)
"""How much later than its lock a process may have begun by the clocks of both."""

Holder = Literal["runs", "ended", "unknown"]


@dataclass(frozen=True, kw_only=True)
class Lock:
    """One lock file: who wrote it, and since when; nothing of it is known where it cannot be read."""

    path: Path
    pid: int = 0
    user: str = ""
    host: str = ""
    since: datetime = EARLIEST

    @classmethod
    def read(cls, path: Path) -> "Lock":
        """The lock in a file."""
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            return cls(
                path=path,
                pid=int(found["pid"]),
                user=str(found["username"]),
                host=str(found["hostname"]),
                since=_time(found["timestamp"]),
            )
        except (OSError, ValueError, KeyError, TypeError):
            return cls(path=path)

    @property
    def holder(self) -> Holder:
        """Whether its process runs; unknown where it is one of another machine, or the file cannot be read."""
        if self.pid <= 0 or self.host != socket.gethostname():
            return "unknown"
        return "runs" if _runs(self.pid, self.since) else "ended"

    def __str__(self) -> str:
        if self.pid <= 0:
            return f"the lock {self.path}, which cannot be read"
        return f"process {self.pid} of {self.user} on {self.host}, since {self.since:%Y-%m-%d %H:%M:%S} UTC"


@dataclass(frozen=True, kw_only=True)
class Record:
    """A whole record: where it is, when the engine wrote it, and the number of its resources."""

    path: Path
    written: datetime
    resources: int

    def __str__(self) -> str:
        when = f"of {self.written:%Y-%m-%d %H:%M:%S} UTC" if self.written > EARLIEST else "before any update"
        return f"the record {when} with {self.resources} resources"


@dataclass(frozen=True, kw_only=True)
class State:
    """The record of one stack, and its locks."""

    folder: Path
    stack: str

    @classmethod
    def of(cls, home: Home, stack: str) -> "State | None":
        """That of a stack; None where the backend is no folder of this machine."""
        folder = home.state_folder
        return cls(folder=folder / ".pulumi", stack=stack) if folder is not None else None

    @property
    def file(self) -> Path:
        """The record; the first of the possible files where there is none."""
        files = [self.folder / "stacks" / PROJECT / f"{self.stack}{ending}" for ending in ENDINGS]
        return next((path for path in files if path.is_file()), files[0])

    @property
    def locks(self) -> list[Lock]:
        """Every lock of the stack."""
        folder = self.folder / "locks" / "organization" / PROJECT / self.stack
        return [Lock.read(path) for path in sorted(folder.glob("*.json"))]

    @property
    def damage(self) -> str | None:
        """What is wrong with the record; None: it is whole, or the stack has none and never had."""
        if not self.file.is_file():
            return "the file is missing" if self.newest is not None else None
        try:
            read(self.file, self.stack)
        except ValueError as error:
            return str(error)
        return None

    @property
    def newest(self) -> Record | None:
        """The newest whole record among those that the engine keeps; None where there is none."""
        return max(self._kept(), key=lambda record: record.written, default=None)

    def _kept(self) -> Iterator[Record]:
        beside = self.folder / "stacks" / PROJECT
        paths = [beside / f"{self.stack}{ending}.bak" for ending in ENDINGS]
        for ending in ENDINGS:
            paths += (self.folder / "backups" / PROJECT / self.stack).glob(f"{self.stack}.*{ending}")
            paths += (self.folder / "history" / PROJECT / self.stack).glob(f"{self.stack}-*.checkpoint{ending}")
        for path in paths:
            try:
                yield read(path, self.stack)
            except ValueError:
                continue

    def check(self, *, to_read: bool = False) -> None:
        """ConfigError where the record is damaged, or locked by an update that was killed or that runs.

        `to_read`: one that runs is no obstacle.
        """
        for lock in self.locks:
            if to_read and lock.holder == "runs":
                continue
            self._free(lock)
            raise ConfigError(
                f"{self.stack} is locked by an update that was killed: {lock}",
                f"run ./obs unlock {self.stack}; or ./obs up {self.stack}, which does it too and goes on",
            )
        self._whole()

    def _whole(self) -> None:
        """ConfigError where the record is damaged."""
        damage = self.damage
        if damage is not None:
            found = self.newest
            raise ConfigError(
                f"{self.file}: the record of {self.stack} is damaged: {damage}",
                f"run ./obs unlock {self.stack}, which puts {found} in its place; ./obs up {self.stack} does it too"
                if found
                else f"no whole record is left; ./obs unlock {self.stack} begins another one, and the data is kept",
            )

    def _free(self, lock: Lock) -> None:
        """ConfigError where the process of a lock runs, or nobody here can know."""
        if lock.holder == "runs":
            raise ConfigError(
                f"another update of {self.stack} is under way: {lock}",
                f"wait until it has ended; or, if it hangs, end it and run ./obs unlock {self.stack}",
            )
        if lock.holder == "unknown":
            raise ConfigError(
                f"{self.stack} is locked, and whether by an update that runs is not known here: {lock}",
                f"when no update of {self.stack} runs anywhere: ./obs unlock {self.stack} --force",
            )

    def unlock(self, *, force: bool = False) -> list[str]:
        """Remove the locks of processes that have ended; a line for each.

        ConfigError, with nothing removed, where one runs. `force`: where that is not known, it has ended.
        """
        locks = self.locks
        for lock in locks:
            if not (force and lock.holder == "unknown"):
                self._free(lock)
        for lock in locks:
            lock.path.unlink(missing_ok=True)
            _attributes(lock.path).unlink(missing_ok=True)
        return [f"removed the lock of an update that was killed: {lock}" for lock in locks]

    def restore(self) -> str | None:
        """Put the newest whole record in the place of a damaged one, which stays beside it; says so.

        None where the record is whole. ConfigError where no whole one is left.
        """
        damage = self.damage
        if damage is None:
            return None
        found = self.newest
        if found is None:
            self._whole()
            raise AssertionError(damage)
        draft = self.file.with_name(f"{self.file.name}.restored")
        text = found.path.read_bytes()
        if found.path.name.removesuffix(".bak").endswith(".gz") != self.file.name.endswith(".gz"):
            text = gzip.decompress(text) if self.file.suffix != ".gz" else gzip.compress(text)
        draft.parent.mkdir(parents=True, exist_ok=True)
        draft.touch(mode=0o600)
        draft.write_bytes(text)
        aside = self._aside()
        draft.replace(self.file)
        _attributes(self.file).unlink(missing_ok=True)
        kept = f", and the damaged one is {aside.name}" if aside else ""
        return f"{self.file}: {damage}; {found} is in its place{kept}"

    def set_aside(self) -> str:
        """Take a damaged record away where no whole one is left, so that the next update begins another; says so."""
        damage = self.damage
        aside = self._aside()
        self.file.unlink(missing_ok=True)
        _attributes(self.file).unlink(missing_ok=True)
        return f"{self.file}: {damage}; no whole record is left, and the damaged one is {aside}"

    def _aside(self) -> Path | None:
        """A copy of the damaged record under another name, which the engine does not read."""
        if not self.file.is_file():
            return None
        copy = self.file.with_name(f"{self.file.name}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%S%f}")
        copy.touch(mode=0o600)
        copy.write_bytes(self.file.read_bytes())
        return copy


def read(path: Path, stack: str) -> Record:
    """A whole record of a stack; ValueError says what is wrong with it."""
    try:
        data = path.read_bytes()
        text = (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode()
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise ValueError(error.strerror if isinstance(error, OSError) and error.strerror else "no text") from error
    if not text.strip("\0 \r\n"):
        raise ValueError("it is empty")
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        cut = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated")
        what = f"it is cut off after {len(data)} bytes" if cut else f"it is no JSON from byte {error.pos} on"
        raise ValueError(what) from error
    checkpoint = document.get("checkpoint") if isinstance(document, dict) else None
    if not isinstance(checkpoint, dict):
        raise ValueError("it has no checkpoint")
    if checkpoint.get("stack") != f"organization/{PROJECT}/{stack}":
        raise ValueError(f"it is that of {checkpoint.get('stack')}")
    latest = checkpoint.get("latest")
    if latest is None:  # Before the first update.
        return Record(path=path, written=EARLIEST, resources=0)
    try:
        resources = latest.get("resources") or []
        _connected(resources)
        return Record(path=path, written=_time(latest["manifest"]["time"]), resources=len(resources))
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"it is not as the engine writes it: {error}") from error


def _connected(resources: list[Mapping[str, Any]]) -> None:
    """ValueError where a resource needs one that is not recorded before it: the engine refuses such a record."""
    known: set[str] = set()
    for resource in resources:
        provider = str(resource.get("provider") or "").rpartition("::")[0]
        for urn in (resource.get("parent"), provider, *(resource.get("dependencies") or ())):
            if urn and urn not in known:
                name, needed = (one.rpartition("::")[2] for one in (resource["urn"], urn))
                raise ValueError(f"{name} needs {needed}, which is not there")
        known.add(resource["urn"])


def _time(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _attributes(path: Path) -> Path:
    """The file with a checksum that the engine writes beside each of its own."""
    return path.with_name(f"{path.name}.attrs")


def _runs(pid: int, since: datetime) -> bool:
    """Whether the process that wrote a lock runs: one of its number that began later is another."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    try:
        fields = (_PROC / str(pid) / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        boot = next(
            int(line.split()[1])
            for line in (_PROC / "stat").read_text(encoding="utf-8").splitlines()
            if line.startswith("btime ")
        )
    except (OSError, StopIteration):
        return True  # It cannot be looked up here.
    if fields[0] in "ZX":
        return False
    began = boot + int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return datetime.fromtimestamp(began, UTC) <= since + _DRIFT
