"""Tests that create their own stack refuse to start where a stack of that name exists: it may be in use."""

import fcntl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker
import pytest

from observability.core.naming import LABEL_STACK


def objects(client: docker.DockerClient, stack: str) -> list[str]:
    """Containers, networks and volumes with the label of a stack."""
    label: dict[str, Any] = {"label": f"{LABEL_STACK}={stack}"}
    found: list[Any] = [
        *client.containers.list(all=True, filters=label, ignore_removed=True),
        *client.networks.list(filters=label),
    ]
    return sorted(str(one.name) for one in [*found, *client.volumes.list(filters=label)])


def refuse_if_in_use(client: docker.DockerClient, stack: str) -> None:
    """Exit the whole run, with what exists and how to remove it: a test would change or remove it."""
    there = objects(client, stack)
    if there:
        label = f"label={LABEL_STACK}={stack}"
        pytest.exit(
            f"the stack {stack!r} of these tests is in use on this machine: {', '.join(there)}.\n"
            "Wait for the run that made it; if that was killed, remove what it left:\n"
            f"  docker ps -aq --filter {label} | xargs -r docker rm -f\n"
            f"  docker network ls -q --filter {label} | xargs -r docker network rm\n"
            f"  docker volume ls -q --filter {label} | xargs -r docker volume rm",
            returncode=2,
        )


@contextmanager
def alone(name: str) -> Iterator[None]:
    """Lock a name on this machine until the end of the block; if another run of the tests holds it, exit this one.

    The lock of a run that was killed is released, so what it left may be removed.
    """
    with (Path(tempfile.gettempdir()) / f"{name}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            pytest.exit(f"another run of the tests {name!r} is going on; wait for its end ({file.name})", returncode=2)
        yield
