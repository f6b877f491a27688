"""nginx-prometheus-exporter: one for each nginx server of the watched systems."""

from collections.abc import Iterable
from typing import Final

from pydantic import Field

from observability.core.section import PartSettings
from observability.core.types import MemoryMb, ServiceName
from observability.parts.model import Allowance, Here, Image, Part, Run, Server, Store
from toolchain.gobuild import GoBuild
from toolchain.recipe import Base, Recipe, stamps

NAME: Final = "nginx-exporter"
PORT: Final = 9113
"""Port in the container."""

USER: Final = "1001:1001"
"""uid and gid of the image."""


class NginxServer(Server):
    """One nginx server, by its stub_status page."""

    name: ServiceName = Field(description="Name of the server; its exporter is the service nginx-exporter-<name>.")
    url: str = Field(
        description="Address of its stub_status page.",
        pattern=r"^https?://[^\s@/]+/\S*$",
        examples=["http://web:8081/status"],
    )

    @property
    def instance(self) -> str:
        """The server's host and port."""
        return self.url.split("/")[2]


class NginxExporterSettings(PartSettings):
    """Metrics of nginx servers."""

    memory_mb: MemoryMb = Field(32, description="Memory limit of each exporter, MiB.")


def _runs(here: Here[NginxExporterSettings, NginxServer]) -> Iterable[Run]:
    return [
        Run(
            service=f"{NAME}-{placed.server.name}",
            user=USER,
            command=(f"--nginx.scrape-uri={placed.server.url}",),
        )
        for placed in here.servers
    ]


PART: Final = Part[NginxExporterSettings, NginxServer](
    name=NAME,
    title="Metrics of nginx servers.",
    settings=NginxExporterSettings,
    job="nginx",
    port=PORT,
    store=Store(
        job="nginx",
        key="nginx",
        server=NginxServer,
        description="nginx servers.",
        up="nginx_up",
        named=True,
        address=lambda server: f"{NAME}-{server.name}:{PORT}",
    ),
    runs=_runs,
    rules=("nginx",),
    images=(
        Image(
            name=NAME,
            reference="nginx/nginx-prometheus-exporter:1.5.1",
            recipe=Recipe(
                repository="nginx/nginx-prometheus-exporter",
                tag="1.5.1",
                title="NGINX Prometheus Exporter",
                build=GoBuild(
                    name="nginx-exporter",
                    module="github.com/nginx/nginx-prometheus-exporter",
                    version="v1.5.1",
                    stamps=stamps("1.5.1"),
                ),
                binaries={"/usr/bin/nginx-prometheus-exporter": "nginx-prometheus-exporter"},
                base=Base.STATIC,
                user="1001:1001",
                uid=1001,
                entrypoint=("/usr/bin/nginx-prometheus-exporter",),
            ),
        ),
    ),
    allowances=(
        Allowance(
            service=f"{NAME}-*",
            rule="health check",
            reason="its image holds a single program that nothing in it can ask; Prometheus sees whether it answers",
        ),
    ),
)
