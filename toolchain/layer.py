"""The file system of an image as a tar archive, the same bytes for the same files."""

import io
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath


@dataclass(frozen=True)
class Entry:
    """A file, folder or symbolic link in an image; a folder has neither content nor target."""

    path: str
    mode: int
    content: bytes | Path | None = None
    target: str | None = None
    uid: int = 0
    gid: int = 0


def file(path: str, content: bytes | Path, mode: int = 0o644, uid: int = 0) -> Entry:
    """A file whose gid equals its uid."""
    return Entry(path, mode, content=content, uid=uid, gid=uid)


def folder(path: str, mode: int = 0o755, uid: int = 0) -> Entry:
    """A folder whose gid equals its uid."""
    return Entry(path, mode, uid=uid, gid=uid)


def link(path: str, target: str) -> Entry:
    """A symbolic link."""
    return Entry(path, 0o777, target=target)


def with_parents(entries: Iterable[Entry]) -> list[Entry]:
    """All entries sorted by path, with their parent folders, owned by root unless listed."""
    wanted = {entry.path: entry for entry in entries}
    for path in tuple(wanted):
        for parent in PurePosixPath(path).parents:
            if str(parent) != "/":
                wanted.setdefault(str(parent), folder(str(parent)))
    return [wanted[path] for path in sorted(wanted)]


def write_layer(entries: Iterable[Entry], out: Path) -> None:
    """Write the archive."""
    with tarfile.open(out, "w", format=tarfile.PAX_FORMAT) as archive:
        for entry in with_parents(entries):
            info = tarfile.TarInfo(entry.path.lstrip("/"))
            info.mode, info.uid, info.gid = entry.mode, entry.uid, entry.gid
            if entry.target is not None:
                info.type, info.linkname = tarfile.SYMTYPE, entry.target
                archive.addfile(info)
            elif entry.content is None:
                info.type = tarfile.DIRTYPE
                archive.addfile(info)
            elif isinstance(entry.content, Path):
                info.size = entry.content.stat().st_size
                with entry.content.open("rb") as source:
                    archive.addfile(info, source)
            else:
                info.size = len(entry.content)
                archive.addfile(info, io.BytesIO(entry.content))
