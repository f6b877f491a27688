"""Containers of this project's own programs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pulumi import ResourceOptions

from components.config_volume import ConfigVolume, ConfigVolumeArgs
from components.context import StackContext
from components.service import PublishedPort, Service, ServiceArgs, VolumeMount, http_health
from observability.parts.program import folder
from observability.parts.registry import AnyPart

CODE: Final = "OBS_CODE"
"""Variable that changes with the code in the image, whose tag does not, so that the container is replaced."""


@dataclass(frozen=True, kw_only=True)
class ProgramArgs:
    """The program of a part, whose configuration file is `<part>.json` among `files`."""

    context: StackContext
    part: AnyPart
    files: Mapping[str, str]
    secret_files: Mapping[str, str] = field(default_factory=dict)
    tmpfs: Mapping[str, str] = field(default_factory=dict)
    ports: Sequence[PublishedPort] = ()
    volumes: Sequence[VolumeMount] = ()


def program(name: str, args: ProgramArgs, opts: ResourceOptions) -> Service:
    """The container with its configuration, which it reads again when it changes."""
    context, part, recipe = args.context, args.part.name, args.part.images[0].recipe
    if recipe is None:
        raise AssertionError(f"{part} is no program of this project")
    image = context.settings.image(part)
    config = ConfigVolume(
        f"{name}-config",
        ConfigVolumeArgs(
            context=context,
            service=part,
            image=image,
            user=recipe.user,
            folder=folder(part),
            loader_folder="/tmp",  # noqa: S108 - a folder of the image that every user can write to
            files=args.files,
            secret_files=args.secret_files,
            check=f"python3 -m {recipe.entrypoint[-1]} --check {part}.json",
        ),
        opts,
    )
    return Service(
        f"{name}-server",
        ServiceArgs(
            context=context,
            service=part,
            image=image,
            memory_mb=context.settings.part(part).memory_mb,
            user=recipe.user,
            # The images have no HTTP client.
            health=http_health(f"http://127.0.0.1:{args.part.port}/healthz", bash=True),
            command=(f"{folder(part)}/current/{part}.json",),
            envs={CODE: recipe.version},
            tmpfs=args.tmpfs,
            ports=args.ports,
            volumes=(config.mount, *args.volumes),
            after=(config.installed,),
        ),
        opts,
    )
