"""What `demo/compose.yaml` may say: the part of the Compose Specification that the demo uses.

https://github.com/compose-spec/compose-spec/blob/main/spec.md
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from observability.core.documents import parse_yaml
from observability.core.errors import ConfigError
from observability.core.mistakes import explain

_VARIABLE: Final = re.compile(r"\$\$|\$\{(?P<name>[A-Z_][A-Z0-9_]*)(?::-(?P<default>[^}]*))?\}")
_DURATION: Final = re.compile(r"(\d+)(s|m)")
_SIZE: Final = re.compile(r"(\d+)(k|m|g)")
_PORT: Final = re.compile(r"(?P<address>[0-9.]+):(?P<published>\d+):(?P<target>\d+)")
_MODE: Final = re.compile(r"0[0-7]{3}")


def _matching(pattern: re.Pattern[str], example: str) -> AfterValidator:
    def check(value: str) -> str:
        if pattern.fullmatch(value) is None:
            raise ValueError(f"is not written as the demo's runner reads it; write it like {example}")
        return value

    return AfterValidator(check)


Length = Annotated[str, _matching(_DURATION, "5s or 2m")]
Size = Annotated[str, _matching(_SIZE, "64m or 1g")]
PublishedPort = Annotated[str, _matching(_PORT, "127.0.0.1:8088:80")]
Mode = Annotated[str, _matching(_MODE, '"0400", in quotes')]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class HealthCheck(_Part):
    """How Docker sees that a service works."""

    test: tuple[str, ...] = Field(min_length=2)
    interval: Length = "30s"
    timeout: Length = "30s"
    retries: int = Field(3, ge=1)


class GrantedFile(_Part):
    """A config or secret as a file in a container. Unlike Compose, it is copied there, so its owner can be set."""

    source: str
    target: str | None = None
    uid: str = "0"
    gid: str = "0"
    mode: Mode = "0444"


class Dependency(_Part):
    """What has to be so before a service starts."""

    condition: Literal["service_healthy"]


class Logging(_Part):
    """Docker's log driver."""

    driver: str
    options: dict[str, str] = {}


class Service(_Part):
    """One container."""

    image: str
    user: str
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    environment: dict[str, str] = {}
    labels: dict[str, str] = {}
    read_only: bool = False
    cap_drop: tuple[str, ...] = ()
    security_opt: tuple[str, ...] = ()
    restart: Literal["no", "always", "unless-stopped"] = "no"
    logging: Logging | None = None
    tmpfs: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    configs: tuple[GrantedFile, ...] = ()
    secrets: tuple[GrantedFile, ...] = ()
    ports: tuple[PublishedPort, ...] = ()
    mem_limit: Size
    healthcheck: HealthCheck
    depends_on: dict[str, Dependency] = {}
    stop_grace_period: Length = "10s"


class FileSource(_Part):
    """Where a config or secret is read from; a relative path counts from the file's own folder."""

    file: Path


class Pool(_Part):
    """One subnet of a network."""

    subnet: str
    gateway: str


class Ipam(_Part):
    """The addresses of a network."""

    config: tuple[Pool, ...] = Field(min_length=1, max_length=1)


class Network(_Part):
    """The one network of all services."""

    name: str
    ipam: Ipam


class Networks(_Part):
    """The networks: there is one."""

    default: Network


class Volume(_Part):
    """A named volume."""


class Project(_Part):
    """The whole file."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    services: dict[str, Service]
    networks: Networks
    volumes: dict[str, Volume] = {}
    configs: dict[str, FileSource] = {}
    secrets: dict[str, FileSource] = {}

    @model_validator(mode="after")
    def _references_exist(self) -> Self:
        for name, service in self.services.items():
            for kind, wanted, known in (
                ("depends_on", set(service.depends_on), set(self.services)),
                ("configs", {one.source for one in service.configs}, set(self.configs)),
                ("secrets", {one.source for one in service.secrets}, set(self.secrets)),
                ("volumes", {one.partition(":")[0] for one in service.volumes}, set(self.volumes)),
            ):
                if wanted - known:
                    raise ValueError(f"services.{name}.{kind} names {', '.join(sorted(wanted - known))}; declare it")
        self.layers()
        return self

    def layers(self) -> list[list[str]]:
        """The services in the order in which they start: each layer needs only those before it."""
        layers: list[list[str]] = []
        started: set[str] = set()
        while len(started) < len(self.services):
            ready = [
                name
                for name, service in self.services.items()
                if name not in started and started.issuperset(service.depends_on)
            ]
            if not ready:
                left = ", ".join(name for name in self.services if name not in started)
                raise ValueError(f"the services {left} wait for each other; take one depends_on out")
            layers.append(ready)
            started.update(ready)
        return layers


def load(path: Path, variables: Mapping[str, str]) -> Project:
    """The project of a Compose file; ConfigError with the path of the invalid value.

    Variables are replaced in strings, as `${NAME}` or `${NAME:-default}`; keys that begin with `x-` are skipped.
    """
    document = parse_yaml(path)
    if not isinstance(document, dict):
        raise ConfigError(f"{path.name}: is not a mapping", "write it like demo/compose.yaml of a fresh clone")
    kept = {key: value for key, value in document.items() if not str(key).startswith("x-")}
    try:
        return Project.model_validate(_replaced(kept, variables, path.name))
    except ValidationError as error:
        raise explain(error, Project, source=path.name) from error


def _replaced(value: Any, variables: Mapping[str, str], source: str) -> Any:  # noqa: ANN401 - any YAML
    if isinstance(value, dict):
        return {key: _replaced(one, variables, source) for key, one in value.items()}
    if isinstance(value, list):
        return [_replaced(one, variables, source) for one in value]
    if not isinstance(value, str):
        return value

    def fill(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        found = variables.get(match["name"], match["default"])
        if found is None:
            raise ConfigError(
                f"{source}: the variable {match['name']} has no value", f"use one of {', '.join(sorted(variables))}"
            )
        return found

    return _VARIABLE.sub(fill, value)


def seconds(length: str) -> int:
    """Length of a duration such as 5s or 2m."""
    match = _DURATION.fullmatch(length)
    if match is None:
        raise ValueError(f"{length!r} is not a duration such as 5s or 2m")
    return int(match[1]) * {"s": 1, "m": 60}[match[2]]


def byte_count(size: str) -> int:
    """Bytes of a size such as 64m."""
    match = _SIZE.fullmatch(size)
    if match is None:
        raise ValueError(f"{size!r} is not a size such as 64m")
    return int(match[1]) * {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}[match[2]]


def published(port: str) -> tuple[str, int, int]:
    """Address and port on the host, and port of the container."""
    match = _PORT.fullmatch(port)
    if match is None:
        raise ValueError(f"{port!r} is not a published port such as 127.0.0.1:8088:80")
    return match["address"], int(match["published"]), int(match["target"])
