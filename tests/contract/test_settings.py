"""What a program declares is applied in Docker, and what Docker reports is returned."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pulumi
import pulumi_docker as docker
import pytest

from tests import networks
from tests.contract.lab import Lab, Plugin, Program, Run

SECRET = "hunter2-in-clear"  # noqa: S105 - a sample
SLEEP = ["sh", "-c", "trap 'exit 0' TERM INT; sleep 600 & wait"]


@dataclass
class World:
    """A stack with one resource of each kind, and the results of its first preview and update."""

    lab: Lab
    program: Program
    first_preview: Run
    made_by_preview: int
    first_up: Run


GATEWAY: Final = str(networks.SUBNETS["contract"][254])


def declare(lab: Lab, image: str, source: Path) -> None:
    """Declare one resource of each kind."""
    network = docker.Network(
        "network",
        name=lab.name("network"),
        ipam_configs=[{"subnet": networks.subnet("contract"), "gateway": GATEWAY}],
        labels=[{"label": "made-by", "value": "contract"}],
        options={"com.docker.network.bridge.enable_icc": "true"},
    )
    internal = docker.Network("internal", name=lab.name("internal"), internal=True)
    volume = docker.Volume("volume", name=lab.name("volume"), labels=[{"label": "made-by", "value": "contract"}])
    server = docker.Container(
        "server",
        name=lab.name("server"),
        image=image,
        entrypoints=["sh"],
        command=["-c", "echo served > /tmp/index.html; exec httpd -f -p 8080 -h /tmp"],
        user="65534:65534",
        envs=["COLOUR=blue"],
        labels=[{"label": "role", "value": "server"}],
        ports=[{"internal": 8080, "external": 38080, "ip": "127.0.0.1"}],
        volumes=[
            {"volume_name": volume.name, "container_path": "/data", "read_only": True},
            {"host_path": "/etc", "container_path": "/host-etc", "read_only": True},
        ],
        networks_advanced=[{"name": network.name, "aliases": ["web"]}, {"name": internal.name}],
        capabilities={"adds": ["CAP_NET_BIND_SERVICE"], "drops": ["ALL"]},
        security_opts=["no-new-privileges:true"],
        read_only=True,
        tmpfs={"/tmp": "rw,size=1048576,mode=1777"},  # noqa: S108 - in the container
        memory=32,
        memory_swap=32,
        cpu_shares=128,
        shm_size=16,
        log_driver="json-file",
        log_opts={"max-size": "1m", "max-file": "2"},
        healthcheck={
            "tests": ["CMD-SHELL", "wget -qO- http://127.0.0.1:8080/index.html"],
            "interval": "1s",
            "timeout": "2s",
            "start_period": "1m0s",
            "retries": 5,
        },
        wait=True,
        wait_timeout=30,
        restart="unless-stopped",
        stop_signal="SIGINT",
        stop_timeout=7,
        destroy_grace_seconds=1,
        hosts=[{"host": "elsewhere", "ip": "10.9.8.7"}],
        group_adds=["1234"],
        init=True,
        ulimits=[{"name": "nofile", "soft": 512, "hard": 1024}],
        working_dir="/tmp",  # noqa: S108 - in the container
        hostname="served-here",
        sysctls={"net.ipv4.ip_unprivileged_port_start": "0"},
        devices=[{"host_path": "/dev/null", "container_path": "/dev/nothing", "permissions": "r"}],
        mounts=[{"type": "tmpfs", "target": "/scratch", "tmpfs_options": {"size_bytes": 65536}}],
    )
    docker.Container(
        "job",
        name=lab.name("job"),
        image=image,
        entrypoints=["sh", "-c", "ls -ln /in /in/deep; cat /in/deep/source; wc -c /in/*.txt; echo warned >&2; exit 3"],
        user="0",
        must_run=False,
        attach=True,
        logs=True,
        volumes=[{"volume_name": volume.name, "container_path": "/in"}],
        uploads=[
            {"file": "/in/deep/er/plain.txt", "content": "unused"},
            {"file": "/in/plain.txt", "content": pulumi.Output.secret(f"{SECRET}\n")},
            {"file": "/in/run.txt", "content_base64": base64.b64encode(b"\xff\n").decode(), "executable": True},
            {"file": "/in/deep/source", "source": str(source), "permissions": "0600"},
        ],
    )
    docker.Container(
        "client",
        name=lab.name("client"),
        image=image,
        entrypoints=["wget", "-qO-", "http://web:8080/index.html"],
        must_run=False,
        attach=True,
        logs=True,
        networks_advanced=[{"name": network.id}],
        opts=pulumi.ResourceOptions(depends_on=server),
    )
    docker.Container(
        "host",
        name=lab.name("host"),
        image=image,
        entrypoints=SLEEP,
        network_mode="host",
        pid_mode="host",
        privileged=True,
        security_opts=["no-new-privileges:true", "label=disable"],
    )
    plain = docker.Container(
        "plain",
        name=lab.name("plain"),
        image=image,
        entrypoints=SLEEP,
        ports=[{"internal": 9000, "ip": "127.0.0.1"}],
        envs=[pulumi.Output.secret(f"TOKEN={SECRET}")],
        cpus="1.0",
    )
    pulumi.export("plain-envs", plain.envs)
    pulumi.export("plain-bridge", plain.bridge)


@pytest.fixture(scope="module")
def world(make_lab: Callable[[str], Lab], image: str, tmp_path_factory: pytest.TempPathFactory) -> World:
    source = tmp_path_factory.mktemp("source") / "file"
    source.write_text("from a file\n", encoding="utf-8")
    lab = make_lab("settings")

    def program() -> None:
        declare(lab, image, source)

    preview = lab.preview(program)
    made = len(lab.left())
    return World(lab, program, preview, made, lab.up(program))


def test_the_first_preview_accepts_unknown_values_and_creates_nothing(world: World) -> None:
    assert not world.first_preview.failed, world.first_preview.output
    assert set(world.first_preview.ops.values()) == {"create"}
    assert len(world.first_preview.ops) == 8
    assert world.made_by_preview == 0


def test_the_update_creates_everything(world: World) -> None:
    assert not world.first_up.failed, world.first_up.output
    assert len(world.first_up.changes) == 8


def test_a_second_preview_shows_no_change(world: World) -> None:
    run = world.lab.preview(world.program)
    assert not run.failed, run.output
    assert len(run.ops) == 8
    assert run.changes == {}, run.kinds


def test_the_container_runs_the_declared_command(world: World) -> None:
    seen = world.lab.inspect("server")
    config = seen["Config"]
    assert config["Entrypoint"] == ["sh"]
    assert config["Cmd"][0] == "-c"
    assert config["User"] == "65534:65534"
    assert "COLOUR=blue" in config["Env"]
    assert config["Labels"]["role"] == "server"
    assert config["WorkingDir"] == "/tmp"  # noqa: S108 - in the container
    assert config["Hostname"] == "served-here"
    assert (config["StopSignal"], config["StopTimeout"]) == ("SIGINT", 7)


def test_the_container_has_the_declared_security_options(world: World) -> None:
    host = world.lab.inspect("server")["HostConfig"]
    assert host["ReadonlyRootfs"] is True
    assert host["CapDrop"] == ["ALL"]
    assert host["CapAdd"] == ["CAP_NET_BIND_SERVICE"]
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert host["Init"] is True
    assert host["Privileged"] is False
    assert host["Tmpfs"] == {"/tmp": "rw,size=1048576,mode=1777"}  # noqa: S108 - in the container
    assert host["GroupAdd"] == ["1234"]
    assert host["Sysctls"] == {"net.ipv4.ip_unprivileged_port_start": "0"}


def test_the_container_has_the_declared_limits_in_megabytes(world: World) -> None:
    host = world.lab.inspect("server")["HostConfig"]
    assert (host["Memory"], host["MemorySwap"], host["ShmSize"]) == (32 << 20, 32 << 20, 16 << 20)
    assert host["CpuShares"] == 128
    assert host["Ulimits"] == [{"Name": "nofile", "Soft": 512, "Hard": 1024}]
    assert host["RestartPolicy"]["Name"] == "unless-stopped"
    assert host["LogConfig"] == {"Type": "json-file", "Config": {"max-size": "1m", "max-file": "2"}}


def test_the_container_has_the_declared_volumes_mounts_and_devices(world: World) -> None:
    seen = world.lab.inspect("server")
    mounts = {mount["Destination"]: (mount["Type"], mount["RW"]) for mount in seen["Mounts"]}
    assert mounts["/data"] == ("volume", False)
    assert mounts["/host-etc"] == ("bind", False)
    assert mounts["/scratch"] == ("tmpfs", True)
    assert seen["HostConfig"]["Devices"] == [
        {"PathOnHost": "/dev/null", "PathInContainer": "/dev/nothing", "CgroupPermissions": "r"}
    ]


def test_the_container_publishes_its_ports_at_the_declared_addresses(world: World) -> None:
    ports = world.lab.inspect("server")["NetworkSettings"]["Ports"]
    assert ports["8080/tcp"] == [{"HostIp": "127.0.0.1", "HostPort": "38080"}]


def test_a_port_without_an_external_number_gets_a_free_one(world: World) -> None:
    docker_says = world.lab.inspect("plain")["NetworkSettings"]["Ports"]["9000/tcp"][0]["HostPort"]
    recorded = {port["internal"]: port["external"] for port in world.lab.state()["plain"]["outputs"]["ports"]}
    assert recorded[9000] == int(docker_says) >= 1024


def test_the_health_check_is_the_declared_one(world: World) -> None:
    check = world.lab.inspect("server")["Config"]["Healthcheck"]
    assert check["Test"] == ["CMD-SHELL", "wget -qO- http://127.0.0.1:8080/index.html"]
    assert (check["Interval"], check["Timeout"], check["StartPeriod"]) == (10**9, 2 * 10**9, 60 * 10**9)
    assert check["Retries"] == 5


def test_waiting_ends_when_the_container_is_healthy(world: World) -> None:
    assert world.lab.inspect("server")["State"]["Health"]["Status"] == "healthy"


def test_the_container_is_on_its_networks_only_and_found_by_its_alias(world: World) -> None:
    networks = world.lab.inspect("server")["NetworkSettings"]["Networks"]
    assert set(networks) == {world.lab.name("network"), world.lab.name("internal")}
    assert "web" in networks[world.lab.name("network")]["Aliases"]
    assert world.lab.state()["client"]["outputs"]["containerLogs"] == "served\n"


def test_the_hosts_file_has_the_extra_hosts(world: World) -> None:
    assert world.lab.inspect("server")["HostConfig"]["ExtraHosts"] == ["elsewhere:10.9.8.7"]


def test_the_network_is_as_declared(world: World) -> None:
    seen = world.lab.docker.api.inspect_network(world.lab.name("network"))
    assert seen["IPAM"]["Config"] == [{"Subnet": networks.subnet("contract"), "Gateway": GATEWAY}]
    assert seen["Labels"] == {"made-by": "contract"}
    assert seen["Options"] == {"com.docker.network.bridge.enable_icc": "true"}
    assert seen["Driver"] == world.lab.state()["network"]["outputs"]["driver"] == "bridge"
    assert world.lab.docker.api.inspect_network(world.lab.name("internal"))["Internal"] is True


def test_the_volume_is_as_declared_and_its_id_is_its_name(world: World) -> None:
    seen = world.lab.docker.api.inspect_volume(world.lab.name("volume"))
    state = world.lab.state()["volume"]
    assert seen["Labels"] == {"made-by": "contract"}
    assert state["id"] == world.lab.name("volume")
    assert state["outputs"]["mountpoint"] == seen["Mountpoint"]


def test_a_container_can_share_the_hosts_network_and_processes(world: World) -> None:
    host = world.lab.inspect("host")["HostConfig"]
    assert (host["NetworkMode"], host["PidMode"], host["Privileged"]) == ("host", "host", True)


def test_a_container_without_options_gets_dockers_defaults(world: World) -> None:
    host = world.lab.inspect("plain")["HostConfig"]
    outputs = world.lab.state()["plain"]["outputs"]
    assert host["RestartPolicy"]["Name"] == outputs["restart"] == "no"
    assert host["LogConfig"]["Type"] == outputs["logDriver"] == "json-file"
    assert host["NetworkMode"] == outputs["networkMode"] == "bridge"
    assert (outputs["mustRun"], outputs["start"], outputs["waitTimeout"]) == (True, True, 60)
    assert (outputs["attach"], outputs["logs"], outputs["wait"]) == (False, False, False)


def test_uploads_exist_before_the_start_owned_by_root_with_their_modes(world: World) -> None:
    logs = outputs_of(world, "job")["containerLogs"]
    modes = {
        line.split()[-1]: (line.split()[0], line.split()[2:4])
        for line in logs.splitlines()
        if "root" not in line and line.startswith("-")
    }
    assert modes["plain.txt"] == ("-rw-r--r--", ["0", "0"])
    assert modes["run.txt"] == ("-rwxr--r--", ["0", "0"])
    assert modes["source"] == ("-rw-------", ["0", "0"])
    assert "from a file" in logs
    assert f"{len(SECRET) + 1} /in/plain.txt" in logs
    assert "2 /in/run.txt" in logs


def test_the_parent_folders_of_an_upload_are_created(world: World) -> None:
    logs = outputs_of(world, "job")["containerLogs"]
    assert any(line.startswith("d") and line.endswith(" er") for line in logs.splitlines())


def test_attaching_waits_for_the_exit_and_keeps_both_streams_of_the_log(world: World) -> None:
    assert world.lab.inspect("job")["State"]["Status"] == "exited"
    assert "warned\n" in outputs_of(world, "job")["containerLogs"]


def test_an_exit_code_is_an_output_and_not_an_error(world: World) -> None:
    assert outputs_of(world, "job")["exitCode"] == 3
    assert outputs_of(world, "client")["exitCode"] == 0


def test_secret_inputs_are_not_in_the_state_in_plain_text(world: World) -> None:
    record = world.lab.record()
    assert world.lab.name("plain") in record
    assert SECRET not in record
    assert SECRET in str(world.lab.outputs()["plain-envs"])


def test_a_refresh_right_after_an_update_changes_nothing(world: World) -> None:
    refresh = world.lab.refresh()
    assert not refresh.failed, refresh.output
    run = world.lab.preview(world.program)
    assert run.changes == {}, run.kinds
    assert len(run.ops) == 8


def test_the_other_plugin_adopts_the_stack_and_changes_nothing(world: World, other_plugin: Plugin) -> None:
    plugin = world.lab.plugin
    world.lab.hand_over(other_plugin)
    try:
        run = world.lab.preview(world.program)
        refresh = world.lab.refresh()
        after = world.lab.preview(world.program)
    finally:
        world.lab.hand_over(plugin)
    assert not run.failed, run.output
    assert run.changes == {}, run.kinds
    assert not refresh.failed, refresh.output
    assert after.changes == {}, after.kinds


def outputs_of(world: World, name: str) -> dict[str, Any]:
    outputs: dict[str, Any] = world.lab.state()[name]["outputs"]
    return outputs
