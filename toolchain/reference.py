"""Image references, as far as building by recipe needs them."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Reference:
    """The parts of `[registry/]repository[:tag][@digest]`."""

    registry: str
    repository: str
    tag: str
    digest: str

    @classmethod
    def parse(cls, text: str) -> "Reference":
        """Split a reference; the first part is a registry only if it looks like a host, as everywhere in Docker."""
        rest, _, digest = text.partition("@")
        head, slash, tail = rest.partition("/")
        registry = head if slash and (re.search(r"[.:]", head) or head == "localhost") else ""
        path = tail if registry else rest
        repository, _, tag = path.partition(":")
        return cls(registry, repository, tag, digest)
