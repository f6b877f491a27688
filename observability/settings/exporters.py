"""Settings of the built-in exporters: what each watches. In dev the demo's servers are watched besides."""

from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, Field, field_validator

from observability.core.section import PartSettings, Section
from observability.core.types import Duration, MemoryMb, RepositoryFile, ServiceName, seconds


def _reached_from_a_container(address: str) -> str:
    if address.startswith(("localhost:", "127.")):
        raise ValueError("is the container itself to what runs in one; write the address by which others reach it")
    return address


Address = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*:\d{1,5}$", examples=["db.example.com:5432"]),
    AfterValidator(_reached_from_a_container),
]
"""host:port, as a container reaches it."""

SystemName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=63)]
"""The system that a target belongs to, in the label `system`."""


_Item = TypeVar("_Item", bound=Section)


class ProbeSettings(Section):
    """One address that is probed from outside."""

    name: ServiceName = Field(description="Name of the probe, in the label `probe`.")
    url: str = Field(description="http://…, https://… or tcp://host:port.", pattern=r"^(https?://|tcp://)[^\s@]+$")
    keyword: str | None = Field(None, description="Text that the page must hold, taken literally.", min_length=1)
    interval: Duration = Field("30s", description="How often it is probed; 5s to 2m.")
    system: SystemName = Field(description="The system it belongs to.")

    @field_validator("interval")
    @classmethod
    def _within_lookback(cls, value: str) -> str:
        if not 5 <= seconds(value) <= 120:
            raise ValueError("must be between 5s and 2m")
        return value


class BlackboxExporterSettings(PartSettings):
    """Probes of addresses from outside."""

    probes: tuple[ProbeSettings, ...] = Field((), description="What is probed.")
    memory_mb: MemoryMb = Field(64, description="Memory limit, MiB.")

    @field_validator("probes")
    @classmethod
    def _names_differ(cls, probes: tuple[ProbeSettings, ...]) -> tuple[ProbeSettings, ...]:
        return _one_each(probes, "name")


class HealthProbe(ProbeSettings):
    """A system's health page, by its system and path; no setting names it."""

    name: str
    ca: str | None = None
    server_name: str | None = None


class PostgresTarget(Section):
    """One PostgreSQL server. Its password is a line of the secret postgresPasswords."""

    address: Address = Field(description="Host and port.")
    database: str = Field("postgres", description="Database to connect to.", pattern=r"^[A-Za-z_][A-Za-z0-9_-]*$")
    user: str = Field("monitoring", description="A role that is in pg_monitor.", pattern=r"^[A-Za-z_][A-Za-z0-9_-]*$")
    ssl_mode: Literal["disable", "require", "verify-ca", "verify-full"] = Field(
        "require", description="libpq's sslmode."
    )
    system: SystemName = Field(description="The system it belongs to.")


class PostgresExporterSettings(PartSettings):
    """Metrics of PostgreSQL servers."""

    targets: tuple[PostgresTarget, ...] = Field((), description="The servers.")
    memory_mb: MemoryMb = Field(64, description="Memory limit, MiB.")

    @field_validator("targets")
    @classmethod
    def _addresses_differ(cls, targets: tuple[PostgresTarget, ...]) -> tuple[PostgresTarget, ...]:
        return _one_each(targets, "address")


class RedisTarget(Section):
    """One Redis server. Its password, if it has one, is an entry of the secret redisPasswords."""

    address: Address = Field(description="Host and port.")
    tls: bool = Field(False, description="Whether it is reached by TLS.")
    system: SystemName = Field(description="The system it belongs to.")

    @property
    def url(self) -> str:
        """The address as redis_exporter wants it."""
        return f"{'rediss' if self.tls else 'redis'}://{self.address}"


class RedisExporterSettings(PartSettings):
    """Metrics of Redis servers."""

    targets: tuple[RedisTarget, ...] = Field((), description="The servers.")
    memory_mb: MemoryMb = Field(64, description="Memory limit, MiB.")

    @field_validator("targets")
    @classmethod
    def _addresses_differ(cls, targets: tuple[RedisTarget, ...]) -> tuple[RedisTarget, ...]:
        return _one_each(targets, "address")


