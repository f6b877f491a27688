"""The Docker Engine's own metrics, where its daemon is configured to expose them."""

from collections.abc import Iterable
from typing import Final

from pydantic import Field

from observability.core.section import PartSettings
from observability.core.types import Address
from observability.parts.model import ALWAYS, Here, Part, Scraped, Server, own


class DockerSettings(PartSettings):
    """The Docker Engine's own metrics."""

    metrics_address: Address | None = Field(
        None,
        description="The engine's `metrics-addr` as containers reach it, like 172.30.90.1:9323; none: not scraped.",
    )


def _targets(here: Here[DockerSettings, Server]) -> Iterable[Scraped]:
    return [own(here.settings.metrics_address)] if here.settings.metrics_address else []


PART: Final = Part[DockerSettings, Server](
    name="docker",
    title="The Docker Engine's own metrics.",
    settings=DockerSettings,
    profiles=ALWAYS,
    active=lambda settings: settings.metrics_address is not None,
    job="docker",
    targets=_targets,
)
