"""Exporters from the settings: an image of the user's choice, with the same restrictions as all others."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pulumi import ComponentResource, Input, ResourceOptions

from components.config_volume import ConfigVolume, ConfigVolumeArgs
from components.context import StackContext
from components.exporter import INSTALLED_BY, loader_id
from components.service import Service, ServiceArgs
from observability.parts.busybox import BUSYBOX
from observability.settings.custom import FOLDER, ExporterSettings

CURRENT: Final = f"{FOLDER}/current"
SHELL: Final = f"{CURRENT}/busybox"
"""The shell that sets variables from files; the loader, a container of busybox, writes it next to them."""


@dataclass(frozen=True, kw_only=True)
class CustomExporterArgs:
    """The stack it belongs to, and its settings."""

    context: StackContext
    exporter: ExporterSettings


class CustomExporter(ComponentResource):
    """One exporter from the settings; only Prometheus reaches it."""

    def __init__(self, name: str, args: CustomExporterArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("observability:components:CustomExporter", name, None, opts)
        context, exporter = args.context, args.exporter
        child = ResourceOptions(parent=self)
        config = None
        if exporter.secrets or exporter.files:
            config = ConfigVolume(
                f"{name}-config",
                ConfigVolumeArgs(
                    context=context,
                    service=exporter.name,
                    image=context.settings.image(BUSYBOX.name),
                    user=exporter.user if ":" in exporter.user else f"{exporter.user}:{exporter.user}",
                    folder=FOLDER,
                    loader_folder="/tmp",  # noqa: S108 - a folder of the image that every user can write to
                    files={file_name(path): text for path, text in exporter.files.items()},
                    secret_files={key: exporter.secret(key) for key in exporter.secrets},
                    check="cp /bin/busybox .",
                    copies={"busybox": "/bin/busybox"},
                ),
                child,
            )
        entrypoint = started(exporter)
        Service(
            f"{name}-server",
            ServiceArgs(
                context=context,
                service=exporter.name,
                image=context.settings.exporter_image(exporter),
                memory_mb=exporter.memory_mb,
                user=exporter.user,
                health=None,
                command=() if entrypoint else exporter.command,
                entrypoint=entrypoint,
                envs=_envs(exporter, config),
                capabilities=exporter.capabilities,
                volumes=(config.mount,) if config else (),
                after=(config.installed,) if config else (),
            ),
            child,
        )
        self.register_outputs({})


def file_name(path: str) -> str:
    """Name that a file from the settings has in the volume."""
    return path.strip("/").replace("/", "-")


def started(exporter: ExporterSettings) -> tuple[str, ...]:
    """The entry point with its arguments; if there are secrets, run by a shell that sets variables from their files.

    An argument that names a file from the settings is replaced with the file's path in the volume.
    """
    words = [_in_volume(exporter, word) for word in (*exporter.entrypoint, *exporter.command)]
    variables = {secret.env: key for key, secret in exporter.secrets.items() if secret.env}
    if not variables:
        return tuple(words) if exporter.entrypoint else ()
    script = "".join(f'export {name}="$({SHELL} cat {CURRENT}/{key})"; ' for name, key in sorted(variables.items()))
    return (SHELL, "sh", "-c", f'{script}exec "$@"', exporter.name, *words)


def _in_volume(exporter: ExporterSettings, word: str) -> str:
    for path in exporter.files:
        word = word.replace(path, f"{CURRENT}/{file_name(path)}")
    return word


def _envs(exporter: ExporterSettings, config: ConfigVolume | None) -> Mapping[str, Input[str]]:
    found: dict[str, Input[str]] = {name: _in_volume(exporter, value) for name, value in exporter.env.items()}
    found |= {secret.env_file: f"{CURRENT}/{key}" for key, secret in exporter.secrets.items() if secret.env_file}
    if config is not None:
        # It is not known when the program reads its files, so changed files replace the container.
        found[INSTALLED_BY] = loader_id(config.installed)
    return found
