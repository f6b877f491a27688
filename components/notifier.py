"""The notifier: adds evidence to the alerts that Alertmanager has."""

from collections.abc import Mapping
from dataclasses import dataclass

from pulumi import ComponentResource, ResourceOptions

from components.config_volume import ConfigVolume, ConfigVolumeArgs
from components.context import StackContext
from components.service import HealthCheck, PublishedPort, Service, ServiceArgs, VolumeMount
from components.volume import volume
from dashboards.linked_panels import linked
from observability.notifier.facts import FILE, files
from observability.parts.notifier import FOLDER, NAME, PICTURES, PORT, RECIPE, USER

CODE = "OBS_CODE"
"""Variable that changes with the code in the image, whose tag does not, so that the container is replaced."""


@dataclass(frozen=True, kw_only=True)
class NotifierArgs:
    """The stack it belongs to, and its rule files by name."""

    context: StackContext
    rule_files: Mapping[str, str]


class Notifier(ComponentResource):
    """The container with its configuration, which it reads again when it changes."""

    def __init__(self, name: str, args: NotifierArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("observability:components:Notifier", name, None, opts)
        context = args.context
        child = ResourceOptions(parent=self)
        image = context.settings.image(NAME)
        config = ConfigVolume(
            f"{name}-config",
            ConfigVolumeArgs(
                context=context,
                service=NAME,
                image=image,
                user=USER,
                folder=FOLDER,
                loader_folder="/tmp",  # noqa: S108 - a folder of the image that every user can write to
                files=files(context.config, args.rule_files, linked(context.config, args.rule_files)),
                check=f"python3 -m observability.notifier --check {FILE}",
            ),
            child,
        )
        settings = context.settings.part(NAME)
        drawn = settings.pictures
        data = volume(f"{name}-data", context, NAME, "data", parent=self) if drawn else None
        address = str(context.settings.bind_address)
        request = f"exec 3<>/dev/tcp/127.0.0.1/{PORT} && printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n' >&3 && "
        Service(
            f"{name}-server",
            ServiceArgs(
                context=context,
                service=NAME,
                image=image,
                memory_mb=settings.memory_mb,
                user=USER,
                # The image has no HTTP client.
                health=HealthCheck(
                    test=("CMD", "bash", "-c", request + "read -r answer <&3 && [[ $answer == *' 200 '* ]]")
                ),
                command=(f"{FOLDER}/current/{FILE}",),
                envs={CODE: RECIPE.version},
                ports=(PublishedPort(internal=PORT, external=drawn.port, address=address),)
                if drawn and drawn.port
                else (),
                volumes=(config.mount, *([VolumeMount(volume=data.name, path=PICTURES)] if data else [])),
                after=(config.installed,),
            ),
            child,
        )
        self.register_outputs({})
