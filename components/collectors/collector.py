"""The common part of all collectors: they read containers' logs, keep positions, and are checked the same way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pulumi import ComponentResource, Input, Resource, ResourceOptions

from components.checked_files import CheckedFiles, CheckedFilesArgs
from components.context import StackContext
from components.service import HealthCheck, HostMount, Service, ServiceArgs, VolumeMount
from components.volume import volume
from observability.logs.sources import SOCKET

SERVICE: Final = "collector"
"""Name of the service, the same for all programs."""

ROOT: Final = "0:0"
"""Docker's socket and its files of logs belong to root; the socket's group differs from host to host."""


@dataclass(frozen=True, kw_only=True)
class CollectorArgs:
    """The stack it belongs to, and its dependencies."""

    context: StackContext
    after: Sequence[Input[Resource]] = ()


@dataclass(frozen=True, kw_only=True)
class Program:
    """How one collector runs; `{config}` in an argument of `command` is replaced with the path of its main file.

    `reads` is the file or folder of the host that it is given to read.
    """

    image: str
    folder: str
    main: str
    files: Mapping[str, str]
    check: Sequence[str]
    command: Sequence[str]
    data: str
    health: HealthCheck
    reads: str = SOCKET
    volumes: Sequence[VolumeMount] = ()
    after: Sequence[Input[Resource]] = ()


def run(parent: ComponentResource, name: str, args: CollectorArgs, program: Program) -> Service:
    """The collector's container with its configuration and its stored positions."""
    context = args.context
    child = ResourceOptions(parent=parent)
    image = context.settings.image(program.image)
    config = CheckedFiles(
        f"{name}-config",
        CheckedFilesArgs(
            context=context,
            service=SERVICE,
            image=image,
            folder=program.folder,
            main=program.main,
            files=program.files,
            check=program.check,
        ),
        child,
    )
    # Each program stores its positions in its own volume: neither reads the other's.
    data = volume(f"{name}-data", context, SERVICE, f"{program.image}-data", parent=parent)
    return Service(
        f"{name}-server",
        ServiceArgs(
            context=context,
            service=SERVICE,
            image=image,
            memory_mb=context.settings.collector.memory_mb,
            user=ROOT,
            health=program.health,
            command=[word.replace("{config}", config.main) for word in program.command],
            volumes=(config.mount, VolumeMount(volume=data.name, path=program.data), *program.volumes),
            host_mounts=(HostMount(source=program.reads, path=program.reads),),
            after=(config.installed, *program.after, *args.after),
        ),
        child,
    )


def ready(port: int, path: str) -> HealthCheck:
    """An HTTP GET in plain bash: the images of Alloy and Promtail have no HTTP client."""
    script = (
        f"exec 3<>/dev/tcp/127.0.0.1/{port} && printf 'GET {path} HTTP/1.0\\r\\n\\r\\n' >&3 && "
        "read -r answer <&3 && [[ $answer == *' 200 '* ]]"
    )
    return HealthCheck(test=("CMD", "bash", "-c", script))
