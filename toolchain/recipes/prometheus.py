"""Prometheus and Alertmanager."""

from collections.abc import Mapping
from typing import Final

from toolchain.gobuild import GoBuild
from toolchain.recipe import Recipe

_COMMON: Final = "github.com/prometheus/common/version"


def stamps(version: str) -> dict[str, str]:
    """What the linker puts into a program that tells its version as Prometheus does."""
    return {f"{_COMMON}.Version": version, f"{_COMMON}.Branch": "module", f"{_COMMON}.BuildUser": "toolchain"}


PROMETHEUS: Final[Mapping[str, Recipe]] = {
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
            stamps=stamps("3.15.0"),
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
            stamps=stamps("0.34.2"),
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
}
"""Recipe by the name of the service."""
