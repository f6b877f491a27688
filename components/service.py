"""The only way a long-running container is declared: pinned, restricted, with limits and a health check."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

import pulumi_docker as docker
from pulumi import ComponentResource, Input, Output, Resource, ResourceOptions

from components.context import StackContext
from observability.core import naming

LOG_DRIVER = "json-file"
LOG_OPTIONS = {"max-size": "10m", "max-file": "3"}
"""Rotation of a container's own output: 30 MB at the most."""

SECURITY_OPTIONS = ("no-new-privileges:true",)

HOST_SECURITY_OPTIONS = ("label=disable",)
"""Where SELinux is on, a container with its label reads neither the host's /proc nor the sizes of its filesystems."""

NOBODY = "65534:65534"
"""uid and gid that the Prometheus project's images run as."""

WAIT_SECONDS = 120
"""How long an update waits for a container to become healthy."""

GRACE_SECONDS = 30
"""How long a container may take to end before it is killed; if not set, the provider kills it at once."""


HEALTHY_SECONDS = 15
"""How long after a successful check of a healthy service the next one begins."""

REQUEST_SECONDS = 3
"""How long the response of a health check may take."""

_WAS_HEALTHY = "/dev/shm/healthy"  # noqa: S108 - in the container
"""A file that exists while the last check succeeded."""


@dataclass(frozen=True, kw_only=True)
class PublishedPort:
    """A container's port on an address of the host."""

    internal: int
    external: int
    address: str
    protocol: Literal["tcp", "udp"] = "tcp"


@dataclass(frozen=True, kw_only=True)
class VolumeMount:
    """A named volume in a container."""

    volume: Input[str]
    path: str
    read_only: bool = False


@dataclass(frozen=True, kw_only=True)
class HostMount:
    """A folder of the host in a container; writable is only that of the repository of backups."""

    source: str
    path: str
    read_only: bool = True


@dataclass(frozen=True, kw_only=True)
class HealthCheck:
    """Docker's health check of a service; times in Docker's notation."""

    test: Sequence[str]
    interval: str = "5s"
    timeout: str = "3s"
    retries: int = 6


def http_health(url: str, *, tools: str = "", bash: bool = False) -> HealthCheck:
    """A health check by HTTP GET; any response but 2xx is unhealthy.

    With the busybox of the image; `tools` is the path of one where it is not in the PATH. `bash`: by the bash of an
    image that has no HTTP client.

    A check asks each second, and fails after `REQUEST_SECONDS`, whether the service refuses the connection or does
    not answer. Once healthy, a service is asked every `HEALTHY_SECONDS`: to start a process in a container costs the
    engine 50 ms of CPU time. Docker before version 25 has no setting for that, so a check that succeeds again sleeps
    before it ends. /dev/shm is the container's own, and empty when it starts.
    """
    run = f"{tools} " if tools else ""
    request = _by_bash(url) if bash else f"{run}timeout {REQUEST_SECONDS} {run}wget -q -O /dev/null {url}"
    script = (
        f"end=$(($({run}date +%s)+{REQUEST_SECONDS})); "
        f"until {request}; do "
        f"[ $({run}date +%s) -lt $end ] || {{ {run}rm -f {_WAS_HEALTHY}; exit 1; }}; {run}sleep 1; done; "
        f"[ -e {_WAS_HEALTHY} ] && exec {run}sleep {HEALTHY_SECONDS}; : > {_WAS_HEALTHY}"
    )
    shell = ("bash",) if bash else (tools, "sh") if tools else ("sh",)
    timeout = HEALTHY_SECONDS + 3 * REQUEST_SECONDS
    return HealthCheck(test=("CMD", *shell, "-c", script), interval="1s", timeout=f"{timeout}s", retries=8)


def _by_bash(url: str) -> str:
    """A request as a command of bash."""
    to = urlsplit(url)
    return (
        f"{{ printf 'GET {to.path} HTTP/1.0\\r\\n\\r\\n' >&3 && read -r -t {REQUEST_SECONDS} answer <&3 && "
        f"[[ $answer == *' 200 '* ]]; }} 3<>/dev/tcp/{to.hostname}/{to.port}"
    )


