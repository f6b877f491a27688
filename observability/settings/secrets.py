"""The secrets of the stack: their names, their purpose, and where each is required.

A secret is a top-level configuration key, so that Pulumi stores it encrypted; a server receives its value only as a
file. Those of a part are stated in the part's descriptor.
"""

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, Literal

from observability.core.secret import SecretSpec, secret_name
from observability.parts.registry import parts
from observability.settings.hosts import tokens as hosts_tokens
from observability.settings.new_relic import SECRET as NEW_RELIC
from observability.settings.notifications import Receiver, receiver_secrets
from observability.settings.remote_write import secrets as remote_write_secrets
from observability.settings.uptime_robot import SECRET as UPTIME_ROBOT

_OF_THE_STACK: Final[Mapping[str, SecretSpec]] = MappingProxyType(
    {
        "alertWebhookUrl": SecretSpec(
            description="Address that receives every alert as a JSON POST (Alertmanager's webhook format).",
        ),
        "heartbeatUrl": SecretSpec(
            description="Address outside that gets the heartbeat, like a ping URL of Healthchecks.io.",
            required_in=frozenset({"prod"}),
        ),
        NEW_RELIC: SecretSpec(
            description="License key (type Ingest - License) of the account at New Relic, which receives the samples.",
        ),
        UPTIME_ROBOT: SecretSpec(
            description="Main API key of the account at UptimeRobot, which watches the endpoints from outside.",
        ),
        "smtpPassword": SecretSpec(
            description="Password of notifications.smtp.user at the mail server.",
        ),
    }
)

ScrapeSecret = Literal["Token", "Password", "Key"]

_SCRAPE: Final[Mapping[ScrapeSecret, str]] = MappingProxyType(
    {
        "Token": "Bearer token with which the metrics of {} are read.",
        "Password": "Password with which the metrics of {} are read.",
        "Key": "Private key, PEM, of the certificate with which the metrics of {} are read.",
    }
)

PATTERN: Final = "[a-z][A-Za-z0-9]*"
"""Pattern of any secret's name; those of systems, stores, receivers and exporters follow from settings."""


def scrape_secret(system: str, kind: ScrapeSecret) -> str:
    """Name of a secret with which a system is scraped: webShopScrapeToken for the system web-shop."""
    return secret_name(system, "Scrape", kind)


def stated_secrets() -> Mapping[str, SecretSpec]:
    """The secrets that do not depend on settings: the stack's own and those of its parts."""
    return {**_OF_THE_STACK, **{name: spec for part in parts().values() for name, spec in part.secrets.items()}}


def known_secrets(
    systems: Iterable[str],
    receivers: Mapping[str, Receiver] | None = None,
    settings: object = None,
    exporters: object = None,
    hosts: object = None,
    remote_write: object = None,
) -> Mapping[str, SecretSpec]:
    """Every secret that a stack may have: with these systems and receivers, and with the content, validated or not,
    of the sections `systems`, `exporters`, `hosts` and `remoteWrite`.
    """
    found = {
        secret.name: SecretSpec(
            description=f"{secret.secret.description} of the receiver {secret.receiver} ({secret.channel.title})."
        )
        for secret in receiver_secrets(receivers or {})
    }
    for system in systems:
        found |= {
            scrape_secret(system, kind): SecretSpec(description=text.format(system)) for kind, text in _SCRAPE.items()
        }
    found |= dict(_of_stores(settings))
    found |= dict(_of_exporters(exporters))
    found |= hosts_tokens(hosts)
    found |= dict(remote_write_secrets(remote_write))
    return {**found, **stated_secrets()}


def _of_stores(settings: object) -> Iterator[tuple[str, SecretSpec]]:
    for system, own in settings.items() if isinstance(settings, dict) else ():
        for part in parts().values():
            store = part.store
            listed: Any = own.get(store.key) if store and isinstance(own, dict) else None
            for server in listed if store and isinstance(listed, list) else ():
                name = server.get("name") if isinstance(server, dict) else None
                words = (
                    [str(system), store.key, *([name] if isinstance(name, str) else []), "Password"] if store else []
                )
                what = part.title.removeprefix("Metrics of ").rstrip(".")
                text = f"Password of the exporter at the {what} of {system}"
                if store and store.signs_in_with:
                    text = f"{store.signs_in_with} {name} of {system}"
                yield secret_name(*words), SecretSpec(description=f"{text}.", part=part.name)


def _of_exporters(exporters: object) -> Iterator[tuple[str, SecretSpec]]:
    for exporter in exporters if isinstance(exporters, list) else ():
        name = exporter.get("name") if isinstance(exporter, dict) else None
        keys = exporter.get("secrets") if isinstance(exporter, dict) else None
        for key in keys if isinstance(name, str) and isinstance(keys, dict) else ():
            yield secret_name(str(name), str(key)), SecretSpec(description=f"Secret {key} of the exporter {name}.")
