"""Thresholds of data stores and proxies: PostgreSQL, Redis, MongoDB, nginx, Elasticsearch."""

from collections.abc import Mapping
from typing import Final

from observability.systems.threshold_spec import GIB, KIB, ThresholdSpec, spec

STORES: Final[Mapping[str, ThresholdSpec]] = {
    "db_connections": spec("Connections of a PostgreSQL or MongoDB server.", "count", "warning"),
    "db_connections_ratio": spec(
        "Connections of a server against the most it allows.",
        "ratio",
        warning=0.8,
        critical=0.95,
        reason="At the limit new connections are refused; PostgreSQL keeps 3 of 100 for superusers.",
    ),
    "db_buffer_hit_ratio": spec(
        "Share of a PostgreSQL database's blocks found in memory.",
        "ratio",
        breached="below",
        warning=0.9,
        reason="A working set that fits into memory is found there in 99% of the reads.",
    ),
    "deadlocks": spec(
        "Deadlocks of a database in 5 minutes.",
        "count",
        warning=0,
        reason="Each ended a transaction with an error.",
    ),
    "rollback_ratio": spec(
        "Rollbacks of a database, as a share of its commits.",
        "ratio",
        warning=0.1,
        reason="Transactions that fail for business reasons are below 5% in most systems.",
    ),
    "rollback_habit": spec(
        "Share of rollbacks in all transactions above which they are a connection pool's way to end reads.",
        "ratio",
        warning=0.5,
        reason="A pool that ends each read with ROLLBACK has more of them than commits, at all hours.",
    ),
    "long_transaction": spec(
        "Age of a server's oldest open transaction.",
        "seconds",
        warning=600,
        reason="Requests end within seconds; ten minutes hold back VACUUM and locks.",
    ),
    "lock_waits": spec(
        "Sessions that wait for a lock at a time.",
        "count",
        warning=5,
        reason="Short waits are normal; several sessions for minutes are a queue behind one transaction.",
    ),
    "wraparound_ratio": spec(
        "Used share of a database's transaction ids.",
        "ratio",
        warning=0.5,
        critical=0.85,
        reason="Autovacuum freezes rows from 10% on; PostgreSQL stops at 100%.",
    ),
    "forced_checkpoints": spec(
        "Checkpoints forced by the amount of write-ahead log in 30 minutes.",
        "count",
        info=6,
        reason="Timed ones are one in 5 minutes; more are forced than timed.",
    ),
    "replication_lag": spec(
        "How far a replica is behind its primary.",
        "seconds",
        warning=30,
        reason="Readers of a replica accept some seconds; a failover loses the lag.",
    ),
    "replication_silence": spec(
        "Time since a replica last heard from its primary.",
        "seconds",
        warning=120,
        reason="A receiver that hears nothing asks after 30 s and gives up after 60 s (wal_receiver_timeout).",
    ),
    "slot_size": spec(
        "Write-ahead log that is kept for a replication slot nobody reads.",
        "bytes",
        warning=GIB,
        reason="A reader that restarts catches up with less; beyond it the disk fills.",
    ),
    "archive_failures": spec(
        "Failures of archive_command in 15 minutes.",
        "count",
        warning=0,
        reason="PostgreSQL repeats it, and keeps the log until it succeeds.",
    ),
    "sequential_scan_ratio": spec(
        "Share of a table's scans that read all of it.",
        "ratio",
        info=0.5,
        reason="Tables with fitting indexes are read whole by reports alone.",
    ),
    "table_rows": spec(
        "Rows from which on a table is judged by its scans.",
        "count",
        info=10_000,
        reason="Smaller tables are read whole faster than through an index.",
    ),
    "unused_index_size": spec(
        "Size of an index that no query has used for a week.",
        "bytes",
        info=10 * KIB**2,
        reason="Smaller ones cost next to nothing.",
    ),
    "dead_row_ratio": spec(
        "Share of dead rows in a table.",
        "ratio",
        info=0.3,
        reason="Autovacuum starts at 20% of the rows by default.",
    ),
    "dead_rows": spec(
        "Dead rows from which on a table is judged by their share.",
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
        reason="When it is full, writes are refused or keys are evicted.",
    ),
    "redis_rejected": spec(
        "Connections that a Redis server refused in 5 minutes.",
        "count",
        warning=0,
        reason="Each is an error of a client.",
    ),
    "cursor_timeouts": spec(
        "Cursors that a MongoDB server closed as nobody read them, in 5 minutes.",
        "count",
        warning=10,
        reason="Some are left by clients that restart.",
    ),
    "nginx_connections": spec(
        "Connections that an nginx server holds.",
        "count",
        warning=800,
        reason="A worker takes 1024 by default, those to upstream servers counted too.",
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
        reason="The parent circuit breaker refuses requests at 95%.",
    ),
}
