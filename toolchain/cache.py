"""What is obtained is cached outside the repository, keyed by version; incomplete results are never visible."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import platformdirs

RETRY_AFTER: Final = 24 * 3600.0
"""Seconds after which a refused official way is tried again."""


def cache_dir() -> Path:
    """The cache folder: OBS_CACHE_DIR, or the user's cache folder."""
    return Path(os.environ.get("OBS_CACHE_DIR") or platformdirs.user_cache_dir("obs")).absolute()


def key_of(value: object) -> str:
    """Short name of a recipe: changes when its `repr` changes."""
    return hashlib.sha256(repr(value).encode()).hexdigest()[:8]


def log_file(name: str) -> Path:
    """Log file of a long step; creates its folder."""
    path = cache_dir() / "logs" / f"{name}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def tail(path: Path, lines: int = 15) -> str:
    """Last lines of a text file, empty if there is none."""
    if not path.exists():
        return ""
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])


@contextlib.contextmanager
def lock(name: str) -> Iterator[None]:
    """Lock a step for one process (and one of its threads) at a time; released even if its holder is killed."""
    path = cache_dir() / "locks" / f"{name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def making(target: Path) -> Iterator[Path]:
    """Provide a build folder that is renamed to `target` at the end, or removed if the block fails.

    The caller holds a lock named after the target: what a killed builder left is removed first.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    for leftover in target.parent.glob(f".{target.name}.*"):
        shutil.rmtree(leftover, ignore_errors=True)
    work = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        yield work
        work.chmod(0o755)
        shutil.rmtree(target, ignore_errors=True)
        work.rename(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _marker(way: str) -> Path:
    return cache_dir() / "refused" / way.replace("/", "_").replace(":", "_")


def remember_refusal(way: str, why: str) -> None:
    """Record that an official way was refused, so that the next runs do not try it again."""
    path = _marker(way)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(why)


def refusal(way: str) -> str | None:
    """Why this way was refused in the last day; None if it was not refused, or must be tried again."""
    path = _marker(way)
    with contextlib.suppress(FileNotFoundError):
        age = time.time() - path.stat().st_mtime
        if age < RETRY_AFTER:
            return (
                f"{path.read_text()}; asked {age / 60:.0f} min ago, to be asked again after {RETRY_AFTER / 3600:.0f} h"
            )
    return None
