"""A second host on this machine: a Docker engine in namespaces of its own, with an address of its own.

Its network, mounts, processes and host name are its own. `/var/lib/docker` and `/run` are its own folders, so that
whatever expects Docker at its usual paths, such as the agent's containers, finds this engine. It is reached as another
machine is: over `ssh://`, by Debian's sshd with a key of the run, and over `tcp://` with TLS.

When the first process of its namespaces is killed, the kernel ends all the others and removes the mounts; so nothing
keeps running after a test, and what a killed run left is removed by the next one.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest
from docker import DockerClient
from docker.errors import DockerException
from docker.tls import TLSConfig
from requests.exceptions import RequestException

from tests import networks
from tests.hosts.keys import TlsFiles, ssh_key, tls_files
from tests.in_use import alone
from tests.waits import until
from toolchain import debian
from toolchain.cache import cache_dir
from toolchain.process import ObtainError

NETWORK: Final = networks.SUBNETS["second host"]
"""Its first four addresses are the link's; the second half of the rest is for its Docker networks."""

PROGRAMS: Final = {
    "dockerd": "docker.io",
    "docker": "docker-cli",
    "sshd": "openssh-server",
    "ssh": "openssh-client",
    "ip": "iproute2",
    "iptables": "iptables",
    "nsenter": "util-linux",
    "unshare": "util-linux",
    "mount": "mount",
}
"""What the lab runs, and the Debian package of each program."""

_NOWHERE: Final = ("unreachable", str(NETWORK), "metric", "4096")

_SSH_PORT: Final = 22
TCP_PORT: Final = 2376
"""Docker's convention for an engine with TLS."""
_DATA: Final = Path("/var/lib/docker")
"""Where Docker, and whatever reads its files, expects them."""
_SETTINGS: Final = Path("/etc/docker")


@dataclass(frozen=True, kw_only=True)
class Host:
    """The second host: how it is reached, and clients of both engines."""

    name: str
    """Name of the host (`hostname`), of its network namespace and of its folder."""
    address: str
    """Its address, which this machine reaches."""
    gateway: str
    """This machine's address as the host reaches it."""
    ssh: str
    """The engine's address over SSH. It works where PATH begins with `programs`."""
    tcp: str
    """The engine's address over TCP with the certificates `tls`."""
    tls: TlsFiles
    programs: Path
    """Folder with a program `ssh` that knows the host's key and signs in with the key of this run."""
    docker: DockerClient
    """A client of the host's engine, over TCP."""
    local: DockerClient
    """A client of this machine's engine."""
    pid: int = field(repr=False)
    """The first process of its namespaces, as this machine numbers it."""

    @property
    def environment(self) -> dict[str, str]:
        """Variables for whatever reaches the host over SSH: a PATH with `programs` first."""
        return {"PATH": f"{self.programs}{os.pathsep}{os.environ['PATH']}"}

    def load(self, *references: str) -> None:
        """Copy images of this machine's engine to the host's, under the same names."""
        there = {tag for image in self.docker.images.list() for tag in image.tags}
        for reference in references:
            if reference not in there:
                saved = self.local.images.get(reference).save(named=reference)
                self.docker.images.load(b"".join(saved))

    def cut(self) -> None:
        """Take its link down: nothing reaches it, and it reaches nothing."""
        _run("ip", "link", "set", _link(self.name), "down")

    def join(self) -> None:
        """Take its link up again."""
        _run("ip", "link", "set", _link(self.name), "up")

    def run(self, *command: str) -> str:
        """The output of a program that runs on the host as root."""
        return _run("nsenter", f"--target={self.pid}", "--net", "--mount", "--pid", "--uts", *command)


@contextmanager
def second_host(name: str = "web-2") -> Iterator[Host]:
    """A second host for the time of the block. Skips the test on a machine where it cannot be made."""
    _obtain()
    with alone(f"obs-lab-{name}"):
        _remove(name)
        try:
            yield from _made(name)
        finally:
            _remove(name)


def _obtain() -> None:
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("a second host needs namespaces of Linux, which only root can make")
    try:
        debian.obtain_programs(PROGRAMS)
    except ObtainError as failure:
        pytest.skip(f"a second host needs the programs {', '.join(PROGRAMS)}: {failure}")


