"""Files of JSON lines in the data folder, to which several processes append. A killed process loses nothing."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Journal:
    """One file. Its records are only ever added, each on a line of its own."""

    path: Path

    def append(self, record: Mapping[str, Any]) -> None:
        """Add a record; it is on the disk when this returns. OSError where it cannot be written."""
        with self.locked() as file:
            self.write(file, record)

    @contextmanager
    def locked(self) -> Iterator[int]:
        """Hold the file for this process alone, to read it and to add records by `write`; yields its descriptor."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file
        finally:
            os.close(file)  # This releases the lock as well.

    @staticmethod
    def write(file: int, record: Mapping[str, Any]) -> None:
        """Add a record to the file that `locked` has yielded."""
        size = os.fstat(file).st_size
        # A process that was killed while it wrote has left a line without its end.
        torn = size > 0 and os.pread(file, 1, size - 1) != b"\n"
        line = json.dumps(record, default=str, ensure_ascii=False, separators=(",", ":"))
        data = (("\n" if torn else "") + line + "\n").encode()
        while data:
            data = data[os.write(file, data) :]
        os.fsync(file)

    def records(self) -> list[dict[str, Any]]:
        """Every whole record, in order; what a killed process has left of a line is skipped."""
        if not self.path.is_file():
            return []
        found = []
        for line in self.path.read_text(encoding="utf-8", errors="replace").split("\n"):
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if isinstance(record, dict):
                found.append(record)
        return found
