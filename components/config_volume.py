"""A server's configuration: a volume, and the one-shot container that checks the files, installs and reloads them.

In the Docker provider any change of an upload makes a new container, so the files must not be the server's own:
they are the loader's. A change replaces the loader alone and the server goes on running.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pulumi
import pulumi_docker as docker
from pulumi import ComponentResource, Input, Output, ResourceOptions

from components.context import StackContext
from components.service import (
    LOG_DRIVER,
    LOG_OPTIONS,
    SECURITY_OPTIONS,
    VolumeMount,
    container_labels,
    container_options,
    on_network,
)
from components.volume import volume
from config import naming

STAGING = "/staging"
LOADER_MEMORY_MB = 256


@dataclass(frozen=True, kw_only=True)
class ConfigVolumeArgs:
    """What is installed, where, and who checks it.

    `check` is a shell command run in the folder of the new files; `reload_url` is POSTed to afterwards, None: the
    server reads them when it starts. The folder must exist in the image and belong to `user`: a fresh volume takes
    both over. If the image has none, `loader_folder` is one of the image that `user` may write to; there the loader
    mounts the volume.
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


class ConfigVolume(ComponentResource):
    """The configuration of one server, changed without restarting it; a refused change leaves the old one in force."""

    mount: VolumeMount
    """The volume as the server mounts it; the files are in its folder `current`."""

    installed: Output[docker.Container]
    """What the server must wait for; fails with the checker's own words where the files were refused."""

    def __init__(self, name: str, args: ConfigVolumeArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("observability:components:ConfigVolume", name, None, opts)
        context = args.context
        held = volume(f"{name}-volume", context, args.service, "config", parent=self)
        uploads = [_upload(path, text) for path, text in args.files.items()]
        uploads += [_upload(path, context.secret(secret)) for path, secret in args.secret_files.items()]
        uploads += [_upload(path, text) for path, text in args.secret_texts.items()]
        folder = args.loader_folder or args.folder
        loader = docker.Container(
            f"{name}-loader",
            name=naming.loader(context.stack, args.service),
            image=args.image,
            # All of it here and no `command`: with both, the provider never mends a container that failed to start.
            entrypoints=[
                *("/bin/sh", "-c", _script(), "load-config", folder, args.check),
                # The provider refuses an empty argument.
                *((args.reload_url,) if args.reload_url else ()),
            ],
            user=args.user,
            attach=True,
            logs=True,
            must_run=False,
            restart="no",
            capabilities=docker.ContainerCapabilitiesArgs(drops=["ALL"]),
            security_opts=list(SECURITY_OPTIONS),
            memory=LOADER_MEMORY_MB,
            memory_swap=LOADER_MEMORY_MB,
            log_driver=LOG_DRIVER,
            log_opts=LOG_OPTIONS,
            networks_advanced=on_network(context.network),
            volumes=[docker.ContainerVolumeArgs(volume_name=held.name, container_path=folder)],
            uploads=uploads,
            labels=container_labels(context.labels(f"{args.service}-config")),
            opts=container_options(self),
        )
        self.mount = VolumeMount(volume=held.name, path=args.folder, read_only=True)
        self.installed = Output.all(loader.exit_code, loader.container_logs).apply(
            lambda result: require_success(args.service, loader, *result)
        )
        self.register_outputs({"volume": held.name})


def _upload(path: str, content: Input[str]) -> docker.ContainerUploadArgs:
    return docker.ContainerUploadArgs(file=f"{STAGING}/{path}", content=content)


def _script() -> str:
    return Path(__file__).with_name("load-config.sh").read_text(encoding="utf-8")


def require_success(service: str, loader: docker.Container, code: int | None, logs: str | None) -> docker.Container:
    """The container that checked the files, once it has accepted them; else its own words as the error."""
    if code:
        raise pulumi.RunError(
            f"{service} refused its new configuration; the one before stays in force.\n{(logs or '').strip()}"
        )
    return loader
