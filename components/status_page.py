"""The status page: a container that writes it, and its volume."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi_docker as docker
from pulumi import ComponentResource, Output, ResourceOptions

from components.config_volume import ConfigVolume, ConfigVolumeArgs
from components.context import StackContext
from components.notifier import CODE
from components.service import HealthCheck, Service, ServiceArgs, VolumeMount
from components.volume import volume
from observability.parts.status_page import COMMAND_FILES, DATA, FOLDER, KEY, NAME, PORT, RECIPE, USER
from observability.status_page.facts import FILE, files


@dataclass(frozen=True, kw_only=True)
class StatusPageArgs:
    """The stack it belongs to, and its alerting rules as their files state them."""

    context: StackContext
    rules: Iterable[Mapping[str, Any]]


class StatusPage(ComponentResource):
    """The container with its configuration, which it reads again when it changes."""

    container: docker.Container
    """Dependency of who serves the page: the volume has its owner when this container exists."""

    data: Output[str]
    """Name of the volume with the page."""

    def __init__(self, name: str, args: StatusPageArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("observability:components:StatusPage", name, None, opts)
        context = args.context
        child = ResourceOptions(parent=self)
        settings = context.settings.part(NAME)
        image = context.settings.image(NAME)
        signs_in = settings.publish is not None and settings.publish.key
        config = ConfigVolume(
            f"{name}-config",
            ConfigVolumeArgs(
                context=context,
                service=NAME,
                image=image,
                user=USER,
                folder=FOLDER,
                loader_folder="/tmp",  # noqa: S108 - a folder of the image that every user can write to
                files=files(context.config, args.rules),
                secret_files={COMMAND_FILES["key"]: KEY} if signs_in else {},
                check=f"python3 -m observability.status_page --check {FILE}",
            ),
            child,
        )
        data = volume(f"{name}-data", context, NAME, "data", parent=self)
        self.data = data.name
        request = f"exec 3<>/dev/tcp/127.0.0.1/{PORT} && printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n' >&3 && "
        self.container = Service(
            f"{name}-server",
            ServiceArgs(
                context=context,
                service=NAME,
                image=image,
                memory_mb=settings.memory_mb,
                user=USER,
                health=HealthCheck(
                    test=("CMD", "bash", "-c", request + "read -r answer <&3 && [[ $answer == *' 200 '* ]]")
                ),
                command=(f"{FOLDER}/current/{FILE}",),
                envs={CODE: RECIPE.version},
                # Programs that publish it write temporary files.
                tmpfs={"/tmp": "size=16m,mode=1777"},  # noqa: S108 - the container's own
                volumes=(config.mount, VolumeMount(volume=data.name, path=DATA)),
                after=(config.installed,),
            ),
            child,
        ).container
        self.register_outputs({"volume": data.name})
