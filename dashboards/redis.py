"""Redis: availability, keys, memory, connections, replicas."""

from grafana_foundation_sdk.models import dashboard

from dashboards import state
from dashboards.common import RATE, Panel, graph, number, over_time
from dashboards.layout import Row, assemble
from dashboards.stores import Store
from dashboards.subject import Subject


def redis(subject: Subject) -> dashboard.Dashboard | None:
    """The dashboard; None without a monitored Redis server of the system."""
    if "redis" not in subject.jobs:
        return None
    store = Store(subject=subject, job="redis")
    alerts = f'alertname=~"Redis.*",{subject.alerts}'
    return assemble(
        f"{subject.name}-redis",
        f"{subject.system.title}: Redis",
        "Availability, keys, memory, connections, replicas.",
        [
            Row(
                "State",
                [
                    state.alerts_firing(alerts),
                    state.firing_since(alerts),
                    _hit_ratio_now(store),
                    _memory_now(store),
                    store.states(),
                ],
            ),
            Row("Throughput", [_commands(store), _time(store), _hit_ratio(store), _slow(store), _network(store)]),
            Row("Capacity", [_memory(store), _dropped(store), _keys(store), _connections(store), _refused(store)]),
            Row("Replication and Persistence", [_replicas(store), _saving(store), _cluster(store)]),
        ],
        tags=subject.tags,
        links=subject.links,
        variables=[store.variable()],
        alerts=alerts,
    )


def _hit_ratio_now(store: Store) -> Panel:
    def found(what: str) -> str:
        return f"sum(rate({store.of(f'redis_keyspace_{what}_total')}[5m]))"

    return number(
        "Hit Ratio Now",
        "Share of look-ups that found their key, in the last five minutes.",
        "percentunit",
        over_time(f"{found('hits')} / ({found('hits')} + {found('misses')} > 0)"),
    )


def _memory_now(store: Store) -> Panel:
    return number(
        "Memory Now", "Memory of all servers.", "bytes", over_time(f"sum({store.of('redis_memory_used_bytes')})")
    )


def _commands(store: Store) -> Panel:
    return graph(
        "Redis Commands",
        "Commands a second.",
        "ops",
        over_time(f"sum by (instance) (rate({store.of('redis_commands_processed_total')}[{RATE}]))", "{{instance}}"),
    )


def _hit_ratio(store: Store) -> Panel:
    def found(what: str) -> str:
        return f"sum by (instance) (rate({store.of(f'redis_keyspace_{what}_total')}[5m]))"

    return graph(
        "Redis Hit Ratio",
        "Share of look-ups that found their key, over five minutes.",
        "percentunit",
        over_time(f"{found('hits')} / ({found('hits')} + {found('misses')} > 0)", "{{instance}}"),
    ).max(1)


def _memory(store: Store) -> Panel:
    return graph(
        "Redis Memory",
        "Used memory, and maxmemory where it is set.",
        "bytes",
        over_time(store.of("redis_memory_used_bytes"), "{{instance}}"),
        over_time(f"{store.of('redis_memory_max_bytes')} > 0", "{{instance}} allowed", "B"),
    )


def _connections(store: Store) -> Panel:
    return graph(
        "Redis Connections",
        "Connected clients as a share of maxclients.",
        "percentunit",
        over_time(f"{store.of('redis_connected_clients')} / {store.of('redis_config_maxclients')}", "{{instance}}"),
        limits=store.subject.limits("db_connections_ratio"),
    ).max(1)


def _refused(store: Store) -> Panel:
    return graph(
        "Redis Rejected Connections",
        "Connections rejected in five minutes because of maxclients.",
        "short",
        over_time(f"sum by (instance) (increase({store.of('redis_rejected_connections_total')}[5m]))", "{{instance}}"),
    )


def _time(store: Store) -> Panel:
    def rate(series: str) -> str:
        return f"sum by (instance) (rate({store.of(series)}[5m]))"

    spent, done = rate("redis_commands_duration_seconds_total"), rate("redis_commands_total")
    return graph(
        "Redis Command Time",
        "Average time of a command over five minutes.",
        "s",
        over_time(f"{spent} / ({done} > 0)", "{{instance}}"),
    )


def _slow(store: Store) -> Panel:
    return graph(
        "Redis Slow Log",
        "Entries of the slow log; it keeps the last 128.",
        "short",
        over_time(store.of("redis_slowlog_length"), "{{instance}}"),
    )


def _network(store: Store) -> Panel:
    def moved(direction: str) -> str:
        return f"sum(rate({store.of(f'redis_net_{direction}_bytes_total')}[{RATE}]))"

    return graph(
        "Redis Network",
        "Bytes received and sent a second.",
        "Bps",
        over_time(moved("input"), "received"),
        over_time(moved("output"), "sent", "B"),
    )


def _keys(store: Store) -> Panel:
    return graph(
        "Redis Keys",
        "Keys in each database that has any.",
        "short",
        over_time(f"{store.of('redis_db_keys')} > 0", "{{instance}} {{db}}"),
    )


def _saving(store: Store) -> Panel:
    return graph(
        "Redis Saving",
        "1: the last snapshot and the last append-only write succeeded.",
        "short",
        over_time(store.of("redis_rdb_last_bgsave_status"), "{{instance}} snapshot"),
        over_time(store.of("redis_aof_last_write_status"), "{{instance}} append-only file", "B"),
    ).max(1)


def _cluster(store: Store) -> Panel:
    alone = f"{store.of('redis_up')} and on (instance) {store.of('redis_cluster_enabled')} == 0"
    return graph(
        "Redis Cluster",
        "1: the cluster serves all slots; 1 without a cluster, too.",
        "short",
        over_time(f"{store.of('redis_cluster_state')} or {alone}", "{{instance}}"),
    ).max(1)


def _dropped(store: Store) -> Panel:
    def gone(how: str) -> str:
        return f"sum by (instance) (rate({store.of(f'redis_{how}_keys_total')}[{RATE}]))"

    return graph(
        "Redis Evicted Keys",
        "Expired and evicted keys a second.",
        "cps",
        over_time(gone("expired"), "{{instance}} expired"),
        over_time(gone("evicted"), "{{instance}} evicted", "B"),
    )


def _replicas(store: Store) -> Panel:
    return graph(
        "Redis Replicas",
        "Replicas that are connected to each server.",
        "short",
        over_time(store.of("redis_connected_slaves"), "{{instance}}"),
    )
