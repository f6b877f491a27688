"""Which changes replace a resource, which update it in place, and which are only recorded."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import pulumi_docker as docker
import pytest

from tests import networks
from tests.contract.lab import Lab, Run

CHANGED: Final = ("contract, changed", "contract, changed again")
"""Whose subnet the network has before and after the change."""
SHELL: Final = ["sh", "-c", "trap 'exit 0' TERM INT; sleep 600 & wait"]

IN_PLACE: Final[dict[str, tuple[object, object]]] = {
    "restart": ("no", "on-failure"),
    "max_retry_count": (0, 2),
    "memory": (32, 48),
    "memory_swap": (32, 48),
    "memory_reservation": (8, 16),
    "cpu_shares": (128, 256),
    "cpu_set": ("0", "0-1"),
}
"""Before and after: properties that Docker changes on a running container."""

RECORDED: Final[dict[str, tuple[object, object]]] = {
    "healthcheck": (
        {"tests": ["CMD", "true"], "interval": "1s", "retries": 3},
        {"tests": ["CMD", "true"], "interval": "2s", "retries": 2},
    ),
    "tmpfs": ({"/before": ""}, {"/after": ""}),
    "init": (True, False),
    "destroy_grace_seconds": (1, 2),
    "remove_volumes": (True, False),
    "wait": (True, False),
    "wait_timeout": (60, 61),
    "attach": (False, True),
    "logs": (False, True),
    "start": (True, False),
    "rm": (False, True),
}
"""Before and after: properties that neither replace the container nor are applied to it."""

REPLACING: Final[dict[str, tuple[object, object]]] = {
    "user": ("0", "1"),
    "command": (["a"], ["b"]),
    "envs": (["A=1"], ["A=2"]),
    "labels": ([{"label": "a", "value": "1"}], [{"label": "a", "value": "2"}]),
    "ports": ([{"internal": 9, "ip": "127.0.0.1"}], [{"internal": 10, "ip": "127.0.0.1"}]),
    "volumes": ([{"host_path": "/etc", "container_path": "/a"}], [{"host_path": "/etc", "container_path": "/b"}]),
    "mounts": ([{"type": "tmpfs", "target": "/m"}], [{"type": "tmpfs", "target": "/n"}]),
    "uploads": ([{"file": "/u", "content": "1"}], [{"file": "/u", "content": "2"}]),
    "capabilities": ({"drops": ["ALL"]}, {"drops": ["ALL"], "adds": ["CAP_CHOWN"]}),
    "security_opts": (["no-new-privileges:true"], ["no-new-privileges:false"]),
    "privileged": (False, True),
    "devices": ([{"host_path": "/dev/null"}], [{"host_path": "/dev/zero"}]),
    "shm_size": (16, 32),
    "ulimits": ([{"name": "nofile", "soft": 512, "hard": 512}], [{"name": "nofile", "soft": 513, "hard": 513}]),
    "sysctls": ({"net.ipv4.ip_unprivileged_port_start": "0"}, {"net.ipv4.ip_unprivileged_port_start": "1"}),
    "log_driver": ("json-file", "local"),
    "log_opts": ({"max-size": "1m"}, {"max-size": "2m"}),
    "hosts": ([{"host": "a", "ip": "10.0.0.1"}], [{"host": "a", "ip": "10.0.0.2"}]),
    "group_adds": (["1"], ["2"]),
    "working_dir": ("/", "/tmp"),  # noqa: S108 - in the container
    "hostname": ("a", "b"),
    "dns": (["10.0.0.1"], ["10.0.0.2"]),
    "cpus": ("0.5", "0.6"),
    "stop_signal": ("SIGINT", "SIGTERM"),
    "stop_timeout": (5, 6),
    "pid_mode": (None, "host"),
    "ipc_mode": ("private", "none"),
}
"""Before and after: properties that replace the container."""


def camel(name: str) -> str:
    """Return the engine's name of a property."""
    return re.sub("_(.)", lambda match: match[1].upper(), name)


def declare(lab: Lab, image: str, now: int) -> None:
    """Declare the resources as they are before (0) or after (1)."""

    def container(role: str, **settings: Any) -> None:  # noqa: ANN401 - the container's own
        docker.Container(role, name=lab.name(role), image=image, **settings)

    container(
        "kept", entrypoints=SHELL, command=[], **{name: pair[now] for name, pair in (IN_PLACE | RECORDED).items()}
    )
    container("made-anew", entrypoints=SHELL, **{name: pair[now] for name, pair in REPLACING.items()})
    network = docker.Network("network", name=lab.name("network"), labels=[{"label": "version", "value": str(now)}])
    container("member", entrypoints=SHELL, networks_advanced=[{"name": network.name}])
    docker.Network(
        "subnet",
        name=lab.name("subnet"),
        internal=bool(now),
        ipam_configs=[{"subnet": networks.subnet(CHANGED[now])}],
    )
    container("sealed", entrypoints=SHELL, read_only=bool(now), network_mode=("bridge", "none")[now])
    docker.Volume("volume", name=lab.name("volume"), labels=[{"label": "version", "value": str(now)}])
    docker.Volume("renamed", name=lab.name(f"renamed-{now}"))
    container("no-swap-limit", entrypoints=SHELL, memory=32)
    container("unlabelled", entrypoints=SHELL, pid_mode="host", security_opts=["no-new-privileges:true"])
    container("one-cpu", entrypoints=SHELL, cpus="1")
    container("sixty-seconds", entrypoints=SHELL, healthcheck={"tests": ["CMD", "true"], "interval": "60s"})
    container("ended", entrypoints=["true"], attach=True)


