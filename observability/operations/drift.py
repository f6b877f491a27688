"""What in Docker is not as declared: containers, configuration files, networks and volumes.

`up` replaces what differs; `verify` reports it. Both read the same comparison.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import docker
from docker.errors import ImageNotFound, NotFound

from observability.core import naming
from observability.operations import installed
from observability.operations.changes import Recorded
from observability.operations.container_drift import drifts
from observability.operations.installed import Folder, Found
from observability.synth.declared import CONTAINER, Declared
from observability.synth.record import digests

NETWORK: Final = "docker:index/network:Network"
VOLUME: Final = "docker:index/volume:Volume"

Inputs = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Differing:
    """A declared resource that exists and differs: its name in the program, in Docker, and the differences."""

    resource: str
    name: str
    differences: tuple[str, ...]

    def __str__(self) -> str:
        more = f"; and {len(self.differences) - 2} more" if len(self.differences) > 2 else ""
        return "; ".join(self.differences[:2]) + more


class Docker:
    """The stack's objects in Docker, each read once."""

    def __init__(self, client: docker.DockerClient, declared: Sequence[Declared]) -> None:
        """Nothing is read yet."""
        self.client = client
        self.declared = declared
        self._seen: dict[str, Inputs | None] = {}
        self._images: dict[str, Inputs | None] = {}
        self._containers = {one.name: one.inputs["name"] for one in declared if one.type == CONTAINER}

    def container(self, name: str) -> Inputs | None:
        """A container as Docker describes it; None where there is none of that name."""
        if name not in self._seen:
            try:
                self._seen[name] = self.client.api.inspect_container(name)
            except NotFound:
                self._seen[name] = None
        return self._seen[name]

    def image(self, reference: str) -> Inputs | None:
        """An image as Docker describes it; None where it is not on the host."""
        if reference not in self._images:
            try:
                self._images[reference] = self.client.api.inspect_image(reference)  # type: ignore[no-untyped-call]
            except ImageNotFound:
                self._images[reference] = None
        return self._images[reference]

    def output(self, text: str) -> str:
        """A value as it is in Docker: for the id of a declared container, the id of the container there."""
        name = self._containers.get(text.removesuffix("-id")) if text.endswith("-id") else None
        seen = self.container(name) if name else None
        return str(seen["Id"]) if seen else text

    def differing(self, inputs: Inputs) -> tuple[str, ...]:
        """The differences of a container with these inputs; none where it does not exist."""
        seen = self.container(inputs["name"])
        if seen is None:
            return ()
        return tuple(str(one) for one in drifts(inputs, seen, self.image(inputs["image"]), self.output))


def containers(engine: Docker) -> list[Differing]:
    """The declared containers that exist and differ."""
    ours = [one for one in engine.declared if one.type == CONTAINER]
    with ThreadPoolExecutor(max_workers=4) as pool:
        list(pool.map(lambda one: engine.container(one.inputs["name"]), ours))
    found = [(one, engine.differing(one.inputs)) for one in ours]
    return [
        Differing(resource=one.name, name=one.inputs["name"], differences=differences)
        for one, differences in found
        if differences
    ]


def files(engine: Docker, folders: Sequence[Folder] | None = None) -> list[Found]:
    """The state of each folder of configuration that can be read."""
    chosen = installed.folders(engine.declared) if folders is None else folders
    with ThreadPoolExecutor(max_workers=4) as pool:
        found = list(pool.map(lambda folder: installed.compare(engine.client, folder), chosen))
    return [one for one in found if one is not None]


def replaced_with(folder: Folder, declared: Sequence[Declared]) -> tuple[str, ...]:
    """The resources to replace so that a folder is as declared: what fills it, and servers that read it at start."""
    names = [folder.resource]
    if folder.in_place:
        names += [one.name for one in declared if _mounts(one, folder.volume) and not one.inputs.get("attach")]
    return tuple(dict.fromkeys(names))


def _mounts(one: Declared, volume: str) -> bool:
    return one.type == CONTAINER and any(
        mount.get("volumeName") == volume for mount in one.inputs.get("volumes") or ()
    )


