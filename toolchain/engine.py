"""Docker Engine: the user's own, else Debian's, started here."""

import contextlib
import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import docker
from docker import DockerClient
from docker.context import ContextAPI
from docker.errors import DockerException
from docker.tls import TLSConfig

from observability.core.errors import ConfigError
from toolchain import debian
from toolchain.cache import lock, log_file, tail
from toolchain.process import ObtainError, last_line, run
from toolchain.report import Report

ITEM: Final = "Docker Engine"
SOCKET: Final = "unix:///var/run/docker.sock"
"""Where the system's engine listens."""
LOG: Final = "dockerd"
START_LIMIT: Final = 60.0
"""Seconds within which a started engine must respond."""
METRICS: Final = "127.0.0.1:9323"
"""Where an engine that is started here serves its metrics; the port its documentation uses."""
_SYSTEMD: Final = Path("/run/systemd/system")
_PID_FILE: Final = Path("/var/run/docker.pid")


@dataclass(frozen=True)
class Engine:
    """A reachable engine."""

    client: DockerClient
    host: str
    """Its address, as DOCKER_HOST takes it."""

    def describe(self) -> str:
        """Version and address."""
        return f"{self.client.version()['Version']} at {self.host}"


def connect(timeout: float = 60.0) -> Engine:
    """The engine that the docker command would use; `ObtainError` if it does not respond.

    That is DOCKER_HOST, else the current docker context, else the system's socket. `timeout` is in seconds.
    """
    try:
        if os.environ.get("DOCKER_HOST"):
            client = docker.from_env(timeout=int(timeout), use_ssh_client=True)
            host = os.environ["DOCKER_HOST"]
        else:
            host, tls = _context()
            ssh = host.startswith("ssh://")
            client = DockerClient(base_url=host, tls=tls, timeout=int(timeout), use_ssh_client=ssh)
        client.ping()
    except (DockerException, OSError, ValueError) as error:
        raise ObtainError(_innermost(error)) from error
    return Engine(client, host)


def _innermost(error: BaseException) -> str:
    """The operating system's message, from within the exceptions of the libraries that wrap it."""
    said = last_line(str(error))
    cause: BaseException | None = error
    while cause is not None:
        said = cause.strerror if isinstance(cause, OSError) and cause.strerror else said
        cause = cause.__cause__ or cause.__context__
    return said


def _context() -> tuple[str, TLSConfig | bool]:
    """Address and certificates of the current docker context."""
    context = ContextAPI.get_context(os.environ.get("DOCKER_CONTEXT") or ContextAPI.get_current_context().Name)
    return (context.Host or SOCKET, context.TLSConfig or False) if context else (SOCKET, False)


def obtain(report: Report) -> Engine:
    """The user's engine, or one started here; `ConfigError` if it may not or cannot be started here."""
    with contextlib.suppress(ObtainError):
        engine = connect()
        report.line(ITEM, f"found {engine.describe()}")
        return engine
    with lock("engine"):
        try:
            engine = connect()
        except ObtainError as failure:
            _refuse_if_not_ours(failure)
        else:
            report.line(ITEM, f"found {engine.describe()}")
            return engine
        try:
            installed = _install(report)
            way = _start(report)
            engine = connect()
        except ObtainError as failure:
            fix = f"look into {log_file(LOG)}, or start Docker yourself and try again"
            raise ConfigError(f"Docker Engine could not be started: {failure}", fix) from None
    came = (
        "Debian's docker.io, installed as there was none" if installed else "the installed one, as it was not running"
    )
    report.line(ITEM, f"started {engine.describe()} {way} ({came})")
    return engine


def _refuse_if_not_ours(failure: ObtainError) -> None:
    """Raise unless this is an engine that may be installed or started here."""
    named = os.environ.get("DOCKER_HOST")
    if named:
        raise ConfigError(
            f"Docker at DOCKER_HOST={named} does not answer: {failure}", "start it, or unset DOCKER_HOST"
        )
    host, _ = _context()
    if host.removeprefix("unix://") != SOCKET.removeprefix("unix://"):
        raise ConfigError(
            f"Docker at {host}, the current context, does not answer: {failure}",
            "start it, or `docker context use default`",
        )
    if "Permission denied" in str(failure):
        raise ConfigError(
            "Docker's socket may not be used by this user",
            "add yourself to the group `docker` and log in again, or run this as root",
        )
    if _dockerd() is None and not debian.can_install():
        raise ConfigError(
            "Docker Engine is not installed",
            "install it (https://docs.docker.com/engine/install/), or run this as root on a Debian-like system",
        )
    if os.geteuid() != 0:
        raise ConfigError("Docker Engine is not running", "start it: `sudo systemctl start docker`")


def _dockerd() -> str | None:
    return shutil.which("dockerd", path=os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin")))


def _install(report: Report) -> bool:
    """Install the engine if there is none; returns whether that was needed."""
    if _dockerd() is not None:
        return False
    with report.task("installing Debian's docker.io"):
        debian.install("docker.io", "ca-certificates")
    return True


def _start(report: Report) -> str:
    """Start the installed engine and wait until it responds; returns how it was started."""
    with report.task("starting Docker Engine"):
        if _SYSTEMD.exists():
            run(["systemctl", "start", "docker"], limit=START_LIMIT, log=LOG)
            _wait(None)
            return "by systemctl"
        if _starting():
            _wait(None)
            return "by the system's own init"
        dockerd = _dockerd()
        if dockerd is None:
            raise ObtainError("docker.io holds no dockerd")
        log = log_file(LOG)
        with log.open("ab") as output:
            # In its own session: it keeps running after this program ends, as a daemon does.
            process = subprocess.Popen(
                [dockerd, "--metrics-addr", METRICS],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                start_new_session=True,
            )
        _wait(process)
        return f"by hand, as there is no systemd; its log is {log}"


def _starting() -> bool:
    """Whether an engine is already starting, started by its package or by another process."""
    try:
        return Path(f"/proc/{int(_PID_FILE.read_text())}/comm").read_text().strip() == "dockerd"
    except (OSError, ValueError):
        return False


def _wait(process: subprocess.Popen[bytes] | None) -> None:
    """Wait until the engine responds, but not if its process has ended."""
    deadline = time.monotonic() + START_LIMIT
    while True:
        try:
            connect(5).client.close()
        except ObtainError as failure:
            if process is not None and process.poll() is not None:
                raise ObtainError(
                    last_line(tail(log_file(LOG))) or f"dockerd ended with {process.returncode}"
                ) from None
            if time.monotonic() > deadline:
                raise ObtainError(f"no answer within {START_LIMIT:.0f} s: {failure}") from None
            time.sleep(0.2)
        else:
            return
