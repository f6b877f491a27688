"""Loki, and Promtail from the last of its modules that holds it."""

from collections.abc import Mapping
from typing import Final

from toolchain.gobuild import GoBuild
from toolchain.recipe import Base, Recipe

_MODULE: Final = "github.com/grafana/loki/v3"
_VERSION: Final = f"{_MODULE}/pkg/util/build"
# Loki's own, but the one for its `pkg/push`: that is a folder beside it, which the published module does not hold.
_REPLACES: Final = {
    "github.com/Azure/azure-sdk-for-go": "github.com/Azure/azure-sdk-for-go v68.0.0+incompatible",
    "github.com/Azure/azure-storage-blob-go": (
        "github.com/MasslessParticle/azure-storage-blob-go v0.14.1-0.20240322194317-344980fda573"
    ),
    "github.com/gocql/gocql": "github.com/grafana/gocql v0.0.0-20200605141915-ba5dc39ece85",
    "github.com/grafana/regexp": "github.com/grafana/regexp v0.0.0-20240518133315-a468a5bfb3bc",
    "github.com/thanos-io/objstore": "github.com/grafana/objstore v0.0.0-20250728171719-b5d3b766d1b0",
}


def _stamps(version: str) -> dict[str, str]:
    return {f"{_VERSION}.Version": version, f"{_VERSION}.Branch": "module", f"{_VERSION}.BuildUser": "toolchain"}


LOKI: Final[Mapping[str, Recipe]] = {
    "loki": Recipe(
        repository="grafana/loki",
        tag="3.7.8",
        title="Loki",
        build=GoBuild(
            name="loki",
            module=_MODULE,
            version="v3.7.8",
            packages=("cmd/loki",),
            replaces={
                **_REPLACES,
                "github.com/hashicorp/memberlist": (
                    "github.com/grafana/memberlist v0.3.1-0.20251126142931-6f9f62ab6f86"
                ),
                "github.com/influxdata/go-syslog/v3": "github.com/leodido/go-syslog/v4 v4.3.0",
            },
            stamps=_stamps("3.7.8"),
            tags=("netgo",),
            keep=("cmd/loki/loki-docker-config.yaml",),
        ),
        binaries={"/usr/bin/loki": "loki"},
        files={"/etc/loki/local-config.yaml": "cmd/loki/loki-docker-config.yaml"},
        owned={"/etc/loki": 0o755, "/loki": 0o755, "/loki/rules": 0o755, "/loki/rules-temp": 0o755},
        base=Base.STATIC,
        user="10001",
        uid=10001,
        entrypoint=("/usr/bin/loki",),
        cmd=("-config.file=/etc/loki/local-config.yaml",),
        ports=("3100/tcp",),
    ),
    "promtail": Recipe(
        repository="grafana/promtail",
        tag="3.6.3",
        title="Promtail",
        build=GoBuild(
            name="promtail",
            module=_MODULE,
            version="v3.6.3",
            packages=("clients/cmd/promtail",),
            replaces={
                **_REPLACES,
                "github.com/hashicorp/memberlist": (
                    "github.com/grafana/memberlist v0.3.1-0.20220714140823-09ffed8adbbe"
                ),
                "github.com/influxdata/go-syslog/v3": "github.com/leodido/go-syslog/v4 v4.2.0",
            },
            stamps=_stamps("3.6.3"),
            tags=("netgo",),
            keep=("clients/cmd/promtail/promtail-docker-config.yaml",),
        ),
        binaries={"/usr/bin/promtail": "promtail"},
        files={"/etc/promtail/config.yml": "clients/cmd/promtail/promtail-docker-config.yaml"},
        base=Base.DEBIAN,
        packages=("ca-certificates", "tzdata"),
        user="",
        uid=0,
        entrypoint=("/usr/bin/promtail",),
        cmd=("-config.file=/etc/promtail/config.yml",),
        without="reading of systemd's journal",
    ),
}
"""Recipe by the name of the service."""
