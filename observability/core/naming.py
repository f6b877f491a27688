"""Every name that is visible outside of the program. Names must not change: a changed name loses a volume."""

from typing import Final

PROJECT: Final = "observability"
"""Pulumi project, and the prefix of its configuration keys."""

PLATFORM: Final = "platform"
"""The `system` of the stack's own parts and of their host; no watched system can have this name."""

UNASSIGNED: Final = "unassigned"
"""The `system`, and the team, of containers that belong to no watched system and not to the stack."""

OF_NO_FILE: Final = (PLATFORM, UNASSIGNED)
"""Values of `system` that have no file and cannot be the name of one; each is its own team."""

ELASTICSEARCH: Final = "elasticsearch"
"""uid of the Grafana data source of that kind; its alerts use it too."""

OWNER: Final = "{{ $labels.system }}"
"""In the link of an alert: placeholder for the alert's system."""

LABEL_STACK: Final = "io.observability.stack"
"""Docker label with the stack's name, on every object of a stack."""

LABEL_SERVICE: Final = "io.observability.service"
"""Docker label with the service's name, on every container and volume."""

LABEL_INSTALLS: Final = "io.observability.installs"
"""Docker label of a one-shot container: where its uploads are, and the folder of its volume that has them afterwards,
as `<folder>=<folder>`. The second folder has no other files, except for those of LABEL_COPIES."""

LABEL_COPIES: Final = "io.observability.copies"
"""Docker label of a one-shot container: files that it copies from its own image to that folder, as `<name>=<path>`,
separated by spaces."""

LABEL_SYSTEM: Final = "obs.system"
"""Docker label that names the watched system of a container."""

LABEL_SCRAPE: Final = "obs.scrape"
"""Docker label of a container that is scraped; its value is LABELLED."""

LABELLED: Final = "true"

COMPOSE_PROJECT: Final = "com.docker.compose.project"
COMPOSE_SERVICE: Final = "com.docker.compose.service"

CONTAINER_LABELS: Final = (LABEL_STACK, LABEL_SERVICE, COMPOSE_PROJECT, COMPOSE_SERVICE, LABEL_SYSTEM)
"""Docker labels that decide the system of a container; no others become labels of its series."""


def replica(service: str, number: int) -> str:
    """One of several servers of the same kind, counted from 1; the first has the service's own name."""
    return service if number == 1 else f"{service}-{number}"


def container(stack: str, service: str) -> str:
    """Container of a service."""
    return f"obs-{stack}-{service}"


def loader(stack: str, service: str) -> str:
    """One-shot container that checks and installs a service's configuration."""
    return f"obs-{stack}-{service}-config"


def checker(stack: str, service: str) -> str:
    """One-shot container that checks a configuration in place."""
    return f"obs-{stack}-{service}-check"


def volume(stack: str, service: str, role: str) -> str:
    """Volume of a service; the role is `data` or `config`."""
    return f"obs-{stack}-{service}-{role}"


def network(stack: str) -> str:
    """The network of all services of a stack; on it each is known by its service name only."""
    return f"obs-{stack}"


def agent(host: str) -> str:
    """Pulumi's name of the agent on another host and of its provider; the names of all its resources begin with it."""
    return f"host-{host}"


def host_of_agent(provider: str) -> str | None:
    """The host to which a Docker provider of this name belongs; None: the stack's own."""
    return provider.removeprefix("host-") if provider.startswith("host-") else None


def inbox(stack: str) -> str:
    """Container that `obs verify` runs while it waits for its test alert."""
    return f"obs-{stack}-inbox"


def runbook(alert: str, pages: str | None) -> str:
    """Address of an alert's runbook below that of all pages; its path in the repository where that is not known."""
    return f"{pages.rstrip('/') if pages else 'runbooks'}/{alert}.md"
