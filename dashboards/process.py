"""The process of a system: its memory, and what the runtime of its language reports."""

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
    """How much of the memory that it may have the process uses."""
    return graph(
        "Memory of the Process Against Its Limit",
        "Share of the memory it may have that each instance uses.",
        "percentunit",
        over_time(subject.of("app:process_memory:ratio"), "{{instance}}"),
        limits=subject.limits("process_memory_ratio"),
    ).max(1)


def _memory(subject: Subject) -> Panel:
    return graph(
        "Memory of the Process",
        "Memory that each instance uses.",
        "bytes",
        over_time(subject.of("app:process_memory:bytes"), "{{instance}}"),
    )


def _goroutines(subject: Subject) -> Panel:
    return graph(
        "Goroutines",
        "Goroutines of each instance; a steady rise means that some never end.",
        "short",
        over_time(subject.of("app:goroutines:count"), "{{instance}}"),
        limits=subject.limits("goroutines"),
    )


def _event_loop_lag(subject: Subject) -> Panel:
    return graph(
        "Event Loop Lag",
        "Delay of the event loop of each instance; while code runs in the loop, the instance answers no request.",
        "s",
        over_time(subject.of("app:event_loop_lag:seconds"), "{{instance}}"),
        limits=subject.limits("event_loop_lag"),
    )


def _heap_share(subject: Subject) -> Panel:
    return graph(
        "Heap Against Its Limit",
        "Share of the limit at which the runtime ends the process that the heap of each instance uses.",
        "percentunit",
        over_time(subject.of("app:heap:ratio"), "{{instance}}"),
        limits=subject.limits("heap_ratio"),
    ).max(1)


def _heap(subject: Subject) -> Panel:
    return graph(
        "Heap",
        "Heap in use of each instance; lows that rise from one garbage collection to the next are a leak.",
        "bytes",
        over_time(subject.of("app:heap:bytes"), "{{instance}}"),
    )
