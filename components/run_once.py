"""A one-shot container that processes a configuration: restricted like a service, judged by its exit code."""

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_docker as docker
from pulumi import Input, Output, Resource

from components.context import StackContext
from components.service import (
    LOG_DRIVER,
    LOG_OPTIONS,
    SECURITY_OPTIONS,
    container_labels,
    container_options,
    on_network,
)
from observability.core.naming import LABEL_COPIES, LABEL_INSTALLS

MEMORY_MB = 256


def run_once(
    name: str,
    context: StackContext,
    *,
    container_name: str,
    service: str,
    image: str,
    user: str,
    entrypoint: Sequence[str],
    volume: Input[str],
    folder: str,
    uploads: Mapping[str, Input[str]],
    installs: tuple[str, str],
    copies: Mapping[str, str] | None = None,
    parent: Resource,
) -> docker.Container:
    """Run the entry point with the volume at `folder`; the uploads, path → content, are there before it starts.

    `installs` is the folder of the uploads, and the folder that has them once it has run: exactly them, and `copies`
    (name → path in the image). Both are labels, by which `obs verify` and `obs up` compare what is installed.

    All arguments are in the entry point: with a `command` too, the provider never repairs a container that failed to
    start.
    """
    return docker.Container(
        name,
        name=container_name,
        image=image,
        entrypoints=list(entrypoint),
        user=user,
        attach=True,
        logs=True,
        must_run=False,
        restart="no",
        capabilities=docker.ContainerCapabilitiesArgs(drops=["ALL"]),
        security_opts=list(SECURITY_OPTIONS),
        memory=MEMORY_MB,
        memory_swap=MEMORY_MB,
        log_driver=LOG_DRIVER,
        log_opts=LOG_OPTIONS,
        networks_advanced=on_network(context.network),
        volumes=[docker.ContainerVolumeArgs(volume_name=volume, container_path=folder)],
        uploads=[docker.ContainerUploadArgs(file=path, content=content) for path, content in uploads.items()],
        labels=container_labels({**context.labels(service), **_installed(installs, copies or {})}),
        opts=container_options(parent, context.after),
    )


def _installed(installs: tuple[str, str], copies: Mapping[str, str]) -> dict[str, str]:
    found = {LABEL_INSTALLS: "=".join(installs)}
    if copies:
        found[LABEL_COPIES] = " ".join(f"{name}={path}" for name, path in copies.items())
    return found


def accepted(service: str, container: docker.Container) -> Output[docker.Container]:
    """The container after it has accepted the files; otherwise an error with its output."""

    def check(result: Sequence[object]) -> docker.Container:
        code, logs = result
        if code:
            raise pulumi.RunError(
                f"{service} refused its new configuration; the one before stays in force.\n{str(logs or '').strip()}"
            )
        return container

    return Output.all(container.exit_code, container.container_logs).apply(check)
