"""Whether the configuration volumes have the declared files: each file by its SHA-256, and no other file.

The one-shot container of a volume states by its labels which folder it fills. The folder is read through Docker, which
needs no program in the container; the files never leave this process, and only their names are reported.
"""

import hashlib
import io
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import docker
from docker.errors import APIError, NotFound

from observability.core.naming import LABEL_COPIES, LABEL_INSTALLS, LABEL_SERVICE
from observability.synth.declared import CONTAINER, Declared

Digests = Mapping[str, str | None]
"""SHA-256 by path; None where it is not known: then only that the file is there and not empty is compared."""

EMPTY = hashlib.sha256().hexdigest()


@dataclass(frozen=True, kw_only=True)
class Folder:
    """A folder of a configuration volume: the container that fills it, and the files that it must have.

    `resource` is the container's name in the program, `container` in Docker; `copies` gives the path, in the
    container's own image, of files that were copied from there. `in_place`: the files are uploaded to the folder
    itself, and the servers that mount `volume` read them only when they start. `source` is the folder of the uploads.
    """

    resource: str
    container: str
    service: str
    path: str
    files: Digests
    copies: Mapping[str, str]
    in_place: bool
    volume: str
    source: str

    def relative(self, upload: str) -> str:
        """Path of an uploaded file within the folder."""
        return upload.removeprefix(f"{self.source}/")


@dataclass(frozen=True, kw_only=True)
class Found:
    """What differs in a folder: files that are missing, changed, or not declared."""

    folder: Folder
    missing: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    strange: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the files are as declared."""
        return not (self.missing or self.changed or self.strange)

    def __str__(self) -> str:
        if self.folder.files and len(self.missing) == len(self.folder.files) and not self.strange:
            return "nothing is installed"
        kinds = (("missing", self.missing), ("changed", self.changed), ("not declared", self.strange))
        return "; ".join(f"{what}: {_listed(names)}" for what, names in kinds if names)


def folders(declared: Sequence[Declared]) -> list[Folder]:
    """The folder of each one-shot container that installs files."""
    return [
        folder
        for one in declared
        if one.type == CONTAINER and (folder := folder_of(one.name, one.inputs, one.digests)) is not None
    ]


def folder_of(name: str, inputs: Mapping[str, Any], digests: Digests) -> Folder | None:
    """The folder that a container with these inputs fills; None: it fills none. `digests` are those of its uploads."""
    labels = {one["label"]: one["value"] for one in inputs.get("labels") or ()}
    if LABEL_INSTALLS not in labels:
        return None
    source, _, target = labels[LABEL_INSTALLS].partition("=")
    copies = dict(pair.partition("=")[::2] for pair in labels.get(LABEL_COPIES, "").split())
    return Folder(
        resource=name,
        container=inputs["name"],
        service=labels[LABEL_SERVICE].rpartition("-")[0],
        path=target,
        files={path.removeprefix(f"{source}/"): digest for path, digest in digests.items()},
        source=source,
        copies=copies,
        in_place=source == target,
        volume=next((one["volumeName"] for one in inputs.get("volumes") or () if one.get("volumeName")), ""),
    )


def compare(client: docker.DockerClient, folder: Folder) -> Found | None:
    """What differs in a folder; None where the container that fills it does not exist, so that nothing can be read."""
    try:
        there = read(client, folder.container, folder.path)
        wanted = {**folder.files, **{name: _file(client, folder, path) for name, path in folder.copies.items()}}
    except APIError:
        try:
            client.api.inspect_container(folder.container)
        except NotFound:
            return None
        raise
    changed = sorted(
        name
        for name, digest in wanted.items()
        if name in there and (there[name] != digest if digest is not None else there[name] == EMPTY)
    )
    return Found(
        folder=folder,
        missing=tuple(sorted(wanted.keys() - there.keys())),
        changed=tuple(changed),
        strange=tuple(sorted(there.keys() - wanted.keys())),
    )


def read(client: docker.DockerClient, container: str, path: str) -> dict[str, str]:
    """SHA-256 of every file below a folder of a container, by its path there; empty where there is no such folder.

    Of a link or a device it is that of its kind and target: no declared file is one.
    """
    try:
        # With the dot a link to a folder is followed.
        stream, _ = client.api.get_archive(container, f"{path}/.")
    except NotFound:
        return {}
    return dict(_digests(b"".join(stream)))


def _digests(archive: bytes) -> Iterator[tuple[str, str]]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            # The first part is the folder itself.
            name = member.name.removeprefix("./").rstrip("/")
            if member.isdir() or not name:
                continue
            content = tar.extractfile(member) if member.isreg() else None
            data = content.read() if content else f"{member.type!r} {member.linkname}".encode()
            yield name, hashlib.sha256(data).hexdigest()


def _file(client: docker.DockerClient, folder: Folder, path: str) -> str | None:
    """SHA-256 of a file of the container's image; None where the container has no such file."""
    try:
        stream, _ = client.api.get_archive(folder.container, path)
    except NotFound:
        return None
    found = [digest for _, digest in _digests(b"".join(stream))]
    return found[0] if len(found) == 1 else None


def _listed(names: Sequence[str], most: int = 3) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
