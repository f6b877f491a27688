"""Pulumi's provider plugins: where they are installed, and how one is downloaded."""

import os
from pathlib import Path
from typing import Final

from toolchain.cache import lock, log_file, refusal, remember_refusal, tail
from toolchain.process import ObtainError, environment, last_line, run
from toolchain.report import Report

DOWNLOAD_LIMIT: Final = 300.0
"""Seconds a download may take."""


def home() -> Path:
    """Where the Pulumi CLI keeps its plugins."""
    return Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi") / "plugins"


def installed(name: str, version: str) -> bool:
    """Whether the official plugin is installed."""
    return (home() / f"resource-{name}-v{version}" / f"pulumi-resource-{name}").exists()


def download(
    pulumi: Path, name: str, version: str, report: Report, *, server: str | None = None, again: bool = False
) -> None:
    """Install the plugin with Pulumi; skipped if refused lately, unless `again`. `ObtainError` gives the reason."""
    way, log = f"{name}-plugin-{version}", f"{name}-plugin-download"
    earlier = None if again else refusal(way)
    if earlier:
        raise ObtainError(earlier)
    try:
        with lock(way), report.task(f"downloading the {name.capitalize()} plugin"):
            command: list[str | Path] = [pulumi, "plugin", "install", "resource", name, version]
            command += ["--server", server] if server else []
            run(command, limit=DOWNLOAD_LIMIT, log=log, env=environment(PULUMI_SKIP_UPDATE_CHECK="true"))
    except ObtainError as failure:
        why = _cause(log) or str(failure)
        remember_refusal(way, why)
        raise ObtainError(why) from None


def _cause(log: str) -> str:
    """The error of Pulumi's last attempt, which its last output line does not contain."""
    met = [line for line in tail(log_file(log)).splitlines() if "Error downloading plugin: " in line]
    return last_line(met[-1]).rpartition(": ")[2] if met else ""
