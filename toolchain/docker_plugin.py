"""Pulumi's Docker provider plugin: the official one, else the stand-in."""

import importlib.metadata
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from observability.core.errors import ConfigError
from toolchain import plugin
from toolchain.cache import cache_dir, key_of, lock, making
from toolchain.process import ObtainError
from toolchain.report import Report
from toolchain.standin.launcher import ROOT, write_launcher

ITEM: Final = "Docker plugin"
CHOICE: Final = "OBS_DOCKER_PLUGIN"
"""Environment variable that forces `official` or `stand-in`."""


@dataclass(frozen=True)
class Plugin:
    """The plugin that a run uses."""

    folder: Path | None
    """Folder to put first on PATH for a run; None for the official plugin, which the engine finds itself."""
    notice: str | None
    """Notice about the plugin that every run prints."""


def version() -> str:
    """The plugin version that the installed SDK requires."""
    return importlib.metadata.version("pulumi-docker")


def official() -> bool:
    """Whether the official plugin is installed."""
    return plugin.installed("docker", version())


def choice() -> str | None:
    """The plugin that the user forces, if any."""
    chosen = os.environ.get(CHOICE) or None
    if chosen not in (None, "official", "stand-in"):
        raise ConfigError(f"{CHOICE} is {chosen!r}", f"set {CHOICE} to `official` or `stand-in`, or unset it")
    return chosen


def obtain(pulumi: Path, report: Report) -> Plugin:
    """The official plugin if available, else the stand-in; `ConfigError` if a forced one is not available."""
    chosen = choice()
    if chosen == "stand-in":
        return _stand_in(f"{CHOICE} asks for it", report)
    if official():
        report.line(ITEM, f"found the official v{version()}")
        return Plugin(None, None)
    try:
        plugin.download(pulumi, "docker", version(), report, again=chosen == "official")
    except ObtainError as failure:
        if chosen == "official":
            raise ConfigError(
                f"the official Docker plugin v{version()} is not available: {failure}",
                f"unset {CHOICE} to let the stand-in serve, or install the plugin into {plugin.home()}",
            ) from None
        return _stand_in(f"the official v{version()} cannot be downloaded: {failure}", report)
    report.line(ITEM, f"downloaded the official v{version()}")
    return Plugin(None, None)


def describe() -> tuple[bool, str]:
    """Whether a plugin is available now, and which."""
    chosen = choice()
    if chosen == "stand-in":
        return True, f"our stand-in ({CHOICE} asks for it)"
    if official():
        return True, f"the official v{version()}"
    if chosen == "official":
        return False, f"the official v{version()} is not there yet"
    return True, f"the official v{version()} is not there yet; our stand-in serves if it cannot be downloaded"


def _stand_in(why: str, report: Report) -> Plugin:
    """The stand-in, with a launcher for this interpreter and this checkout."""
    folder = cache_dir() / "stand-in" / key_of((sys.executable, str(ROOT)))
    with lock("stand-in"):
        if not folder.is_dir():
            with making(folder) as work:
                write_launcher(work)
    report.line(ITEM, f"our stand-in ({why})")
    return Plugin(folder, f"a stand-in serves for Pulumi's Docker plugin v{version()} ({why})")
