"""Containers with fewer restrictions than the rest, and why. The contract tests check every container against it."""

from typing import Final

from observability.parts.model import Allowance
from observability.parts.registry import allowances

LOADER: Final = "*-config"
"""Stands for the one-shot containers that install a configuration."""

CHECKER: Final = "*-check"
"""Stands for the one-shot containers that check a configuration in its place."""

ALLOWANCES: Final = (
    Allowance(
        service=LOADER,
        rule="read-only root",
        reason="Docker refuses uploads into a read-only root, and the files to install arrive as uploads",
    ),
    Allowance(
        service=LOADER,
        rule="health check",
        reason="it ends by itself; its exit code says how it went",
    ),
    Allowance(
        service=CHECKER,
        rule="read-only root",
        reason="Docker refuses uploads into a read-only root, and the files to check arrive as uploads",
    ),
    Allowance(
        service=CHECKER,
        rule="health check",
        reason="it ends by itself; its exit code says how it went",
    ),
    Allowance(
        service="exporters",
        rule="health check",
        reason="nothing is known of the image of an exporter from the settings; Prometheus sees whether it answers",
    ),
    Allowance(
        service="exporters with capabilities",
        rule="no capability",
        reason="the settings of an exporter of your own list the capabilities it needs; none unless listed",
    ),
    *allowances(),
)
"""Every exception there is."""
