"""Alertmanager: groups, mutes and delivers the alerts of Prometheus."""

from collections.abc import Iterable
from typing import Final

from pydantic import Field

from observability.core import naming
from observability.core.section import Section
from observability.core.types import Duration, MemoryMb, Port
from observability.parts.model import ALWAYS, Here, Image, Part, Scraped, Server, own
from toolchain.gobuild import GoBuild
from toolchain.recipe import Recipe, stamps

PORT: Final = 9093
"""Port in the container."""

TURN_SECONDS: Final = 4
"""Seconds that each replica of Alertmanager gives the one before it to send a message.

A waiting replica reads the alerts before its wait, and what others sent after it. With a wait longer than the
10 s between two flushes, like the default of 15 s, it would send half of all alerts as firing again, just after
another replica has sent them as resolved. A receiver that takes longer than this to respond gets a message twice.
"""


class AlertmanagerSettings(Section):
    """The server that groups, mutes and delivers alerts."""

    port: Port = Field(9093, description="Port on the host; of several replicas the first one's.")
    replicas: int = Field(
        1, description="How many run, as a cluster that sends each message once; 1 to 3.", ge=1, le=3
    )
    retention: Duration = Field("120h", description="How long silences and sent notifications are remembered.")
    memory_mb: MemoryMb = Field(128, description="Memory limit of each, MiB.")

    @property
    def services(self) -> tuple[str, ...]:
        """The service of each replica."""
        return tuple(naming.replica("alertmanager", number) for number in range(1, self.replicas + 1))

    @property
    def longest_turn(self) -> int:
        """Seconds that the last replica gives the others to send a message before it sends it itself."""
        return (self.replicas - 1) * TURN_SECONDS


def _targets(here: Here[AlertmanagerSettings, Server]) -> Iterable[Scraped]:
    return [own(f"{service}:{PORT}") for service in here.settings.services]


PART: Final = Part[AlertmanagerSettings, Server](
    name="alertmanager",
    title="The alert server.",
    settings=AlertmanagerSettings,
    profiles=ALWAYS,
    essential=True,
    job="alertmanager",
    port=PORT,
    targets=_targets,
    images=(
        Image(
            name="alertmanager",
            reference="prom/alertmanager:v0.34.2",
            recipe=Recipe(
                repository="prom/alertmanager",
                tag="v0.34.2",
                title="Alertmanager",
                build=GoBuild(
                    name="alertmanager",
                    module="github.com/prometheus/alertmanager",
                    version="v0.34.2",
                    packages=("cmd/alertmanager", "cmd/amtool"),
                    stamps=stamps("0.34.2"),
                    tags=("netgo",),
                    keep=("examples/ha/alertmanager.yml",),
                    # The compiled pages are not in the module, and without them the build fails.
                    additions={"ui/app/dist/README": "Built without the web pages.\n"},
                ),
                binaries={"/bin/alertmanager": "alertmanager", "/bin/amtool": "amtool"},
                files={"/etc/alertmanager/alertmanager.yml": "examples/ha/alertmanager.yml"},
                owned={"/etc/alertmanager": 0o755, "/alertmanager": 0o775},
                workdir="/alertmanager",
                entrypoint=("/bin/alertmanager",),
                cmd=("--config.file=/etc/alertmanager/alertmanager.yml", "--storage.path=/alertmanager"),
                volumes=("/alertmanager",),
                ports=("9093/tcp",),
                without="its web pages (the API is whole)",
            ),
        ),
    ),
)
