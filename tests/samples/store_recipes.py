"""The exporters of databases, caches and proxies."""

from urllib.parse import quote

from observability.parts.postgres import COLLECTORS, QUERIES
from tests.samples.lab import Lab, Server
from tests.samples.probe_recipes import web
from tests.samples.recipe import ADDRESSES, Origin, Recipe

_QUERIES = "/etc/postgres-exporter/queries.yaml"
_PRIMARY = """\
set -e
initdb --username=postgres --auth=trust >/dev/null
echo 'host all all all trust' >>"$PGDATA/pg_hba.conf"
echo 'host replication all all trust' >>"$PGDATA/pg_hba.conf"
exec postgres -c listen_addresses='*' -c shared_preload_libraries=pg_stat_statements -c unix_socket_directories=/tmp
"""
_REPLICA = """\
set -e
until pg_basebackup -h primary -U postgres -D "$PGDATA" -R -C -S replica; do sleep 1; done
exec postgres -c listen_addresses='*' -c shared_preload_libraries=pg_stat_statements -c unix_socket_directories=/tmp
"""
_SQL = """\
CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
CREATE TABLE IF NOT EXISTS items (id integer PRIMARY KEY, name text);
CREATE INDEX IF NOT EXISTS items_name ON items (name);
INSERT INTO items SELECT i, 'item ' || i FROM generate_series(1, 1000) AS i ON CONFLICT DO NOTHING;
SELECT count(*) FROM items WHERE id < 10;
VACUUM ANALYZE items;
SELECT pg_create_physical_replication_slot('gone', true);
"""


def _postgres(name: str, script: str) -> Server:
    command = ("-c", f"export PGDATA=/tmp/data; {script}")
    return Server(name=name, image="postgres", entrypoint=("/bin/sh",), command=command, user="postgres")


def _fill(lab: Lab) -> None:
    psql = ("psql", "--no-psqlrc", "-v", "ON_ERROR_STOP=1", "-h", "/tmp", "-U", "postgres")  # noqa: S108 - in the container
    lab.wait(lambda: lab.run("primary", *psql, "-c", "SELECT 1"))
    for statement in _SQL.strip().splitlines():
        lab.run("primary", *psql, "-c", statement)
    lab.wait(lambda: lab.run("replica", *psql, "-c", "SELECT 1 / count(*) FROM pg_stat_wal_receiver"))


def _use_cache(lab: Lab) -> None:
    for words in (("SET", "a", "1"), ("GET", "a"), ("GET", "b"), ("EXPIRE", "a", "600")):
        lab.run("cache", "redis-cli", *words)

    def linked() -> None:
        if "master_link_status:up" not in lab.run("cache-2", "redis-cli", "INFO", "replication"):
            raise RuntimeError("the replica is not linked yet")

    lab.wait(linked)


def postgres() -> Recipe:
    """PostgreSQL's exporter."""
    return Recipe(
        image="postgres-exporter",
        job="postgres",
        how="a PostgreSQL 15 server and its replica",
        servers=[
            _postgres("primary", _PRIMARY),
            _postgres("replica", _REPLICA),
            Server(
                name="postgres",
                image="postgres-exporter",
                files={_QUERIES: QUERIES.read_text(encoding="utf-8")},
                command=(*COLLECTORS, f"--extend.query-path={_QUERIES}"),
            ),
        ],
        urls=[
            "http://postgres:9187/probe?target="
            + quote(f"postgresql://postgres@{server}:5432/postgres?sslmode=disable", safe="")
            for server in ("primary", "replica")
        ],
        prepare=_fill,
        masks={
            "queryid": {".*": "1"},
            "wait_event": {".*": "ClientRead"},
            "wait_event_type": {".*": "Client"},
            "server": {".*": "primary:5432"},
            "client_addr": ADDRESSES,
            "slot_name": {r"\d+": "1", "(.*)": r"\1"},
        },
    )


def redis() -> Recipe:
    """Redis' exporter."""
    return Recipe(
        image="redis-exporter",
        job="redis",
        how="a Redis 7 server, its replica, and a node of a cluster",
        servers=[
            Server(name="cache", image="redis", command=("redis-server", "--protected-mode", "no")),
            Server(
                name="cache-2",
                image="redis",
                command=("redis-server", "--protected-mode", "no", "--replicaof", "cache 6379"),
            ),
            Server(
                name="cluster",
                image="redis",
                command=("redis-server", "--protected-mode", "no", "--cluster-enabled", "yes"),
            ),
            Server(name="redis", image="redis-exporter", env={"REDIS_ADDR": ""}),
        ],
        urls=[f"http://redis:9121/scrape?target=redis://{server}:6379" for server in ("cache", "cache-2", "cluster")],
        prepare=_use_cache,
        masks={
            "slave_ip": ADDRESSES,
            "process_id": {".*": "1"},
            "redis_build_id": {".*": "0"},
            "os": {".*": "Linux"},
            "run_id": {".*": "0"},
            "master_replid": {".*": "0"},
        },
    )


def nginx() -> Recipe:
    """nginx' exporter."""
    return Recipe(
        image="nginx-exporter",
        job="nginx",
        how="an nginx 1.22 server's stub_status page",
        servers=[
            web(),
            Server(name="nginx", image="nginx-exporter", command=("--nginx.scrape-uri=http://web/stub_status",)),
        ],
        urls=["http://nginx:9113/metrics"],
    )


MONGODB = Origin(
    image="mongodb-exporter",
    job="mongodb",
    how="by hand: replaying what a mongod 4.2 of a replica set told of itself, as no server was available",
    # The host's metrics, whose names contain its disks, and about a thousand of the storage engine.
    without="mongodb_sys_.*|.*wiredTiger.*|mongodb_oplog_stats_wt_.*|mongodb_ss_wt_(?!cache_|concurrent).*",
)
ELASTICSEARCH = Origin(
    image="elasticsearch-exporter",
    job="elasticsearch",
    how="by hand: a node of Elasticsearch 7.17, as no newer one was available",
    masks={"path": {".*": "/data"}, "mount": {".*": "/"}, "device": {".*": "sda1"}, "cluster_uuid": {".*": "0"}},
)