def _made(name: str) -> Iterator[Host]:
    address, gateway = str(NETWORK[2]), str(NETWORK[1])
    folder = _folder(name)
    for part in (_data(name), folder / "keys", folder / "bin"):
        part.mkdir(parents=True, exist_ok=True)
    tls = tls_files(folder / "tls", address)
    _write_ssh(folder, address)
    _connect(name)
    first = _first_process(name)
    pid = _child_of(first)
    with contextlib.ExitStack() as held:
        local = held.enter_context(contextlib.closing(DockerClient.from_env()))
        _wait_for_namespaces(pid)
        _start(pid, folder, "dockerd", _engine(address, tls))
        _start(pid, folder, "sshd", [_program("sshd"), "-D", "-e", "-f", str(folder / "keys/sshd_config")])
        tcp = f"tcp://{address}:{TCP_PORT}"
        client = held.enter_context(contextlib.closing(_client(tcp, tls, folder)))
        _empty(client, local)
        yield Host(
            name=name,
            address=address,
            gateway=gateway,
            ssh=f"ssh://root@{address}",
            tcp=tcp,
            tls=tls,
            programs=folder / "bin",
            docker=client,
            local=local,
            pid=pid,
        )
        # The kernel ends the containers anyway, but leaves their control groups.
        for container in client.containers.list(all=True, ignore_removed=True):
            with contextlib.suppress(DockerException):
                container.remove(force=True, v=True)


def _engine(address: str, tls: TlsFiles) -> list[str]:
    """The engine's command: its usual socket, and TCP with TLS."""
    halves = list(NETWORK.subnets(prefixlen_diff=1))
    bridge = list(halves[0].subnets(prefixlen_diff=1))[1]
    return [
        _program("dockerd"),
        "--host=unix:///run/docker.sock",
        f"--host=tcp://{address}:{TCP_PORT}",
        "--tlsverify",
        f"--tlscacert={tls.authority}",
        f"--tlscert={tls.server.certificate}",
        f"--tlskey={tls.server.key}",
        f"--bip={bridge[1]}/{bridge.prefixlen}",
        f"--default-address-pool=base={halves[1]},size=28",
    ]


def _client(address: str, tls: TlsFiles, folder: Path) -> DockerClient:
    config = TLSConfig(
        client_cert=(str(tls.client.certificate), str(tls.client.key)), ca_cert=str(tls.authority), verify=True
    )

    def connect(version: str) -> DockerClient:
        client = DockerClient(base_url=address, tls=config, version=version)
        # Else REQUESTS_CA_BUNDLE, where it is set, takes the place of the authority.
        client.api.trust_env = False
        return client

    def reached() -> DockerClient | None:
        try:
            # Without this parameter the client would ask with its own version, which the engine may refuse.
            return connect(connect("1.41").version(api_version=False)["ApiVersion"])
        except (DockerException, RequestException):
            return None

    try:
        found: DockerClient = until(reached)
    except AssertionError:
        log = (folder / "dockerd.log").read_text(errors="replace")[-2000:]
        raise AssertionError(f"the engine of the second host does not respond:\n{log}") from None
    return found


def _write_ssh(folder: Path, address: str) -> None:
    """The keys and configurations of sshd and of its client, and the client's program."""
    keys = folder / "keys"
    host, user = ssh_key(keys / "host"), ssh_key(keys / "user")
    (keys / "authorized").write_text(f"{user}\n")
    (keys / "known").write_text(f"{address} {host}\n")
    server = {
        "ListenAddress": f"{address}:{_SSH_PORT}",
        "HostKey": keys / "host",
        "AuthorizedKeysFile": keys / "authorized",
        "PidFile": "none",
        "PermitRootLogin": "prohibit-password",
        "PasswordAuthentication": "no",
        "KbdInteractiveAuthentication": "no",
        "StrictModes": "no",
        "UsePAM": "no",
        # Pulumi's provider opens a connection for each resource at once.
        "MaxStartups": "100:30:200",
        "MaxSessions": "100",
    }
    client = {
        "IdentityFile": keys / "user",
        "IdentitiesOnly": "yes",
        "UserKnownHostsFile": keys / "known",
        "GlobalKnownHostsFile": "/dev/null",
        "StrictHostKeyChecking": "yes",
        "BatchMode": "yes",
        "ConnectTimeout": "5",
    }
    (keys / "sshd_config").write_text(_lines(server))
    (keys / "ssh_config").write_text(_lines(client))
    program = folder / "bin/ssh"
    # OpenSSH reads a user's configuration from the home folder of the account, whatever HOME is.
    program.write_text(f'#!/bin/sh\nexec {_program("ssh")} -F {keys / "ssh_config"} "$@"\n')
    program.chmod(0o755)


def _lines(options: Mapping[str, object]) -> str:
    return "".join(f"{name} {value}\n" for name, value in options.items())


