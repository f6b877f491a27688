"""Thresholds of hosts and containers."""

from collections.abc import Mapping
from typing import Final

from observability.systems.threshold_spec import DAY, GIB, HOUR, ThresholdSpec, spec

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
