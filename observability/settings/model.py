"""The settings of one environment: what `Pulumi.<stack>.yaml` may say, with a default for everything."""

from ipaddress import IPv4Address, IPv4Network
from typing import Annotated, Final, Literal, Self

from pydantic import Field, field_validator, model_validator

from observability.core import naming
from observability.core.section import PartSettings, Section
from observability.core.types import Duration, ImageRef, MemoryMb, Port, ServiceName, seconds
from observability.parts.images import PINS, pinned
from observability.settings.exporters import (
    BlackboxExporterSettings,
    CadvisorSettings,
    DockerSettings,
    ElasticsearchExporterSettings,
    MongodbExporterSettings,
    NginxExporterSettings,
    NodeTarget,
    PostgresExporterSettings,
    RedisExporterSettings,
)
from observability.settings.grafana import GrafanaSettings
from observability.settings.logs import CollectorSettings, LokiSettings
from observability.settings.notifications import NotificationSettings
from observability.settings.on_call import GoAlertSettings, OnCallSettings
from observability.settings.systems import SystemSettings
from observability.systems.model import LONGEST_INTERVAL

Environment = Literal["dev", "staging", "prod"]

Link = Annotated[str, Field(pattern=r"^https?://[^\s/\"'@]+(/[^\s\"'@]*)?$")]
"""Address of a page that people open."""

Profile = Literal["full", "metrics", "minimal"]


class NetworkSettings(Section):
    """The Docker network that all services share."""

    subnet: IPv4Network = Field(
        IPv4Network("172.30.90.0/24"),
        description="Private IPv4 network of the stack, /16 to /28; stacks on one host need different ones.",
    )

    @field_validator("subnet")
    @classmethod
    def _usable(cls, subnet: IPv4Network) -> IPv4Network:
        if not subnet.is_private or not 16 <= subnet.prefixlen <= 28:
            raise ValueError("must be a private network between /16 and /28, like 172.30.90.0/24")
        return subnet

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


class PrometheusSettings(Section):
    """The metrics server."""

    port: Port = Field(9090, description="Port on the host.")
    scrape_interval: Duration = Field("15s", description="How often targets are read; 1s to 1m.")
    evaluation_interval: Duration = Field("15s", description="How often rules are evaluated; 1s to 2m.")
    retention: Duration | None = Field(None, description="How long samples are kept; default 15d in dev, else 30d.")
    retention_size: str | None = Field(
        None, description="Most disk the samples may take, like 20GB; none: no limit.", pattern=r"^[1-9]\d*(MB|GB|TB)$"
    )
    memory_mb: MemoryMb = Field(512, description="Memory limit, MiB.")

    @field_validator("scrape_interval")
    @classmethod
    def _four_in_a_rate(cls, value: str) -> str:
        # Rates are taken over 5 minutes; with fewer than four samples one lost scrape tells.
        if not 1 <= seconds(value) <= LONGEST_INTERVAL:
            raise ValueError("must be between 1s and 1m")
        return value

    @field_validator("evaluation_interval")
    @classmethod
    def _within_lookback(cls, value: str) -> str:
        # A series is stale after 5 minutes (Prometheus' default lookback); beyond 2m one lost scrape leaves a gap.
        if not 1 <= seconds(value) <= 120:
            raise ValueError("must be between 1s and 2m")
        return value


TURN_SECONDS: Final = 4
"""What each replica of Alertmanager gives the one before it to send a message.

One that waits looks at the alerts before it waits, and afterwards at what was sent meanwhile. Were that longer than
the 10 s between two looks, as the default of 15 s is, it would say of half of all alerts that they fire again, just
after the other has said that they are over. A receiver that takes longer than this to answer gets a message twice.
"""


class AlertmanagerSettings(Section):
    """The server that groups, mutes and delivers alerts."""

    port: Port = Field(9093, description="Port on the host; of several replicas the first one's.")
    replicas: int = Field(
        1, description="How many run, as a cluster that sends each message once; 1 to 3.", ge=1, le=3
    )
    retention: Duration = Field("120h", description="How long silences and sent notifications are remembered.")
    memory_mb: MemoryMb = Field(128, description="Memory limit of each, MiB.")

    @property
    def services(self) -> tuple[str, ...]:
        """The service of each replica."""
        return tuple(naming.replica("alertmanager", number) for number in range(1, self.replicas + 1))

    @property
    def longest_turn(self) -> int:
        """Seconds that the last replica gives the others to send a message before it sends it itself."""
        return (self.replicas - 1) * TURN_SECONDS


class NodeExporterSettings(PartSettings):
    """Metrics of the Docker host itself, and of the systems' hosts where a node exporter runs already."""

    port: Port = Field(9100, description="Port on the stack network's gateway; nothing else on the host may hold it.")
    host_name: str = Field(
        "docker-host",
        description="The host's name in the label `instance`.",
        max_length=253,
        pattern=r"^[a-zA-Z0-9_.-]+$",
    )
    targets: tuple[NodeTarget, ...] = Field(
        (), description="Node exporters on other hosts; this stack only reads them."
    )
    memory_mb: MemoryMb = Field(64, description="Memory limit, MiB.")


