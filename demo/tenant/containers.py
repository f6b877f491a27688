"""A Compose project's containers: create, replace after a changed definition, wait for health, remove."""

import hashlib
import io
import json
import tarfile
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path, PurePosixPath
from typing import Any, Final

import docker
from docker.errors import APIError, ImageNotFound
from docker.models.containers import Container
from docker.types import EndpointConfig, IPAMConfig, IPAMPool, LogConfig, Mount

from demo.tenant.compose import GrantedFile, Project, Service, byte_count, published, seconds
from observability.core.errors import ConfigError

LABEL_PROJECT: Final = "com.docker.compose.project"
LABEL_SERVICE: Final = "com.docker.compose.service"
LABEL_HASH: Final = "com.docker.compose.config-hash"
LABEL_FOLDER: Final = "com.docker.compose.project.working_dir"
"""The labels that Compose itself sets; the folder here is that of the project's passwords."""

SECRETS: Final = "/run/secrets"
"""Default folder of Compose for secrets."""

HEALTH_SECONDS: Final = 120.0
"""How long a container may take to become healthy."""

_SECOND: Final = 1_000_000_000


class TenantError(Exception):
    """A container did not reach its desired state; the message names it and where to find the cause."""


@dataclass(frozen=True, kw_only=True)
class ContainerState:
    """One service: `state` is healthy, or the problem."""

    service: str
    container: str
    state: str
    image: str

    @property
    def ok(self) -> bool:
        """Whether it is in the desired state."""
        return self.state == "healthy"


