"""The Debian base image: the official one, else one made with debootstrap from the same packages."""

import shutil
import tarfile
from pathlib import Path
from typing import Final

from docker import DockerClient
from docker.errors import ImageNotFound

from toolchain import debian
from toolchain.cache import cache_dir, key_of, lock, making
from toolchain.process import ObtainError, run
from toolchain.pull import pull_one
from toolchain.report import Report

DEBIAN: Final = "debian:bookworm-slim"
"""Base of images built here that need more than a shell; packages as of the day of the build."""

SUITE: Final = "bookworm"
LIMIT: Final = 900.0
"""Seconds debootstrap may take."""
_PAGES: Final = ("usr/share/doc", "usr/share/info", "usr/share/man", "usr/share/locale")
_FILES: Final = {
    # In an image, no package may start its service when it is installed.
    "usr/sbin/policy-rc.d": ("#!/bin/sh\nexit 101\n", 0o755),
    "etc/dpkg/dpkg.cfg.d/slim": (
        "".join(f"path-exclude /{folder}/*\n" for folder in _PAGES) + "path-include /usr/share/doc/*/copyright\n",
        0o644,
    ),
}
"""Files that the official image also has: text and mode by path."""
_DROPPED: Final = (*_PAGES, "var/lib/apt/lists")
"""Folders that are emptied except for licences, as in the official image."""


def obtain(client: DockerClient, report: Report) -> str:
    """Reference of a base image in the engine; `ObtainError` if it can neither be pulled nor made."""
    with lock("debian-base"):
        for reference in (DEBIAN, _made()):
            if _has(client, reference):
                return reference
        refused = pull_one(DEBIAN, report)
        if refused is None:
            return DEBIAN
        try:
            with report.task(f"making a base image of Debian {SUITE}"):
                _make(client)
        except (ObtainError, OSError) as failure:
            raise ObtainError(f"{DEBIAN} cannot be pulled ({refused}) or made here: {failure}") from failure
        report.line("Debian base", f"made from Debian's packages ({DEBIAN} cannot be pulled: {refused})")
        return _made()


def _made() -> str:
    return f"observability/debian:{SUITE}-{key_of((SUITE, _FILES, _DROPPED))}"


def _has(client: DockerClient, reference: str) -> bool:
    try:
        client.images.get(reference)
    except ImageNotFound:
        return False
    return True


def _make(client: DockerClient) -> None:
    repository, _, tag = _made().partition(":")
    target = cache_dir() / "debian" / tag
    if not target.is_dir():
        with making(target) as work:
            _archive(_system(work / "root"), work / "root.tar")
            shutil.rmtree(work / "root")
    with (target / "root.tar").open("rb") as archive:
        client.api.import_image_from_data(archive, repository=repository, tag=tag)


def _system(root: Path) -> Path:
    """Install a minimal Debian into a folder."""
    if not debian.can_install():
        raise ObtainError("that takes a Debian-like system and its root")
    sources = debian.sources(SUITE)
    mirror = next((address for address, suite in sources if suite == SUITE), None)
    if mirror is None:
        raise ObtainError(f"this machine's package sources do not name Debian {SUITE}")
    if shutil.which("debootstrap") is None:
        debian.install("debootstrap")
    # In its own mount namespace: its mounts are removed with it, even if it fails.
    run(
        ["unshare", "--mount", "debootstrap", "--variant=minbase", SUITE, root, mirror],
        limit=LIMIT,
        log="debootstrap",
    )
    lines = [f"deb {address} {suite} main" for address, suite in sources]
    (root / "etc/apt/sources.list").write_text("\n".join(lines) + "\n")
    for path, (text, mode) in _FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
        (root / path).chmod(mode)
    return root


def _archive(root: Path, out: Path) -> None:
    """Write the system as an archive, without the leftovers of package installation."""

    def kept(info: tarfile.TarInfo) -> tarfile.TarInfo | None:
        path = info.name.removeprefix("./")
        if path.endswith(".deb") or any(path.startswith(f"{folder}/") for folder in _DROPPED):
            return info if info.isdir() or path.endswith("/copyright") else None
        info.uname = info.gname = ""
        return info

    with tarfile.open(out, "w") as archive:
        archive.add(root, ".", filter=kept)
