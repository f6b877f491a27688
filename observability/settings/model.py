"""The settings of one environment: the content of `Pulumi.<stack>.yaml`, with a default for every setting."""

from functools import cache
from ipaddress import IPv4Address, IPv4Network
from typing import Annotated, Any, Literal, Self

from pydantic import Field, create_model, field_validator, model_validator

from observability.core.section import Section
from observability.core.types import ImageRef, Profile, ServiceName, Subnet
from observability.parts.alertmanager import AlertmanagerSettings
from observability.parts.collector import CollectorSettings
from observability.parts.docker_engine import DockerSettings
from observability.parts.edge import EdgeSettings
from observability.parts.elk import ElkSettings
from observability.parts.images import PINS, pinned
from observability.parts.loki import LokiSettings
from observability.parts.node import NodeExporterSettings
from observability.parts.otlp_metrics import OtlpMetricsSettings
from observability.parts.prometheus import PrometheusSettings
from observability.parts.registry import parts
from observability.parts.traces import TracesSettings
from observability.settings.custom import ExporterSettings
from observability.settings.grafana import GrafanaSettings
from observability.settings.hosts import HostSettings
from observability.settings.hosts import check as check_hosts
from observability.settings.new_relic import NewRelicSettings
from observability.settings.new_relic import receivers as new_relic_receivers
from observability.settings.notifications import NotificationSettings
from observability.settings.on_call import GoAlertSettings, OnCallSettings
from observability.settings.remote_write import RemoteWriteSettings
from observability.settings.sources import SecretSource
from observability.settings.systems import SystemSettings, system_settings_model
from observability.settings.uptime_robot import UptimeRobotSettings

Environment = Literal["dev", "staging", "prod"]

Link = Annotated[str, Field(pattern=r"^https?://[^\s/\"'@]+(/[^\s\"'@]*)?$")]
"""Address of a web page."""


class NetworkSettings(Section):
    """The Docker network that all services share."""

    subnet: Subnet = Field(
        IPv4Network("172.30.90.0/24"),
        description="Private IPv4 network of the stack, /16 to /28; stacks on one host need different ones.",
    )
    hosts: dict[str, IPv4Address] = Field(
        {},
        description="Names that the stack's containers resolve besides DNS, with their addresses, as in /etc/hosts.",
    )

    @property
    def gateway(self) -> str:
        """The host's own address on this network: the first one."""
        return str(self.subnet.network_address + 1)


class ImageSettings(Section):
    """Where images come from."""

    registry: str | None = Field(
        None,
        description="Prefix of a private mirror, as registry.example.com/mirror; none: the public registries.",
        pattern=r"^[a-zA-Z0-9][a-zA-Z0-9.:/_-]*[a-zA-Z0-9]$",
    )
    overrides: dict[str, ImageRef] = Field({}, description="Another pin for a service, by the service's name.")

    @field_validator("overrides")
    @classmethod
    def _known(cls, overrides: dict[str, str]) -> dict[str, str]:
        for name in overrides:
            if name not in PINS:
                raise ValueError(f"{name!r} is not a service of the stack; it is one of {', '.join(sorted(PINS))}")
        return overrides


class LinksSettings(Section):
    """Where the links in alerts lead."""

    runbooks: str | None = Field(
        None,
        description="Address of the pages of runbooks/, like https://git.example.com/monitoring/blob/main/runbooks; "
        "none: their path in the repository.",
        pattern=r"^https?://[^\s\"']+$",
        examples=["https://git.example.com/monitoring/blob/main/runbooks"],
    )
    prometheus: Link | None = Field(
        None,
        description="External address of Prometheus; none: its port on the host.",
        examples=["https://prometheus.example.com"],
    )
    alertmanager: Link | None = Field(
        None,
        description="External address of Alertmanager; none: its port on the host.",
        examples=["https://alertmanager.example.com"],
    )
    grafana: Link | None = Field(
        None,
        description="External address of Grafana; none: the address that obs uses.",
        examples=["https://grafana.example.com"],
    )
    goalert: Link | None = Field(None, description="External address of GoAlert; none: its port on the host.")


