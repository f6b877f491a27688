"""The notifier: adds to each firing alert its probable cause and its system's newest error lines."""

from typing import Final

from pydantic import Field

from observability.core.section import PartSettings, Section
from observability.core.types import MemoryMb, Port
from observability.parts import program
from observability.parts.model import METRICS, Image, Part, Server

NAME: Final = "notifier"
PORT: Final = 9096
"""Port of its health and metrics in the container."""
PICTURES: Final = "/var/lib/notifier"
"""Folder of the pictures in the container."""

_CODE: Final = (
    "observability/core/alert.py",
    *(f"observability/alerting/{name}.py" for name in ("__init__", "calls", "causes")),
    *(
        f"observability/pictures/{name}.py"
        for name in ("__init__", "axes", "fields", "graph", "panel", "pencil", "series", "theme", "units")
    ),
    *(
        f"observability/notifier/{name}.py"
        for name in ("__init__", "__main__", "client", "evidence", "panels", "rounds", "texts", "updates", "worse")
    ),
)
"""The files of this repository that it runs. Besides them they import the standard library and Pillow."""


class PictureSettings(Section):
    """Pictures of panels in messages. They are served without sign-in, each under a name that cannot be guessed."""

    url: str = Field(
        description="Address at which receivers reach the folder of pictures, like https://obs.example.com/pictures.",
        pattern=r"^https?://[^\s?#]+$",
        max_length=200,
    )
    port: Port | None = Field(
        None, description="Port on the host at which they are served, below /pictures; none: on the network only."
    )


class NotifierSettings(PartSettings):
    """The notifier. Without it messages have no causes and no log lines."""

    memory_mb: MemoryMb = Field(192, description="Memory limit, MiB.")
    pictures: PictureSettings | None = Field(None, description="Pictures of panels in messages; none: no pictures.")


RECIPE: Final = program.recipe(
    NAME,
    title="The notifier",
    code=_CODE,
    packages=("python3-pil", "fonts-dejavu-core"),
    account={"notifier": 10001},
    owned={PICTURES: 0o755},
    port=PORT,
)

PART: Final = Part[NotifierSettings, Server](
    name=NAME,
    title="The notifier, which adds causes and log lines to messages.",
    settings=NotifierSettings,
    profiles=METRICS,
    job=NAME,
    port=PORT,
    images=(Image(name=NAME, reference=f"{RECIPE.repository}:{RECIPE.tag}", recipe=RECIPE),),
)
