"""redis_exporter: metrics of every Redis server of the watched systems."""

import json
from collections.abc import Iterable, Mapping
from typing import Final

from pydantic import Field

from observability.core.section import PartSettings
from observability.core.types import MemoryMb
from observability.parts.model import (
    AddressedServer,
    Files,
    Health,
    Here,
    Image,
    Part,
    Run,
    SecretText,
    Store,
    secrets_of,
)
from toolchain.gobuild import GoBuild
from toolchain.recipe import Recipe

FOLDER: Final = "/etc/redis-exporter"
PORT: Final = 9121
"""Port in the container."""

USER: Final = "59000:59000"
"""uid and gid of the image."""


class RedisServer(AddressedServer):
    """One Redis server."""

    tls: bool = Field(False, description="Whether it is reached by TLS.")
    user: str | None = Field(
        None, description="User to sign in as; none: Redis' default user.", pattern=r"^[^\s:@/]+$"
    )
    password: bool = Field(False, description="Whether it wants a password: the secret <system>RedisPassword.")

    @property
    def needs_password(self) -> bool:
        """Whether it requires a password."""
        return self.password

    @property
    def url(self) -> str:
        """The address in redis_exporter's form."""
        user = f"{self.user}@" if self.user else ""
        return f"{'rediss' if self.tls else 'redis'}://{user}{self.address}"


class RedisExporterSettings(PartSettings):
    """Metrics of Redis servers."""

    memory_mb: MemoryMb = Field(64, description="Memory limit, MiB.")


def _runs(here: Here[RedisExporterSettings, RedisServer]) -> Iterable[Run]:
    signed_in = [placed for placed in here.servers if placed.secret]

    def passwords(values: Mapping[str, str]) -> str:
        return json.dumps({placed.server.url: values[placed.secret or ""] for placed in signed_in}, indent=2) + "\n"

    files = Files(
        folder=FOLDER,
        loader_folder="/tmp",  # noqa: S108 - a folder of the image that is writable for all users
        secrets={"passwords.json": SecretText(names=secrets_of(here.servers), text=passwords)},
        reload="/-/reload",
    )
    # No default server: each scrape names one.
    envs = {"REDIS_ADDR": ""}
    if signed_in:
        envs["REDIS_PASSWORD_FILE"] = f"{FOLDER}/current/passwords.json"
    return [
        Run(
            user=USER,
            health=Health(url=f"http://127.0.0.1:{PORT}/health"),
            envs=envs,
            files=files if signed_in else None,
        )
    ]


PART: Final = Part[RedisExporterSettings, RedisServer](
    name="redis-exporter",
    title="Metrics of Redis servers.",
    settings=RedisExporterSettings,
    job="redis",
    port=PORT,
    path="/scrape",
    store=Store(
        job="redis",
        key="redis",
        server=RedisServer,
        description="Redis servers.",
        up="redis_up",
        labels=lambda server: {"__param_target": server.url},
    ),
    runs=_runs,
    rules=("redis",),
    images=(
        Image(
            name="redis-exporter",
            reference="oliver006/redis_exporter:v1.82.0-alpine",
            recipe=Recipe(
                repository="oliver006/redis_exporter",
                tag="v1.82.0-alpine",
                title="redis_exporter",
                build=GoBuild(
                    name="redis-exporter",
                    module="github.com/oliver006/redis_exporter",
                    version="v1.82.0",
                    stamps={"main.BuildVersion": "v1.82.0"},
                ),
                binaries={"/redis_exporter": "redis_exporter"},
                user="59000:59000",
                uid=59000,
                entrypoint=("/redis_exporter",),
                ports=("9121/tcp",),
                without="Alpine's packages (the shell and the usual small tools are there)",
            ),
        ),
    ),
)