def _connect(name: str) -> None:
    """A network namespace joined to this machine by a pair of virtual devices."""
    prefix = 30
    _run("ip", "netns", "add", name)
    _run("ip", "link", "add", _link(name), "type", "veth", "peer", "name", "eth0", "netns", name)
    _run("ip", "address", "add", f"{NETWORK[1]}/{prefix}", "dev", _link(name))
    _run("ip", "link", "set", _link(name), "up")
    # Without the link, what is sent there must not leave this machine by its default route.
    _run("ip", "route", "replace", *_NOWHERE)
    inside = ("ip", "-n", name)
    _run(*inside, "address", "add", f"{NETWORK[2]}/{prefix}", "dev", "eth0")
    _run(*inside, "link", "set", "lo", "up")
    _run(*inside, "link", "set", "eth0", "up")
    _run(*inside, "route", "add", "default", "via", str(NETWORK[1]))


def _first_process(name: str) -> "subprocess.Popen[bytes]":
    """A process that holds the namespaces: it makes the mounts and then waits."""
    startup = Path.home() / ".bashrc"
    script = (
        f"mount --bind {_data(name)} {_DATA} && mount -t tmpfs -o mode=755 tmpfs /run && "
        # The settings of this machine's engine, and the key that is its identity, are not the other engine's.
        f"mount -t tmpfs -o mode=755 tmpfs {_SETTINGS} && "
        # What this machine's user runs at the start of each shell, sshd's too, is not the other machine's.
        f"if [ -e {startup} ]; then mount --bind /dev/null {startup}; fi && "
        f"mkdir -p /run/sshd && hostname {name} && touch /run/ready && exec sleep infinity"
    )
    for mounted in (_DATA, _SETTINGS):
        mounted.mkdir(parents=True, exist_ok=True)
    # In a session of its own, so that Ctrl-C in a terminal reaches the test alone, which then removes the host.
    return subprocess.Popen(
        [
            *("nsenter", f"--net=/run/netns/{name}"),
            *("unshare", "--mount", "--propagation=private", "--uts", "--ipc", "--pid", "--fork", "--kill-child"),
            *("--mount-proc", "sh", "-c", script),
        ],
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )


def _child_of(parent: "subprocess.Popen[bytes]") -> int:
    def found() -> int | None:
        assert parent.poll() is None, "the namespaces of the second host cannot be made"
        children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()
        return int(children[0]) if children else None

    return int(until(found))


def _wait_for_namespaces(pid: int) -> None:
    def ready() -> bool:
        assert Path(f"/proc/{pid}").exists(), "the mounts of the second host cannot be made"
        return Path(f"/proc/{pid}/root/run/ready").exists()

    until(ready)


def _start(pid: int, folder: Path, name: str, command: Sequence[str]) -> None:
    """Start a server in the namespaces; its output goes to a file of the lab's folder."""
    with (folder / f"{name}.log").open("wb") as log:
        subprocess.Popen(
            ["nsenter", f"--target={pid}", "--net", "--mount", "--pid", "--uts", "--ipc", *command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            start_new_session=True,
        )


def _remove(name: str) -> None:
    """End whatever runs in the namespaces of a host of this name, and remove its namespace and files."""
    for pid in _processes(name):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    until(lambda: not _processes(name))
    if Path(f"/run/netns/{name}").exists():
        _run("ip", "netns", "delete", name)
    for leftover in (("link", "delete", _link(name)), ("route", "delete", *_NOWHERE)):
        subprocess.run(["ip", *leftover], capture_output=True, check=False)
    shutil.rmtree(_folder(name), ignore_errors=True)


def _processes(name: str) -> list[int]:
    if not Path(f"/run/netns/{name}").exists():
        return []
    return [int(pid) for pid in _run("ip", "netns", "pids", name).split()]


def _folder(name: str) -> Path:
    return Path("/var/lib") / f"obs-lab-{name}"


def _data(name: str) -> Path:
    """The data folder of the host's engine. It is kept with its images: to copy them takes longer than the tests."""
    return cache_dir() / "second-host" / name


def _empty(client: DockerClient, local: DockerClient) -> None:
    """Remove from the engine what an earlier run left, but for images that this machine's engine has as well.

    One of them, the smallest, is removed too: what it takes to bring an agent to a host includes copying an image.
    """
    for container in client.containers.list(all=True, ignore_removed=True):
        container.remove(force=True, v=True)
    client.networks.prune()
    for volume in client.volumes.list():
        volume.remove(force=True)
    known = {str(image.id) for image in local.images.list()}
    there = client.images.list()
    kept = sorted((image for image in there if image.id in known), key=lambda image: int(image.attrs["Size"]))
    for image in [*(image for image in there if image.id not in known), *kept[:1]]:
        client.api.remove_image(str(image.id), force=True)


def _link(name: str) -> str:
    """Name of the link's end on this machine; the kernel takes up to 15 characters."""
    return f"obs-{name}"[:15]


def _program(name: str) -> str:
    """Its path; sshd starts itself again and wants an absolute one."""
    found = debian.which(name)
    assert found is not None
    return found


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}"
    return done.stdout
