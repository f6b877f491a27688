"""Containers that are less confined than the rest, and why. The contract tests hold every container to this list."""

from dataclasses import dataclass
from typing import Final, Literal

Rule = Literal["read-only root", "health check", "own namespaces", "loopback only"]
"""What a container may be excused from."""


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """One container excused from one rule."""

    service: str
    rule: Rule
    reason: str


LOADER: Final = "*-config"
"""Stands for the one-shot containers that install a configuration."""

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
        service="node-exporter",
        rule="own namespaces",
        reason="the host's network and process statistics are only to be read from the host's own namespaces",
    ),
    Allowance(
        service="exporters",
        rule="health check",
        reason="nothing is known of the image of an exporter from the settings; Prometheus sees whether it answers",
    ),
)
"""Every exception there is."""
