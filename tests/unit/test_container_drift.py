"""Any property of a container that differs from its declaration is found, also one that nobody declared."""

import copy
from collections.abc import Callable
from typing import Any, Final

import pytest

from observability.operations.container_drift import drifts

MIB: Final = 1 << 20

INPUTS: Final[dict[str, Any]] = {
    "name": "obs-dev-shop",
    "image": "shop:1",
    "command": ["--port=1"],
    "envs": ["MODE=quiet", "LOADED_BY=loader-id"],
    "user": "65534:65534",
    "readOnly": True,
    "capabilities": {"drops": ["ALL"]},
    "securityOpts": ["no-new-privileges:true"],
    "memory": 64,
    "memorySwap": 64,
    "logDriver": "json-file",
    "logOpts": {"max-size": "10m"},
    "restart": "unless-stopped",
    "healthcheck": {"tests": ["CMD", "true"], "interval": "5s", "timeout": "3s", "retries": 6},
    "ports": [{"internal": 80, "external": 8080, "ip": "127.0.0.1"}],
    "volumes": [
        {"volumeName": "data", "containerPath": "/data", "readOnly": False},
        {"hostPath": "/var/log", "containerPath": "/logs", "readOnly": True},
    ],
    "labels": [{"label": "service", "value": "shop"}],
    "hosts": [{"host": "db", "ip": "10.0.0.1"}],
    "tmpfs": {"/tmp": "size=1m"},  # noqa: S108 - in the container
    "networksAdvanced": [{"name": "obs-dev", "aliases": ["shop"]}],
}

IMAGE: Final[dict[str, Any]] = {
    "Id": "sha256:aa",
    "Config": {
        "Entrypoint": ["/bin/shop"],
        "Cmd": ["--help"],
        "Env": ["PATH=/bin"],
        "Labels": {"title": "Shop"},
        "Volumes": {"/data": {}, "/cache": {}},
        "WorkingDir": "/",
    },
}

SEEN: Final[dict[str, Any]] = {
    "Id": "0123456789abcdef",
    "Name": "/obs-dev-shop",
    "Image": "sha256:aa",
    "Config": {
        "Hostname": "0123456789ab",
        "User": "65534:65534",
        "Entrypoint": ["/bin/shop"],
        "Cmd": ["--port=1"],
        "Env": ["MODE=quiet", "LOADED_BY=77", "PATH=/bin"],
        "Labels": {"title": "Shop", "service": "shop"},
        "WorkingDir": "/",
        "Healthcheck": {"Test": ["CMD", "true"], "Interval": 5 * 10**9, "Timeout": 3 * 10**9, "Retries": 6},
    },
    "HostConfig": {
        "Binds": ["data:/data:rw", "/var/log:/logs:ro"],
        "CapAdd": None,
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges:true"],
        "ReadonlyRootfs": True,
        "Privileged": False,
        "Memory": 64 * MIB,
        "MemorySwap": 64 * MIB,
        "NanoCpus": 0,
        "PidsLimit": None,
        "NetworkMode": "obs-dev",
        "PidMode": "",
        "IpcMode": "private",
        "RestartPolicy": {"Name": "unless-stopped", "MaximumRetryCount": 0},
        "LogConfig": {"Type": "json-file", "Config": {"max-size": "10m"}},
        "PortBindings": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}]},
        "ExtraHosts": ["db:10.0.0.1"],
        "Tmpfs": {"/tmp": "size=1m"},  # noqa: S108 - in the container
        "Devices": [],
    },
    "Mounts": [
        {"Type": "volume", "Name": "data", "Source": "/var/lib/x", "Destination": "/data", "RW": True},
        {"Type": "bind", "Source": "/var/log", "Destination": "/logs", "RW": False},
        # The image asks for it, and nothing is declared there.
        {"Type": "volume", "Name": "ab" * 32, "Source": "/var/lib/y", "Destination": "/cache", "RW": True},
    ],
    "NetworkSettings": {"Networks": {"obs-dev": {"Aliases": ["shop", "0123456789ab"]}}},
}


def resolve(value: str) -> str:
    """The output of another resource, as Docker has it."""
    return {"loader-id": "77"}.get(value, value)


def found(change: Callable[[dict[str, Any]], None]) -> list[str]:
    """The differences of the container after a change."""
    seen = copy.deepcopy(SEEN)
    change(seen)
    return [str(one) for one in drifts(INPUTS, seen, IMAGE, resolve)]


def test_a_container_as_declared_has_no_differences() -> None:
    assert found(lambda _: None) == []


