"""The secrets the stack knows: their names, what they are for, and where one is required.

A secret is a top-level configuration key, so that Pulumi keeps it encrypted; its value reaches a server as a file
and nothing else.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from pydantic.alias_generators import to_camel

from observability.settings.notifications import Receiver, SecretKind, receiver_secrets


@dataclass(frozen=True, kw_only=True)
class SecretSpec:
    """One secret: what it is, and the environments that cannot do without.

    A generated one is made by `obs` before the first update that needs it, unless one was set before; `part` is the
    part of the stack it belongs to, none: the whole.
    """

    description: str
    required_in: frozenset[str] = frozenset()
    generated: bool = False
    part: str | None = None


SECRETS: Final[Mapping[str, SecretSpec]] = MappingProxyType(
    {
        "alertWebhookUrl": SecretSpec(
            description="Address that receives every alert as a JSON POST (Alertmanager's webhook format).",
        ),
        "heartbeatUrl": SecretSpec(
            description="Address that is told all the time that alerts flow (Healthchecks.io's ping URL, say).",
            required_in=frozenset({"prod"}),
        ),
        "smtpPassword": SecretSpec(
            description="Password of notifications.smtp.user at the mail server.",
        ),
        "grafanaAdminPassword": SecretSpec(
            description="Password of the user admin of the Grafana that the stack runs; it counts on its first start.",
            generated=True,
            part="grafana",
        ),
        "demoDatabasePassword": SecretSpec(
            description="Password with which the demo's service comes to its database.",
            generated=True,
            part="demo",
        ),
        "demoMonitoringPassword": SecretSpec(
            description="Password with which the exporter comes to the demo's database, only to read figures.",
            generated=True,
            part="demo",
        ),
        "grafanaAuth": SecretSpec(
            description="Service account token, or user:password, of the external Grafana that grafana.url names.",
        ),
        "grafanaOidcSecret": SecretSpec(
            description="What Grafana proves itself with to the identity provider of grafana.oidc.", part="grafana"
        ),
        "grafanaElasticsearchPassword": SecretSpec(
            description="Password of the user of grafana.dataSources.elasticsearch.",
        ),
        "grafanaCloudwatchSecretKey": SecretSpec(
            description="Secret half of the access key of grafana.dataSources.cloudwatch.",
        ),
        "goalertAdminPassword": SecretSpec(
            description="Password of the user admin of GoAlert, as whom ./obs oncall-sync comes.",
            generated=True,
            part="goalert",
        ),
        "goalertDatabasePassword": SecretSpec(
            description="Password with which GoAlert comes to its database.", generated=True, part="goalert"
        ),
        "goalertEncryptionKey": SecretSpec(
            description="Key with which GoAlert encrypts what is secret in its database; keep it.",
            generated=True,
            part="goalert",
        ),
        "lokiS3Credentials": SecretSpec(
            description="Keys of Loki's object storage, in the form of an AWS credentials file.", part="loki"
        ),
        "postgresPasswords": SecretSpec(
            description="Passwords of the watched PostgreSQL servers: lines host:port:database:user:password.",
            part="postgres-exporter",
        ),
        "redisPasswords": SecretSpec(
            description='Passwords of the watched Redis servers, as JSON: {"redis://host:6379": "password"}.',
            part="redis-exporter",
        ),
        "mongodbPasswords": SecretSpec(
            description="Passwords of the watched MongoDB servers: lines host:port:user:password.",
            part="mongodb-exporter",
        ),
        "elasticsearchPasswords": SecretSpec(
            description="Passwords of the watched Elasticsearch clusters: lines host:port:user:password.",
            part="elasticsearch-exporter",
        ),
    }
)
"""Every secret by its configuration key."""

ScrapeSecret = Literal["Token", "Password", "Key"]

_SCRAPE: Final[Mapping[ScrapeSecret, str]] = MappingProxyType(
    {
        "Token": "Bearer token with which the metrics of {} are read.",
        "Password": "Password with which the metrics of {} are read.",
        "Key": "Private key, PEM, of the certificate with which the metrics of {} are read.",
    }
)

SCRAPE_PATTERN: Final = f"[a-z][A-Za-z0-9]*Scrape({'|'.join(_SCRAPE)})"
"""What the names of the systems' own secrets look like."""


def scrape_secret(system: str, kind: ScrapeSecret) -> str:
    """Name of a secret with which a system is scraped: socialSellingScrapeToken."""
    return f"{to_camel(system.replace('-', '_'))}Scrape{kind}"


_RECEIVER: Final[Mapping[SecretKind, str]] = MappingProxyType(
    {
        "Url": "Address of the webhook of {} ({}).",
        "Token": "Token with which {} ({}) is told.",
        "Key": "Key with which {} ({}) is told.",
        "User": "Key of the user or group that {} ({}) tells.",
    }
)

RECEIVER_PATTERN: Final = f"[a-z][A-Za-z0-9]*({'|'.join(_RECEIVER)})"
"""What the names of the receivers' secrets look like."""


def known_secrets(systems: Iterable[str], receivers: Mapping[str, Receiver] | None = None) -> Mapping[str, SecretSpec]:
    """Every secret that a stack with these systems and receivers may have."""
    return {
        **SECRETS,
        **{
            secret.name: SecretSpec(description=_RECEIVER[secret.kind].format(secret.receiver, secret.channel))
            for secret in receiver_secrets(receivers or {})
            if secret.name not in SECRETS
        },
        **{
            scrape_secret(system, kind): SecretSpec(description=text.format(system))
            for system in systems
            for kind, text in _SCRAPE.items()
        },
    }
