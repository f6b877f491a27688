"""The process of a system: memory, and metrics of its language runtime."""

from dashboards.common import Panel, graph, over_time
from dashboards.layout import Row
from dashboards.subject import Subject


def row(subject: Subject) -> Row:
    """The panels of the signals that the system has."""
    signals = subject.system.signals
    memory, heap = signals.process_memory, signals.heap
    return Row(
        "Process",
        [
            memory_share(subject) if memory and memory.limit else None,
            _memory(subject) if memory else None,
            _goroutines(subject) if signals.goroutines else None,
            _event_loop_lag(subject) if signals.event_loop_lag else None,
            _heap_share(subject) if heap and heap.limit else None,
            _heap(subject) if heap else None,
        ],
    )


def memory_share(subject: Subject) -> Panel:
    """Memory of the process against its limit."""
    return graph(
        "Memory of the Process Against Its Limit",
        "Memory of each instance as a share of its limit.",
        "percentunit",
        over_time(subject.of("app:process_memory:ratio"), "{{instance}}"),
        limits=subject.limits("process_memory_ratio"),
    ).max(1)


def _memory(subject: Subject) -> Panel:
    return graph(
        "Memory of the Process",
        "Memory of each instance.",
        "bytes",
        over_time(subject.of("app:process_memory:bytes"), "{{instance}}"),
    )


def _goroutines(subject: Subject) -> Panel:
    return graph(
        "Goroutines",
        "Goroutines of each instance; steady growth means a leak.",
        "short",
        over_time(subject.of("app:goroutines:count"), "{{instance}}"),
        limits=subject.limits("goroutines"),
    )


def _event_loop_lag(subject: Subject) -> Panel:
    return graph(
        "Event Loop Lag",
        "Event loop lag of each instance; while code blocks the loop, the instance serves no request.",
        "s",
        over_time(subject.of("app:event_loop_lag:seconds"), "{{instance}}"),
        limits=subject.limits("event_loop_lag"),
    )


def _heap_share(subject: Subject) -> Panel:
    return graph(
        "Heap Against Its Limit",
        "Heap of each instance as a share of its limit, at which the runtime exits.",
        "percentunit",
        over_time(subject.of("app:heap:ratio"), "{{instance}}"),
        limits=subject.limits("heap_ratio"),
    ).max(1)


def _heap(subject: Subject) -> Panel:
    return graph(
        "Heap",
        "Used heap of each instance; a rising minimum after garbage collections means a leak.",
        "bytes",
        over_time(subject.of("app:heap:bytes"), "{{instance}}"),
    )
