"""The Pulumi CLI: the user's own, else the official download, else built from its Go module."""

import re
import shutil
import sys
from pathlib import Path
from typing import Final

from toolchain.cache import cache_dir, lock, making, refusal, remember_refusal
from toolchain.gobuild import GoBuild
from toolchain.process import ObtainError, ask, environment, run
from toolchain.report import Report

ITEM: Final = "Pulumi CLI"
LEAST: Final = (3, 259, 0)
"""The oldest CLI that was tested with the pinned SDK; any newer one of the same major version works too."""
DOWNLOAD_LIMIT: Final = 300.0
"""Seconds the official download may take."""
BUILD: Final = GoBuild(
    name="pulumi",
    module="github.com/pulumi/pulumi/pkg/v3",
    version="v3.259.0",
    packages=("cmd/pulumi",),
    replaces={"github.com/atotto/clipboard": "github.com/tgummerer/clipboard v0.0.0-20241001131231-d02d263e614e"},
    stamps={"github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": "v3.259.0"},
)
"""No language host is needed: the program runs inline, through the Automation API."""


def parse_version(text: str) -> tuple[int, int, int] | None:
    """Parse the output of `pulumi version`; None if it has another form."""
    found = re.match(r"v?(\d+)\.(\d+)\.(\d+)", text.strip())
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def _version_of(pulumi: Path) -> tuple[int, int, int] | None:
    return parse_version(ask([pulumi, "version"], environment(PULUMI_SKIP_UPDATE_CHECK="true")))


def _will_do(version: tuple[int, int, int] | None) -> bool:
    return version is not None and version[0] == LEAST[0] and version >= LEAST


def _downloaded() -> Path:
    return cache_dir() / "pulumi" / "official"


def built() -> Path:
    """Path of the CLI built here, whether it exists or not."""
    return BUILD.folder / "bin/pulumi"


def find() -> tuple[Path, str] | None:
    """A suitable CLI, and where it is from: the PATH, or the cache."""
    on_path = shutil.which("pulumi")
    candidates = [
        (_downloaded() / "bin/pulumi", "the official one, in the cache"),
        (built(), "built here, in the cache"),
    ]
    if on_path:
        candidates.insert(0, (Path(on_path), on_path))
    for pulumi, origin in candidates:
        # The folder of a built CLI contains its version; running it takes a quarter of a second.
        known = parse_version(BUILD.version) if pulumi == built() else None
        version = (known or _version_of(pulumi)) if pulumi.exists() else None
        if _will_do(version):
            return pulumi, f"{'.'.join(map(str, version or ()))}, {origin}"
    return None


def download(report: Report) -> Path:
    """The official CLI of the SDK's version, in the cache; `ObtainError` if it cannot be downloaded."""
    way = "pulumi-cli"
    earlier = refusal(way)
    if earlier:
        raise ObtainError(earlier)
    script = "import sys; from pulumi.automation import PulumiCommand; PulumiCommand.install(root=sys.argv[1])"
    try:
        with lock(way), report.task("downloading the Pulumi CLI"), making(_downloaded()) as work:
            # In a separate process, as the SDK's function has no time limit and no quiet mode.
            run([sys.executable, "-c", script, work], limit=DOWNLOAD_LIMIT, log="pulumi-download")
    except ObtainError as failure:
        remember_refusal(way, str(failure))
        raise
    return _downloaded() / "bin/pulumi"


def why_not_the_users() -> str:
    """The problem with the machine's own CLI."""
    on_path = shutil.which("pulumi")
    least = ".".join(map(str, LEAST))
    return f"{on_path} is not {LEAST[0]}.x of at least {least}" if on_path else "there is none on the PATH"
