"""The context that all components of one stack share."""

from collections.abc import Callable
from dataclasses import dataclass

import pulumi_docker as docker
from pulumi import Output, Resource

from observability.core.naming import LABEL_SERVICE, LABEL_STACK
from observability.settings.load import StackConfig
from observability.settings.model import Settings


@dataclass(frozen=True, kw_only=True)
class StackContext:
    """The stack's configuration, its network, and the lookup of secret values.

    `host`: the host of the settings that all of this is on, None: the stack's own. `config` is then that of the host.
    `after`: the resources that every container of it depends on.
    """

    config: StackConfig
    network: docker.Network
    secret: Callable[[str], Output[str]]
    host: str | None = None
    after: tuple[Resource, ...] = ()

    @property
    def stack(self) -> str:
        """Name of the stack."""
        return self.config.stack

    @property
    def settings(self) -> Settings:
        """Settings of the stack."""
        return self.config.settings

    def labels(self, service: str) -> dict[str, str]:
        """Docker labels of all resources that belong to a service."""
        return {LABEL_STACK: self.stack, LABEL_SERVICE: service}
