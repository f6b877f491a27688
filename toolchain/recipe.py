"""A recipe for an image: data, from which `assemble` makes the image."""

import enum
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from toolchain.cache import key_of
from toolchain.gobuild import GoBuild

LAYOUT: Final = 3
"""Version of the way images are assembled: raise it for a change that no recipe shows."""
ROOT: Final = Path(__file__).resolve().parent.parent
"""The repository."""


class Base(enum.Enum):
    """The base below the programs of an image."""

    BUSYBOX = "busybox"
    """A shell and the usual small tools, certificates, time zones, users."""
    STATIC = "static"
    """The same without a shell or any program."""
    DEBIAN = "debian"
    """A minimal Debian, with packages of it."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One image."""

    repository: str
    tag: str
    title: str
    build: GoBuild | None = None
    binaries: Mapping[str, str] = field(default_factory=dict)
    """Path in the image → built command."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Path in the image → file of the module; the build keeps them."""
    sources: Mapping[str, str] = field(default_factory=dict)
    """Path in the image → file or folder of this repository."""
    omitted: tuple[str, ...] = field(default=(), repr=False)
    """Files and folders of this repository, below those of `sources`, that are not in the image."""
    owned: Mapping[str, int] = field(default_factory=dict)
    """Folders that belong to the image's user, with their content, and their modes."""
    base: Base = Base.BUSYBOX
    packages: tuple[str, ...] = ()
    """Debian's packages, on a Debian base."""
    accounts: Mapping[str, int] = field(default_factory=dict)
    """Users, and groups with the same id, created before the packages are installed, on a Debian base."""
    setup: tuple[str, ...] = ()
    """Shell commands to run after the packages are installed, on a Debian base."""
    env: Mapping[str, str] = field(default_factory=dict)
    user: str = "nobody"
    uid: int = 65534
    workdir: str = ""
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    stop_signal: str = ""
    without: str = ""
    """What the official image has and this one lacks."""
    own: bool = False
    """Whether it is this project's own image, which is not published."""

    @property
    def version(self) -> str:
        """Changes with anything that affects the image."""
        contents = [(name, hashlib.sha256(path.read_bytes()).hexdigest()) for name, path in self.source_files()]
        if self.build is not None and self.build.sources is not None:
            contents.append((self.build.module, self.build.key))
        return key_of((LAYOUT, self, contents))

    def source_files(self) -> Iterator[tuple[str, Path]]:
        """Path in the image → file of this repository, for all of `sources` except hidden and omitted files."""
        omitted = {ROOT / path for path in self.omitted}
        for target, source in self.sources.items():
            top = ROOT / source
            found = [top] if top.is_file() else sorted(path for path in top.rglob("*") if path.is_file())
            for path in found:
                below = path.relative_to(top)
                hidden = any(part == "__pycache__" or part.startswith(".") for part in below.parts)
                if not hidden and omitted.isdisjoint((path, *path.parents)):
                    yield str(Path(target, below)), path


KNOWN: Final[dict[str, Recipe]] = {}
"""Recipes by the name of the service that runs the image; code that defines images adds their recipes here."""

_COMMON: Final = "github.com/prometheus/common/version"


def stamps(version: str) -> dict[str, str]:
    """Linker variables of a program that reports its version with Prometheus' common library."""
    return {f"{_COMMON}.Version": version, f"{_COMMON}.Branch": "module", f"{_COMMON}.BuildUser": "toolchain"}
