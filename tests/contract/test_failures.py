"""What is reported, kept and repaired when a container cannot be brought up."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import pulumi
import pulumi_docker as docker
import pytest

from tests.contract.lab import Lab, Run

SLEEP: Final = ["sh", "-c", "exec sleep 600"]
AFTER_CREATION: Final = {
    "unchecked": "healthcheck",
    "sick": "health",
    "not-started": "no such file or directory",
    "read-only": "rootfs is marked read-only",
    "no-network": "no-such-network not found",
    "no-content": "content",
    "bad-address": "cannot assign requested address",
    "both-given": "no such file or directory",
}
"""Containers that fail after their creation, and a word of the reason."""
BEFORE_CREATION: Final = {"no-image": "with image obs-contract.invalid/none:1"}
"""Containers that fail before their creation."""


def declare(lab: Lab, image: str, *, repaired: bool) -> None:
    """Declare containers, each broken in a different way, or repaired."""

    def container(role: str, /, *, use: str = image, **settings: Any) -> None:  # noqa: ANN401 - the container's own
        docker.Container(role, name=lab.name(role), image=use, **({"entrypoints": SLEEP} | settings))

    check = {"tests": ["CMD", "true" if repaired else "false"], "interval": "1s", "retries": 1}
    container("unchecked", wait=not repaired)
    container("sick", wait=True, wait_timeout=300 if repaired else 2, healthcheck=check)
    container("not-started", entrypoints=SLEEP if repaired else ["/nowhere"])
    container("both-given", entrypoints=["sleep"] if repaired else ["/nowhere"], command=["600"])
    container("read-only", read_only=True, uploads=[] if repaired else [{"file": "/file", "content": "any"}])
    container("no-network", networks_advanced=[{"name": "bridge" if repaired else "no-such-network"}])
    container("no-content", uploads=[] if repaired else [{"file": "/file"}])
    container(
        "bad-address",
        ports=[{"internal": 9, "external": 38081, "ip": "127.0.0.1" if repaired else "203.0.113.9"}],
    )
    container("no-image", use=image if repaired else "obs-contract.invalid/none:1")


@dataclass
class Broken:
    """A stack whose containers all failed, a preview of trying again, and the repaired program's update."""

    lab: Lab
    up: Run
    state: dict[str, dict[str, Any]]
    ids: dict[str, str]
    again: Run
    repaired: Run
    settled: Run


@pytest.fixture(scope="module")
def broken(make_lab: Callable[[str], Lab], image: str) -> Broken:
    lab = make_lab("failures")
    up = lab.up(lambda: declare(lab, image, repaired=False), continue_on_error=True, parallel=20)
    state = lab.state()
    ids = {role: lab.inspect(role)["Id"] for role in AFTER_CREATION}
    again = lab.preview(lambda: declare(lab, image, repaired=False))
    repaired = lab.up(lambda: declare(lab, image, repaired=True))
    return Broken(lab, up, state, ids, again, repaired, lab.preview(lambda: declare(lab, image, repaired=True)))


def test_the_update_fails(broken: Broken) -> None:
    assert broken.up.failed


@pytest.mark.parametrize("role", sorted(AFTER_CREATION | BEFORE_CREATION))
def test_the_failure_is_reported_with_its_reason(broken: Broken, role: str) -> None:
    diagnostics = broken.up.output.rpartition("Diagnostics:")[2]
    paragraphs = [part for part in diagnostics.split("docker:index:Container (") if part.startswith(f"{role})")]
    assert len(paragraphs) == 1
    assert (AFTER_CREATION | BEFORE_CREATION)[role] in paragraphs[0]


@pytest.mark.parametrize("role", sorted(AFTER_CREATION))
def test_a_container_that_failed_after_its_creation_is_recorded_as_failed(broken: Broken, role: str) -> None:
    assert broken.state[role]["id"] == broken.ids[role]
    assert AFTER_CREATION[role] in broken.state[role]["initErrors"][0]


@pytest.mark.parametrize("role", sorted(BEFORE_CREATION))
def test_a_container_that_was_never_created_is_not_recorded(broken: Broken, role: str) -> None:
    assert role not in broken.state


@pytest.mark.parametrize("role", sorted(set(AFTER_CREATION) - {"both-given"}))
def test_the_next_update_replaces_a_failed_container_of_an_unchanged_program(broken: Broken, role: str) -> None:
    assert broken.again.ops[role] == "replace"


def test_a_failed_container_with_entry_point_and_command_is_only_updated(broken: Broken) -> None:
    assert broken.again.ops["both-given"] == "update"


def test_a_corrected_program_repairs_all_of_them(broken: Broken) -> None:
    assert not broken.repaired.failed, broken.repaired.output
    for role in AFTER_CREATION | BEFORE_CREATION:
        assert broken.lab.inspect(role)["State"]["Running"], role
    assert broken.settled.changes == {}, broken.settled.kinds


@pytest.mark.parametrize("place", ["environment", "provider"])
def test_the_docker_host_is_the_providers_or_the_environments_and_must_respond(
    make_lab: Callable[..., Lab], image: str, place: str
) -> None:
    nowhere = "unix:///nowhere/docker.sock"
    lab = make_lab(f"host-of-the-{place}", **({"DOCKER_HOST": nowhere} if place == "environment" else {}))

    def program() -> None:
        named = docker.Provider("provider", host=nowhere) if place == "provider" else None
        docker.Container(
            "container", name=lab.name("container"), image=image, opts=pulumi.ResourceOptions(provider=named)
        )

    run = lab.preview(program)
    assert run.failed
    assert "connect to" in run.output


def test_invalid_values_are_refused_before_anything_is_changed(make_lab: Callable[[str], Lab], image: str) -> None:
    lab = make_lab("refused")

    def program() -> None:
        docker.Container(
            "container",
            name=lab.name("container"),
            image=image,
            restart="sometimes",
            memory=-5,
            healthcheck={"tests": ["CMD", "true"], "interval": "soon"},
            uploads=[{"file": "/file", "content": "any", "permissions": "777"}],
        )

    run = lab.preview(program)
    assert run.failed
    for name in ("restart", "memory", "interval", "uploads"):
        assert name in run.output, name
