"""PostgreSQL: the row of a database dashboard where such a server is monitored, and a dashboard of its details."""

from typing import Final

from grafana_foundation_sdk.models import dashboard

from dashboards.common import RANGE, RATE, Panel, columns, graph, now, over_time, rows
from dashboards.layout import Row, assemble, to
from dashboards.stores import Store
from dashboards.subject import Subject

WAITS: Final = 'wait_event_type="Lock"'

NO_TEMPLATE: Final = 'datname!~"template[0-9]+|"'
"""Databases other than the templates."""


def store_rows(subject: Subject) -> list[Row]:
    """The row of a database dashboard: transactions, connections, locks, slow queries."""
    store = Store(subject=subject, job="postgres")
    return [
        Row(
            "PostgreSQL",
            [
                _transactions(store),
                _cache(store),
                _connections(store),
                _deadlocks(store),
                _replication(store),
                _index_use(store),
                _slow_queries(store),
                _table_size(store),
            ],
        )
    ]


def connections(subject: Subject) -> tuple[str, str]:
    """Query and legend of the connections to each database that has any."""
    return f"sum by (datname) ({subject.of('pg_stat_database_numbackends')} > 0)", "{{datname}}"


def details(subject: Subject) -> dashboard.Dashboard | None:
    """The dashboard of tables, indexes, transactions and the write-ahead log; None without a monitored server."""
    if "postgres" not in subject.jobs:
        return None
    store = Store(subject=subject, job="postgres")
    alerts = f'component="database",{subject.alerts}'
    return assemble(
        f"{subject.name}-postgres",
        f"{subject.system.title}: PostgreSQL in Detail",
        "Tables, indexes, transactions, write-ahead log and replication.",
        [
            Row("Transactions", [_rollbacks(store), _long_transactions(store), _locks(store)]),
            Row(
                "Tables and Indexes", [_sequential_scans(store), _dead_rows(store), _size(store), _idle_indexes(store)]
            ),
            Row(
                "Write-ahead Log and Maintenance",
                [_checkpoints(store), _kept_log(store), _archiving(store), _age(store), _collectors(store)],
            ),
        ],
        tags=subject.tags,
        links=[*subject.links, to("Database", f"/d/{subject.name}-database")],
        variables=[store.variable()],
        alerts=alerts,
        period="6h",
    )


def _transactions(store: Store) -> Panel:
    def ended(how: str) -> str:
        return f"sum(rate({store.of(f'pg_stat_database_xact_{how}')}[{RATE}]))"

    return graph(
        "Transactions Per Second",
        "Committed and rolled-back transactions.",
        "ops",
        over_time(ended("commit"), "Commits"),
        over_time(ended("rollback"), "Rollbacks", "B"),
    )


def _cache(store: Store) -> Panel:
    def blocks(what: str) -> str:
        return f"sum by (datname) (rate({store.of(f'pg_stat_database_blks_{what}', NO_TEMPLATE)}[5m]))"

    return graph(
        "Cache Hit Ratio",
        "Share of blocks found in shared_buffers, over five minutes.",
        "percentunit",
        over_time(f"{blocks('hit')} / ({blocks('hit')} + {blocks('read')} > 0)", "{{datname}}"),
        limits=store.subject.limits("db_buffer_hit_ratio"),
    ).max(1)


def _connections(store: Store) -> Panel:
    return graph(
        "Connection Pool",
        "Connections to each database by state, and the server's limit.",
        "short",
        over_time(f"sum by (datname, state) ({store.of('pg_stat_activity_count')} > 0)", "{{datname}} {{state}}"),
        over_time(f"min({store.of('pg_settings_max_connections')})", "allowed", "B"),
        limits=_allowed(store),
    )


def _allowed(store: Store) -> str | None:
    """The threshold of the system's file, or its share of the server's limit."""
    own, share = store.subject.limits("db_connections"), store.subject.limits("db_connections_ratio")
    return own or (share and f"{share} * on () group_left () min({store.of('pg_settings_max_connections')})")


