"""The other hosts: machines besides the stack's own Docker host, each with an agent of the stack."""

from collections.abc import Mapping
from ipaddress import IPv4Network
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from observability.core.secret import SecretSpec, secret_name
from observability.core.section import Section
from observability.core.types import Subnet


def _engine(value: str) -> str:
    """The address unchanged; ValueError where it is none of a Docker Engine."""
    found = urlsplit(value)
    try:
        port = found.port
    except ValueError:
        port = 0
    if found.scheme not in ("unix", "ssh", "tcp"):
        raise ValueError("is no address of a Docker Engine; write it like ssh://root@10.0.0.2 or tcp://10.0.0.2:2376")
    if found.scheme == "unix":
        if found.netloc or not found.path.startswith("/"):
            raise ValueError("names no socket; write it like unix:///run/docker-web-2.sock")
        return value
    if not found.hostname or found.path.strip("/") or found.query or port == 0:
        raise ValueError(f"is no address of a host; write it like {found.scheme}://10.0.0.2")
    if found.password is not None:
        raise ValueError("holds a password; ssh takes keys only, so write it like ssh://root@10.0.0.2")
    if found.scheme == "tcp" and port is None:
        raise ValueError(f"has no port; write it like {value.rstrip('/')}:2376")
    return value


EngineAddress = Annotated[
    str, AfterValidator(_engine), Field(examples=["ssh://root@10.0.0.2", "tcp://10.0.0.2:2376", "unix:///run/d.sock"])
]
"""Address of a Docker Engine, as for DOCKER_HOST."""


class HostSettings(Section):
    """One host, and how its Docker Engine is reached from the machine that runs obs."""

    docker: EngineAddress = Field(
        description="Its Docker Engine: ssh://user@host (with the keys and settings of this machine's ssh), "
        "tcp://host:port with `tls`, or unix:///path."
    )
    tls: str | None = Field(
        None,
        description="Folder with ca.pem, cert.pem and key.pem, as for DOCKER_CERT_PATH; for tcp:// only. The files "
        "stay where they are.",
        pattern=r"^[^\s].*$",
        examples=["~/.docker/web-2"],
    )
    address: str | None = Field(
        None,
        description="Address by which targets on it are scraped, if any: HostSilent mutes their alerts; none: the "
        "host of `docker`.",
        max_length=253,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$",
    )
    subnet: Subnet = Field(
        IPv4Network("172.30.91.0/24"), description="Private IPv4 network of the agent's containers there, /16 to /28."
    )

    @model_validator(mode="after")
    def _tls_with_tcp(self) -> "HostSettings":
        over_tcp = self.docker.startswith("tcp://")
        if over_tcp and self.tls is None:
            raise ValueError(
                "tcp:// without tls makes everyone who reaches the port root of the host; add tls, the folder with "
                "ca.pem, cert.pem and key.pem, or use ssh://"
            )
        if self.tls is not None and not over_tcp:
            raise ValueError("tls belongs to tcp:// only; remove it")
        return self

    @property
    def named(self) -> str | None:
        """The host's own address, by the settings; None for a socket of this machine."""
        return self.address or urlsplit(self.docker).hostname


def check(hosts: Mapping[str, HostSettings], own: str) -> None:
    """ValueError where a host is the stack's own, whose name is `own`, or two are one engine or share a secret."""
    engines: dict[str, str] = {}
    tokens: dict[str, str] = {}
    for name, host in hosts.items():
        if name == own:
            raise ValueError(f"hosts.{name} has the name of the stack's own host (nodeExporter.hostName); change one")
        other = engines.setdefault(host.docker, name)
        if other != name:
            raise ValueError(f"hosts.{name} and hosts.{other} are one engine, {host.docker}; remove one of them")
        other = tokens.setdefault(token(name), name)
        if other != name:
            raise ValueError(f"hosts.{name} and hosts.{other} differ in '-' alone; give one of them another name")


def token(host: str) -> str:
    """Name of the secret with which a host's agent sends: hostWeb2EdgeToken for web-2."""
    return secret_name("host", host, "edge", "Token")


def earlier_token(host: str) -> str:
    """Name of the secret with the credential before, which is accepted too while the agent gets another."""
    return f"{token(host)}Previous"


def tokens(hosts: object) -> dict[str, SecretSpec]:
    """The secrets of every host of the settings' section, validated or not."""
    found: dict[str, SecretSpec] = {}
    for name in map(str, hosts if isinstance(hosts, Mapping) else ()):
        found[token(name)] = SecretSpec(
            description=f"Credential of the agent on {name}.", generated=True, previous=earlier_token(name)
        )
        found[earlier_token(name)] = SecretSpec(
            description=f"Credential before of the agent on {name}, accepted during a rotation.", transient=True
        )
    return found
