"""The public status page: the states of components for the users of the systems, as static files."""

from typing import Annotated, Final, Self

from pydantic import Field, StringConstraints, model_validator

from observability.core.secret import SecretSpec
from observability.core.section import PartSettings, Section
from observability.core.types import Duration, MemoryMb, ServiceName, Share, SystemName, seconds
from observability.parts import program
from observability.parts.model import NEVER, Image, Part, Server

NAME: Final = "status-page"
PORT: Final = 9097
"""Port of its health and metrics in the container; the page is not served there."""
DATA: Final = "/var/lib/status-page"
"""Folder of its data in the container: the page to publish, its history, and what people declared."""
PAGES: Final = "pages"
"""Folder below that with the files to publish; the others are not public."""
KEY: Final = "statusPageKey"
"""Secret for the command that publishes the page."""

COMMAND_FILES: Final = {"key": "key", "known_hosts": "known_hosts"}
"""Files beside the configuration that the command names by placeholders: placeholder → file."""

_CODE: Final = tuple(
    f"observability/status_page/{name}"
    for name in (
        *("__init__.py", "__main__.py", "client.py", "documents.py", "files.py", "history.py", "html.py"),
        *("model.py", "words.py", "writer.py", "page.css", "page.js"),
    )
)
"""The files of this repository that it runs. Besides them they import the standard library only."""

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]


class ComponentSettings(Section):
    """A row of the page: a system, or those of its functions that some of its probes are about."""

    title: Words = Field(description="Public name.", examples=["Web shop"])
    description: str = Field("", description="A line below the name, for users.", max_length=200)
    system: SystemName = Field(description="The watched system.")
    probes: tuple[ServiceName, ...] = Field(
        (), description="Names of its probes that decide alone; none: all that is user-facing of the system."
    )


class PublishSettings(Section):
    """How the page reaches the host that serves it."""

    command: tuple[Annotated[str, StringConstraints(min_length=1)], ...] = Field(
        min_length=1,
        description="Program and arguments, run in the container after each change, without a shell. {folder}: the "
        "files to publish; {key}, {known_hosts}: files with the secret statusPageKey and with knownHosts. The image "
        "has rsync, ssh and curl. No secrets here.",
        examples=[["rsync", "-rt", "{folder}/", "web@static.example.com:/srv/status/"]],
    )
    key: bool = Field(False, description="Whether the command uses the secret statusPageKey, like ssh's private key.")
    known_hosts: str | None = Field(
        None, description="Public keys of the host that it connects to, as in ssh's known_hosts.", min_length=1
    )

    @model_validator(mode="after")
    def _placeholders(self) -> Self:
        text = " ".join(self.command)
        if not self.key and "{key}" in text:
            raise ValueError("names {key} in command and has no key; add key: true")
        if self.known_hosts is None and "{known_hosts}" in text:
            raise ValueError("names {known_hosts} in command and has no knownHosts; add it")
        return self


class StatusPageSettings(PartSettings):
    """The public status page: off unless enabled."""

    enabled: bool | None = Field(None, description="Whether it runs; none: no.")
    title: Words = Field("Status", description="Title of the page.")
    url: str | None = Field(
        None,
        description="Address at which the page is published, for the links of its feed; required.",
        pattern=r"^https?://[^\s/\"'@?#<>]+(/[^\s\"'@?#<>]*)?$",
        max_length=200,
        examples=["https://status.example.com"],
    )
    components: dict[ServiceName, ComponentSettings] = Field(
        {}, description="What the page shows, in order, by a name that is part of links and must not change."
    )
    down_from: Share = Field(
        0.5, gt=0, le=1, description="Share of failed requests from which a component is down, not degraded."
    )
    interval: Duration = Field("15s", description="How often the page is written; 5s to 2m.")
    publish: PublishSettings | None = Field(
        None, description="Command that publishes the page; none: it stays in the volume obs-<stack>-status-page-data."
    )
    edge_name: str | None = Field(
        None,
        description="Name under which the edge serves the page, besides its own address.",
        max_length=253,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]*$",
        examples=["status.example.com"],
    )
    memory_mb: MemoryMb = Field(96, description="Memory limit, MiB.")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if not 5 <= seconds(self.interval) <= 120:
            raise ValueError("interval must be between 5s and 2m: the page is stale after 5 minutes")
        if self.url is None and (self.enabled or self.components):
            raise ValueError("has no url, at which it is published; add url, like https://status.example.com")
        if self.enabled and not self.components:
            raise ValueError(
                "has no components, and shows only what is named; add components, like "
                "{shop: {title: Web shop, system: shop}}"
            )
        return self


RECIPE: Final = program.recipe(
    NAME,
    title="The status page",
    code=_CODE,
    packages=("rsync", "openssh-client", "curl", "ca-certificates"),
    account={"status": 10002},
    owned={DATA: 0o755},
    port=PORT,
)

PART: Final = Part[StatusPageSettings, Server](
    name=NAME,
    title="The public status page.",
    settings=StatusPageSettings,
    profiles=NEVER,
    job=NAME,
    port=PORT,
    secrets={KEY: SecretSpec(description="What the command that publishes the status page signs in with.", part=NAME)},
    images=(Image(name=NAME, reference=f"{RECIPE.repository}:{RECIPE.tag}", recipe=RECIPE),),
)