class LinksSettings(Section):
    """Where the links in alerts lead."""

    runbooks: str | None = Field(
        None,
        description="Address of the pages of runbooks/, like https://git.example.com/monitoring/blob/main/runbooks; "
        "none: their path in the repository.",
        pattern=r"^https?://[^\s\"']+$",
    )
    prometheus: Link | None = Field(None, description="Where people find Prometheus; none: its port on the host.")
    alertmanager: Link | None = Field(None, description="Where people find Alertmanager; none: its port on the host.")
    grafana: Link | None = Field(None, description="Where people find Grafana; none: where obs finds it.")
    goalert: Link | None = Field(None, description="Where people find GoAlert; none: its port on the host.")


class DemoSettings(PartSettings):
    """The worked example that a dev stack watches; it runs in dev alone."""

    port: Port = Field(8088, description="Port on the host of the proxy before the service.")
    fault_port: Port = Field(3999, description="Port on the host where the service's faults are switched.")
    rate: float = Field(
        4.0, description="Requests a second of the shop's own at its busiest hour; 0.1 to 50.", ge=0.1, le=50
    )


class ExporterSettings(Section):
    """An exporter of your own choice, run and scraped with the stack."""

    name: ServiceName = Field(description="Name of the service and of its scrape job.")
    image: ImageRef = Field(description="Image with a tag.")
    port: Port = Field(description="Port inside the container where the metrics are.")
    path: str = Field("/metrics", description="Path of the metrics.", pattern=r"^/\S*$")
    command: tuple[str, ...] = Field((), description="Arguments of the image's entry point. No secrets here.")
    user: str = Field("65534", description="User as uid or uid:gid, not root.", pattern=r"^[1-9]\d*(:\d+)?$")
    memory_mb: MemoryMb = Field(64, description="Memory limit, MiB.")


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
        IPv4Address("127.0.0.1"), description="Host address on which ports are published; loopback by default."
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
    blackbox_exporter: BlackboxExporterSettings = Field(
        default_factory=BlackboxExporterSettings, description="Probes of addresses from outside."
    )
    postgres_exporter: PostgresExporterSettings = Field(
        default_factory=PostgresExporterSettings, description="Metrics of PostgreSQL servers."
    )
    redis_exporter: RedisExporterSettings = Field(
        default_factory=RedisExporterSettings, description="Metrics of Redis servers."
    )
    nginx_exporter: NginxExporterSettings = Field(
        default_factory=NginxExporterSettings, description="Metrics of nginx servers."
    )
    mongodb_exporter: MongodbExporterSettings = Field(
        default_factory=MongodbExporterSettings, description="Metrics of MongoDB servers."
    )
    elasticsearch_exporter: ElasticsearchExporterSettings = Field(
        default_factory=ElasticsearchExporterSettings, description="Metrics of Elasticsearch clusters."
    )
    docker: DockerSettings = Field(default_factory=DockerSettings, description="The Docker Engine's own metrics.")
    cadvisor: CadvisorSettings = Field(default_factory=CadvisorSettings, description="Metrics of every container.")
    grafana: GrafanaSettings = Field(default_factory=GrafanaSettings, description="Dashboards.")
    notifications: NotificationSettings = Field(
        default_factory=NotificationSettings, description="Who hears of alerts, and by which channel."
    )
    on_call: OnCallSettings = Field(default_factory=OnCallSettings, description="Who is on call, as data.")
    goalert: GoAlertSettings = Field(default_factory=GoAlertSettings, description="What tells whoever is on call.")
    links: LinksSettings = Field(default_factory=LinksSettings, description="Where the links in alerts lead.")
    demo: DemoSettings = Field(default_factory=DemoSettings, description="The worked example of a dev stack.")
    systems: dict[str, SystemSettings] = Field(
        {}, description="The watched systems in this environment, by name; `platform`: the stack's own parts and host."
    )
    exporters: tuple[ExporterSettings, ...] = Field(
        (), description="Exporters of your own choice, in addition to the built-in ones."
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
        ports |= {"demo.port": self.demo.port, "demo.faultPort": self.demo.fault_port}
        if self.goalert.enabled:
            ports["goalert.port"] = self.goalert.port
        holders: dict[int, str] = {}
        for field, port in ports.items():
            if port in holders:
                raise ValueError(f"{field} and {holders[port]} are both {port}; give each its own port")
            holders[port] = field
        return self

    def image(self, service: str) -> str:
        """Full reference of a built-in service's image: its pin or override, behind the private mirror if any."""
        reference = self.images.overrides.get(service) or pinned(service)
        return mirrored(reference, self.images.registry)

    def exporter_image(self, exporter: ExporterSettings) -> str:
        """Full reference of the image of an exporter of your own choice."""
        return mirrored(exporter.image, self.images.registry)

    @property
    def retention(self) -> str:
        """How long Prometheus keeps samples (requirements 8: 15 d in dev, 30 d in prod)."""
        return self.prometheus.retention or ("15d" if self.environment == "dev" else "30d")


def mirrored(reference: str, registry: str | None) -> str:
    """The same image in a private mirror: the public registry's host, if named, gives way to the prefix."""
    if registry is None:
        return reference
    host, slash, rest = reference.partition("/")
    path = rest if slash and ("." in host or ":" in host) else reference
    return f"{registry}/{path}"
