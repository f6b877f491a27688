"""The agent on another host: the parts that read a host, on its own Docker Engine, and a Prometheus that sends on.

The components are those of the stack's own host. They get the host's provider from their parent, and from their
context the host's network and the configuration with its name.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pulumi_docker as docker
from pulumi import ComponentResource, Output, Resource, ResourceOptions

from components.collector import Collector, CollectorArgs
from components.config_volume import ConfigVolume, ConfigVolumeArgs
from components.context import StackContext
from components.exporter import exporters, secret_text
from components.network import network
from components.service import NOBODY, Service, ServiceArgs, VolumeMount, http_health
from components.volume import volume
from observability.parts import docker_proxy
from observability.parts.collector import NAME as COLLECTOR
from observability.parts.prometheus import CUT_OFF, PORT
from observability.scrape import edge
from observability.scrape.agents import AUTHORITY_FILE, files, secret_files
from observability.settings.load import StackConfig

FOLDER = "/etc/prometheus"


@dataclass(frozen=True, kw_only=True)
class HostAgentArgs:
    """The stack's configuration, the host's name in it, the lookup of secret values, and the dependencies."""

    config: StackConfig
    host: str
    secret: Callable[[str], Output[str]]
    after: tuple[Resource, ...] = ()


class HostAgent(ComponentResource):
    """Everything that a stack runs on one other host."""

    def __init__(self, name: str, args: HostAgentArgs, opts: ResourceOptions | None = None) -> None:
        host = args.config.settings.hosts[args.host]
        # It belongs to the parent of the agent: a component cannot be given a provider that is its own child.
        provider = docker.Provider(
            name,
            host=host.docker,
            cert_path=str(Path(host.tls).expanduser()) if host.tls else None,
            # A host that is down must not stop the update of all others; obs leaves its agent out.
            disable_docker_daemon_check=True,
            opts=opts,
        )
        opts = ResourceOptions.merge(opts, ResourceOptions(providers={"docker": provider}))
        super().__init__("observability:components:HostAgent", name, None, opts)
        child = ResourceOptions(parent=self)
        there = args.config.on(args.host)
        context = StackContext(
            config=there,
            network=network(f"{name}-network", there, child),
            secret=args.secret,
            host=args.host,
            after=args.after,
        )
        PrometheusAgent(f"{name}-prometheus", PrometheusAgentArgs(context=context, host=args.host), child)
        made = exporters(context, child, prefix=f"{name}-", wanted=lambda part: part.on_hosts)
        if there.runs(COLLECTOR):
            after = (made[docker_proxy.NAME].container,)
            Collector(f"{name}-collector", CollectorArgs(context=context, after=after), child)
        self.register_outputs({})


@dataclass(frozen=True, kw_only=True)
class PrometheusAgentArgs:
    """The context of the host, and the host's name."""

    context: StackContext
    host: str


class PrometheusAgent(ComponentResource):
    """Prometheus in agent mode: it scrapes, keeps samples until they are sent to the edge, and answers no query."""

    def __init__(self, name: str, args: PrometheusAgentArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("observability:components:PrometheusAgent", name, None, opts)
        context = args.context
        image = context.settings.image("prometheus")
        child = ResourceOptions(parent=self)
        trusted = edge.trusted(context.config)
        config = ConfigVolume(
            f"{name}-config",
            ConfigVolumeArgs(
                context=context,
                service="prometheus",
                image=image,
                user=NOBODY,
                folder=FOLDER,
                files=files(context.config, args.host),
                secret_files=secret_files(context.config, args.host),
                secret_texts={AUTHORITY_FILE: secret_text(context, trusted)} if trusted else {},
                check="promtool check config --agent prometheus.yaml",
                reload_url=f"http://prometheus:{PORT}/-/reload",
            ),
            child,
        )
        data = volume(f"{name}-data", context, "prometheus", "data", parent=self)
        Service(
            f"{name}-server",
            ServiceArgs(
                context=context,
                service="prometheus",
                image=image,
                memory_mb=context.settings.prometheus.agent_memory_mb,
                user=NOBODY,
                health=http_health(f"http://127.0.0.1:{PORT}/-/ready"),
                command=(
                    "--agent",
                    f"--config.file={FOLDER}/current/prometheus.yaml",
                    "--storage.agent.path=/prometheus",
                    f"--storage.agent.retention.max-time={CUT_OFF}",
                    "--web.enable-lifecycle",
                ),
                volumes=(config.mount, VolumeMount(volume=data.name, path="/prometheus")),
                after=(config.installed,),
            ),
            child,
        )
        self.register_outputs({})
