"""Thresholds of hosts and containers."""

from collections.abc import Mapping
from typing import Final

from observability.systems.threshold_spec import DAY, GIB, HOUR, ThresholdSpec, spec

HOSTS: Final[Mapping[str, ThresholdSpec]] = {
    "host_silence": spec(
        "Age of the newest sample of a host from which on it sends nothing.",
        "seconds",
        critical=30,
        platform=True,
        reason="Two scrapes and a batch of remote write; with a longer scrape interval only the wait decides.",
    ),
    "cpu_ratio": spec(
        "Busy share of a host's CPUs.",
        "ratio",
        warning=0.8,
        critical=0.95,
        reason="Above 80% requests start to queue; above 95% health checks are delayed too.",
    ),
    "load_per_cpu": spec(
        "Load average of 15 minutes for each CPU.",
        "count",
        warning=2,
        reason="A job of some minutes does not reach twice as many processes as CPUs; as in the node mixin.",
    ),
    "memory_ratio": spec(
        "Used memory of a host.",
        "ratio",
        warning=0.8,
        critical=0.95,
        reason="The kernel needs the last 5%; below that it kills processes.",
    ),
    "oom_kills": spec(
        "Processes killed for lack of memory in 10 minutes.",
        "count",
        warning=0,
        reason="Each one is a process that ended in the middle of its work.",
    ),
    "clock_skew": spec(
        "Difference between a host's clock and that of Prometheus.",
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
        reason="A full table drops new connections; at 80% there is time to raise the limit.",
    ),
    "file_descriptor_ratio": spec(
        "Used share of the kernel's file descriptors.",
        "ratio",
        warning=0.8,
        critical=0.95,
        reason="At the limit no process can open a file or a connection.",
    ),
    "failed_units": spec(
        "systemd units in the state failed.",
        "count",
        warning=0,
        reason="A unit stays failed until it is restarted or reset.",
    ),
    "boot_age": spec(
        "Time since the boot of a host during which it counts as restarted.",
        "seconds",
        breached="below",
        info=600,
        reason="Long enough to be visible with the alerts that the restart raised.",
    ),
    "disk_ratio": spec(
        "Used share of a filesystem, as df counts it.",
        "ratio",
        warning=0.8,
        critical=0.9,
        reason="Filesystems fragment and slow down above 80%, and databases need space for a copy of a table.",
    ),
    "disk_free": spec(
        "Available space from which on a filesystem is not too full, unless it will be full soon.",
        "bytes",
        breached="below",
        warning=500 * GIB,
        critical=200 * GIB,
        reason="More than a day of writes at 2 MB/s; a tenth of a disk of 5 TB and 2 TB.",
    ),
    "disk_fill_time": spec(
        "Time until a filesystem is full by its current trend.",
        "seconds",
        breached="below",
        warning=DAY,
        critical=4 * HOUR,
        reason="A day includes working hours to free space; four hours are less than a night.",
    ),
    "disk_fill_ratio": spec(
        "Used share of a filesystem below which there is no forecast.",
        "ratio",
        warning=0.2,
        reason="A new, nearly empty disk is filled on purpose.",
    ),
    "inode_ratio": spec(
        "Used share of a filesystem's inodes.",
        "ratio",
        warning=0.9,
        critical=0.97,
        reason="Many small files use up inodes quickly.",
    ),
    "disk_queue": spec(
        "Reads and writes of a disk that are queued or in progress, on average over 10 minutes.",
        "count",
        warning=10,
        reason="A disk processes a few at a time; a constant queue of ten means that requests wait.",
    ),
    "raid_missing": spec(
        "Missing disks of a RAID array.",
        "count",
        critical=0,
        reason="Most arrays do not survive the loss of a second disk.",
    ),
    "backup_age": spec(
        "Age of the last successful backup, in intervals of the backup.",
        "factor",
        warning=1.25,
        reason="A run may take or be late by a quarter of the interval.",
    ),
    "backup_done": spec(
        "Age of a successful backup below which it is reported as finished.",
        "seconds",
        breached="below",
        info=600,
        reason="Long enough for one notification.",
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
        reason="As in the Kubernetes mixin.",
    ),
    "container_age": spec(
        "Running time of a container from which on its absence is an alert.",
        "seconds",
        warning=DAY,
        reason="Containers of jobs and tests run for less than a day.",
    ),
}
