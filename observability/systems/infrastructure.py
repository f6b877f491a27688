"""Thresholds of hosts, containers, data stores, proxies, endpoints and the stack itself: any system has them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from observability.systems.threshold_spec import ThresholdSpec, spec

DAY: Final = 86400.0
HOUR: Final = 3600.0
KIB: Final = 1024.0
GIB: Final = KIB**3

HOSTS: Final[Mapping[str, ThresholdSpec]] = {
    "cpu_ratio": spec(
        "Busy share of a host's CPUs.",
        "ratio",
        warning=0.8,
        critical=0.95,
        reason="Above 80% requests begin to queue; above 95% health checks are late too.",
    ),
    "load_per_cpu": spec(
        "Processes that run or wait, for each CPU, on the average of 15 minutes.",
        "count",
        warning=2,
        reason="Twice as much work as CPUs for 15 minutes is more than a job of some minutes; as in the node mixin.",
    ),
    "memory_ratio": spec(
        "Used memory of a host.",
        "ratio",
        warning=0.8,
        critical=0.95,
        reason="The last 5% of a host are the kernel's reserve; below it processes are killed.",
    ),
    "oom_kills": spec(
        "Processes killed for lack of memory in 10 minutes.",
        "count",
        warning=0,
        reason="Each one is a process that ended in the middle of its work.",
    ),
    "clock_skew": spec(
        "How far a host's clock is from that of Prometheus.",
        "seconds",
        warning=5,
        reason="NTP keeps clocks within 0.1 s; tokens are usually accepted within 5 s to 30 s.",
    ),
    "network_error_ratio": spec(
        "Share of an interface's packets with errors.",
        "ratio",
        warning=0.01,
        reason="TCP loses half of its throughput at about 1% loss; as in the node mixin.",
    ),
    "conntrack_ratio": spec(
        "Used share of the kernel's connection table.",
        "ratio",
        warning=0.8,
        critical=0.95,
        reason="A full table drops new connections; 80% leaves time to raise the limit.",
    ),
    "file_descriptor_ratio": spec(
        "Used share of the kernel's file descriptors.",
        "ratio",
        warning=0.8,
        critical=0.95,
        reason="At the limit no process can open a file or a connection.",
    ),
    "failed_units": spec(
        "Units of systemd that are in the state failed.",
        "count",
        warning=0,
        reason="A unit stays failed until somebody looks at it.",
    ),
    "boot_age": spec(
        "Time since the start of a host within which it counts as restarted.",
        "seconds",
        breached="below",
        info=600,
        reason="Long enough to be seen beside the alerts that the restart raised.",
    ),
    "disk_ratio": spec(
        "Used share of a filesystem, as df counts it.",
        "ratio",
        warning=0.8,
        critical=0.9,
        reason="Filesystems fragment and slow down above 80%, and databases need room for one more table.",
    ),
    "disk_free": spec(
        "Free space with which a filesystem is not too full, whatever share is used, unless it fills.",
        "bytes",
        breached="below",
        warning=500 * GIB,
        critical=200 * GIB,
        reason="More than a day of writing at 2 MB/s; a tenth of a disk of 5 TB and 2 TB.",
    ),
    "disk_fill_time": spec(
        "Time until a filesystem is full at its present slope.",
        "seconds",
        breached="below",
        warning=DAY,
        critical=4 * HOUR,
        reason="A day leaves working hours to make room; four hours do not outlast a night.",
    ),
    "disk_fill_ratio": spec(
        "Used share of a filesystem below which it is not forecast.",
        "ratio",
        warning=0.2,
        reason="A new, nearly empty disk is filled on purpose.",
    ),
    "inode_ratio": spec(
        "Used share of a filesystem's inodes.",
        "ratio",
        warning=0.9,
        critical=0.97,
        reason="Inodes run out suddenly, as they are used by many small files.",
    ),
    "disk_queue": spec(
        "Reads and writes that wait or are under way at a disk, on the average of 10 minutes.",
        "count",
        warning=10,
        reason="A disk serves some at a time; ten all the time means that each waits for others.",
    ),
    "raid_missing": spec(
        "Disks that a RAID array lacks.",
        "count",
        critical=0,
        reason="With one disk less most arrays do not survive the loss of another.",
    ),
    "backup_age": spec(
        "Age of the last good backup, in intervals at which one is due.",
        "factor",
        warning=1.25,
        reason="A quarter of the interval is the time a run may take or be late.",
    ),
    "backup_done": spec(
        "Age of a backup within which it is reported as finished.",
        "seconds",
        breached="below",
        info=600,
        reason="Long enough for one message.",
    ),
}

CONTAINERS: Final[Mapping[str, ThresholdSpec]] = {
    "container_restarts": spec(
        "Restarts of a container in 15 minutes.",
        "count",
        warning=2,
        reason="A deployment restarts it once or twice.",
    ),
    "container_oom_kills": spec(
        "Processes of a container killed for lack of memory in 10 minutes.",
        "count",
        warning=0,
        reason="Each one is a process that ended in the middle of its work.",
    ),
    "container_memory_ratio": spec(
        "Share of its memory limit that a container uses.",
        "ratio",
        warning=0.9,
        reason="At the limit the kernel kills it; caches that can be dropped are not counted.",
    ),
    "container_throttled_ratio": spec(
        "Share of its CPU periods in which a container is throttled.",
        "ratio",
        warning=0.25,
        reason="A quarter is what the Kubernetes mixin accepts.",
    ),
    "container_age": spec(
        "Time that a container has run before its absence is an alert.",
        "seconds",
        warning=DAY,
        reason="Containers of jobs and of tests run for less than a day.",
    ),
}

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
    "endpoint_time": spec(
        "Time that a probe takes.",
        "seconds",
        warning=2,
        reason="Users of a page notice a second and leave after a few.",
    ),
    "certificate_validity": spec(
        "Time for which a certificate is still valid.",
        "seconds",
        breached="below",
        warning=14 * DAY,
        critical=3 * DAY,
        reason="ACME clients renew 30 days ahead; after 16 days of failures a person has to look.",
    ),
}

STACK: Final[Mapping[str, ThresholdSpec]] = {
    "flapping_ratio": spec(
        "Share of the last 15 minutes in which a target was down.",
        "ratio",
        warning=0.1,
        reason="90 seconds of 15 minutes; a restart takes less.",
    ),
    "flapping_changes": spec(
        "Changes between up and down in 15 minutes from which on a target flaps.",
        "count",
        warning=4,
        reason="One outage makes two; four are two outages.",
    ),
    "scrape_time": spec(
        "Time that a scrape takes on the average of 5 minutes.",
        "seconds",
        warning=2,
        reason="A fifth of the time-out of 10 s.",
    ),
    "target_series": spec(
        "Series that one target exposes.",
        "count",
        warning=20_000,
        reason="Large exporters expose some thousand; more is mostly a label without bounds.",
    ),
    "rule_failures": spec(
        "Failed evaluations of a rule group in 5 minutes.",
        "count",
        platform=True,
        critical=0,
        reason="The alerts of a group that fails do not fire.",
    ),
    "missed_evaluations": spec(
        "Evaluations of a rule group left out in 5 minutes.",
        "count",
        platform=True,
        warning=0,
        reason="A group that takes longer than its interval delays its alerts.",
    ),
    "dropped_notifications": spec(
        "Alerts that Prometheus did not get to an Alertmanager in 5 minutes.",
        "count",
        platform=True,
        critical=0,
        reason="Prometheus drops one only after its attempts have failed.",
    ),
    "storage_failures": spec(
        "Failed operations of Prometheus' storage in an hour.",
        "count",
        platform=True,
        warning=0,
        reason="None fails on a healthy disk.",
    ),
    "remote_write_lag": spec(
        "How far a remote write is behind.",
        "seconds",
        platform=True,
        warning=120,
        reason="Queues catch up within a minute after a restart of the receiver.",
    ),
    "notification_failure_ratio": spec(
        "Share of the messages of an integration that failed in 5 minutes.",
        "ratio",
        platform=True,
        warning=0.05,
        critical=0.5,
        reason="A chat refuses a message now and then for its rate limit; half of them means that it is broken.",
    ),
    "loki_error_ratio": spec(
        "Share of the requests of a route that Loki answered with an error.",
        "ratio",
        platform=True,
        warning=0.05,
        reason="Clients repeat a failed push; several in a hundred delay lines.",
    ),
    "loki_discarded": spec(
        "Lines a second that Loki refuses.",
        "per_second",
        warning=0,
        reason="Each is lost.",
    ),
    "loki_flush_failure_ratio": spec(
        "Share of Loki's flushes that failed in 5 minutes.",
        "ratio",
        platform=True,
        critical=0.5,
        reason="A flush that fails is repeated; when most fail, the store is broken.",
    ),
    "loki_compaction_age": spec(
        "Time since Loki last compacted its index.",
        "seconds",
        platform=True,
        warning=3 * HOUR,
        reason="It does so every 10 minutes.",
    ),
    "collector_dropped": spec(
        "Lines a second that the log collector gives up.",
        "per_second",
        warning=0,
        reason="Each is lost.",
    ),
    "tempo_discarded": spec(
        "Spans a second that Tempo refuses.",
        "per_second",
        warning=0,
        reason="Each leaves a hole in a trace.",
    ),
}

INFRASTRUCTURE: Final[Mapping[str, ThresholdSpec]] = MappingProxyType({**HOSTS, **CONTAINERS, **STORES, **STACK})
"""Every threshold that does not depend on what a system itself exposes."""
