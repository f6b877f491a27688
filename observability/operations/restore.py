"""Put a backup back: data into the volumes of a stack that does not run, and the stack's part of the data folder."""

import io
import tarfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final

import docker
from docker.models.containers import Container

from components.service import SECURITY_OPTIONS
from observability.core import naming
from observability.core.errors import ConfigError
from observability.operations import backup
from observability.operations.backup import OnLine, Snapshot
from observability.operations.home import Home
from observability.parts.backup import FOLDER, FOLDER_OF_HOST, NAME, STAGE, VOLUMES, script
from observability.scrape.backup import files, kept, secret_files
from observability.settings.load import StackConfig

STATE: Final = "state"
"""What `--only` calls the stack's part of the data folder."""
_OUT: Final = f"{STAGE}/state.out"
_CAPABILITIES: Final = ("DAC_OVERRIDE", "CHOWN", "FOWNER")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is restored: services with the owner of their files, and whether the data folder's part is."""

    services: Mapping[str, str]
    state: bool

    @property
    def arguments(self) -> list[str]:
        """The services as the script takes them."""
        return [f"{service}:{owner}" for service, owner in self.services.items()]


def plan(config: StackConfig, only: Sequence[str], *, has_state: bool) -> Plan:
    """What `--only` names, by part or service; without it everything, and the state where the data folder has none."""
    found = kept(config)
    if not only:
        return Plan(services={name: one.owner for name, one in found.items()}, state=not has_state)
    known = [*found, STATE]
    for name in only:
        if name not in known:
            raise ConfigError(
                f"--only {name}: not part of the backups of {config.stack}", f"use some of {', '.join(known)}"
            )
    return Plan(services={name: one.owner for name, one in found.items() if name in only}, state=STATE in only)


def users(client: docker.DockerClient, stack: str, services: Collection[str]) -> list[Container]:
    """The running containers with a volume that a restore replaces, in the order in which they are stopped.

    The backup is among them, as it would store a volume that is half replaced.
    """
    found: dict[str, Container] = {}
    for service in services:
        volume = naming.volume(stack, service, "data")
        for container in client.containers.list(filters={"volume": volume}, ignore_removed=True):
            found[str(container.name)] = container
    return [found[name] for name in sorted(found)]


def refuse_running(running: Sequence[Container], stack: str) -> None:
    """ConfigError where containers use what is to be replaced."""
    if running:
        names = ", ".join(str(one.name) for one in running)
        raise ConfigError(
            f"{stack} is running: {names} have the volumes that a restore replaces",
            f"--stop stops them for the time of the restore and starts them again; or run it after ./obs down {stack}",
        )


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where a restore runs: the engine, the stack, its secrets, and the volume of each service."""

    client: docker.DockerClient
    config: StackConfig
    secrets: Mapping[str, str]
    volumes: Mapping[str, str] = field(default_factory=dict)

    @contextmanager
    def container(self) -> Iterator[Container]:
        """A container with restic, the configuration of the backup and the volumes; removed in any case."""
        config = self.config
        settings = config.settings.part(NAME)
        mounts = {name: {"bind": f"{VOLUMES}/{service}", "mode": "rw"} for service, name in self.volumes.items()}
        if settings.folder:
            mounts[settings.folder] = {"bind": FOLDER_OF_HOST, "mode": "rw"}
        name = naming.container(config.stack, "restore")
        self._remove(name)
        made: Container = self.client.containers.create(
            config.settings.image(NAME),
            name=name,
            entrypoint=["sleep", "86400"],
            init=True,
            user="0:0",
            cap_drop=["ALL"],
            cap_add=list(_CAPABILITIES),
            security_opt=list(SECURITY_OPTIONS),
            mem_limit=f"{settings.memory_mb}m",
            volumes=mounts,
            extra_hosts={name: str(address) for name, address in config.settings.network.hosts.items()},
            labels={naming.LABEL_STACK: config.stack, naming.LABEL_SERVICE: "restore"},
        )
        try:
            made.put_archive("/", backup.packed(self._files()))
            made.start()
            yield made
        finally:
            self._remove(name)

    def _files(self) -> dict[str, bytes]:
        texts = {
            **files(self.config),
            **{file: self.secrets[secret] for file, secret in secret_files(self.config).items()},
        }
        return {
            **{f"{FOLDER.lstrip('/')}/current/{name}": text.encode() for name, text in texts.items()},
            # Nothing is mounted there in this container.
            f"{STAGE.lstrip('/')}/.keep": b"",
        }

    def _remove(self, name: str) -> None:
        for found in self.client.containers.list(all=True, filters={"name": f"^/{name}$"}, ignore_removed=True):
            found.remove(force=True, v=True)


def make_volumes(client: docker.DockerClient, stack: str, services: Collection[str]) -> dict[str, str]:
    """The volume of each service, made where it is missing, as `up` would make it."""
    found = {service: naming.volume(stack, service, "data") for service in services}
    there = {str(one.name) for one in client.volumes.list()}
    for service, name in found.items():
        if name not in there:
            client.volumes.create(name, labels={naming.LABEL_STACK: stack, naming.LABEL_SERVICE: service})
    return found


def restore(container: Container, snapshot: Snapshot, services: Plan, on_line: OnLine) -> int:
    """Put the data back; returns the script's exit code. Unless it is 0, nothing was changed."""
    return backup.execute(container, list(script("restore", snapshot.id, *services.arguments)), on_line)


