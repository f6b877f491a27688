"""The image of the OpenTelemetry Collector (contrib), and its build from the modules that the proxy serves."""

from collections.abc import Iterator
from typing import Final

from observability.parts.model import Image
from toolchain.gobuild import GoBuild
from toolchain.recipe import ROOT, Base, Recipe

VERSION: Final = "0.165.1"
PORT: Final = 8888
"""Port in the container of its own metrics, in the format of Prometheus."""
LINES: Final = 8889
"""Port of counters of what is in the lines, in the same format; the series have the labels of the stream."""

HEALTH: Final = 13133
"""Port in the container of the health_check extension."""

DATA: Final = "/var/lib/otelcol"
"""Folder of the data volume: positions in the files, and the queues."""

TOOLS: Final = "/usr/local/lib/health"
"""Folder of the volume with the tools of the health check, and with what is secret."""

TOKEN_FILE: Final = "edge-token"  # noqa: S105 - the name of a file
AUTHORITY_FILE: Final = "edge-authority.pem"

_CORE: Final = "go.opentelemetry.io/collector"
_CONTRIB: Final = "github.com/open-telemetry/opentelemetry-collector-contrib"

_MODULES: Final = {
    f"{_CORE} v0.165.0": (
        "connector/forwardconnector",
        "exporter/debugexporter",
        "exporter/otlpexporter",
        "exporter/otlphttpexporter",
        "otelcol",
        "processor/batchprocessor",
        "processor/memorylimiterprocessor",
        "receiver/otlpreceiver",
    ),
    f"{_CORE} v1.71.0": (
        "confmap/provider/envprovider",
        "confmap/provider/fileprovider",
        "confmap/provider/yamlprovider",
    ),
    f"{_CONTRIB} v0.165.1": (
        "connector/spanmetricsconnector",
        "exporter/fileexporter",
        "exporter/prometheusexporter",
        "exporter/prometheusremotewriteexporter",
        "extension/bearertokenauthextension",
        "extension/healthcheckextension",
        "extension/storage/filestorage",
        "processor/deltatocumulativeprocessor",
        "processor/groupbyattrsprocessor",
        "processor/redactionprocessor",
        "processor/resourceprocessor",
        "receiver/filelogreceiver",
        "receiver/fluentforwardreceiver",
        "receiver/journaldreceiver",
        "receiver/prometheusreceiver",
        "receiver/syslogreceiver",
        "receiver/zipkinreceiver",
    ),
    # The proxy serves no later version of these; the collector's interfaces have not changed since.
    f"{_CONTRIB} v0.161.0": (
        "connector/countconnector",
        "connector/signaltometricsconnector",
        "extension/observer",
        "processor/attributesprocessor",
        "processor/filterprocessor",
        "processor/tailsamplingprocessor",
        "processor/transformprocessor",
        "receiver/receivercreator",
    ),
}
"""Modules by the repository and version that they are taken from."""


def _requires() -> Iterator[tuple[str, str]]:
    for origin, modules in _MODULES.items():
        repository, version = origin.split()
        yield from ((f"{repository}/{module}", version) for module in modules)


OTEL: Final = Image(
    name="otel-collector",
    reference=f"otel/opentelemetry-collector-contrib:{VERSION}",
    recipe=Recipe(
        repository="otel/opentelemetry-collector-contrib",
        tag=VERSION,
        title="OpenTelemetry Collector",
        build=GoBuild(
            name="otel-collector",
            module="collector",
            version=f"v{VERSION}",
            sources=ROOT / "toolchain/collector",
            requires=dict(_requires()),
            stamps={"main.version": VERSION},
            # Of Prometheus' service discovery only what a Docker host needs: 230 packages less to compile.
            tags=("remove_all_sd", "enable_dns_sd", "enable_docker_sd"),
        ),
        binaries={"/otelcol-contrib": "collector"},
        sources={"/etc/otelcol-contrib/config.yaml": "toolchain/recipes/otelcol.yaml"},
        base=Base.STATIC,
        user="10001:10001",
        uid=10001,
        entrypoint=("/otelcol-contrib",),
        cmd=("--config", "/etc/otelcol-contrib/config.yaml"),
        ports=("4317/tcp", "4318/tcp"),
        without="components that no stack configures; its docker_observer is one of ours",
    ),
)
