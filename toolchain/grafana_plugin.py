"""Pulumi's Grafana provider plugin: the official one or none."""

import importlib.metadata
from pathlib import Path
from typing import Final

from toolchain import plugin
from toolchain.process import ObtainError
from toolchain.report import ConsoleReport, Report

ITEM: Final = "Grafana plugin"
SERVER: Final = "github://api.github.com/pulumiverse"
"""Where its vendor publishes it."""


def version() -> str:
    """The plugin version that the installed SDK requires."""
    return importlib.metadata.version("pulumiverse-grafana")


def obtain(pulumi: Path, report: Report | None = None) -> str | None:
    """Install it if missing; returns None on success, else why it is not available."""
    report = report or ConsoleReport()
    if plugin.installed("grafana", version()):
        report.line(ITEM, f"found the official v{version()}")
        return None
    try:
        plugin.download(pulumi, "grafana", version(), report, server=SERVER)
    except ObtainError as failure:
        report.line(ITEM, f"not available, so Grafana is left out ({failure})")
        return f"Pulumi's Grafana plugin v{version()} cannot be downloaded: {failure}"
    report.line(ITEM, f"downloaded the official v{version()}")
    return None