def _deadlocks(store: Store) -> Panel:
    return graph(
        "Deadlocks",
        "Deadlocks in five minutes; each aborts a transaction.",
        "short",
        over_time(
            f"sum by (datname) (increase({store.of('pg_stat_database_deadlocks', NO_TEMPLATE)}[5m]))", "{{datname}}"
        ),
    )


def _rollbacks(store: Store) -> Panel:
    def ended(how: str) -> str:
        return f"sum by (datname) (rate({store.of(f'pg_stat_database_xact_{how}', NO_TEMPLATE)}[5m]))"

    return graph(
        "Rollbacks for Each Commit",
        "Rollbacks for each commit, over five minutes.",
        "percentunit",
        over_time(f"{ended('rollback')} / ({ended('commit')} > 0)", "{{datname}}"),
        limits=store.subject.limits("rollback_ratio"),
    )


def _replication(store: Store) -> Panel:
    return graph(
        "Replication Lag",
        "Age of the last change that a standby has applied; 0 on a primary.",
        "s",
        over_time(store.of("pg_replication_lag_seconds"), "{{instance}}"),
        limits=store.subject.limits("replication_lag"),
    )


def _slow_queries(store: Store) -> Panel:
    def grown(series: str) -> str:
        return f"sum by (datname, user, queryid) (increase({store.of(series)}[{RANGE}]))"

    mean = f"{grown('pg_stat_statements_seconds_total')} / ({grown('pg_stat_statements_calls_total')} > 0)"
    return rows(
        "Slow Queries",
        "The ten slowest queries on average in the time range; queryid is that of pg_stat_statements.",
        "s",
        now(f"topk(10, {mean})"),
        width=12,
    )


def _table_size(store: Store) -> Panel:
    def tables(series: str) -> str:
        return f"topk(20, sum by (datname, schemaname, relname) ({store.of(series)}))"

    return columns(
        "Table Size",
        "The twenty largest tables: their rows, and their indexes.",
        {
            "Table": (tables("pg_stat_user_tables_table_size_bytes"), "bytes"),
            "Indexes": (tables("pg_stat_user_tables_index_size_bytes"), "bytes"),
        },
        width=12,
    )


def _index_use(store: Store) -> Panel:
    def scans(kind: str) -> str:
        return f"sum by (relname) (rate({store.of(f'pg_stat_user_tables_{kind}_scan')}[5m]))"

    return graph(
        "Index Usage",
        "Share of a table's scans that use an index; the ten lowest. Small tables need none.",
        "percentunit",
        over_time(f"bottomk(10, {scans('idx')} / ({scans('idx')} + {scans('seq')} > 0))", "{{relname}}"),
    ).max(1)


def _sequential_scans(store: Store) -> Panel:
    return graph(
        "Rows Read Without an Index",
        "Rows a second read by sequential scans; the ten tables with the most.",
        "cps",
        over_time(
            f"topk(10, sum by (relname) (rate({store.of('pg_stat_user_tables_seq_tup_read')}[{RATE}])))", "{{relname}}"
        ),
    )


def _idle_indexes(store: Store) -> Panel:
    by = "sum by (datname, relname, indexrelname)"
    size = f"{by} ({store.of('pg_index_usage_size_bytes')})"
    least = f"topk(20, {size} unless {by} (increase({store.of('pg_index_usage_scans_total')}[1d])) > 0)"
    return rows(
        "Idle Indexes",
        "The twenty largest indexes without a scan for a day; every write updates them.",
        "bytes",
        now(least),
        width=24,
    )


