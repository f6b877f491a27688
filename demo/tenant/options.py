"""Options of a stack's demo: the key `demo:tenant` of its stack file.

The key is not one of the stack's settings. Only the commands that manage the demo read it.
"""

from ipaddress import IPv4Network
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from observability.core.errors import ConfigError
from observability.core.mistakes import explain
from observability.core.section import Section
from observability.core.types import Port
from observability.settings.load import read_stack_file

KEY: Final = "demo:tenant"
"""Key of the stack file. If present, even as `{}`, the demo runs with this stack."""


class TenantOptions(Section):
    """One demo on this host; two of them need different values of everything but the rate."""

    name: str = Field(
        "demo",
        description="Name of its Compose project: the prefix of its containers and its volume, and its network.",
        pattern=r"^[a-z][a-z0-9-]{0,30}$",
    )
    subnet: IPv4Network = Field(
        IPv4Network("172.30.80.0/24"),
        description="Private IPv4 network of its containers, /16 to /28; its ports are on the first address.",
    )
    port: Port = Field(8088, description="Port of the loopback address where its shop is opened.")
    fault_port: Port = Field(3999, description="Port of the loopback address where its faults are switched.")
    rate: float = Field(
        4.0, description="Requests a second of the shop at its busiest hour; 0.1 to 50.", ge=0.1, le=50
    )

    otlp: Annotated[str, Field(pattern=r"^https?://[^\s/@]+$", max_length=255)] | None = Field(
        None,
        description="Address of the collector that takes its spans, by OTLP over HTTP; none: it sends none.",
        examples=["http://172.30.90.1:4318"],
    )

    @field_validator("subnet")
    @classmethod
    def _usable(cls, subnet: IPv4Network) -> IPv4Network:
        if not subnet.is_private or not 16 <= subnet.prefixlen <= 28:
            raise ValueError("must be a private network between /16 and /28; write it like 172.30.80.0/24")
        return subnet

    @model_validator(mode="after")
    def _ports_differ(self) -> Self:
        if self.port == self.fault_port:
            raise ValueError(f"port and faultPort are both {self.port}; give each its own port")
        return self

    @property
    def gateway(self) -> str:
        """The host's address on its network, on which the ports for a monitoring stack are published."""
        return str(self.subnet.network_address + 1)

    @property
    def faults_address(self) -> str:
        """Address that switches its faults."""
        return f"http://127.0.0.1:{self.fault_port}"

    @property
    def shop_address(self) -> str:
        """Address of its shop for a browser."""
        return f"http://127.0.0.1:{self.port}"


def read(stack: str, root: Path | None = None) -> TenantOptions | None:
    """The options in a stack's file; None if there are none, ConfigError if they are invalid."""
    config = read_stack_file(stack, root).get("config") or {}
    if KEY not in config:
        return None
    try:
        return TenantOptions.model_validate(config[KEY] or {})
    except ValidationError as error:
        raise explain(error, TenantOptions, source=f"Pulumi.{stack}.yaml", prefix=f"{KEY}.") from error


def require(stack: str, root: Path | None = None) -> TenantOptions:
    """The same; ConfigError if the stack's file has no such key."""
    found = read(stack, root)
    if found is None:
        raise ConfigError(
            f"Pulumi.{stack}.yaml has no {KEY}, so no demo belongs to {stack}",
            f"use the stack dev, or add `{KEY}: {{}}` to the file's config",
        )
    return found
