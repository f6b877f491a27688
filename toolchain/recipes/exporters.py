"""The exporters, and the shell that one of them borrows."""

from collections.abc import Mapping
from typing import Final

from toolchain.gobuild import GoBuild
from toolchain.recipe import Base, Recipe
from toolchain.recipes.prometheus import stamps

EXPORTERS: Final[Mapping[str, Recipe]] = {
    "node-exporter": Recipe(
        repository="prom/node-exporter",
        tag="v1.12.1",
        title="node_exporter",
        build=GoBuild(
            name="node-exporter",
            module="github.com/prometheus/node_exporter",
            version="v1.12.1",
            stamps=stamps("1.12.1"),
            tags=("netgo",),
        ),
        binaries={"/bin/node_exporter": "node_exporter"},
        entrypoint=("/bin/node_exporter",),
        ports=("9100/tcp",),
    ),
    "blackbox-exporter": Recipe(
        repository="prom/blackbox-exporter",
        tag="v0.28.0",
        title="blackbox_exporter",
        build=GoBuild(
            name="blackbox-exporter",
            module="github.com/prometheus/blackbox_exporter",
            version="v0.28.0",
            stamps=stamps("0.28.0"),
            tags=("netgo",),
            keep=("blackbox.yml",),
        ),
        binaries={"/bin/blackbox_exporter": "blackbox_exporter"},
        files={"/etc/blackbox_exporter/config.yml": "blackbox.yml"},
        user="",
        uid=0,
        entrypoint=("/bin/blackbox_exporter",),
        cmd=("--config.file=/etc/blackbox_exporter/config.yml",),
        ports=("9115/tcp",),
    ),
    "postgres-exporter": Recipe(
        repository="prometheuscommunity/postgres-exporter",
        tag="v0.19.1",
        title="postgres_exporter",
        build=GoBuild(
            name="postgres-exporter",
            module="github.com/prometheus-community/postgres_exporter",
            version="v0.19.1",
            packages=("cmd/postgres_exporter",),
            stamps=stamps("0.19.1"),
            tags=("netgo",),
        ),
        binaries={"/bin/postgres_exporter": "postgres_exporter"},
        entrypoint=("/bin/postgres_exporter",),
        ports=("9187/tcp",),
    ),
    "redis-exporter": Recipe(
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
    "nginx-exporter": Recipe(
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
    "mongodb-exporter": Recipe(
        repository="percona/mongodb_exporter",
        tag="0.43.1",
        title="MongoDB exporter",
        build=GoBuild(
            name="mongodb-exporter",
            module="github.com/percona/mongodb_exporter",
            version="v0.43.1",
            stamps={"main.version": "v0.43.1"},
        ),
        binaries={"/mongodb_exporter": "mongodb_exporter"},
        base=Base.STATIC,
        user="65535:65535",
        uid=65535,
        entrypoint=("/mongodb_exporter",),
        ports=("9216/tcp",),
    ),
    "busybox": Recipe(
        repository="busybox",
        tag="1.35.0",
        title="busybox",
        base=Base.DEBIAN,
        # Linked statically as the official one is, so that the program runs wherever it is copied to.
        packages=("busybox-static",),
        user="",
        uid=0,
        cmd=("sh",),
    ),
    "elasticsearch-exporter": Recipe(
        repository="prometheuscommunity/elasticsearch-exporter",
        tag="v1.10.0",
        title="elasticsearch_exporter",
        build=GoBuild(
            name="elasticsearch-exporter",
            module="github.com/prometheus-community/elasticsearch_exporter",
            version="v1.10.0",
            stamps=stamps("1.10.0"),
            tags=("netgo",),
        ),
        binaries={"/bin/elasticsearch_exporter": "elasticsearch_exporter"},
        entrypoint=("/bin/elasticsearch_exporter",),
        # As the image says it; it listens on 9114.
        ports=("7979/tcp",),
    ),
}
"""Recipe by the name of the service."""
