"""The secrets the stack knows: their names, what they are for, and where one is required.

A secret is a top-level configuration key, so that Pulumi keeps it encrypted; its value reaches a server as a file
and nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, kw_only=True)
class SecretSpec:
    """One secret: what it is, and the environments that cannot do without."""

    description: str
    required_in: frozenset[str] = frozenset()


SECRETS: Final[Mapping[str, SecretSpec]] = MappingProxyType(
    {
        "alertWebhookUrl": SecretSpec(
            description="Address that receives every alert as a JSON POST (Alertmanager's webhook format).",
            required_in=frozenset({"prod"}),
        ),
    }
)
"""Every secret by its configuration key."""
