"""The interface of a resource type to the provider."""

from abc import ABC, abstractmethod
from typing import ClassVar

from toolchain.standin.docker_api import DockerApi
from toolchain.standin.schema import Props, Table


class Partial(Exception):  # noqa: N818 - the resource does exist
    """The resource exists but is not in the desired state: Pulumi keeps it in its state and reports the failure."""

    def __init__(self, key: str, state: Props, reason: str) -> None:
        super().__init__(reason)
        self.key = key
        self.state = state
        self.reason = reason


class Resource(ABC):
    """One resource type; inputs arrive checked and completed with their defaults."""

    label: ClassVar[str]
    table: ClassVar[Table]

    @abstractmethod
    def create(self, docker: DockerApi, inputs: Props, seconds: float) -> tuple[str, Props]:
        """Return the new resource's id and state; ResourceError if nothing was created, Partial if it was created."""

    @abstractmethod
    def read(self, docker: DockerApi, key: str, state: Props) -> Props | None:
        """Return the current state from Docker, None if the resource no longer exists."""

    @abstractmethod
    def delete(self, docker: DockerApi, key: str, state: Props) -> None:
        """Remove the resource; a missing one counts as removed."""

    def update(self, docker: DockerApi, key: str, old: Props, inputs: Props, changes: list[str]) -> Props:
        """Change the resource in place and return its new state; Partial if Docker refuses."""
        raise NotImplementedError(
            f"{self.label} cannot be updated in place: {docker}, {key}, {old}, {inputs}, {changes}"
        )
