"""The log collector: the OpenTelemetry Collector."""

from collections.abc import Iterator
from ipaddress import IPv4Address
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from observability.core.secret import SecretSpec
from observability.core.section import PartSettings, Section
from observability.core.types import MemoryMb, Port, RepositoryFile
from observability.parts.busybox import BUSYBOX
from observability.parts.model import FULL, Allowance, Here, Part, Scraped, Server, own
from observability.parts.otel_collector import LINES, OTEL, PORT

NAME: Final = "collector"
"""Name of the part, of its service and of its scrape job."""


SYSLOG_KEY: Final = "collectorSyslogKey"
"""Secret with the private key of the listeners that use TLS."""


class SyslogListener(Section):
    """A port at which syslog messages arrive, RFC 5424 or RFC 3164."""

    port: Port = Field(description="Port on the host.")
    protocol: Literal["udp", "tcp", "tls"] = Field("udp", description="How messages arrive.")
    framing: Literal["newline", "octet-counting"] = Field(
        "newline",
        description="Where a message ends, with tcp and tls: at a line break, or after the number of bytes before it "
        "(RFC 6587; what RFC 5425 demands with TLS).",
    )
    bind_address: IPv4Address | None = Field(None, description="Address on the host; none: `bindAddress`.")
    host: str | None = Field(
        None,
        description="Host that listens, of the section `hosts`; none: the stack's own Docker host.",
        pattern=r"^[a-z][a-z0-9-]*$",
        max_length=63,
    )
    certificate: RepositoryFile | None = Field(
        None, description=f"Certificate with tls, PEM; its key is the secret {SYSLOG_KEY}."
    )
    client_ca: RepositoryFile | None = Field(
        None, description="Certificate of the authority of the senders, PEM; none: a sender needs no certificate."
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.protocol == "tls" and self.certificate is None:
            raise ValueError("has the protocol tls and no certificate; add certificate, the path of a PEM file")
        if self.protocol != "tls" and (self.certificate or self.client_ca):
            raise ValueError(f"has a certificate and the protocol {self.protocol}; write protocol: tls")
        if self.protocol == "udp" and self.framing != "newline":
            raise ValueError("has a framing, and with udp each datagram is a message; remove framing")
        return self

    @property
    def transport(self) -> Literal["udp", "tcp"]:
        """Protocol of the port."""
        return "udp" if self.protocol == "udp" else "tcp"


def _ports(found: tuple[SyslogListener, ...]) -> tuple[SyslogListener, ...]:
    taken = set[tuple[str | None, str, int]]()
    for index, one in enumerate(found):
        key = (one.host, one.transport, one.port)
        if key in taken:
            raise ValueError(f"two entries have the port {one.port}/{one.transport}; give entry {index} another port")
        taken.add(key)
    return found


class CollectorSettings(PartSettings):
    """The OpenTelemetry Collector, which reads containers' logs, files and syslog and sends them to Loki."""

    memory_mb: MemoryMb = Field(192, description="Memory limit, MiB.")
    syslog: Annotated[tuple[SyslogListener, ...], AfterValidator(_ports)] = Field(
        (), description="Ports at which syslog messages arrive; `systems.<name>.logs.syslog` says whose they are."
    )
    redact_email: bool = Field(False, description="Whether mail addresses are replaced by *** as secrets are.")


def _targets(_: Here[Any, Any]) -> Iterator[Scraped]:
    """Its own metrics, and the counters of what is in the lines."""
    yield from (own(f"{NAME}:{port}") for port in (PORT, LINES))


PART: Final = Part[CollectorSettings, Server](
    name=NAME,
    title="The log collector.",
    settings=CollectorSettings,
    profiles=FULL,
    needs=("loki", "docker-proxy"),
    # That of its health check, as its own has no shell.
    images=(OTEL, BUSYBOX),
    on_hosts=True,
    rules=("collector",),
    job=NAME,
    targets=_targets,
    secrets={
        SYSLOG_KEY: SecretSpec(description="Private key, PEM, of the certificate of `collector.syslog`.", part=NAME)
    },
    # Its counters have the stream's own `system`.
    scrape={
        "honor_labels": True,
        # It counts by receiver, of which every container has its own, named after its id.
        "metric_relabel_configs": [
            {"source_labels": ["receiver"], "regex": ".+/receiver_creator/.+", "action": "drop"}
        ],
    },
    allowances=(
        Allowance(
            service=NAME,
            rule="not root",
            reason="Docker's files of logs are root's",
        ),
        Allowance(
            service=f"{NAME} with files",
            rule="no capability",
            reason="log files of programs are often their own user's alone: where the settings name files, it has "
            "DAC_READ_SEARCH, with which it reads them in the folders that it sees, read-only",
        ),
    ),
)
"""The log collector."""