@dataclass
class Changes:
    """A stack before its changes, a preview of them, and the changes applied."""

    lab: Lab
    image: str
    unchanged: Run
    preview: Run
    before: dict[str, Any]
    up: Run


@pytest.fixture(scope="module")
def changes(make_lab: Callable[[str], Lab], image: str) -> Changes:
    lab = make_lab("changes")
    first = lab.up(lambda: declare(lab, image, 0))
    assert not first.failed, first.output
    unchanged = lab.preview(lambda: declare(lab, image, 0))
    preview = lab.preview(lambda: declare(lab, image, 1))
    before = {role: lab.inspect(role) for role in ("kept", "made-anew", "member")}
    return Changes(lab, image, unchanged, preview, before, lab.up(lambda: declare(lab, image, 1)))


@pytest.mark.parametrize("name", sorted(REPLACING))
def test_a_change_of_it_replaces_the_container(changes: Changes, name: str) -> None:
    assert changes.preview.kinds["made-anew"][camel(name)].endswith("replace")


def test_no_other_property_of_the_container_is_reported_as_changed(changes: Changes) -> None:
    assert set(changes.preview.kinds["made-anew"]) == {camel(name) for name in REPLACING}


@pytest.mark.parametrize("name", sorted(IN_PLACE | RECORDED))
def test_a_change_of_it_keeps_the_container(changes: Changes, name: str) -> None:
    assert changes.preview.ops["kept"] == "update"
    assert not changes.preview.kinds["kept"][camel(name)].endswith("replace")


def test_a_read_only_root_and_another_network_mode_replace_the_container(changes: Changes) -> None:
    assert changes.preview.kinds["sealed"] == {"readOnly": "update-replace", "networkMode": "update-replace"}


@pytest.mark.parametrize("name", ["network", "subnet", "volume", "renamed"])
def test_any_change_replaces_a_network_or_a_volume(changes: Changes, name: str) -> None:
    assert changes.preview.ops[name] == "replace"


def test_the_changes_are_applied(changes: Changes) -> None:
    assert not changes.up.failed, changes.up.output


def test_limits_and_restart_policy_change_on_the_running_container(changes: Changes) -> None:
    seen = changes.lab.inspect("kept")
    host = seen["HostConfig"]
    assert seen["Id"] == changes.before["kept"]["Id"]
    assert (host["Memory"], host["MemorySwap"], host["MemoryReservation"]) == (48 << 20, 48 << 20, 16 << 20)
    assert (host["CpuShares"], host["CpusetCpus"]) == (256, "0-1")
    assert host["RestartPolicy"] == {"Name": "on-failure", "MaximumRetryCount": 2}


def test_a_changed_health_check_or_tmpfs_is_not_applied_to_the_container(changes: Changes) -> None:
    seen, outputs = changes.lab.inspect("kept"), changes.lab.state()["kept"]["outputs"]
    assert seen["Config"]["Healthcheck"] == changes.before["kept"]["Config"]["Healthcheck"]
    assert seen["HostConfig"]["Tmpfs"] == {"/before": ""}
    assert (outputs["healthcheck"]["interval"], outputs["tmpfs"]) == ("2s", {"/after": ""})


def test_the_old_container_is_deleted_before_the_new_one_is_created(changes: Changes) -> None:
    steps = [op for name, op in changes.up.steps if name == "made-anew"]
    assert steps.index("delete-replaced") < steps.index("create-replacement")
    assert changes.lab.inspect("made-anew")["Id"] != changes.before["made-anew"]["Id"]


@pytest.mark.parametrize("name", ["network", "volume", "renamed"])
def test_a_volume_or_network_is_deleted_before_the_new_one_is_created_too(changes: Changes, name: str) -> None:
    steps = [op for step, op in changes.up.steps if step == name]
    assert steps.index("delete-replaced") < steps.index("create-replacement")


def test_replacing_a_network_replaces_the_containers_on_it(changes: Changes) -> None:
    assert changes.up.ops["member"] == "replace"
    seen = changes.lab.inspect("member")
    assert seen["Id"] != changes.before["member"]["Id"]
    assert set(seen["NetworkSettings"]["Networks"]) == {changes.lab.name("network")}


def test_values_that_docker_returns_differently_show_a_diff_after_create(changes: Changes) -> None:
    unsettled = {
        "no-swap-limit": {"memorySwap"},
        "one-cpu": {"cpus"},
        "sixty-seconds": {"healthcheck"},
        "ended": {"mustRun"},
    }
    assert {name: set(kinds) for name, kinds in changes.unchanged.kinds.items()} == unsettled


def test_the_second_update_removes_the_diff_of_what_it_did_not_replace(changes: Changes) -> None:
    run = changes.lab.preview(lambda: declare(changes.lab, changes.image, 1))
    assert run.changes == {"one-cpu": "replace"}, run.kinds


def test_a_refresh_shows_the_diff_again_and_one_for_sets_docker_extended(changes: Changes) -> None:
    changes.lab.refresh()
    run = changes.lab.preview(lambda: declare(changes.lab, changes.image, 1))
    unsettled = {"no-swap-limit", "one-cpu", "sixty-seconds", "ended", "unlabelled"}
    assert unsettled <= set(run.changes)
    assert set(run.kinds["unlabelled"]) == {"securityOpts"}