class Containers:
    """The objects of one project on one engine.

    `root` is the folder that relative paths count from, `folder` that of the project's passwords.
    """

    def __init__(self, client: docker.DockerClient, project: Project, root: Path, folder: Path) -> None:
        self._folder = folder
        self._client = client
        self._project = project
        self._root = root
        self._label = f"{LABEL_PROJECT}={project.name}"

    def up(self) -> list[str]:
        """Apply the project and wait until it is healthy; returns one line for each change.

        TenantError names a container that did not start or is not healthy, ConfigError a port, a subnet or a
        name that is already in use.
        """
        self._refuse_anothers()
        done = [f"removed {name}" for name in self._remove(set(self._by_service()) - set(self._project.services))]
        done += self._network()
        found = self._by_service()
        for layer in self._project.layers():
            for name in layer:
                done += self._bring(name, found.get(name))
            self._wait(layer)
        return done

    def plan(self) -> list[str]:
        """What `up` would do, one line per change; changes nothing and refuses nothing."""
        found, project = self._by_service(), self._project
        lines = [f"remove {found[name].name}" for name in found if name not in project.services]
        network = project.networks.default
        if all(one.name != network.name for one in self._client.networks.list()):
            lines.append(f"create network {network.name} {network.ipam.config[0].subnet}")
        for name in (name for layer in project.layers() for name in layer):
            verb = self._verb(name, found.get(name))
            lines += [f"{verb} {self.container_name(name)}"] if verb else []
        return lines

    def _verb(self, name: str, container: Container | None) -> str | None:
        """The action for the container of a service; None if it runs as defined."""
        if container is None:
            return "create"
        service = self._project.services[name]
        try:
            wanted = self._hash(service, dict(self._files(service)))
        except (ConfigError, ImageNotFound):
            return "replace"  # Its files or its image do not exist yet, so the container has another definition.
        if container.labels.get(LABEL_HASH) != wanted:
            return "replace"
        return None if container.status == "running" else "start"

    def down(self, *, volumes: bool) -> list[str]:
        """Remove containers and network, and with `volumes` the data; returns the names of what was removed."""
        removed = list(self._remove(self._by_service()))
        for network in self._client.networks.list(filters={"label": self._label}):
            network.remove()
            removed.append(f"network {network.name}")
        if volumes:
            for volume in self._client.volumes.list(filters={"label": self._label}):
                volume.remove()
                removed.append(f"volume {volume.name}")
        return removed

    def states(self) -> list[ContainerState]:
        """The state of every service of the project in Docker."""
        found = self._by_service()
        return [self._state(name, found.get(name)) for name in self._project.services]

    def container_name(self, service: str) -> str:
        """Name of a service's container."""
        return f"{self._project.name}-{service}"

    def _by_service(self) -> dict[str, Container]:
        listed = self._client.containers.list(all=True, filters={"label": self._label}, ignore_removed=True)
        return {str(one.labels.get(LABEL_SERVICE)): one for one in listed}

    def _state(self, service: str, container: Container | None) -> ContainerState:
        name = self.container_name(service)
        if container is None:
            return ContainerState(service=service, container=name, state="missing", image="")
        state = container.attrs["State"]
        image = container.attrs["Config"]["Image"]
        said = state["Health"]["Status"] if state["Status"] == "running" else state["Status"]
        return ContainerState(service=service, container=name, state=said, image=image)

    def _remove(self, services: Iterable[str]) -> Iterator[str]:
        """Stop and remove these, dependent services first."""
        order = [name for layer in self._project.layers() for name in layer]
        found = self._by_service()
        for name in sorted(services, key=lambda one: -order.index(one) if one in order else -len(order)):
            grace = seconds(self._project.services[name].stop_grace_period) if name in order else 10
            found[name].stop(timeout=grace)
            found[name].remove(v=True, force=True)
            yield str(found[name].name)

    def _refuse_anothers(self) -> None:
        """ConfigError if the containers were created from another folder: they would lose their passwords."""
        for container in self._by_service().values():
            there = container.labels.get(LABEL_FOLDER, str(self._folder))
            if there != str(self._folder):
                raise ConfigError(
                    f"{container.name} was brought up from another data folder: {there}",
                    "use that one (OBS_DATA_DIR), remove it with ./obs demo down, or give this demo another name, "
                    "subnet, port and faultPort in the stack file's demo:tenant",
                )

    def _network(self) -> list[str]:
        """Create the network, or refuse if another network has its name."""
        wanted = self._project.networks.default
        pool = wanted.ipam.config[0]
        for network in self._client.networks.list():
            pools = (network.attrs.get("IPAM") or {}).get("Config") or []
            subnets = [ip_network(one["Subnet"]) for one in pools if one.get("Subnet")]
            if network.name == wanted.name:
                if ip_network(pool.subnet) in subnets:
                    return []
                raise ConfigError(
                    f"the Docker network {wanted.name} exists with another subnet than {pool.subnet}",
                    "remove the containers and the network first: ./obs demo down",
                )
            if any(one.version == 4 and one.overlaps(ip_network(pool.subnet)) for one in subnets):
                raise ConfigError(
                    f"the network {pool.subnet} overlaps the Docker network {network.name}",
                    "set another subnet in the stack file's demo:tenant, or remove that network",
                )
        self._client.networks.create(
            wanted.name,
            driver="bridge",
            ipam=IPAMConfig(pool_configs=[IPAMPool(subnet=pool.subnet, gateway=pool.gateway)]),
            labels={LABEL_PROJECT: self._project.name, "com.docker.compose.network": "default"},
        )
        return [f"created network {wanted.name} {pool.subnet}"]

    def _bring(self, name: str, container: Container | None) -> list[str]:
        """Create, replace or start the container of a service; do nothing if it runs as defined."""
        service = self._project.services[name]
        files = dict(self._files(service))
        wanted = self._hash(service, files)
        if container is not None and container.labels.get(LABEL_HASH) == wanted:
            if container.status == "running":
                return []
            self._start(name, container)
            return [f"started {container.name}"]
        if container is not None:
            container.stop(timeout=seconds(service.stop_grace_period))
            container.remove(v=True, force=True)
        made = self._create(name, service, wanted, files)
        self._start(name, made)
        return [f"{'replaced' if container is not None else 'created'} {made.name}"]

    def _files(self, service: Service) -> Iterator[tuple[str, tuple[GrantedFile, bytes]]]:
        """Path in the container, and the file's content."""
        sources = {**self._project.configs, **self._project.secrets}
        for one in (*service.configs, *service.secrets):
            target = PurePosixPath(SECRETS, one.target or one.source)
            path = self._root / sources[one.source].file
            try:
                yield str(target), (one, path.read_bytes())
            except OSError as error:
                raise ConfigError(f"{path} cannot be read: {error.strerror}", "run ./obs demo up") from error

    def _hash(self, service: Service, files: Mapping[str, tuple[GrantedFile, bytes]]) -> str:
        """Changes with the definition, the uploaded files, the image behind its name and the subnet."""
        digests = {path: hashlib.sha256(data).hexdigest() for path, (_, data) in files.items()}
        image = self._client.images.get(service.image).id
        network = self._project.networks.default.model_dump(mode="json")
        said = [service.model_dump(mode="json"), digests, image, network]
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()

    def _create(
        self, name: str, service: Service, wanted: str, files: Mapping[str, tuple[GrantedFile, bytes]]
    ) -> Container:
        project = self._project
        network = project.networks.default.name
        # A file cannot be uploaded to a read-only container, but to an anonymous volume, which is removed with it.
        folders = sorted({str(PurePosixPath(path).parent) for path in files})
        restart: Any = {"Name": service.restart}
        container = self._client.containers.create(
            service.image,
            list(service.command) or None,
            name=self.container_name(name),
            entrypoint=list(service.entrypoint) or None,
            user=service.user,
            environment=dict(service.environment),
            labels={
                **service.labels,
                LABEL_PROJECT: project.name,
                LABEL_SERVICE: name,
                LABEL_HASH: wanted,
                LABEL_FOLDER: str(self._folder),
                "com.docker.compose.oneoff": "False",
                "com.docker.compose.container-number": "1",
            },
            read_only=service.read_only,
            cap_drop=list(service.cap_drop),
            security_opt=list(service.security_opt),
            mem_limit=byte_count(service.mem_limit),
            memswap_limit=byte_count(service.mem_limit),
            restart_policy=restart,
            log_config=LogConfig(type=service.logging.driver, config=dict(service.logging.options))
            if service.logging
            else None,
            tmpfs=dict(_split(one) for one in service.tmpfs),
            mounts=[
                *(Mount(folder, source=None, type="volume") for folder in folders),
                *(self._volume_mount(one) for one in service.volumes),
            ],
            ports=_bindings(service),
            healthcheck={
                "test": list(service.healthcheck.test),
                "interval": seconds(service.healthcheck.interval) * _SECOND,
                "timeout": seconds(service.healthcheck.timeout) * _SECOND,
                "retries": service.healthcheck.retries,
            },
            network=network,
            networking_config={network: EndpointConfig(self._client.api.api_version, aliases=[name])},
        )
        for folder in folders:
            container.put_archive(folder, _archive(folder, files))
        return container

    def _volume_mount(self, said: str) -> Mount:
        """The mount of a named volume, which is created with the project's labels if it does not exist."""
        source, _, target = said.partition(":")
        name = f"{self._project.name}_{source}"
        labels = {LABEL_PROJECT: self._project.name, "com.docker.compose.volume": source}
        self._client.volumes.create(name, labels=labels)  # An existing one stays unchanged.
        return Mount(target, name, type="volume")

    def _start(self, name: str, container: Container) -> None:
        try:
            container.start()
        except APIError as error:
            said = str(error.explanation or error)
            if "address already in use" in said or "port is already allocated" in said:
                raise ConfigError(
                    f"a port of the demo's {name} is taken: {said}",
                    "free it, or set port, faultPort or subnet in the stack file's demo:tenant",
                ) from error
            raise TenantError(f"{container.name} does not start: {said}") from error

    def _wait(self, services: Iterable[str]) -> None:
        """Wait until these are healthy; TenantError names those that are not healthy in time."""
        deadline = time.monotonic() + HEALTH_SECONDS
        wanted = list(services)
        while True:
            found = self._by_service()
            bad = [state for state in (self._state(name, found.get(name)) for name in wanted) if not state.ok]
            if not bad:
                return
            # Not at the first `unhealthy`: on a busy machine a container can recover.
            if time.monotonic() > deadline:
                said = ", ".join(f"{state.container} is {state.state}" for state in bad)
                raise TenantError(f"{said}; see its log: docker logs {bad[0].container}")
            time.sleep(0.3)


def _split(tmpfs: str) -> tuple[str, str]:
    """Folder and mount options."""
    folder, _, options = tmpfs.partition(":")
    return folder, options


def _bindings(service: Service) -> dict[str, Any]:
    """Ports in the form of Docker's client: each container port with all its addresses on the host."""
    found: dict[str, list[tuple[str, int]]] = {}
    for address, external, internal in map(published, service.ports):
        found.setdefault(f"{internal}/tcp", []).append((address, external))
    return found


def _archive(folder: str, files: Mapping[str, tuple[GrantedFile, bytes]]) -> bytes:
    """The files of one folder as a tar archive, each with its owner and mode."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for path, (said, data) in files.items():
            if str(PurePosixPath(path).parent) != folder:
                continue
            info = tarfile.TarInfo(PurePosixPath(path).name)
            info.size, info.mode = len(data), int(said.mode, 8)
            info.uid, info.gid, info.mtime = int(said.uid), int(said.gid), int(time.time())
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()
