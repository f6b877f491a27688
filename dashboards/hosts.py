"""System: the hosts of a system: utilisation, saturation and errors of processor, memory, disk and network."""

from typing import Final

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import dashboard

from dashboards import host_limits, state
from dashboards.common import (
    GREEN,
    ORANGE,
    RATE,
    RED,
    UNMEASURED,
    Panel,
    columns,
    graph,
    number,
    over_time,
    states,
    steps,
)
from dashboards.host_series import NO_DISK, Hosts
from dashboards.layout import Row, assemble, variable
from dashboards.subject import Subject

COMPONENT: Final = 'component="host"'

YEAR: Final = 365 * 86400
"""Seconds."""

NO_INTERFACE: Final = "lo|veth.*|br-.*|docker.*"
"""Interfaces that are internal to a host."""


def hosts(subject: Subject) -> dashboard.Dashboard | None:
    """The dashboard; None where no host of the system is monitored."""
    if subject.host is None:
        return None
    of = Hosts(system=subject.host)
    alerts = f'{COMPONENT},system="{of.system}"'
    elsewhere = "" if subject.name == of.system else f" It runs on hosts of {of.system}."
    return assemble(
        f"{subject.name}-system",
        f"{subject.system.title}: System",
        f"How its hosts are: processor, memory, disk and network.{elsewhere}",
        [
            Row(
                "State",
                [
                    state.alerts_firing(alerts),
                    state.firing_since(alerts),
                    _up(of),
                    _since_boot(of),
                    _fullest(of),
                    _full_in(of),
                    _answers(of),
                ],
            ),
            Row("Utilisation", [_cpu(of), _memory(of), _disk(of), _network(of), _disk_io(of), _forecast(of)]),
            Row("Saturation", [_cpu_by_mode(of), _load(of), _pressure(of), _swap(of), _disk_queue(of), _inodes(of)]),
            Row("Errors and Limits", host_limits.panels(of)),
            Row("Filesystems", [_filesystems(of)]),
        ],
        tags=subject.tags,
        links=subject.links,
        variables=[variable("instance", "Host", f'label_values(up{{job="node",system="{of.system}"}}, instance)')],
        alerts=alerts,
        period="6h",
    )


def _up(of: Hosts) -> Panel:
    return number(
        "Hosts Up", "Share of the hosts that are up.", "percentunit", over_time(f"avg({of.node('up')})")
    ).thresholds(steps((None, RED), (1, GREEN)))


def _answers(of: Hosts) -> Panel:
    return states(
        "Hosts",
        "When each host was up.",
        over_time(of.node("up"), "{{instance}}"),
        state.UP_OR_DOWN,
        width=24,
    )


def _since_boot(of: Hosts) -> Panel:
    return number(
        "Last Boot",
        "Latest boot time of a host.",
        "dateTimeFromNow",
        over_time(f"1000 * max({of.node('node_boot_time_seconds')})"),
    )


def _fullest(of: Hosts) -> Panel:
    return number(
        "Fullest Disk",
        "Used share of the filesystem with the least space left.",
        "percentunit",
        over_time(f"max({of.of('instance_device:node_filesystem_used:ratio')})"),
    ).thresholds(steps((None, GREEN), (0.8, ORANGE), (0.9, RED)))


def _full_in(of: Hosts) -> Panel:
    free = of.node("node_filesystem_avail_bytes", f'fstype!~"{NO_DISK}"')
    return full_in(
        "Disk Full In",
        "Time until the first filesystem is full, by the trend of the last six hours.",
        free,
        "6h",
        steps((None, RED), (86400, ORANGE), (7 * 86400, GREEN)),
    )


def full_in(title: str, description: str, free: str, over: str, colours: build.ThresholdsConfig) -> Panel:
    """How long the free space lasts by its slope over a time range; the maximum is a year, shown as a text."""
    words = dashboard.ValueMappingResult(text="Not in a year", color=GREEN, index=0)
    far = dashboard.RangeMap(
        options=dashboard.DashboardRangeMapOptions(from_val=float(YEAR), to=float(YEAR), result=words)
    )
    # A filesystem that does not shrink is treated as one that shrinks very slowly.
    left = f"{free} / clamp_min(-deriv({free}[{over}]), 1e-9)"
    asked = over_time(f"clamp_max(min({left}), {YEAR})")
    return number(title, description, "s", asked).mappings([far, UNMEASURED]).thresholds(colours)


def _cpu(of: Hosts) -> Panel:
    return graph(
        "CPU Usage",
        "Busy share of the CPUs.",
        "percentunit",
        over_time(of.of("instance:node_cpu_busy:ratio_rate5m"), "{{instance}}"),
        limits=of.limits("cpu_ratio"),
    ).max(1)


def _memory(of: Hosts) -> Panel:
    return graph(
        "Memory Usage",
        "Share of memory that is not available to processes.",
        "percentunit",
        over_time(of.of("instance:node_memory_used:ratio"), "{{instance}}"),
        limits=of.limits("memory_ratio"),
    ).max(1)


