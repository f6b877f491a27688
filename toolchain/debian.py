"""Debian packages: installed as root, or only downloaded and unpacked."""

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from toolchain.process import ObtainError, ask, environment, run

_LISTS: Final = Path("/var/lib/apt/lists")
_ADMIN: Final = ("/usr/local/sbin", "/usr/sbin", "/sbin")
_SYSTEMD: Final = Path("/run/systemd/system")
_LIMIT: Final = 900.0
"""Seconds one call of apt may take."""


def can_install() -> bool:
    """Whether this is a Debian-like system and the user is root."""
    return shutil.which("apt-get") is not None and os.geteuid() == 0


def which(program: str) -> str | None:
    """Path of a program, also of one for administrators, whose folders a user's PATH may lack; None if missing."""
    return shutil.which(program, path=os.pathsep.join((os.environ.get("PATH", ""), *_ADMIN)))


def obtain_programs(wanted: Mapping[str, str]) -> None:
    """Install the packages of the programs that are missing; `wanted` gives the package of each program.

    `ObtainError` if that is impossible. Where systemd runs nothing is installed: a server such as sshd would be
    started, and at every start of the machine.
    """
    missing = {program: package for program, package in wanted.items() if which(program) is None}
    if not missing:
        return
    if not can_install() or _SYSTEMD.exists():
        raise ObtainError(f"install {', '.join(sorted(set(missing.values())))}")
    install(*sorted(set(missing.values())))


def install(*packages: str) -> None:
    """Install packages without recommended ones; `ObtainError` with the last line of apt's output."""
    _with_lists(["install", "--yes", "--no-install-recommends", *packages])


def download(packages: Sequence[str], into: Path) -> list[Path]:
    """Download package files without installing them; `ObtainError` if there is no apt."""
    into.mkdir(parents=True)
    _with_lists(["download", *packages], cwd=into)
    return sorted(into.glob("*.deb"))


def sources(suite: str) -> list[tuple[str, str]]:
    """Address and name of each official Debian archive of a release that this machine's apt sources list."""
    if not any(_LISTS.glob("*_Packages*")):
        _apt(["update"])
    wanted = ["Created-By: Packages", "Origin: Debian", "Component: main"]
    listed = ask(["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)", *wanted])
    pairs = dict.fromkeys(tuple(line.split()) for line in listed.splitlines())
    names = (suite, f"{suite}-updates", f"{suite}-security")
    return [(pair[0], pair[1]) for pair in pairs if len(pair) == 2 and pair[1] in names]


def _with_lists(arguments: list[str], cwd: Path | None = None) -> None:
    """Call apt-get; update the package lists first if there are none, or if they are too old."""
    if shutil.which("apt-get") is None:
        raise ObtainError("this is not a Debian-like system")
    fresh = False
    if not any(_LISTS.glob("*_Packages*")):
        _apt(["update"])
        fresh = True
    try:
        _apt(arguments, cwd)
    except ObtainError:
        if fresh:
            raise
        _apt(["update"])
        _apt(arguments, cwd)


def _apt(arguments: list[str], cwd: Path | None = None) -> None:
    # Waits for another running apt; never prompts.
    command = ["apt-get", "--quiet", "--option", "DPkg::Lock::Timeout=300", *arguments]
    env = environment(DEBIAN_FRONTEND="noninteractive", LC_ALL="C.UTF-8")
    run(command, limit=_LIMIT, log=f"apt-{arguments[0]}", env=env, cwd=cwd)