class Settings(Section):
    """All settings of one environment. Secrets are not among them: see `observability.settings.secrets`."""

    environment: Environment = Field(description="What the stack is for; by default the stack's own name.")
    cluster: str = Field(
        description="Name of this installation in the external label `cluster`; by default obs-<stack>.",
        max_length=63,
        pattern=r"^[a-zA-Z0-9_.-]+$",
    )
    profile: Profile = Field(
        "full", description="What runs by default: full; metrics: no logs; minimal: the host's metrics alone."
    )
    bind_address: IPv4Address = Field(
        IPv4Address("127.0.0.1"),
        description="Host address on which ports are published; another than loopback needs the edge.",
    )
    network: NetworkSettings = Field(default_factory=NetworkSettings, description="The stack's Docker network.")
    images: ImageSettings = Field(default_factory=ImageSettings, description="Where images come from.")
    prometheus: PrometheusSettings = Field(default_factory=PrometheusSettings, description="The metrics server.")
    alertmanager: AlertmanagerSettings = Field(default_factory=AlertmanagerSettings, description="The alert server.")
    node_exporter: NodeExporterSettings = Field(
        default_factory=NodeExporterSettings, description="Metrics of the Docker host."
    )
    loki: LokiSettings = Field(default_factory=LokiSettings, description="The log store.")
    collector: CollectorSettings = Field(default_factory=CollectorSettings, description="The log collector.")
    traces: TracesSettings | None = Field(None, description="Spans by OTLP and their store; none: no spans are taken.")
    otlp_metrics: OtlpMetricsSettings | None = Field(
        None, description="Metrics that applications send by OTLP; none: none are taken."
    )
    elk: ElkSettings | None = Field(None, description="Elasticsearch, Logstash and Kibana; none: none of them runs.")
    docker: DockerSettings = Field(default_factory=DockerSettings, description="The Docker Engine's own metrics.")
    grafana: GrafanaSettings = Field(default_factory=GrafanaSettings, description="Dashboards.")
    notifications: NotificationSettings = Field(
        default_factory=NotificationSettings, description="Receivers of alerts, and their channels."
    )
    on_call: OnCallSettings = Field(default_factory=OnCallSettings, description="Who is on call, as data.")
    goalert: GoAlertSettings = Field(default_factory=GoAlertSettings, description="Notifies the people on call.")
    links: LinksSettings = Field(default_factory=LinksSettings, description="Where the links in alerts lead.")
    systems: dict[str, SystemSettings] = Field(
        {}, description="The watched systems in this environment, by name; `platform`: the stack's own parts and host."
    )
    hosts: dict[ServiceName, HostSettings] = Field(
        {}, description="Machines besides the stack's own Docker host, by name; each gets an agent."
    )
    edge: EdgeSettings = Field(default_factory=EdgeSettings, description="The address that agents send to.")
    exporters: tuple[ExporterSettings, ...] = Field(
        (), description="Exporters of your own choice, in addition to the built-in ones."
    )
    remote_write: tuple[RemoteWriteSettings, ...] = Field(
        (), description="Receivers to which Prometheus sends its samples, besides its own storage."
    )
    new_relic: NewRelicSettings | None = Field(
        None, description="New Relic, which receives the samples; none: it receives nothing."
    )
    uptime_robot: UptimeRobotSettings = Field(
        default_factory=UptimeRobotSettings, description="A service that watches the endpoints from outside."
    )
    secret_sources: dict[str, SecretSource] = Field(
        {}, description="Secrets that are kept elsewhere, by name; the others are stored by `obs secret set`."
    )

    @field_validator("exporters")
    @classmethod
    def _one_name_each(cls, exporters: tuple[ExporterSettings, ...]) -> tuple[ExporterSettings, ...]:
        taken = set(PINS)
        for index, exporter in enumerate(exporters):
            if exporter.name in taken:
                raise ValueError(f"two services have the name {exporter.name!r}; give exporters[{index}] another name")
            taken.add(exporter.name)
        return exporters

    @model_validator(mode="after")
    def _ports_differ(self) -> Self:
        ports = {"prometheus.port": self.prometheus.port, "alertmanager.port": self.alertmanager.port}
        ports["grafana.port"] = self.grafana.port
        if self.goalert.enabled:
            ports["goalert.port"] = self.goalert.port
        if self.traces is not None:
            ports |= {"traces.grpcPort": self.traces.grpc_port, "traces.httpPort": self.traces.http_port}
            if self.traces.tempo is None:
                ports["jaeger.port"] = self.part("jaeger").port
        if self.elk is not None and self.elk.enabled is not False:
            ports |= {f"elk.{name}.port": port for name, port in self.elk.ports.items()}
        holders: dict[int, str] = {}
        for field, port in ports.items():
            if port in holders:
                raise ValueError(f"{field} and {holders[port]} are both {port}; give each its own port")
            holders[port] = field
        return self

    @model_validator(mode="after")
    def _hosts_reach_the_edge(self) -> Self:
        check_hosts(self.hosts, self.node_exporter.host_name)
        if self.hosts and self.edge.enabled is False:
            raise ValueError("hosts need the edge, which edge.enabled turns off; remove edge.enabled or hosts")
        if self.hosts and self.edge.address is None:
            raise ValueError(
                "hosts need edge.address, the name or address by which they reach this stack; add it, like "
                "monitoring.example.com"
            )
        return self

    @model_validator(mode="after")
    def _links_in_prod(self) -> Self:
        if self.environment == "prod":
            for field, info in LinksSettings.model_fields.items():
                if field != "goalert" and getattr(self.links, field) is None:
                    raise ValueError(
                        f"links.{field} is required in prod: a message's links must open from anywhere; "
                        f"add links.{field}, like {(info.examples or [''])[0]}"
                    )
        return self

    def part(self, name: str) -> Any:  # noqa: ANN401 - the model of the part's descriptor
        """Settings of a part, by its name; None where it has none."""
        return getattr(self, name.replace("-", "_"), None)

    def image(self, service: str) -> str:
        """Full reference of a built-in service's image: its pin or override, behind the private mirror if any."""
        reference = self.images.overrides.get(service) or pinned(service)
        return mirrored(reference, self.images.registry)

    def exporter_image(self, exporter: ExporterSettings) -> str:
        """Full reference of the image of a custom exporter."""
        return mirrored(exporter.image, self.images.registry)

    @property
    def receivers(self) -> tuple[RemoteWriteSettings, ...]:
        """Every receiver of samples: those of `remoteWrite`, and New Relic."""
        return (*self.remote_write, *new_relic_receivers(self.new_relic, self.cluster))

    @property
    def retention(self) -> str:
        """How long Prometheus keeps samples (requirements 8: 15 d in dev, 30 d in prod)."""
        return self.prometheus.retention or ("15d" if self.environment == "dev" else "30d")


def mirrored(reference: str, registry: str | None) -> str:
    """The same image in a private mirror: the public registry's host, if named, is replaced by the prefix."""
    if registry is None:
        return reference
    host, slash, rest = reference.partition("/")
    path = rest if slash and ("." in host or ":" in host) else reference
    return f"{registry}/{path}"


@cache
def settings_model() -> type[Settings]:
    """The settings with a section for every part that states one, and with every store in the systems' settings."""
    fields: dict[str, Any] = {
        part.section: (part.settings, Field(default_factory=part.settings, description=part.title))
        for part in parts().values()
        if part.settings is not None and part.section not in Settings.model_fields
    }
    systems = Settings.model_fields["systems"]
    fields["systems"] = (dict[str, system_settings_model()], systems)  # type: ignore[misc]  # created at run time
    return create_model("Settings", __base__=Settings, __doc__=Settings.__doc__, **fields)
