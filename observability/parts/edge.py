"""The edge: the one TLS address of a stack, to which the agents on other hosts send."""

from ipaddress import IPv4Address
from typing import Final, Self

from pydantic import Field, model_validator

from observability.core.secret import SecretSpec
from observability.core.section import PartSettings, Section
from observability.core.types import MemoryMb, Port
from observability.parts import authority as own_authority
from observability.parts.caddy import CADDY, METRICS_PORT, Tls
from observability.parts.model import NEVER, Allowance, Part, Server

AUTHORITY: Final = "edgeAuthorityCertificate"
"""Secret with the certificate of the stack's own authority, PEM, which agents trust."""
AUTHORITY_KEY: Final = "edgeAuthorityKey"
"""Secret with the private key of that authority."""
AUTHORITY_NEXT: Final = f"{AUTHORITY}Next"
AUTHORITY_KEY_NEXT: Final = f"{AUTHORITY_KEY}Next"
AUTHORITY_PREVIOUS: Final = f"{AUTHORITY}Previous"
"""Secrets with the authority that follows, and with the certificate of the one before: agents trust both as well."""
CERTIFICATE: Final = "edgeCertificate"
KEY: Final = "edgeKey"
"""Secrets with the certificate of the settings and its private key."""
PRIVATE_AUTHORITY: Final = "edgeCertificateAuthority"
"""Secret with the certificate of the authority that signed it, where systems do not trust that already."""

HTTPS: Final = 443
"""The port at which a public authority checks who serves an address."""


class EdgeAcmeSettings(Section):
    """A certificate of a public authority by ACME, which needs the port 443 of a public name."""

    email: str | None = Field(
        None, description="Address that the authority writes to.", pattern=r"^[^\s@]+@[^\s@]+$", max_length=254
    )


class EdgeFilesSettings(Section):
    """A certificate of your own: the secrets edgeCertificate (with its chain) and edgeKey."""

    private_authority: bool = Field(
        False, description="Whether agents trust the secret edgeCertificateAuthority instead of their system's roots."
    )


class EdgeTlsSettings(Section):
    """Who signs the certificate of the edge; neither of the two: an authority of the stack's own."""

    acme: EdgeAcmeSettings | None = Field(None, description="A public authority, by ACME.")
    files: EdgeFilesSettings | None = Field(None, description="The issuer of the certificate in your secrets.")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.acme is not None and self.files is not None:
            raise ValueError("has acme and files; a certificate comes from one of them, remove the other")
        return self


class EdgeSettings(PartSettings):
    """The one TLS address of the stack, to which the agents on other hosts send."""

    enabled: bool | None = Field(None, description="Whether it runs; none: where hosts are listed.")
    address: str | None = Field(
        None,
        description="Name or IPv4 address by which other hosts reach it; required with hosts.",
        max_length=253,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]*$",
        examples=["monitoring.example.com"],
    )
    port: Port = Field(8443, description="Port on the host.")
    bind_address: IPv4Address = Field(
        IPv4Address("0.0.0.0"),  # noqa: S104 - other hosts reach it
        description="Address of the host on which the port is published; of no other service.",
    )
    tls: EdgeTlsSettings = Field(default_factory=EdgeTlsSettings, description="Its certificate.")
    memory_mb: MemoryMb = Field(128, description="Memory limit, MiB.")

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.enabled and self.address is None:
            raise ValueError("has no address, by which other hosts reach it; add address, like monitoring.example.com")
        if self.tls.acme is not None and self.port != HTTPS:
            raise ValueError(f"has tls.acme and port {self.port}; the authority connects to {HTTPS}, so set that")
        return self

    @property
    def url(self) -> str:
        """Its address, as agents use it."""
        return f"https://{self.address}:{self.port}"

    @property
    def signed_by(self) -> Tls:
        """Who signs its certificate."""
        if self.tls.acme is not None:
            return "acme"
        return "authority" if self.tls.files is None else "files"

    @property
    def authority(self) -> str | None:
        """Secret with the certificate of the authority that agents trust; None: the system's roots."""
        if self.tls.files is not None and self.tls.files.private_authority:
            return PRIVATE_AUTHORITY
        return AUTHORITY if self.signed_by == "authority" else None

    @property
    def pair(self) -> tuple[str, str] | None:
        """Secrets with the certificate and the key that it is started with; None: it gets both by itself."""
        return {"authority": (AUTHORITY, AUTHORITY_KEY), "files": (CERTIFICATE, KEY), "acme": None}[self.signed_by]

    @property
    def wanted_secrets(self) -> tuple[tuple[str, str], ...]:
        """Every setting that needs a secret that is not generated, and the secret's name."""
        if self.tls.files is None:
            return ()
        found = [("tls.files", CERTIFICATE), ("tls.files", KEY)]
        if self.tls.files.private_authority:
            found.append(("tls.files.privateAuthority", PRIVATE_AUTHORITY))
        return tuple(found)


PART: Final = Part[EdgeSettings, Server](
    name="edge",
    title="The address that agents send to.",
    settings=EdgeSettings,
    profiles=NEVER,
    for_hosts=True,
    rules=("hosts",),
    secrets={
        AUTHORITY: SecretSpec(
            description="Certificate of the stack's own authority, which agents trust.",
            generated=True,
            part="edge",
            together=lambda: own_authority.make(AUTHORITY, AUTHORITY_KEY, "Monitoring stack"),
            due=own_authority.due,
            previous=AUTHORITY_PREVIOUS,
            next=AUTHORITY_NEXT,
        ),
        AUTHORITY_KEY: SecretSpec(
            description="Private key of the stack's own authority; keep it.",
            generated=True,
            part="edge",
            made_with=AUTHORITY,
            next=AUTHORITY_KEY_NEXT,
        ),
        AUTHORITY_NEXT: SecretSpec(
            description="Certificate of the authority that follows during a rotation.", part="edge", transient=True
        ),
        AUTHORITY_KEY_NEXT: SecretSpec(
            description="Private key of the authority that follows.", part="edge", transient=True
        ),
        AUTHORITY_PREVIOUS: SecretSpec(
            description="Certificate of the authority before, during a rotation.", part="edge", transient=True
        ),
        CERTIFICATE: SecretSpec(
            description="Certificate of the edge with its chain, PEM, where edge.tls.files is set.", part="edge"
        ),
        KEY: SecretSpec(description="Private key of edgeCertificate, PEM.", part="edge"),
        PRIVATE_AUTHORITY: SecretSpec(
            description="Certificate of the authority that signed edgeCertificate, PEM, for the agents.", part="edge"
        ),
    },
    images=(CADDY,),
    job="edge",
    port=METRICS_PORT,
    allowances=(
        Allowance(
            service="edge",
            rule="no capability",
            reason="the official program has the file capability NET_BIND_SERVICE, and the kernel does not start it "
            "without; it binds no port below 1024",
        ),
    ),
)
