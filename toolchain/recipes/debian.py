"""Databases, caches and proxies, from Debian's packages."""

from collections.abc import Mapping
from typing import Final

from toolchain.recipe import Base, Recipe

_PGDATA: Final = "/var/lib/postgresql/data"
_PG_BIN: Final = "/usr/lib/postgresql/15/bin"
_PG_SAMPLE: Final = "/usr/share/postgresql/15/postgresql.conf.sample"
_OTHER: Final = "what its makers add to a build (this is Debian's package of that release series)"

DEBIAN: Final[Mapping[str, Recipe]] = {
    "postgres": Recipe(
        repository="postgres",
        tag="15.20-bookworm",
        title="PostgreSQL",
        base=Base.DEBIAN,
        packages=("postgresql-15", "util-linux"),
        accounts={"postgres": 999},
        setup=(
            "rm -rf /etc/postgresql/15 /var/lib/postgresql/15 /var/log/postgresql/*",
            f"sed -i \"s/^#listen_addresses = 'localhost'/listen_addresses = '*'/\" {_PG_SAMPLE}",
            f"grep -q \"^listen_addresses = '[*]'\" {_PG_SAMPLE}",
            "install -d -o postgres -g postgres -m 3777 /var/run/postgresql",
            "install -d /docker-entrypoint-initdb.d",
        ),
        sources={"/usr/local/bin/docker-entrypoint.sh": "toolchain/recipes/postgres-entrypoint.sh"},
        owned={_PGDATA: 0o1777, "/var/lib/postgresql": 0o755},
        env={
            "PATH": f"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:{_PG_BIN}",
            "LANG": "C.UTF-8",
            "PG_MAJOR": "15",
            "PGDATA": _PGDATA,
        },
        user="",
        uid=999,
        entrypoint=("docker-entrypoint.sh",),
        cmd=("postgres",),
        volumes=(_PGDATA,),
        ports=("5432/tcp",),
        stop_signal="SIGINT",
        without=_OTHER,
    ),
    "redis": Recipe(
        repository="redis",
        tag="7.0.15-bookworm",
        title="Redis",
        base=Base.DEBIAN,
        packages=("redis-server", "util-linux"),
        accounts={"redis": 999},
        sources={"/usr/local/bin/docker-entrypoint.sh": "toolchain/recipes/redis-entrypoint.sh"},
        owned={"/data": 0o755},
        user="",
        uid=999,
        workdir="/data",
        entrypoint=("docker-entrypoint.sh",),
        cmd=("redis-server",),
        volumes=("/data",),
        ports=("6379/tcp",),
        without=_OTHER,
    ),
    "nginx": Recipe(
        repository="nginx",
        tag="1.22.1",
        title="nginx",
        base=Base.DEBIAN,
        packages=("ca-certificates", "curl", "nginx"),
        accounts={"nginx": 101},
        setup=(
            "rm -rf /etc/nginx/modules-enabled /etc/nginx/sites-available /etc/nginx/sites-enabled",
            "ln -sf /dev/stdout /var/log/nginx/access.log",
            "ln -sf /dev/stderr /var/log/nginx/error.log",
        ),
        sources={
            "/etc/nginx/nginx.conf": "toolchain/recipes/nginx.conf",
            "/etc/nginx/conf.d/default.conf": "toolchain/recipes/nginx-default.conf",
        },
        user="",
        uid=0,
        cmd=("nginx", "-g", "daemon off;"),
        ports=("80/tcp",),
        stop_signal="SIGQUIT",
        without=_OTHER,
    ),
}
"""Recipe by the name of the server."""

SERVERS: Final[Mapping[str, str]] = {name: f"{recipe.repository}:{recipe.tag}" for name, recipe in DEBIAN.items()}
"""Reference of the image that each recipe stands for."""
