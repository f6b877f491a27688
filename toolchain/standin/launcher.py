"""Install the stand-in where the Pulumi engine looks for plugins."""

import shlex
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def write_launcher(directory: Path) -> Path:
    """Write `pulumi-resource-docker` into a directory; with that directory on PATH the engine starts the stand-in."""
    directory.mkdir(parents=True, exist_ok=True)
    launcher = directory / "pulumi-resource-docker"
    python, root = shlex.quote(sys.executable), shlex.quote(str(ROOT))
    launcher.write_text(f'#!/bin/sh\nPYTHONPATH={root} exec {python} -m toolchain.standin "$@"\n', encoding="utf-8")
    launcher.chmod(0o755)
    return launcher
