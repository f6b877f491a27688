"""Thresholds of data stores and proxies: PostgreSQL, Redis, MongoDB, nginx, Elasticsearch."""

from collections.abc import Mapping
from typing import Final

from observability.systems.threshold_spec import GIB, KIB, ThresholdSpec, spec

STORES: Final[Mapping[str, ThresholdSpec]] = {
    "db_connections": spec("Connections of a PostgreSQL or MongoDB server.", "count", "warning"),
    "db_connections_ratio": spec(
        "Connections of a server as a share of its limit.",
        "ratio",
        warning=0.8,
        critical=0.95,
        reason="At the limit new connections are rejected; PostgreSQL reserves 3 of 100 for superusers.",
    ),
    "db_buffer_hit_ratio": spec(
        "Share of a PostgreSQL database's blocks found in memory.",
        "ratio",
        breached="below",
        warning=0.9,
        reason="A working set that fits into memory has a hit ratio of 99%.",
    ),
    "deadlocks": spec(
        "Deadlocks of a database in 5 minutes.",
        "count",
        warning=0,
        reason="Each aborts a transaction.",
    ),
    "rollback_ratio": spec(
        "Rollbacks of a database for each commit.",
        "ratio",
        warning=0.1,
        reason="In most systems less than 5% of transactions fail for business reasons.",
    ),
    "rollback_habit": spec(
        "Share of rollbacks in all transactions above which a connection pool is assumed to end reads with ROLLBACK.",
        "ratio",
        warning=0.5,
        reason="A pool that ends each read with ROLLBACK always has more rollbacks than commits.",
    ),
    "long_transaction": spec(
        "Age of a server's oldest open transaction.",
        "seconds",
        warning=600,
        reason="Requests end within seconds; ten minutes block VACUUM and other sessions.",
    ),
    "lock_waits": spec(
        "Sessions that wait for a lock at the same time.",
        "count",
        warning=5,
        reason="Short waits are normal; several sessions that wait for minutes are blocked by one transaction.",
    ),
    "wraparound_ratio": spec(
        "Used share of a database's transaction ids.",
        "ratio",
        warning=0.5,
        critical=0.85,
        reason="Autovacuum freezes rows from 10% on; PostgreSQL refuses writes at 100%.",
    ),
    "forced_checkpoints": spec(
        "Requested checkpoints in 30 minutes, usually because of the size of the write-ahead log.",
        "count",
        info=6,
        reason="Timed checkpoints are one in 5 minutes, so more are requested than timed.",
    ),
    "replication_lag": spec(
        "How far a replica is behind its primary.",
        "seconds",
        warning=30,
        reason="Clients of a replica usually accept some seconds; a failover loses the changes of the lag.",
    ),
    "replication_silence": spec(
        "Time since the last message of a primary to its replica.",
        "seconds",
        warning=120,
        reason="Without messages a WAL receiver disconnects after 60 s (wal_receiver_timeout).",
    ),
    "slot_size": spec(
        "Write-ahead log that is kept for an inactive replication slot.",
        "bytes",
        warning=GIB,
        reason="A consumer that restarts needs less; with more the disk fills.",
    ),
    "archive_failures": spec(
        "Failures of archive_command in 15 minutes.",
        "count",
        warning=0,
        reason="PostgreSQL retries it, and keeps the log until it succeeds.",
    ),
    "sequential_scan_ratio": spec(
        "Share of sequential scans in a table's scans.",
        "ratio",
        info=0.5,
        reason="With suitable indexes only reports use sequential scans.",
    ),
    "table_rows": spec(
        "Rows from which on the scans of a table are evaluated.",
        "count",
        info=10_000,
        reason="For smaller tables a sequential scan is faster than an index.",
    ),
    "unused_index_size": spec(
        "Size of an index that was not used for a week.",
        "bytes",
        info=10 * KIB**2,
        reason="Smaller ones have a negligible cost.",
    ),
    "dead_row_ratio": spec(
        "Share of dead rows in a table.",
        "ratio",
        info=0.3,
        reason="Autovacuum starts at 20% of the rows by default.",
    ),
    "dead_rows": spec(
        "Dead rows from which on their share is evaluated.",
        "count",
        info=10_000,
        reason="Fewer take a few hundred kilobytes.",
    ),
    "statement_time": spec(
        "Average time of a statement.",
        "seconds",
        info=1,
        reason="Statements of requests take milliseconds.",
    ),
    "redis_memory_ratio": spec(
        "Share of maxmemory that a Redis server uses.",
        "ratio",
        warning=0.9,
        reason="When it is full, writes are rejected or keys are evicted.",
    ),
    "redis_rejected": spec(
        "Connections that a Redis server rejected in 5 minutes.",
        "count",
        warning=0,
        reason="Each causes an error of a client.",
    ),
    "cursor_timeouts": spec(
        "Idle cursors that a MongoDB server closed in 5 minutes.",
        "count",
        warning=10,
        reason="Clients that restart leave a few.",
    ),
    "nginx_connections": spec(
        "Open connections of an nginx server.",
        "count",
        warning=800,
        reason="A worker allows 1024 by default, including those to upstream servers.",
    ),
    "nginx_dropped": spec(
        "Connections that an nginx server dropped in 5 minutes.",
        "count",
        warning=1,
        reason="nginx drops one only when it has no worker connection or file descriptor left.",
    ),
    "elasticsearch_heap_ratio": spec(
        "Used share of an Elasticsearch node's heap.",
        "ratio",
        warning=0.85,
        critical=0.95,
        reason="The parent circuit breaker rejects requests at 95%.",
    ),
}
