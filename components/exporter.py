"""Any exporter: its descriptor in `observability/parts/` says what runs; this component makes the containers."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import pulumi_docker as docker
from pulumi import ComponentResource, Input, Output, ResourceOptions

from components.checked_files import CheckedFiles, CheckedFilesArgs
from components.config_volume import ConfigVolume, ConfigVolumeArgs
from components.context import StackContext
from components.service import HealthCheck, HostMount, Service, ServiceArgs, VolumeMount, http_health
from components.volume import volume
from observability.parts.model import Files, Health, Run, SecretText
from observability.parts.registry import AnyPart, parts

INSTALLED_BY = "OBS_FILES_INSTALLED_BY"
"""Variable that changes with the loader, so that a server that reads its files only at start is replaced too."""


@dataclass(frozen=True, kw_only=True)
class ExporterArgs:
    """The stack it belongs to, its part, and which of the part's containers it is."""

    context: StackContext
    part: AnyPart
    run: Run


class Exporter(ComponentResource):
    """One container of an exporter with its configuration; only Prometheus reaches it."""

    container: docker.Container
    """Dependency of the services that need it."""

    def __init__(self, name: str, args: ExporterArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__(f"observability:components:{_type(args.part.name)}", name, None, opts)
        self._child = ResourceOptions(parent=self)
        context, run = args.context, args.run
        service = run.service or args.part.name
        installed = _Installed()
        if run.files is not None:
            files = run.files
            installed = self._checked(name, args, files) if files.checker else self._loaded(name, args, files)
        self.container = Service(
            f"{name}-server",
            ServiceArgs(
                context=context,
                service=service,
                image=context.settings.image(args.part.images[0].name),
                memory_mb=context.settings.part(args.part.name).memory_mb,
                user=run.user,
                health=_health(run.health),
                command=[word.replace("{main}", installed.main) for word in run.command],
                entrypoint=run.entrypoint,
                envs={**run.envs, **installed.envs},
                volumes=(*installed.volumes, *self._read(name, context, service, run.reads)),
                host_mounts=tuple(HostMount(source=source, path=path) for source, path in run.host_mounts.items()),
                devices=run.devices,
                capabilities=run.capabilities,
                host_network=run.host_network,
                # In the host's network it may listen on the network's gateway, which exists only after the network.
                after=(*installed.after, *((context.network,) if run.host_network else ())),
            ),
            self._child,
        ).container
        self.register_outputs({})

    def _read(self, name: str, context: StackContext, service: str, reads: Mapping[str, str]) -> Iterator[VolumeMount]:
        for role, path in reads.items():
            made = volume(f"{name}-{role}", context, service, role, parent=self)
            yield VolumeMount(volume=made.name, path=path, read_only=True)

    def _checked(self, name: str, args: ExporterArgs, files: Files) -> "_Installed":
        context = args.context
        config = CheckedFiles(
            f"{name}-config",
            CheckedFilesArgs(
                context=context,
                service=args.run.service or args.part.name,
                image=context.settings.image(args.part.images[0].name),
                folder=files.folder,
                main=files.main,
                files=files.files,
                secret_texts={path: secret_text(context, text) for path, text in files.secrets.items()},
                check=files.checker,
            ),
            self._child,
        )
        return _Installed(volumes=(config.mount,), after=(config.installed,), main=config.main)

    def _loaded(self, name: str, args: ExporterArgs, files: Files) -> "_Installed":
        context = args.context
        service = args.run.service or args.part.name
        config = ConfigVolume(
            f"{name}-config",
            ConfigVolumeArgs(
                context=context,
                service=service,
                image=context.settings.image(files.loader_image or args.part.images[0].name),
                user=args.run.user,
                folder=files.folder,
                loader_folder=files.loader_folder,
                files=files.files,
                secret_texts={path: secret_text(context, text) for path, text in files.secrets.items()},
                check=files.check,
                copies=files.copies,
                reload_url=f"http://{service}:{args.part.port}{files.reload}" if files.reload else None,
            ),
            self._child,
        )
        envs: dict[str, Input[str]] = {INSTALLED_BY: loader_id(config.installed)} if files.restart else {}
        return _Installed(volumes=(config.mount,), after=(config.installed,), envs=envs)


def exporters(
    context: StackContext,
    opts: ResourceOptions,
    *,
    prefix: str = "",
    wanted: Callable[[AnyPart], bool] = lambda _: True,
) -> dict[str, Exporter]:
    """Every wanted plain exporter that runs, by its service: one container, or one for each server it reads.

    `prefix` begins the name of each resource.
    """
    config = context.config
    found: dict[str, Exporter] = {}
    for name, part in parts().items():
        if part.runs is not None and wanted(part) and config.runs(name):
            for run in part.runs(config.here(name)):
                service = run.service or name
                args = ExporterArgs(context=context, part=part, run=run)
                found[service] = Exporter(f"{prefix}{service}", args, opts)
    return found


@dataclass(frozen=True, kw_only=True)
class _Installed:
    """The parts of an installed configuration that a container uses."""

    volumes: tuple[VolumeMount, ...] = ()
    after: tuple[Output[docker.Container], ...] = ()
    envs: Mapping[str, Input[str]] = field(default_factory=dict)
    main: str = ""


def loader_id(loader: Output[docker.Container]) -> Output[str]:
    """Changes whenever the loader is replaced, so on every change of the files that it installs."""

    def read(made: docker.Container) -> Output[str]:
        found: Output[str] = made.id
        return found

    return loader.apply(read)


def secret_text(context: StackContext, text: SecretText) -> Output[str]:
    """The text of a file that is made from secrets."""
    values = {name: context.secret(name) for name in text.names}
    return Output.all(**values).apply(lambda found: text.text(found)) if values else Output.from_input(text.text({}))


def _health(health: Health | None) -> HealthCheck | None:
    if health is None:
        return None
    return (
        HealthCheck(test=health.test) if health.test else http_health(health.url, tools=health.tools, bash=health.bash)
    )


def _type(part: str) -> str:
    """The component's type: the part's name in PascalCase. It is part of every child's URN and never changes."""
    return "".join(word.capitalize() for word in part.split("-"))
