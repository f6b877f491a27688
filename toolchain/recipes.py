"""How to build the images that cannot be pulled where only package registries are reachable.

Users, paths, entry points and the lack of a shell are those of the official images at these versions (sources: the
Dockerfile and .promu.yml in each module), so that nothing works here that fails there. One entry is one image.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from toolchain.cache import key_of
from toolchain.gobuild import GoBuild

LAYOUT: Final = 2
"""Counts the changes to how images are put together that no recipe shows."""


class Base(enum.Enum):
    """What lies beneath the programs of an image."""

    BUSYBOX = "busybox"
    """A shell and the usual small tools, certificates, time zones, users."""
    STATIC = "static"
    """The same without a shell or any program."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One image."""

    repository: str
    tag: str
    title: str
    build: GoBuild
    binaries: Mapping[str, str]
    """Path in the image, and the built command that goes there."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Path in the image, and the module's file that goes there; the build keeps them."""
    owned: Mapping[str, int] = field(default_factory=dict)
    """Folders that belong to the image's user with all that is in them, and their modes."""
    base: Base = Base.BUSYBOX
    user: str = "nobody"
    uid: int = 65534
    workdir: str = ""
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    without: str = ""
    """What the official image has and this one has not."""

    @property
    def version(self) -> str:
        """Changes with anything that shapes the image."""
        return key_of((LAYOUT, self))


_COMMON: Final = "github.com/prometheus/common/version"


def _stamps(version: str) -> dict[str, str]:
    return {f"{_COMMON}.Version": version, f"{_COMMON}.Branch": "module", f"{_COMMON}.BuildUser": "toolchain"}


RECIPES: Final[Mapping[str, Recipe]] = MappingProxyType(
    {
        "prometheus": Recipe(
            repository="prom/prometheus",
            tag="v3.15.0",
            title="Prometheus",
            build=GoBuild(
                name="prometheus",
                module="github.com/prometheus/prometheus",
                version="v0.315.0",
                packages=("cmd/prometheus", "cmd/promtool"),
                replaces={"cloud.google.com/go": "cloud.google.com/go v0.123.0"},
                stamps=_stamps("3.15.0"),
                # Without `builtinassets`, which embeds the compiled pages that the module does not hold.
                tags=("netgo",),
                keep=("documentation/examples/prometheus.yml", "LICENSE", "NOTICE"),
            ),
            binaries={"/bin/prometheus": "prometheus", "/bin/promtool": "promtool"},
            files={
                "/etc/prometheus/prometheus.yml": "documentation/examples/prometheus.yml",
                "/LICENSE": "LICENSE",
                "/NOTICE": "NOTICE",
            },
            owned={"/etc/prometheus": 0o755, "/prometheus": 0o775},
            workdir="/prometheus",
            entrypoint=("/bin/prometheus",),
            cmd=("--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"),
            volumes=("/prometheus",),
            ports=("9090/tcp",),
            without="its web pages (the API is whole)",
        ),
        "alertmanager": Recipe(
            repository="prom/alertmanager",
            tag="v0.34.2",
            title="Alertmanager",
            build=GoBuild(
                name="alertmanager",
                module="github.com/prometheus/alertmanager",
                version="v0.34.2",
                packages=("cmd/alertmanager", "cmd/amtool"),
                stamps=_stamps("0.34.2"),
                tags=("netgo",),
                keep=("examples/ha/alertmanager.yml",),
                # The compiled pages are not in the module, and their absence stops the compiler.
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
        "node-exporter": Recipe(
            repository="prom/node-exporter",
            tag="v1.12.1",
            title="node_exporter",
            build=GoBuild(
                name="node-exporter",
                module="github.com/prometheus/node_exporter",
                version="v1.12.1",
                stamps=_stamps("1.12.1"),
                tags=("netgo",),
            ),
            binaries={"/bin/node_exporter": "node_exporter"},
            entrypoint=("/bin/node_exporter",),
            ports=("9100/tcp",),
        ),
    }
)
"""Recipe by the name of the service that runs the image."""
