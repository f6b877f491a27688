"""MongoDB: the row of a database dashboard where such a server is monitored."""

from dashboards.common import RATE, Panel, graph, over_time
from dashboards.layout import Row
from dashboards.stores import Store
from dashboards.subject import Subject


def store_rows(subject: Subject) -> list[Row]:
    """Operations, their duration, connections, replication."""
    store = Store(subject=subject, job="mongodb")
    return [
        Row(
            "MongoDB",
            [
                _operations(store),
                _latency(store),
                _connections(store),
                _cache(store),
                _lag(store),
                _members(store),
                _cursors(store),
                _size(store),
            ],
        )
    ]


def connections(subject: Subject) -> tuple[str, str]:
    """Query and legend of the connections to each server."""
    return subject.of("mongodb_ss_connections", conn_type="current"), "{{instance}}"


def _operations(store: Store) -> Panel:
    return graph(
        "MongoDB Operations",
        "Operations a second, by kind.",
        "ops",
        over_time(
            f"sum by (legacy_op_type) (rate({store.of('mongodb_ss_opcounters')}[{RATE}]))", "{{legacy_op_type}}"
        ),
    )


def _latency(store: Store) -> Panel:
    def rate(what: str) -> str:
        return f"sum by (op_type) (rate({store.of(f'mongodb_ss_opLatencies_{what}')}[5m]))"

    return graph(
        "MongoDB Operation Time",
        "Average time of an operation over five minutes, by kind.",
        "µs",
        over_time(f"{rate('latency')} / ({rate('ops')} > 0)", "{{op_type}}"),
    )


def _connections(store: Store) -> Panel:
    return graph(
        "MongoDB Connections",
        "Open and available connections.",
        "short",
        over_time(store.of("mongodb_ss_connections", 'conn_type="current"'), "{{instance}}"),
        over_time(store.of("mongodb_ss_connections", 'conn_type="available"'), "{{instance}} free", "B"),
        limits=_allowed(store),
    )


def _allowed(store: Store) -> str | None:
    """The threshold of the system's file, or its share of the server's maximum."""
    own, share = store.subject.limits("db_connections"), store.subject.limits("db_connections_ratio")
    taken_and_free = store.of("mongodb_ss_connections", 'conn_type=~"current|available"')
    return own or (share and f"{share} * on () group_left () min(sum by (instance) ({taken_and_free}))")


def _cache(store: Store) -> Panel:
    held = store.of("mongodb_ss_wt_cache_bytes_currently_in_the_cache")
    return graph(
        "MongoDB Cache Use",
        "Used share of the WiredTiger cache; above 80% it evicts.",
        "percentunit",
        over_time(f"{held} / {store.of('mongodb_ss_wt_cache_maximum_bytes_configured')}", "{{instance}}"),
    ).max(1)


def _lag(store: Store) -> Panel:
    def applied(state: str) -> str:
        return store.of("mongodb_rs_members_optimeDate", f'member_state="{state}"')

    primary = f"max by (rs_nm) ({applied('PRIMARY')})"
    secondaries = f"min by (rs_nm, member_idx) ({applied('SECONDARY')})"
    return graph(
        "MongoDB Replication Lag",
        "Lag of each secondary behind its primary; only with a replica set.",
        "s",
        over_time(f"({primary} - on (rs_nm) group_right () {secondaries}) / 1000", "{{rs_nm}} {{member_idx}}"),
        limits=store.subject.limits("replication_lag"),
    )


def _members(store: Store) -> Panel:
    return graph(
        "MongoDB Members",
        "Members of each replica set by state, and those that others cannot reach; only with a replica set.",
        "short",
        over_time(
            f"count by (rs_nm, member_state) ({store.of('mongodb_rs_members_state')})", "{{rs_nm}} {{member_state}}"
        ),
        over_time(f"count by (rs_nm) ({store.of('mongodb_rs_members_health')} == 0)", "{{rs_nm}} out of reach", "B"),
    )


def _cursors(store: Store) -> Panel:
    return graph(
        "MongoDB Cursors Timed Out",
        "Idle cursors that timed out in five minutes.",
        "short",
        over_time(
            f"sum by (instance) (increase({store.of('mongodb_ss_metrics_cursor_timedOut')}[5m]))", "{{instance}}"
        ),
        limits=store.subject.limits("cursor_timeouts"),
    )


def _size(store: Store) -> Panel:
    return graph(
        "MongoDB Size",
        "Data in each database, before compression.",
        "bytes",
        over_time(f"sum by (database) ({store.of('mongodb_dbstats_dataSize')})", "{{database}}"),
    )
