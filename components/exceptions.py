"""Containers that are less confined than the rest, and why. The contract tests hold every container to this list."""

from dataclasses import dataclass
from typing import Final, Literal

Rule = Literal[
    "not root",
    "read-only root",
    "health check",
    "own namespaces",
    "no Docker socket",
    "no capability",
    "no device",
]
"""What a container may be excused from."""


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """One container excused from one rule."""

    service: str
    rule: Rule
    reason: str


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
        service="node-exporter",
        rule="own namespaces",
        reason="the host's network and process statistics are only to be read from the host's own namespaces",
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
        service="collector",
        rule="not root",
        reason="Docker's socket is root's and a group's whose number differs from host to host; it has no capability",
    ),
    Allowance(
        service="collector",
        rule="no Docker socket",
        reason="the engine alone has every container's log, wherever it keeps it; the socket is mounted read-only",
    ),
    Allowance(
        service="cadvisor",
        rule="not root",
        reason="the accounts of all containers and Docker's folder are root's; it has one capability, SYSLOG",
    ),
    Allowance(
        service="cadvisor",
        rule="no device",
        reason="the kernel says in /dev/kmsg alone which container it killed a process of; that may be read only",
    ),
    Allowance(
        service="cadvisor",
        rule="no capability",
        reason="most distributions (kernel.dmesg_restrict) let the kernel's log be read with SYSLOG alone",
    ),
    Allowance(
        service="cadvisor",
        rule="no Docker socket",
        reason="it asks the engine for the containers' names; the folder with the socket is mounted read-only",
    ),
    Allowance(
        service="nginx-exporter-*",
        rule="health check",
        reason="its image holds the program alone, nothing that could ask; Prometheus sees whether it answers",
    ),
    Allowance(
        service="exporters",
        rule="health check",
        reason="nothing is known of the image of an exporter from the settings; Prometheus sees whether it answers",
    ),
)
"""Every exception there is."""