@dataclass(frozen=True, kw_only=True)
class ServiceArgs:
    """One container. Restrictions that have no field here are the same for all.

    `entrypoint` replaces the image's own, and any `command`: with both, the provider never repairs a container that
    failed to start. `envs` hold no secret; `tmpfs` gives the mount options of each folder that must be writable and
    need not persist; `devices` of the host are readable.
    `health` None and `host_network` True are exceptions: list them, with the reason, in `components.exceptions`.
    """

    context: StackContext
    service: str
    image: str
    memory_mb: int
    user: str
    health: HealthCheck | None
    command: Sequence[str] = ()
    entrypoint: Sequence[str] = ()
    envs: Mapping[str, Input[str]] = field(default_factory=dict)
    tmpfs: Mapping[str, str] = field(default_factory=dict)
    ports: Sequence[PublishedPort] = ()
    volumes: Sequence[VolumeMount] = ()
    host_mounts: Sequence[HostMount] = ()
    devices: Sequence[str] = ()
    capabilities: Sequence[str] = ()
    host_network: bool = False
    after: Sequence[Input[Resource]] = ()


class Service(ComponentResource):
    """A hardened, long-running container, known on the stack's network by its service name."""

    container: docker.Container

    def __init__(self, name: str, args: ServiceArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("observability:components:Service", name, None, opts)
        context = args.context
        self.container = docker.Container(
            f"{name}-container",
            name=naming.container(context.stack, args.service),
            image=args.image,
            command=list(args.command) or None,
            entrypoints=list(args.entrypoint) or None,
            envs=[Output.concat(name, "=", value) for name, value in sorted(args.envs.items())] or None,
            tmpfs=dict(args.tmpfs) or None,
            user=args.user,
            read_only=True,
            capabilities=docker.ContainerCapabilitiesArgs(adds=list(args.capabilities) or None, drops=["ALL"]),
            security_opts=[*SECURITY_OPTIONS, *(HOST_SECURITY_OPTIONS if args.host_network else ())],
            memory=args.memory_mb,
            memory_swap=args.memory_mb,
            log_driver=LOG_DRIVER,
            log_opts=LOG_OPTIONS,
            restart="unless-stopped",
            healthcheck=_healthcheck(args.health) if args.health else None,
            wait=args.health is not None,
            wait_timeout=WAIT_SECONDS,
            destroy_grace_seconds=GRACE_SECONDS,
            ports=[
                docker.ContainerPortArgs(
                    internal=port.internal,
                    external=port.external,
                    ip=port.address,
                    # What is the default is left out, as the provider does when it reads a container.
                    protocol=None if port.protocol == "tcp" else port.protocol,
                )
                for port in args.ports
            ],
            volumes=[
                *(
                    docker.ContainerVolumeArgs(
                        volume_name=mount.volume, container_path=mount.path, read_only=mount.read_only
                    )
                    for mount in args.volumes
                ),
                *(
                    # Not `mounts`: the provider reads back the propagation that Docker chose and shows it as a change.
                    docker.ContainerVolumeArgs(
                        host_path=mount.source, container_path=mount.path, read_only=mount.read_only
                    )
                    for mount in args.host_mounts
                ),
            ],
            devices=[
                docker.ContainerDeviceArgs(host_path=path, container_path=path, permissions="r")
                for path in args.devices
            ]
            or None,
            labels=container_labels(context.labels(args.service)),
            network_mode="host" if args.host_network else None,
            hosts=extra_hosts(context) or None,
            networks_advanced=None if args.host_network else on_network(context.network, args.service),
            opts=container_options(self, (*args.after, *context.after)),
        )
        self.register_outputs({"container": self.container.name})


def container_options(parent: Resource, after: Sequence[Input[Resource]] = ()) -> ResourceOptions:
    """Options of any container. Its name is fixed, so the old one is deleted before the new one is created, also for a
    forced replacement (the provider does so only for differences that it finds itself). For some inputs the provider
    reports an update while the container stays unchanged; those replace it.
    """
    return ResourceOptions(
        parent=parent,
        depends_on=list(after),
        delete_before_replace=True,
        replace_on_changes=["healthcheck", "wait", "tmpfs", "init"],
    )


def container_labels(labels: Mapping[str, str]) -> list[docker.ContainerLabelArgs]:
    """Labels in the provider's form."""
    return [docker.ContainerLabelArgs(label=label, value=value) for label, value in labels.items()]


def extra_hosts(context: StackContext) -> list[docker.ContainerHostArgs]:
    """Names from the settings that containers resolve in addition to DNS."""
    return [
        docker.ContainerHostArgs(host=name, ip=str(address))
        for name, address in sorted(context.settings.network.hosts.items())
    ]


def on_network(network: docker.Network, *aliases: str) -> list[docker.ContainerNetworksAdvancedArgs]:
    """Attachment to the stack's network under the given names."""
    name: Output[str] = network.name
    return [docker.ContainerNetworksAdvancedArgs(name=name, aliases=list(aliases))]


def _healthcheck(health: HealthCheck) -> docker.ContainerHealthcheckArgs:
    return docker.ContainerHealthcheckArgs(
        tests=list(health.test), interval=health.interval, timeout=health.timeout, retries=health.retries
    )