CHANGES: Final[dict[str, tuple[Callable[[dict[str, Any]], None], str]]] = {
    "image": (lambda seen: seen.update(Image="sha256:bb"), "image is sha256:bb, declared sha256:aa"),
    "user": (lambda seen: seen["Config"].update(User="0:0"), "user is 0:0, declared 65534:65534"),
    "entry point": (lambda seen: seen["Config"].update(Entrypoint=["sh"]), "entry point differs: +sh, -/bin/shop"),
    "command": (lambda seen: seen["Config"].update(Cmd=["--port=2"]), "command differs: +--port=2, ---port=1"),
    "another variable": (
        lambda seen: seen["Config"]["Env"].append("PASSWORD=hidden"),
        "environment differs in +PASSWORD",
    ),
    "loader": (
        lambda seen: seen["Config"].update(Env=["MODE=quiet", "LOADED_BY=78", "PATH=/bin"]),
        "environment differs in LOADED_BY",
    ),
    "label": (lambda seen: seen["Config"]["Labels"].update(other="1"), "labels differs in +other"),
    "health check": (lambda seen: seen["Config"].update(Healthcheck={"Test": ["NONE"]}), "health check differs in"),
    "privileged": (lambda seen: seen["HostConfig"].update(Privileged=True), "privileged is True, declared False"),
    "capability": (
        lambda seen: seen["HostConfig"].update(CapAdd=["CAP_SYS_ADMIN"]),
        "added capabilities differs: +SYS_ADMIN",
    ),
    "no capability dropped": (lambda seen: seen["HostConfig"].update(CapDrop=None), "dropped capabilities differs"),
    "security option": (lambda seen: seen["HostConfig"].update(SecurityOpt=[]), "security options differs"),
    "root": (lambda seen: seen["HostConfig"].update(ReadonlyRootfs=False), "read-only root is False, declared True"),
    "host's processes": (
        lambda seen: seen["HostConfig"].update(PidMode="host"),
        "process namespace is host, declared none",
    ),
    "host's network": (lambda seen: seen["HostConfig"].update(NetworkMode="host"), "network mode is host"),
    "device": (
        lambda seen: seen["HostConfig"].update(
            Devices=[{"PathOnHost": "/dev/sda", "PathInContainer": "/dev/sda", "CgroupPermissions": "rwm"}]
        ),
        "devices differs: +/dev/sda",
    ),
    "a folder of the host": (
        lambda seen: seen["Mounts"].append({"Type": "bind", "Source": "/", "Destination": "/host", "RW": True}),
        "mounts differs: +bind / /host writable",
    ),
    "an anonymous volume": (
        lambda seen: seen["Mounts"][0].update(Name="cd" * 32),
        "mounts differs: +volume " + "cd" * 32,
    ),
    "another network": (
        lambda seen: seen["NetworkSettings"]["Networks"].update(other={"Aliases": []}),
        "networks differs in +other",
    ),
    "another name on the network": (
        lambda seen: seen["NetworkSettings"]["Networks"]["obs-dev"]["Aliases"].append("prometheus"),
        "networks differs in obs-dev",
    ),
    "port": (
        lambda seen: seen["HostConfig"]["PortBindings"]["80/tcp"][0].update(HostIp="0.0.0.0"),  # noqa: S104 - the change
        "ports differs: +0.0.0.0:8080 to 80/tcp",
    ),
    "memory": (lambda seen: seen["HostConfig"].update(Memory=0), "memory limit is none, declared 64 MiB"),
    "swap": (
        lambda seen: seen["HostConfig"].update(MemorySwap=128 * MIB),
        "memory and swap limit is 128 MiB, declared 64 MiB",
    ),
    "CPU": (lambda seen: seen["HostConfig"].update(NanoCpus=5 * 10**8), "CPU limit is 0.5, declared 0.0"),
    "processes": (lambda seen: seen["HostConfig"].update(PidsLimit=3), "PidsLimit is 3, declared none"),
    "restart policy": (
        lambda seen: seen["HostConfig"].update(RestartPolicy={"Name": "no"}),
        "restart policy is no, declared unless-stopped",
    ),
    "log driver": (lambda seen: seen["HostConfig"].update(LogConfig={"Type": "none"}), "log driver is none"),
    "name of a host": (
        lambda seen: seen["HostConfig"].update(ExtraHosts=["db:10.6.6.6"]),
        "hosts differs: +db:10.6.6.6",
    ),
    "kernel parameter": (lambda seen: seen["HostConfig"].update(Sysctls={"a": "1"}), "Sysctls"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_one_change_by_hand_is_one_difference(name: str) -> None:
    change, text = CHANGES[name]
    differences = found(change)
    assert len(differences) == 1, differences
    assert differences[0].startswith(text)


def test_a_variables_value_is_not_shown() -> None:
    assert "hidden" not in "".join(found(lambda seen: seen["Config"]["Env"].append("PASSWORD=hidden")))


def test_without_its_image_only_what_is_declared_is_compared() -> None:
    assert drifts(INPUTS, SEEN, None, resolve) == []