class MongodbTarget(Section):
    """One MongoDB server. Its password, if it has one, is a line of the secret mongodbPasswords."""

    address: Address = Field(description="Host and port; each member of a replica set is a target of its own.")
    user: str | None = Field(
        None,
        description="A user with the role clusterMonitor; none: the server asks for none.",
        pattern=r"^[^\s:,@/]+$",
    )
    auth_source: str = Field(
        "admin", description="Database that knows the user.", pattern=r"^[A-Za-z_][A-Za-z0-9_-]*$"
    )
    tls: bool = Field(False, description="Whether it is reached by TLS.")
    system: SystemName = Field(description="The system it belongs to.")


class MongodbExporterSettings(PartSettings):
    """Metrics of MongoDB servers."""

    targets: tuple[MongodbTarget, ...] = Field((), description="The servers.")
    ca: RepositoryFile | None = Field(
        None, description="Certificate of the authority behind the servers' own, PEM; none: the public ones."
    )
    memory_mb: MemoryMb = Field(64, description="Memory limit, MiB.")

    @field_validator("targets")
    @classmethod
    def _addresses_differ(cls, targets: tuple[MongodbTarget, ...]) -> tuple[MongodbTarget, ...]:
        return _one_each(targets, "address")


class ElasticsearchTarget(Section):
    """One Elasticsearch cluster, by one of its nodes. Its password is a line of the secret elasticsearchPasswords."""

    address: Address = Field(description="Host and HTTP port of a node; it answers for the whole cluster.")
    user: str | None = Field(
        None, description="A user who may monitor the cluster; none: it asks for none.", pattern=r"^[^\s:]+$"
    )
    tls: bool = Field(True, description="Whether it is reached by HTTPS.")
    system: SystemName = Field(description="The system it belongs to.")

    @property
    def url(self) -> str:
        """The address as elasticsearch_exporter wants it."""
        return f"{'https' if self.tls else 'http'}://{self.address}"


class ElasticsearchExporterSettings(PartSettings):
    """Metrics of Elasticsearch clusters."""

    targets: tuple[ElasticsearchTarget, ...] = Field((), description="The clusters.")
    ca: RepositoryFile | None = Field(
        None, description="Certificate of the authority behind the clusters' own, PEM; none: the public ones."
    )
    memory_mb: MemoryMb = Field(64, description="Memory limit, MiB.")

    @field_validator("targets")
    @classmethod
    def _addresses_differ(cls, targets: tuple[ElasticsearchTarget, ...]) -> tuple[ElasticsearchTarget, ...]:
        return _one_each(targets, "address")


class NginxTarget(Section):
    """One nginx server, by its stub_status page."""

    name: ServiceName = Field(description="Name of the server; its exporter is the service nginx-exporter-<name>.")
    url: str = Field(
        description="Address of its stub_status page.",
        pattern=r"^https?://[^\s@/]+/\S*$",
        examples=["http://web:8081/status"],
    )
    system: SystemName = Field(description="The system it belongs to.")

    @property
    def instance(self) -> str:
        """The server's host and port."""
        return self.url.split("/")[2]


class NginxExporterSettings(PartSettings):
    """Metrics of nginx servers."""

    targets: tuple[NginxTarget, ...] = Field((), description="The servers; each has an exporter of its own.")
    memory_mb: MemoryMb = Field(32, description="Memory limit of each exporter, MiB.")

    @field_validator("targets")
    @classmethod
    def _names_differ(cls, targets: tuple[NginxTarget, ...]) -> tuple[NginxTarget, ...]:
        return _one_each(targets, "name")


class NodeTarget(Section):
    """A node exporter on another host, run by whoever runs that host."""

    address: Address = Field(description="Host and port of the exporter.")
    host_name: str | None = Field(
        None,
        description="The host's name in the label `instance`; none: the address.",
        max_length=253,
        pattern=r"^[a-zA-Z0-9_.-]+$",
    )
    system: SystemName = Field(description="The system that runs on it.")


class CadvisorSettings(PartSettings):
    """Metrics of every container on the Docker host."""

    memory_mb: MemoryMb = Field(192, description="Memory limit, MiB.")


class DockerSettings(Section):
    """The Docker Engine's own metrics."""

    metrics_address: Address | None = Field(
        None,
        description="The engine's `metrics-addr` as containers reach it, like 172.30.90.1:9323; none: not scraped.",
    )


def _one_each(found: tuple[_Item, ...], field: str) -> tuple[_Item, ...]:
    taken: set[str] = set()
    for index, item in enumerate(found):
        value = getattr(item, field)
        if value in taken:
            raise ValueError(f"two entries have the {field} {value!r}; give entry {index} another, or take it out")
        taken.add(value)
    return found
