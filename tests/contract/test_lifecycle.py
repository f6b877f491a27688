"""How a stack detects what happens to its containers, and how it is destroyed."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import pulumi_docker as docker
import pytest

from tests.contract.lab import Lab, Program, Run

SHELL: Final = ["sh", "-c", "trap 'exit 0' TERM INT; sleep 600 & wait"]
LABEL: Final = {"made-by": "hand"}


def declare(lab: Lab, image: str) -> None:
    """Declare containers that will be changed outside of Pulumi."""
    network = docker.Network("network", name=lab.name("network"))
    docker.Volume(
        "volume", name=lab.name("volume"), labels=[{"label": key, "value": value} for key, value in LABEL.items()]
    )
    docker.Container("stopped", name=lab.name("stopped"), image=image, entrypoints=SHELL)
    docker.Container(
        "stopped-with-a-port",
        name=lab.name("stopped-with-a-port"),
        image=image,
        entrypoints=SHELL,
        ports=[{"internal": 9, "external": 38082, "ip": "127.0.0.1"}],
    )
    docker.Container("removed", name=lab.name("removed"), image=image, entrypoints=SHELL)
    docker.Container("limited", name=lab.name("limited"), image=image, entrypoints=SHELL, memory=32, memory_swap=32)
    docker.Container("ended", name=lab.name("ended"), image=image, entrypoints=["false"], must_run=False)
    docker.Container(
        "graceful",
        name=lab.name("graceful"),
        image=image,
        entrypoints=["sh", "-c", "trap 'sleep 1; exit 0' TERM; sleep 600 & wait"],
        destroy_grace_seconds=10,
        networks_advanced=[{"name": network.name}],
    )


def in_volume(lab: Lab, image: str, script: str) -> bytes:
    """Run a script outside of the stack, with its volume at /v, and return what it prints."""
    return lab.docker.containers.run(
        image,
        ["-c", script],
        name=lab.name("beside"),
        entrypoint="sh",
        user="0",
        remove=True,
        volumes=[f"{lab.name('volume')}:/v"],
    )


@dataclass
class Drift:
    """A stack after its containers were changed: the results of a plain preview, a refresh and an update."""

    lab: Lab
    program: Program
    ids: dict[str, str]
    blind: Run
    refreshed: dict[str, dict[str, object]]
    up: Run


@pytest.fixture(scope="module")
def drift(make_lab: Callable[[str], Lab], image: str) -> Drift:
    lab = make_lab("lifecycle")

    def program() -> None:
        declare(lab, image)

    lab.docker.volumes.create(lab.name("volume"), labels=LABEL)
    in_volume(lab, image, "echo kept > /v/file")
    first = lab.up(program)
    assert not first.failed, first.output
    roles = ("stopped", "stopped-with-a-port", "removed", "limited")
    ids = {role: str(lab.inspect(role)["Id"]) for role in roles}
    api = lab.docker.api
    api.stop(lab.name("stopped"), timeout=0)
    api.stop(lab.name("stopped-with-a-port"), timeout=0)
    api.remove_container(lab.name("removed"), force=True)
    api.update_container(lab.name("limited"), mem_limit=64 << 20, memswap_limit=64 << 20)
    blind = lab.preview(program)
    refresh = lab.refresh()
    assert not refresh.failed, refresh.output
    refreshed = lab.state()
    return Drift(lab, program, ids, blind, refreshed, lab.up(program))


def test_an_existing_volume_is_adopted_with_its_content(drift: Drift, image: str) -> None:
    assert in_volume(drift.lab, image, "cat /v/file") == b"kept\n"


def test_without_a_refresh_no_drift_is_detected(drift: Drift) -> None:
    assert drift.blind.changes == {}


def test_a_refresh_detects_the_drift(drift: Drift) -> None:
    assert "removed" not in drift.refreshed
    assert drift.refreshed["stopped"]["outputs"]["mustRun"] is False  # type: ignore[index]  # JSON
    assert drift.refreshed["limited"]["outputs"]["memory"] == 64  # type: ignore[index]  # JSON


def test_a_stopped_container_that_must_run_is_started_in_place(drift: Drift) -> None:
    seen = drift.lab.inspect("stopped")
    assert drift.up.ops["stopped"] == "update"
    assert seen["State"]["Running"]
    assert seen["Id"] == drift.ids["stopped"]


def test_a_stopped_container_with_ports_is_replaced(drift: Drift) -> None:
    seen = drift.lab.inspect("stopped-with-a-port")
    assert drift.up.ops["stopped-with-a-port"] == "replace"
    assert seen["State"]["Running"]
    assert seen["Id"] != drift.ids["stopped-with-a-port"]


def test_a_removed_container_is_created_again(drift: Drift) -> None:
    assert drift.up.ops["removed"] == "create"
    assert drift.lab.inspect("removed")["State"]["Running"]


def test_a_limit_changed_by_hand_is_reset(drift: Drift) -> None:
    seen = drift.lab.inspect("limited")
    assert drift.up.ops["limited"] == "update"
    assert seen["HostConfig"]["Memory"] == 32 << 20
    assert seen["Id"] == drift.ids["limited"]


def test_a_container_that_need_not_run_may_exit(drift: Drift) -> None:
    assert drift.up.ops["ended"] == "same"
    assert drift.refreshed["ended"]["outputs"]["exitCode"] == 1  # type: ignore[index]  # JSON


def test_the_update_after_that_finds_nothing_to_do(drift: Drift) -> None:
    run = drift.lab.preview(drift.program)
    assert run.changes == {}, run.kinds


def test_destroy_waits_for_resources_in_use_and_ignores_missing_ones(drift: Drift, image: str) -> None:
    lab, started = drift.lab, int(time.time())
    graceful = lab.inspect("graceful")["Id"]
    lab.docker.api.remove_container(lab.name("removed"), force=True)
    lab.docker.containers.run(
        image,
        ["4"],
        entrypoint="sleep",
        name=lab.name("foreign"),
        detach=True,
        remove=True,
        network=lab.name("network"),
        volumes=[f"{lab.name('volume')}:/v"],
    )
    run = lab.destroy()
    assert not run.failed, run.output
    assert lab.state() == {}
    assert lab.left() == []
    died = lab.docker.events(
        since=started, until=int(time.time()) + 1, decode=True, filters={"event": "die", "container": graceful}
    )
    assert [event["Actor"]["Attributes"]["exitCode"] for event in died] == ["0"]