def _disk(of: Hosts) -> Panel:
    return graph(
        "Disk Usage",
        "Used share of each filesystem on a disk or file server.",
        "percentunit",
        over_time(of.of("instance_device:node_filesystem_used:ratio"), "{{instance}} {{device}}"),
        limits=of.limits("disk_ratio"),
    ).max(1)


def _network(of: Hosts) -> Panel:
    def traffic(direction: str) -> str:
        series = of.node(f"node_network_{direction}_bytes_total", f'device!~"{NO_INTERFACE}"')
        return f"sum by (instance) (rate({series}[{RATE}]))"

    return graph(
        "Network Traffic",
        "Bytes a second through the hosts' interfaces, without those of containers.",
        "Bps",
        over_time(traffic("receive"), "{{instance}} received"),
        over_time(traffic("transmit"), "{{instance}} sent", "B"),
    )


def _disk_io(of: Hosts) -> Panel:
    def moved(what: str) -> str:
        return f"sum by (instance) (rate({of.node(f'node_disk_{what}_bytes_total')}[{RATE}]))"

    return graph(
        "Disk I/O",
        "Bytes read and written a second.",
        "Bps",
        over_time(moved("read"), "{{instance}} read"),
        over_time(moved("written"), "{{instance}} written", "B"),
    )


def _forecast(of: Hosts) -> Panel:
    free = of.node("node_filesystem_avail_bytes", f'fstype!~"{NO_DISK}"')
    return graph(
        "Free Space in 24 Hours",
        "Free space of each filesystem a day later, by the trend of the six hours before; 0 is full.",
        "bytes",
        over_time(
            f"clamp_min(min by (instance, device) (predict_linear({free}[6h], 86400)), 0)", "{{instance}} {{device}}"
        ),
    )


def _cpu_by_mode(of: Hosts) -> Panel:
    modes = of.node("node_cpu_seconds_total", 'mode!="idle"')
    cores = of.node("node_cpu_seconds_total", 'mode="idle"')
    return graph(
        "CPU by Mode",
        "Share of CPU time by mode; iowait is waiting for a disk.",
        "percentunit",
        over_time(f"sum by (mode) (rate({modes}[{RATE}])) / scalar(count({cores}))", "{{mode}}"),
    )


def _load(of: Hosts) -> Panel:
    idle = of.node("node_cpu_seconds_total", 'mode="idle"')
    cores = f"count by (instance) ({idle})"
    return graph(
        "Load per CPU",
        "Load average of 15 minutes for each CPU; above 1, processes wait.",
        "short",
        over_time(f"sum by (instance) ({of.node('node_load15')}) / {cores}", "{{instance}}"),
        limits=of.limits("load_per_cpu"),
    )


def _pressure(of: Hosts) -> Panel:
    return graph(
        "Pressure",
        "Share of time in which a process waited for CPU, memory or disk; needs Linux 4.20.",
        "percentunit",
        *(
            over_time(
                f"max(rate({of.node(f'node_pressure_{what}_waiting_seconds_total')}[{RATE}]))",
                f"waits for {what}",
                ref,
            )
            for ref, what in zip("ABC", ("cpu", "memory", "io"), strict=True)
        ),
    )


def _swap(of: Hosts) -> Panel:
    def pages(direction: str) -> str:
        return f"sum by (instance) (rate({of.node(f'node_vmstat_pswp{direction}')}[{RATE}]))"

    return graph(
        "Swapping",
        "Pages swapped out and in a second; many of both slow processes down.",
        "cps",
        over_time(pages("out"), "{{instance}} out"),
        over_time(pages("in"), "{{instance}} in", "B"),
    )


def _disk_queue(of: Hosts) -> Panel:
    series = of.node("node_disk_io_time_weighted_seconds_total", 'device!~"(dm-|md|zd|loop|ram|sr).*"')
    return graph(
        "Disk Queue",
        "Reads and writes that were queued or in progress, by disk.",
        "short",
        over_time(f"sum by (instance, device) (rate({series}[{RATE}]))", "{{instance}} {{device}}"),
        limits=of.limits("disk_queue"),
    )


def _inodes(of: Hosts) -> Panel:
    free = of.node("node_filesystem_files_free", f'fstype!~"{NO_DISK}"')
    return graph(
        "Inode Usage",
        "Used share of each filesystem's inodes; without a free one no file can be created.",
        "percentunit",
        over_time(
            f"max by (instance, device) (1 - {free} / ({of.node('node_filesystem_files')} > 0))",
            "{{instance}} {{device}}",
        ),
        limits=of.limits("inode_ratio"),
    ).max(1)


def _filesystems(of: Hosts) -> Panel:
    def largest(series: str) -> str:
        chosen = of.node(series, f'fstype!~"{NO_DISK}"')
        return f"max by (instance, device, mountpoint) ({chosen})"

    return columns(
        "Filesystems",
        "Each filesystem on a disk or file server: mount point, size, free space.",
        {
            "Size": (largest("node_filesystem_size_bytes"), "bytes"),
            "Free": (largest("node_filesystem_avail_bytes"), "bytes"),
        },
    )
