"""A network of temporary containers, in which exporters read real servers."""

import io
import tarfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import docker
import httpx
from docker.errors import NotFound
from docker.models.containers import Container

from observability.core import http
from observability.parts.images import PINS
from toolchain.recipes.debian import SERVERS

NAME = "obs-samples"
"""The network, and the prefix of every container."""

IMAGES = {**PINS, **SERVERS}
"""Every image that a lab runs, by its name."""

CLIENT = "client"
"""The container from which all requests are sent."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """One container, reachable on the network by its name."""

    name: str
    image: str
    command: Sequence[str] = ()
    entrypoint: Sequence[str] | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    mounts: Mapping[str, str] = field(default_factory=dict)
    host_pids: bool = False
    devices: Sequence[str] = ()
    capabilities: Sequence[str] = ()
    limits: bool = False
    """Whether its memory and CPU are limited."""


class Lab:
    """Servers for as long as the block runs; all are removed afterwards."""

    def __init__(self, servers: Sequence[Server]) -> None:
        idle = ("-c", "exec sleep 3600")
        self._servers = [Server(name=CLIENT, image="prometheus", entrypoint=("/bin/sh",), command=idle), *servers]
        self._docker = docker.from_env()
        self._running: dict[str, Container] = {}

    def __enter__(self) -> Self:
        self._remove()
        self._docker.networks.create(NAME)
        try:
            for server in self._servers:
                self._start(server)
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._remove()

    def run(self, server: str, *command: str) -> str:
        """What a command in a server prints; RuntimeError if it fails."""
        code, output = self._running[server].exec_run(list(command), stream=False)
        text = bytes(output).decode()  # type: ignore[arg-type]  # bytes, as it is no stream
        if code != 0:
            raise RuntimeError(f"{server}: {' '.join(command)}: {text}")
        return text

    def get(self, url: str, post: str | None = None) -> str:
        """The response of an address; RuntimeError if it does not respond."""
        # Not by a program in the client: Docker's library loses the beginning of a long output on a busy machine.
        parts = urlsplit(url)
        server = self._running[str(parts.hostname)]
        server.reload()
        address = server.attrs["NetworkSettings"]["Networks"][NAME]["IPAddress"]
        try:
            answer = http.request(
                "GET" if post is None else "POST",
                url.replace(f"//{parts.hostname}", f"//{address}", 1),
                content=post,
                headers={"Host": parts.netloc, **({"Content-Type": "application/json"} if post is not None else {})},
                timeout=30,
                trust_env=False,
            )
            answer.raise_for_status()
        except httpx.HTTPError as error:
            raise RuntimeError(f"{url}: {error}") from error
        return answer.text

    def wait(self, attempt: Callable[[], object], limit: float = 90.0) -> None:
        """Try until it works; RuntimeError of the last attempt after so many seconds."""
        end = time.monotonic() + limit
        while True:
            try:
                attempt()
            except RuntimeError:
                if time.monotonic() > end:
                    raise
                time.sleep(1)
            else:
                return

    def _start(self, server: Server) -> None:
        container = self._docker.containers.create(
            IMAGES[server.image],
            command=list(server.command),
            entrypoint=list(server.entrypoint) if server.entrypoint else None,
            name=f"{NAME}-{server.name}",
            hostname=server.name,
            user=server.user,
            environment=dict(server.env),
            labels=dict(server.labels),
            volumes={source: {"bind": path, "mode": "ro"} for source, path in server.mounts.items()},
            pid_mode="host" if server.host_pids else None,
            devices=[f"{path}:{path}:r" for path in server.devices] or None,
            cap_add=list(server.capabilities) or None,
            mem_limit="64m" if server.limits else None,
            nano_cpus=10**8 if server.limits else None,
            network=NAME,
            networking_config={NAME: self._docker.api.create_endpoint_config(aliases=[server.name])},
        )
        if server.files:
            container.put_archive("/", _archive(server.files))
        container.start()
        self._running[server.name] = container

    def _remove(self) -> None:
        for name in [server.name for server in self._servers]:
            try:
                self._docker.containers.get(f"{NAME}-{name}").remove(force=True, v=True)
            except NotFound:
                continue
        for network in self._docker.networks.list(names=[f"^{NAME}$"]):
            network.remove()


def _archive(files: Mapping[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, text in files.items():
            info = tarfile.TarInfo(path.lstrip("/"))
            data = text.encode()
            info.size, info.mode = len(data), 0o644
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()
