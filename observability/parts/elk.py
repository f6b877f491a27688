"""Elasticsearch, Logstash and Kibana, in addition to Loki; off unless the section `elk` is there."""

from typing import Annotated, Final, Self

from pydantic import Field, field_validator, model_validator

from observability.core.secret import SecretSpec
from observability.core.section import PartSettings, Section
from observability.core.types import Duration, MemoryMb, Port, RepositoryFile, seconds
from observability.parts import authority
from observability.parts.busybox import BUSYBOX
from observability.parts.model import ALWAYS, Image, Part, Server
from observability.parts.notifier import PART as NOTIFIER
from observability.parts.traces import HttpUrl

NAME: Final = "elk"
VERSION: Final = "9.5.2"
"""Version of all three: Kibana and Logstash are to be of that of Elasticsearch."""

ELASTICSEARCH: Final = "elasticsearch"
LOGSTASH: Final = "logstash"
KIBANA: Final = "kibana"
SETUP: Final = "elk-setup"
"""The services."""

HTTP: Final = 9200
LINES: Final = 5000
OTLP: Final = 8080
API: Final = 9600
PAGES: Final = 5601
"""Ports in the containers: of Elasticsearch, of lines and of the collector at Logstash, of its API, of Kibana."""

AUTHORITY: Final = "elkAuthority"
SERVERS: Final = {
    name: (f"elk{name.capitalize()}Certificate", f"elk{name.capitalize()}Key")
    for name in (ELASTICSEARCH, LOGSTASH, KIBANA)
}
"""Secrets with the certificate and the key of each server."""
COLLECTOR_PASSWORD: Final = "elkCollectorPassword"  # noqa: S105 - as all of these, the name of a secret
EXPORTER_PASSWORD: Final = "platformElasticsearchElkPassword"  # noqa: S105
SERVER_NAME: Final = "elk"
"""Name of the stack's own Elasticsearch among those that are watched."""
EXTERNAL_PASSWORD: Final = "elkExternalPassword"  # noqa: S105
EXTERNAL_KIBANA_PASSWORD: Final = "elkExternalKibanaPassword"  # noqa: S105
ENCRYPTION_KEY: Final = "elkKibanaEncryptionKey"

USERS: Final = {
    "obs-admin": "elkAdminPassword",
    "obs-kibana": "elkKibanaPassword",
    "obs-logstash": "elkLogstashPassword",
    "obs-setup": "elkSetupPassword",
    "obs-grafana": "elkGrafanaPassword",
    "obs-exporter": EXPORTER_PASSWORD,
}
"""The users of the stack's own Elasticsearch, and the secret with the password of each."""

_DAY: Final = 86_400.0

LineType = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$")]
"""A value of the field `type` of a line."""


class ElasticsearchSettings(Section):
    """The single node that the stack runs."""

    port: Port = Field(HTTP, description="Port on the host.")
    memory_mb: MemoryMb = Field(2048, description="Memory limit, MiB; half of it is the heap.", ge=1024)


class ExternalSettings(Section):
    """An Elasticsearch that is there already, of the same major version. Its users are your own."""

    url: HttpUrl = Field(description="Its address.", examples=["https://search.example.com:9200"])
    user: str = Field(
        description="User who writes lines, and installs the template and the policy; the password is the secret "
        f"{EXTERNAL_PASSWORD}.",
        pattern=r"^[^\s:\"\\$]+$",
    )
    kibana_user: str = Field(
        "kibana_system",
        description=f"User with which Kibana signs in; the password is the secret {EXTERNAL_KIBANA_PASSWORD}.",
        pattern=r"^[^\s:\"\\$]+$",
    )
    ca: RepositoryFile | None = Field(
        None, description="Certificate of the authority that signed its certificate, PEM; none: the public ones."
    )
    replicas: int = Field(1, description="Copies of each index.", ge=0, le=10)


class LogstashSettings(Section):
    """Logstash: takes lines, one JSON object each, and writes them into indices of a day."""

    port: Port = Field(LINES, description="Port on the host for lines of JSON by TCP.")
    tls: bool = Field(
        True, description="Whether senders use TLS, and trust the certificate in the secret elkAuthority."
    )
    queue_mb: int = Field(1024, description="Lines that wait on disk for Elasticsearch, MiB.", ge=64, le=1_048_576)
    memory_mb: MemoryMb = Field(1024, description="Memory limit, MiB; half of it is the heap.", ge=512)


class KibanaSettings(Section):
    """Kibana."""

    enabled: bool = Field(True, description="Whether it runs.")
    port: Port = Field(PAGES, description="Port on the host.")
    memory_mb: MemoryMb = Field(1024, description="Memory limit, MiB; half of it is the heap.", ge=512)


