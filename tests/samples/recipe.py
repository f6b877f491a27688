"""What is needed to record an exporter."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from observability.settings.load import StackConfig, validate
from tests.samples.lab import Lab, Server
from tests.samples.trim import Masks
from tests.unit.conftest import REFERENCE

STACK = "samples"
"""The stack whose configuration is used for the stack's own parts."""

ADDRESSES = {r"\d+\.\d+\.\d+\.\d+": "192.0.2.1"}
"""Mask of a label that holds an address."""


@dataclass(frozen=True, kw_only=True)
class Origin:
    """One exporter: its image, the job under which it is scraped, how it was recorded, what is left out."""

    image: str
    job: str
    how: str
    masks: Masks = field(default_factory=dict)
    without: str = ""


@dataclass(frozen=True, kw_only=True)
class Recipe(Origin):
    """An exporter that is started here, the servers that it reads, and the requests to it."""

    servers: Sequence[Server]
    urls: Sequence[str]
    prepare: Callable[[Lab], None] | None = None


def config(values: Mapping[str, Any] | None = None) -> StackConfig:
    """A stack like dev, with the systems of the reference project."""
    return validate(STACK, {"environment": "dev", **(values or {})}, frozenset(), REFERENCE)
