"""A server's configuration: a volume, and the one-shot container that checks the files, installs and reloads them.

In the Docker provider any change of an upload replaces the container. So the files are uploads of the one-shot
container, the loader, not of the server. A change replaces only the loader; the server keeps running.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pulumi_docker as docker
from pulumi import ComponentResource, Input, Output, ResourceOptions

from components.context import StackContext
from components.run_once import accepted, run_once
from components.service import VolumeMount
from components.volume import volume
from observability.core import naming

STAGING = "/staging"

CURRENT = "current"
"""Link to the folder of the files in use."""


@dataclass(frozen=True, kw_only=True)
class ConfigVolumeArgs:
    """The files, where they are installed, and how they are checked.

    `check` is a shell command that runs in the folder of the new files. Afterwards a POST goes to `reload_url`; with
    None the server reads the files when it starts. The folder must exist in the image and belong to `user`: a new
    volume takes its content and owner. If the image has no such folder, `loader_folder` is another folder of the
    image that `user` can write to; the loader mounts the volume there. `copies` are the files that `check` copies
    from the loader's image to the folder of the new files: name → path in the image.
    """

    context: StackContext
    service: str
    image: str
    user: str
    folder: str
    files: Mapping[str, str]
    check: str = "true"
    reload_url: str | None = None
    secret_files: Mapping[str, str] = field(default_factory=dict)
    secret_texts: Mapping[str, Output[str]] = field(default_factory=dict)
    loader_folder: str | None = None
    copies: Mapping[str, str] = field(default_factory=dict)


class ConfigVolume(ComponentResource):
    """The configuration of one server, changed without a restart; a rejected change leaves the previous one in use."""

    mount: VolumeMount
    """The volume as the server mounts it; the files are in its folder `current`."""

    installed: Output[docker.Container]
    """Dependency of the server; fails with the checker's output if the files were rejected."""

    def __init__(self, name: str, args: ConfigVolumeArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("observability:components:ConfigVolume", name, None, opts)
        context = args.context
        held = volume(f"{name}-volume", context, args.service, "config", parent=self)
        uploads: dict[str, Input[str]] = dict(args.files)
        uploads |= {path: context.secret(secret) for path, secret in args.secret_files.items()}
        uploads |= args.secret_texts
        folder = args.loader_folder or args.folder
        loader = run_once(
            f"{name}-loader",
            context,
            container_name=naming.loader(context.stack, args.service),
            service=f"{args.service}-config",
            image=args.image,
            user=args.user,
            entrypoint=[
                *("/bin/sh", "-c", _script(), "load-config", folder, args.check),
                # The provider refuses an empty argument.
                *((args.reload_url,) if args.reload_url else ()),
            ],
            volume=held.name,
            folder=folder,
            uploads={f"{STAGING}/{path}": content for path, content in uploads.items()},
            installs=(STAGING, f"{folder}/{CURRENT}"),
            copies=args.copies,
            parent=self,
        )
        self.mount = VolumeMount(volume=held.name, path=args.folder, read_only=True)
        self.installed = accepted(args.service, loader)
        self.register_outputs({"volume": held.name})


def _script() -> str:
    return Path(__file__).with_name("load-config.sh").read_text(encoding="utf-8")