class ElkSettings(PartSettings):
    """Elasticsearch, Logstash and Kibana: lines by TCP, in indices of a day."""

    enabled: bool | None = Field(None, description="Whether they run; none: where this section is there.")
    elasticsearch: ElasticsearchSettings = Field(
        default_factory=ElasticsearchSettings, description="The node of the stack."
    )
    external: ExternalSettings | None = Field(
        None, description="An Elasticsearch that is there already; none: the stack runs a node."
    )
    logstash: LogstashSettings = Field(default_factory=LogstashSettings, description="Logstash.")
    kibana: KibanaSettings = Field(default_factory=KibanaSettings, description="Kibana.")
    retention: Duration | None = Field(
        None, description="How long lines are kept, whole days; default 168h in dev, 336h in staging, 744h in prod."
    )
    types: tuple[LineType, ...] = Field(
        ("nodejs",),
        description="Values of the field `type` whose lines go to logs-YYYY.MM.DD; others go to other-YYYY.MM.DD.",
        min_length=1,
    )
    collector: bool = Field(
        False, description="Whether the collector of this host sends its lines here too, to lines-YYYY.MM.DD."
    )

    @field_validator("retention")
    @classmethod
    def _whole_days(cls, value: str | None) -> str | None:
        if value is not None and (seconds(value) < _DAY or seconds(value) % _DAY):
            raise ValueError("must be whole days, as each index has the lines of a day; write it like 168h or 30d")
        return value

    @model_validator(mode="after")
    def _ports_differ(self) -> Self:
        ports = list(self.ports.values())
        for name, port in self.ports.items():
            if ports.count(port) > 1:
                raise ValueError(f"{name}.port is {port}, as is another port of this section; give each its own")
        return self

    @property
    def ports(self) -> dict[str, int]:
        """The ports on the host, by the service."""
        found = {LOGSTASH: self.logstash.port}
        if self.external is None:
            found[ELASTICSEARCH] = self.elasticsearch.port
        if self.kibana.enabled:
            found[KIBANA] = self.kibana.port
        return found

    @property
    def wanted_secrets(self) -> tuple[tuple[str, str], ...]:
        """Every setting that needs a secret, and the secret's name."""
        if self.external is None or self.enabled is False:
            return ()
        kibana = (("external.kibanaUser", EXTERNAL_KIBANA_PASSWORD),) if self.kibana.enabled else ()
        return (("external.user", EXTERNAL_PASSWORD), *kibana)


def _own(settings: ElkSettings | None) -> bool:
    """Whether the stack runs Elasticsearch itself."""
    return settings is not None and settings.external is None


def _image(service: str) -> str:
    return f"docker.elastic.co/{service}/{service}:{VERSION}"


def _generated(description: str) -> SecretSpec:
    return SecretSpec(description=description, generated=True, part=NAME)


PART: Final = Part[None, Server](
    name=NAME,
    title="Elasticsearch, Logstash and Kibana.",
    profiles=ALWAYS,
    active=lambda settings: settings is not None,
    images=(
        Image(name=LOGSTASH, reference=_image(LOGSTASH)),
        Image(name=ELASTICSEARCH, reference=_image(ELASTICSEARCH), wanted=_own),
        Image(
            name=KIBANA,
            reference=_image(KIBANA),
            wanted=lambda settings: settings is not None and settings.kibana.enabled,
        ),
        # Its Python installs the template and the policy.
        *NOTIFIER.images,
        BUSYBOX,
    ),
    secrets={
        AUTHORITY: SecretSpec(
            description="Certificate of the authority of Elasticsearch, Logstash and Kibana, for clients.",
            generated=True,
            part=NAME,
            together=lambda: authority.with_servers(
                AUTHORITY, SERVERS, "Monitoring stack: logs", ("localhost", "127.0.0.1")
            ),
            due=authority.due,
        ),
        **{
            name: SecretSpec(description=f"{what} of {server}.", generated=True, part=NAME, made_with=AUTHORITY)
            for server, pair in SERVERS.items()
            for name, what in zip(pair, ("Certificate", "Private key"), strict=True)
        },
        "elkAdminPassword": _generated("Password of obs-admin, a superuser, in Kibana and Elasticsearch."),
        "elkKibanaPassword": _generated("Password of Kibana at Elasticsearch."),
        "elkLogstashPassword": _generated("Password of Logstash at Elasticsearch."),
        "elkSetupPassword": _generated("Password with which the template and the policy are installed."),
        "elkGrafanaPassword": _generated("Password of Grafana at Elasticsearch."),
        EXPORTER_PASSWORD: _generated("Password of the exporter and of the health check at Elasticsearch."),
        COLLECTOR_PASSWORD: _generated("Password of the collector at Logstash."),
        ENCRYPTION_KEY: SecretSpec(
            description="Key with which Kibana encrypts what it stores; keep it.",
            generated=True,
            part=NAME,
            not_rotated=(
                "what Kibana has stored encrypted can be read with this key alone",
                "store another with ./obs secret set, and make its rules and connectors anew",
            ),
        ),
        EXTERNAL_PASSWORD: SecretSpec(description="Password of elk.external.user.", part=NAME),
        EXTERNAL_KIBANA_PASSWORD: SecretSpec(description="Password of elk.external.kibanaUser.", part=NAME),
    },
)
"""The three servers."""