def _dead_rows(store: Store) -> Panel:
    def tuples(what: str) -> str:
        return f"sum by (relname) ({store.of(f'pg_stat_user_tables_n_{what}_tup')})"

    return graph(
        "Dead Rows",
        "Share of dead rows, which VACUUM has not removed; the ten tables with the most.",
        "percentunit",
        over_time(f"topk(10, {tuples('dead')} / ({tuples('dead')} + {tuples('live')} > 0))", "{{relname}}"),
        limits=store.subject.limits("dead_row_ratio"),
    ).max(1)


def _long_transactions(store: Store) -> Panel:
    return graph(
        "Longest Transaction",
        "Age of the oldest open transaction, by database and state.",
        "s",
        over_time(
            f"max by (datname, state) ({store.of('pg_stat_activity_max_tx_duration', NO_TEMPLATE)})",
            "{{datname}} {{state}}",
        ),
        limits=store.subject.limits("long_transaction"),
    )


def _locks(store: Store) -> Panel:
    return graph(
        "Locks",
        "Held locks by mode, and sessions that wait for a lock.",
        "short",
        over_time(f"sum by (mode) ({store.of('pg_locks_count', NO_TEMPLATE)} > 0)", "{{mode}}"),
        over_time(
            f"sum({store.of('pg_stat_activity_count', WAITS)}) or 0 * max({store.of('pg_up')})",
            "waiting sessions",
            "B",
        ),
        limits=store.subject.limits("lock_waits"),
    )


def _size(store: Store) -> Panel:
    return graph(
        "Database Size",
        "Disk space of each database.",
        "bytes",
        over_time(store.of("pg_database_size_bytes", NO_TEMPLATE), "{{datname}}"),
    )


def _checkpoints(store: Store) -> Panel:
    def made(older: str, newer: str) -> str:
        return f"sum(increase({store.of(older)}[30m]) or increase({store.of(newer)}[30m]))"

    return graph(
        "Checkpoints",
        "Checkpoints in 30 minutes: timed, and requested because max_wal_size was reached.",
        "short",
        over_time(made("pg_stat_bgwriter_checkpoints_timed_total", "pg_stat_checkpointer_num_timed_total"), "timed"),
        over_time(
            made("pg_stat_bgwriter_checkpoints_req_total", "pg_stat_checkpointer_num_requested_total"), "forced", "B"
        ),
        limits=store.subject.limits("forced_checkpoints"),
    )


def _kept_log(store: Store) -> Panel:
    return graph(
        "Write-ahead Log",
        "Size of the write-ahead log on disk, and the part kept for each replication slot.",
        "bytes",
        over_time(store.of("pg_wal_size_bytes"), "{{instance}}"),
        over_time(f"max by (slot_name) ({store.of('pg_replication_slots_pg_wal_lsn_diff')})", "{{slot_name}}", "B"),
        limits=store.subject.limits("slot_size"),
    )


def _archiving(store: Store) -> Panel:
    def counted(what: str) -> str:
        return f"sum by (instance) (increase({store.of(f'pg_stat_archiver_{what}_count')}[15m]))"

    return graph(
        "Log Archiving",
        "Archived segments, and failures of archiving, in 15 minutes.",
        "short",
        over_time(counted("archived"), "{{instance}} archived"),
        over_time(counted("failed"), "{{instance}} failed", "B"),
    )


def _age(store: Store) -> Panel:
    return graph(
        "Transaction IDs in Use",
        "Used share of transaction ids since the oldest row that is not frozen; at 100% writes are refused.",
        "percentunit",
        over_time(
            f"max by (datname) ({store.of('pg_database_wraparound_age_datfrozenxid_seconds')}) / 2147483648",
            "{{datname}}",
        ),
        limits=store.subject.limits("wraparound_ratio"),
    )


def _collectors(store: Store) -> Panel:
    return graph(
        "Failed Collectors",
        "Collectors of the exporter that fail; their metrics are missing.",
        "short",
        over_time(
            f"count by (instance) ({store.of('pg_scrape_collector_success')} == 0) or 0 * {store.of('pg_up')}",
            "{{instance}}",
        ),
    )
