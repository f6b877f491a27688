"""The errors and limits of the hosts of a system: one function for each panel."""

from dashboards.common import Panel, graph, over_time
from dashboards.host_series import NO_DISK, Hosts


def panels(of: Hosts) -> list[Panel]:
    """The panels of the row."""
    return [
        _network_errors(of),
        _oom_kills(of),
        _read_only(of),
        _raid(of),
        _descriptors(of),
        _conntrack(of),
        _clock(of),
        _failed_units(of),
    ]


def _network_errors(of: Hosts) -> Panel:
    return graph(
        "Network Errors",
        "Share of an interface's packets with errors.",
        "percentunit",
        over_time(of.of("instance_device:node_network_errors:ratio_rate5m"), "{{instance}} {{device}}"),
        limits=of.limits("network_error_ratio"),
    )


def _oom_kills(of: Hosts) -> Panel:
    return graph(
        "OOM Kills",
        "Processes that the kernel killed for lack of memory in ten minutes.",
        "short",
        over_time(f"sum by (instance) (increase({of.node('node_vmstat_oom_kill')}[10m]))", "{{instance}}"),
    )


def _read_only(of: Hosts) -> Panel:
    series = of.node("node_filesystem_readonly", f'fstype!~"{NO_DISK}"')
    return graph(
        "Read-only Filesystems",
        "Read-only filesystems; one that becomes read-only has a failing disk or damaged metadata.",
        "short",
        over_time(f"count by (instance) ({series} == 1) or 0 * {of.node('up')}", "{{instance}}"),
    )


def _raid(of: Hosts) -> Panel:
    required, active = of.node("node_md_disks_required"), of.node("node_md_disks", 'state="active"')
    return graph(
        "Disks Missing in RAID",
        "Missing disks of an array; 0 without an array.",
        "short",
        over_time(
            f"sum by (instance) ({required} - ignoring (state) {active}) or 0 * {of.node('up')}", "{{instance}}"
        ),
    )


def _descriptors(of: Hosts) -> Panel:
    return graph(
        "File Descriptors",
        "Used share of the kernel's file descriptors.",
        "percentunit",
        over_time(f"{of.node('node_filefd_allocated')} / {of.node('node_filefd_maximum')}", "{{instance}}"),
        limits=of.limits("file_descriptor_ratio"),
    ).max(1)


def _conntrack(of: Hosts) -> Panel:
    return graph(
        "Tracked Connections",
        "Used share of the kernel's connection tracking table; when it is full, new connections are dropped.",
        "percentunit",
        over_time(
            f"{of.node('node_nf_conntrack_entries')} / {of.node('node_nf_conntrack_entries_limit')}", "{{instance}}"
        ),
        limits=of.limits("conntrack_ratio"),
    ).max(1)


def _clock(of: Hosts) -> Panel:
    clock = of.node("node_time_seconds")
    return graph(
        "Clock Offset",
        "Difference between a host's clock and that of Prometheus.",
        "s",
        over_time(f"abs({clock} - timestamp({clock}))", "{{instance}}"),
        limits=of.limits("clock_skew"),
    )


def _failed_units(of: Hosts) -> Panel:
    failed = of.node("node_systemd_unit_state", 'state="failed"')
    return graph(
        "Failed Units",
        "Failed systemd units; only for node exporters with --collector.systemd.",
        "short",
        over_time(f"sum by (instance) ({failed}) or 0 * {of.node('up')}", "{{instance}}"),
    )
