"""The common parts of the builds of Loki and Promtail: one Go module."""

from typing import Final

MODULE: Final = "github.com/grafana/loki/v3"
_VERSION: Final = f"{MODULE}/pkg/util/build"
# Loki's own replacements, except for its `pkg/push`: a folder next to it, which the published module does not contain.
REPLACES: Final = {
    "github.com/Azure/azure-sdk-for-go": "github.com/Azure/azure-sdk-for-go v68.0.0+incompatible",
    "github.com/Azure/azure-storage-blob-go": (
        "github.com/MasslessParticle/azure-storage-blob-go v0.14.1-0.20240322194317-344980fda573"
    ),
    "github.com/gocql/gocql": "github.com/grafana/gocql v0.0.0-20200605141915-ba5dc39ece85",
    "github.com/grafana/regexp": "github.com/grafana/regexp v0.0.0-20240518133315-a468a5bfb3bc",
    "github.com/thanos-io/objstore": "github.com/grafana/objstore v0.0.0-20250728171719-b5d3b766d1b0",
}


def stamps(version: str) -> dict[str, str]:
    """Linker variables of a program that reports its version with Loki's library."""
    return {f"{_VERSION}.Version": version, f"{_VERSION}.Branch": "module", f"{_VERSION}.BuildUser": "toolchain"}
