"""The edge in the pinned Caddy on a network of its own: its files, its container, and others beside it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import docker
from docker.models.containers import Container as Program
from docker.models.networks import Network

from components.edge import COMMAND, FOLDER
from observability.parts import caddy
from observability.parts.images import PINS
from observability.scrape import edge
from observability.settings.hosts import token
from observability.settings.load import StackConfig, validate
from tests import networks

ADDRESS: Final = str(networks.SUBNETS["edge"][200])
"""Of the edge, on the network of this test."""
OTHER: Final = str(networks.SUBNETS["edge"][201])
"""Of a second edge there, which has a certificate of the user's own."""
HOSTS: Final = ("db-1", "web-2")
ROUTES: Final = ("/api/v1/write", "/otlp/v1/logs")
TOKENS: Final = {token(host): f"{number}a" * 24 for number, host in enumerate(HOSTS)}
STALE: Final = "9" * 48
"""A credential in the right form that no host has."""


def config(
    *hosts: str,
    secrets: frozenset[str] = frozenset(),
    address: str = ADDRESS,
    **more: Any,  # noqa: ANN401 - settings of the edge
) -> StackConfig:
    """A stack with these hosts, and these secrets of a rotation."""
    listed = {host: {"docker": f"ssh://root@{host}.example.com"} for host in hosts}
    pictures = {"pictures": {"url": f"https://{ADDRESS}:{caddy.PORT}/pictures"}}
    placed = {"address": address, **more}
    return validate("dev", {"hosts": listed, "edge": placed, "notifier": pictures}, secrets, complete=False)


@contextmanager
def edge_network(client: docker.DockerClient) -> Iterator[Network]:
    with networks.bridge(client, "obs-test-edge", "edge") as network:
        yield network


def folder_of(root: Path, name: str, files: Mapping[str, str]) -> Path:
    folder = root / name
    folder.mkdir()
    for path, text in files.items():
        (folder / path).write_text(text)
    return folder


@contextmanager
def beside(
    client: docker.DockerClient,
    network: Network,
    service: str,
    *,
    files: Path,
    command: list[str],
    alias: str | None = None,
    **options: Any,  # noqa: ANN401 - Docker's own
) -> Iterator[Program]:
    """A container of a pinned image on the network, with the files at /etc/test."""
    mounts = options.pop("volumes", {str(files): {"bind": "/etc/test", "mode": "ro"}})
    address = options.pop("address", None)
    program = client.containers.create(PINS[service], command, volumes=mounts, network_mode="none", **options)
    client.networks.get("none").disconnect(program)
    network.connect(program, aliases=[alias or service], ipv4_address=address)
    program.start()
    try:
        yield program
    finally:
        print(program.logs().decode()[-3000:])  # noqa: T201 - shown by pytest where a test fails
        program.remove(force=True, v=True)


@contextmanager
def started(
    client: docker.DockerClient, network: Network, root: Path, address: str = ADDRESS, alias: str = "edge"
) -> Iterator[Program]:
    """Caddy as the stack runs it: not root, one capability, a root that is read-only."""
    with beside(
        client,
        network,
        "edge",
        files=root,
        command=[],
        entrypoint=["/bin/sh", "-c", COMMAND],
        volumes={str(root / "edge"): {"bind": FOLDER, "mode": "ro"}},
        address=address,
        alias=alias,
        user="65534:65534",
        read_only=True,
        tmpfs={"/tmp": "size=16m,mode=1777"},  # noqa: S108 - the container's own
        environment={"XDG_CONFIG_HOME": "/tmp", "XDG_DATA_HOME": "/tmp"},  # noqa: S108
        cap_drop=["ALL"],
        cap_add=["NET_BIND_SERVICE"],
        security_opt=["no-new-privileges:true"],
    ) as program:
        yield program


def write_edge(root: Path, stack: StackConfig, secrets: Mapping[str, str]) -> None:
    folder = root / "edge/current"
    folder.mkdir(parents=True, exist_ok=True)
    root.chmod(0o755)
    texts = {
        **edge.files(stack),
        **{path: secrets[name] for path, name in edge.secret_files(stack).items()},
        caddy.HOSTS: edge.hosts(stack).text(secrets),
    }
    for path, text in texts.items():
        (folder / path).write_text(text)


def own(text: str) -> str:
    """Prometheus' configuration without its own targets and rules."""
    return text.partition("\nscrape_configs:")[0] + "\nscrape_configs: []\n"


def address_of(program: Program, network: Network) -> str:
    program.reload()
    return str(program.attrs["NetworkSettings"]["Networks"][network.name]["IPAddress"])
