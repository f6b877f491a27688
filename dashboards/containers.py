"""Containers, by cAdvisor: what each uses of its limits, and which are restarted or killed."""

from typing import Final

from grafana_foundation_sdk.models import dashboard

from dashboards import state
from dashboards.across import back
from dashboards.common import GREEN, ORANGE, RATE, RED, Panel, graph, now, number, over_time, rows, steps
from dashboards.layout import Row, assemble, variable

UID: Final = "obs-containers"

CHOSEN: Final = 'job="docker",name!="",system=~"$system",name=~"$name"'
"""The selected containers; series without a name belong to the kernel's parent cgroups."""


def containers() -> dashboard.Dashboard:
    """The dashboard."""
    component = 'component="container"'
    return assemble(
        UID,
        "Containers",
        "CPU, memory, network and disk usage of each container, restarts and health.",
        [
            Row(
                "State",
                [
                    state.alerts_firing(component),
                    state.firing_since(component),
                    _running(),
                    _restarted(),
                    _killed(),
                    _fullest(),
                ],
            ),
            Row(
                "Restarts and Limits",
                [_restarts(), _oom(), _memory_share(), _throttled(), _unhealthy(), _running_time()],
            ),
            Row("Resource Usage", [_cpu(), _memory(), _received(), _sent(), _disk(), _io(), _images()]),
        ],
        links=[back()],
        variables=[
            variable("system", "System", 'label_values(container_last_seen{job="docker",name!=""}, system)'),
            variable("name", "Container", 'label_values(container_last_seen{job="docker",system=~"$system"}, name)'),
        ],
        alerts=component,
        period="6h",
    )


def _of(series: str) -> str:
    return f"{series}{{{CHOSEN}}}"


def _memory_used() -> str:
    limit = _of("container_spec_memory_limit_bytes")
    return f"max by (name) ({_of('container_memory_working_set_bytes')} / ({limit} > 0))"


def _running() -> Panel:
    return number(
        "Containers",
        "Running containers.",
        "short",
        over_time(f"count(count by (name) ({_of('container_last_seen')}))"),
    )


def _restarted() -> Panel:
    return number(
        "Restarts in an Hour",
        "Container restarts in the last hour.",
        "short",
        over_time(f"sum(changes({_of('container_start_time_seconds')}[1h]))"),
    ).thresholds(steps((None, GREEN), (1, ORANGE), (3, RED)))


def _killed() -> Panel:
    return number(
        "OOM Kills in an Hour",
        "Processes that the kernel killed at a container's memory limit.",
        "short",
        over_time(f"sum(increase({_of('container_oom_events_total')}[1h]))"),
    ).thresholds(steps((None, GREEN), (1, RED)))


def _fullest() -> Panel:
    return number(
        "Highest Memory Use",
        "Highest memory usage of a container as a share of its limit.",
        "percentunit",
        over_time(f"max({_memory_used()})"),
    ).thresholds(steps((None, GREEN), (0.8, ORANGE), (0.9, RED)))


def _restarts() -> Panel:
    return graph(
        "Container Restarts",
        "Restarts of each container in 15 minutes.",
        "short",
        over_time(f"max by (name) (changes({_of('container_start_time_seconds')}[15m])) > 0", "{{name}}"),
        limits="max by (severity) (app:threshold:container_restarts)",
        width=6,
    )


def _oom() -> Panel:
    return graph(
        "OOM Kills",
        "Processes killed at the memory limit in ten minutes.",
        "short",
        over_time(f"sum by (name) (increase({_of('container_oom_events_total')}[10m])) > 0", "{{name}}"),
        width=6,
    ).no_value("No OOM kill")


def _memory_share() -> Panel:
    return graph(
        "Memory Against the Limit",
        "Memory of each container as a share of its limit, without caches that can be dropped.",
        "percentunit",
        over_time(_memory_used(), "{{name}}"),
        limits="max by (severity) (app:threshold:container_memory_ratio)",
        width=6,
    ).max(1)


def _throttled() -> Panel:
    def periods(which: str) -> str:
        return f"sum by (name) (rate({_of(f'container_cpu_cfs_{which}periods_total')}[5m]))"

    return graph(
        "CPU Throttling",
        "Share of the periods in which a container reached its CPU limit; only for containers with a limit.",
        "percentunit",
        over_time(f"{periods('throttled_')} / ({periods('')} > 0)", "{{name}}"),
        limits="max by (severity) (app:threshold:container_throttled_ratio)",
        width=6,
    ).max(1)


def _unhealthy() -> Panel:
    return graph(
        "Unhealthy Containers",
        "Containers whose health check fails, or has not succeeded yet.",
        "short",
        over_time(f"count by (name) ({_of('container_health_state')} == 0)", "{{name}}"),
    )


def _running_time() -> Panel:
    return graph(
        "Running Time",
        "Time since the start of each container; a line ends when its container does. The ten youngest.",
        "s",
        over_time(f"bottomk(10, max by (name) (time() - {_of('container_start_time_seconds')}))", "{{name}}"),
    )


def _cpu() -> Panel:
    return graph(
        "CPU by Container",
        "CPUs used by each container; the ten highest.",
        "short",
        over_time(f"topk(10, sum by (name) (rate({_of('container_cpu_usage_seconds_total')}[{RATE}])))", "{{name}}"),
    )


def _memory() -> Panel:
    return graph(
        "Memory by Container",
        "Working set of each container; the ten largest.",
        "bytes",
        over_time(f"topk(10, sum by (name) ({_of('container_memory_working_set_bytes')}))", "{{name}}"),
    )


def _received() -> Panel:
    return _network(
        "receive", "Network Received", "Bytes a second that each container received; the ten with the most."
    )


def _sent() -> Panel:
    return _network("transmit", "Network Sent", "Bytes a second that each container sent; the ten with the most.")


def _network(direction: str, title: str, words: str) -> Panel:
    series = _of(f"container_network_{direction}_bytes_total")
    return graph(title, words, "Bps", over_time(f"topk(10, sum by (name) (rate({series}[{RATE}])))", "{{name}}"))


def _disk() -> Panel:
    return graph(
        "Disk Use by Container",
        "Disk space of each container's own files, without volumes; the ten largest.",
        "bytes",
        over_time(f"topk(10, sum by (name) ({_of('container_fs_usage_bytes')}))", "{{name}}"),
    )


def _io() -> Panel:
    def moved(what: str) -> str:
        return f"sum(rate({_of(f'container_fs_{what}_bytes_total')}[{RATE}]))"

    return graph(
        "Disk I/O of Containers",
        "Bytes a second that all chosen containers read and wrote.",
        "Bps",
        over_time(moved("reads"), "read"),
        over_time(moved("writes"), "written", "B"),
    )


def _images() -> Panel:
    return rows(
        "Images",
        "Image and start time of each container.",
        "dateTimeFromNow",
        now(f"1000 * max by (name, image) ({_of('container_start_time_seconds')})"),
        width=24,
    )
