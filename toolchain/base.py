"""The base of an image built here: a few files from Debian's packages, and users."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from toolchain.cache import cache_dir, key_of, lock, making
from toolchain.debian import download
from toolchain.layer import Entry, file, folder, link
from toolchain.process import ObtainError, ask
from toolchain.recipe import Base

# Not busybox-static: a static glibc resolves names only with the same libraries that it was built with.
_PACKAGES: Final = ("busybox", "ca-certificates", "libc6", "tzdata")
_LIBRARIES: Final = ("ld-linux-*.so.*", "libc.so.6", "libm.so.6", "libresolv.so.2")
"""Files of libc6 that busybox needs."""
_USERS: Final = """root:x:0:0:root:/root:/bin/sh
nobody:x:65534:65534:nobody:/home:/bin/false
"""
_GROUPS: Final = """root:x:0:
nobody:x:65534:
"""


def packages() -> Path:
    """Folder of the unpacked packages, downloaded if missing; `ObtainError` if this is not Debian."""
    target = cache_dir() / "base" / f"debian-{key_of(_PACKAGES)}"
    with lock("base"):
        if not target.is_dir():
            with making(target) as work:
                for package in download(_PACKAGES, work / "packages"):
                    subprocess.run(["dpkg-deb", "-x", package, work], check=True, capture_output=True)
                shutil.rmtree(work / "packages")
    return target


def entries(base: Base) -> Iterator[Entry]:
    """All entries of the base, in no particular order."""
    root = packages()
    yield folder("/tmp", 0o1777)  # noqa: S108 - the image's own
    yield folder("/root", 0o700)
    yield folder("/home")
    yield file("/etc/passwd", _USERS.encode())
    yield file("/etc/group", _GROUPS.encode())
    yield file("/etc/nsswitch.conf", b"hosts: files dns\n")
    yield file("/etc/ssl/certs/ca-certificates.crt", _certificates(root))
    yield from _zones(root / "usr/share/zoneinfo")
    if base is Base.BUSYBOX:
        yield from _tools(root)


def _certificates(root: Path) -> bytes:
    found = sorted((root / "usr/share/ca-certificates").rglob("*.crt"))
    if not found:
        raise ObtainError("Debian's ca-certificates holds no certificate")
    return b"".join(path.read_bytes().rstrip() + b"\n" for path in found)


def _zones(zoneinfo: Path) -> Iterator[Entry]:
    for path in sorted(zoneinfo.rglob("*")):
        name = "/usr/share/zoneinfo" + str(path).removeprefix(str(zoneinfo))
        if path.is_symlink():
            yield link(name, str(path.readlink()))
        elif path.is_file():
            yield file(name, path)


def _tools(root: Path) -> Iterator[Entry]:
    busybox = next((path for path in (root / "bin/busybox", root / "usr/bin/busybox") if path.exists()), None)
    applets = ask([busybox, "--list"]).split() if busybox else []
    if busybox is None or "sh" not in applets:
        raise ObtainError("Debian's busybox does not run here")
    yield file("/bin/busybox", busybox, mode=0o755)
    for applet in applets:
        if applet != "busybox":
            yield link(f"/bin/{applet}", "busybox")
    yield link("/usr/bin/env", "/bin/busybox")
    for pattern in _LIBRARIES:
        for path in sorted(root.glob(f"**/{pattern}")):
            # Debian is moving /lib to /usr/lib; programs still use /lib.
            name = f"/{path.relative_to(root)}".removeprefix("/usr")
            yield link(name, str(path.readlink())) if path.is_symlink() else file(name, path, mode=0o755)