def networks(engine: Docker, stack: str) -> Iterator[str]:
    """Differences of the stack's networks, and containers on them that the stack did not start."""
    known = {one.inputs["name"] for one in engine.declared if one.type == CONTAINER} | {naming.inbox(stack)}
    for one in engine.declared:
        if one.type != NETWORK:
            continue
        name = one.inputs["name"]
        try:
            seen = engine.client.api.inspect_network(name)
        except NotFound:
            continue
        subnets = sorted(str(pool.get("Subnet")) for pool in (seen.get("IPAM") or {}).get("Config") or ())
        wanted = sorted(str(pool.get("subnet")) for pool in one.inputs.get("ipamConfigs") or ())
        if wanted and subnets != wanted:
            yield f"{name} has the subnet {', '.join(subnets)}, declared {', '.join(wanted)}"
        if bool(seen.get("Internal")) != bool(one.inputs.get("internal")):
            yield f"{name} is {'internal' if seen.get('Internal') else 'not internal'}"
        strange = sorted(
            str(end["Name"]) for end in (seen.get("Containers") or {}).values() if end["Name"] not in known
        )
        if strange:
            yield f"{', '.join(strange)} on {name}, not declared"


def volumes(engine: Docker) -> Iterator[str]:
    """Volumes that are stored elsewhere than declared."""
    for one in engine.declared:
        if one.type != VOLUME:
            continue
        try:
            seen = engine.client.api.inspect_volume(one.inputs["name"])
        except NotFound:
            continue
        options = seen.get("Options") or {}
        wanted = one.inputs.get("driverOpts") or {}
        if seen.get("Driver") != (one.inputs.get("driver") or "local") or options != wanted:
            where = options.get("device") or seen.get("Driver")
            yield f"{one.inputs['name']} is stored at {where}, not declared"


def strangers(engine: Docker, stack: str) -> list[str]:
    """Containers with the stack's label that the stack does not declare."""
    known = {one.inputs["name"] for one in engine.declared if one.type == CONTAINER} | {naming.inbox(stack)}
    found = engine.client.api.containers(all=True, filters={"label": f"{naming.LABEL_STACK}={stack}"})
    names = (str(one["Names"][0]).lstrip("/") for one in found if one.get("Names"))
    return sorted(name for name in names if name not in known)


@dataclass(frozen=True, kw_only=True)
class Repair:
    """What `up` does about differences: the resources to replace, with the reason, and what it removes before.

    A file that nobody declared in a volume that is filled in place is removed with the volume. A container that
    somebody created under the name of another is removed: the provider would look for the one that it created. So is a
    network that is not in the record.
    """

    replace: Mapping[str, str]
    volumes: tuple[str, ...] = ()
    containers: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()


def repair(engine: Docker, recorded: Callable[[], Mapping[str, Recorded]], *, unsure: bool = False) -> Repair:
    """What to do about containers and files that differ from what the last update made.

    `recorded` returns the record of the last update by resource; it is called only where something differs, or where
    it is `unsure` whether the record has all that Docker has. What differs only because its declaration changed since
    then is the engine's to change.
    """
    differing, found = containers(engine), [one for one in files(engine) if not one.ok]
    last = recorded() if differing or found or unsure else {}
    replace: dict[str, str] = {}
    volumes: list[str] = []
    for one in differing:
        record = last.get(one.resource)
        if record is None or not record.inputs or engine.differing(record.inputs):
            replace[one.resource] = f"{one.name}: {one}"
    for each in found:
        inputs = last[each.folder.resource].inputs if each.folder.resource in last else None
        before = installed.folder_of(each.folder.resource, inputs, digests(inputs)) if inputs else None
        now = installed.compare(engine.client, before) if before else each
        if now is None or now.ok:
            continue
        for name in replaced_with(each.folder, engine.declared):
            replace.setdefault(name, f"files of {each.folder.service}: {now}")
        if now.folder.in_place and now.strange:
            volumes.append(now.folder.volume)
    return Repair(
        replace=replace,
        volumes=tuple(volumes),
        containers=tuple(_not_recorded(engine, last)) if last or unsure else (),
        networks=tuple(_networks_not_recorded(engine, last)) if unsure else (),
    )


def _networks_not_recorded(engine: Docker, recorded: Mapping[str, Recorded]) -> Iterator[str]:
    """Declared networks that exist and that the record does not have: an engine makes no second one of a name."""
    for one in engine.declared:
        if one.type == NETWORK and not recorded.get(one.name, Recorded()).id:
            try:
                engine.client.api.inspect_network(one.inputs["name"])
            except NotFound:
                continue
            yield one.inputs["name"]


def _not_recorded(engine: Docker, recorded: Mapping[str, Recorded]) -> Iterator[str]:
    """Declared containers that exist and are not those of the record; a killed update leaves such ones too."""
    for one in engine.declared:
        seen = engine.container(one.inputs["name"]) if one.type == CONTAINER else None
        if seen is not None and recorded.get(one.name, Recorded()).id != seen["Id"]:
            yield one.inputs["name"]