def read_state(container: Container, snapshot: Snapshot) -> dict[str, bytes]:
    """The archive of the data folder in a snapshot: content by path. ConfigError where it has none."""
    said: list[str] = []
    if backup.execute(container, list(script("state", snapshot.id, _OUT)), said.append):
        raise ConfigError(
            f"the snapshot {snapshot.id} has no archive of the data folder: {' '.join(said)}",
            "restore another one, or name what to restore: --only prometheus,loki",
        )
    stream, _ = container.get_archive(_OUT)
    with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as outer:
        (one,) = (outer.extractfile(member) for member in outer if member.isfile())
        content = one.read() if one else b""
    return unpacked(content)


def unpacked(content: bytes) -> dict[str, bytes]:
    """The files of a tar by path; ConfigError where one would be written elsewhere than into the data folder."""
    found: dict[str, bytes] = {}
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for member in archive:
            path = PurePosixPath(member.name)
            file = archive.extractfile(member) if member.isfile() else None
            if file is None or path.is_absolute() or ".." in path.parts:
                raise ConfigError(
                    f"the archive has {member.name}, which is no file of a data folder", "use another snapshot"
                )
            found[str(path)] = file.read()
    return found


def put_state(home: Home, stack: str, found: Mapping[str, bytes]) -> Path | None:
    """Write the stack's part of the data folder; returns where what it replaces is kept, None: it replaces nothing.

    A secret that is stored here stays as it is: it opened the repository. ConfigError, with nothing written, where the
    folder has another passphrase, with which the record could not be read.
    """
    passphrase = home.folder / "passphrase"
    given = found.get("passphrase")
    if given is not None and passphrase.is_file() and passphrase.read_bytes() != given:
        raise ConfigError(
            f"{passphrase} is another one than that of the backup, which has encrypted the record of {stack}",
            f"restore into another data folder: OBS_DATA_DIR=FOLDER ./obs restore {stack}",
        )
    wanted = {
        path: content
        for path, content in found.items()
        if not path.startswith(f"{backup.STACK_FILE}/")
        and not (path.startswith("secrets/") and (home.folder / path).is_file())
    }
    replaced = {
        path: (home.folder / path).read_bytes()
        for path, content in wanted.items()
        if (home.folder / path).is_file() and (home.folder / path).read_bytes() != content
    }
    aside = home.folder / "replaced" / stack
    for path, content in replaced.items():
        _write(aside / path, content)
    for path, content in wanted.items():
        _write(home.folder / path, content)
    # Docker need not have what the record says: the next update compares everything.
    home.begin_update(stack)
    return aside if replaced else None


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.new")
    draft.touch(mode=0o600)
    draft.write_bytes(content)
    draft.replace(path)
