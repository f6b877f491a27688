"""Metrics of a Node.js process: the delay of its event loop, its heap, and the heap's limit.

The systems of the demo are no Node.js processes, so these gauges are simulated for all of them, also for the shop.
"""

from typing import Final

from demo.conditions import Conditions
from demo.systems.profile import gauge

LAG: Final = "nodejs_eventloop_lag_p99_seconds"
HEAP_USED: Final = "nodejs_heap_size_used_bytes"
HEAP_LIMIT: Final = "nodejs_heap_size_limit_bytes"

LIMIT_BYTES: Final = 512 * 2**20
"""As with `--max-old-space-size=512`."""

COLLECTED_SECONDS: Final = 300
"""How long the heap grows until garbage collection."""

SERIES: Final = (
    gauge(LAG, "The 99th percentile of the recorded event loop delays."),
    gauge(HEAP_USED, "Process heap size used from Node.js in bytes."),
    gauge(HEAP_LIMIT, "Heap size at which V8 ends the process, from v8.getHeapStatistics().heap_size_limit."),
)


def lag(busy: float, how: Conditions) -> float:
    """Delay of the event loop, seconds; `busy` is the value of `chance.load`. The loop is sampled every 10 ms."""
    return 0.011 + 0.008 * busy if how.event_loop_lag is None else how.event_loop_lag


def heap(now: float, busy: float, how: Conditions) -> float:
    """Bytes of the heap in use."""
    grown = now % COLLECTED_SECONDS / COLLECTED_SECONDS
    return LIMIT_BYTES * (0.3 + 0.15 * busy + 0.1 * grown if how.heap is None else how.heap)
