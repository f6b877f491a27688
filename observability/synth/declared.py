"""A resource that a stack declares, apart from the program that declares it, whose import is slow."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

CONTAINER: Final = "docker:index/container:Container"


@dataclass(frozen=True, kw_only=True)
class Declared:
    """One resource as the program declares it; secrets are hidden.

    `retained`: destroying the stack does not delete it. `host`: the host of the settings that it is on; None: the
    stack's own, or none. `digests` has the SHA-256 of each uploaded file by its path; None where it contains a secret
    whose value is not known here.
    """

    type: str
    name: str
    parent: str | None
    inputs: Mapping[str, Any]
    retained: bool = False
    host: str | None = None
    digests: Mapping[str, str | None] = field(default_factory=dict, compare=False)
