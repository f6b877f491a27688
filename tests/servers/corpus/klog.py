"""Lines of klog, as programs of Kubernetes and cAdvisor write them."""

from collections.abc import Iterator
from typing import Final

from tests.servers.corpus import HARMLESS, HOSTILE, HUGE, SECRETS, Line, cut, kept, marked, masked

FORMAT: Final = "klog"

LETTERS: Final = {"I": "info", "W": "warning", "E": "error", "F": "critical"}
TIMES: Final = ("1129 12:00:00.123456", "0101 00:00:00.000001", "1231 23:59:59.9")
THREADS: Final = ("       1", "   12345")
SOURCES: Final = ("reflector.go:150", "manager.go:1", "leader_election_test.go:1200", "z.go:9")
MESSAGES: Final = ("watch closed", 'pod="shop/web-1" err="error in the text"')


def lines() -> Iterator[Line]:
    for letter, level in LETTERS.items():
        for time in TIMES:
            for thread in THREADS:
                for source in SOURCES:
                    for message in MESSAGES:
                        yield kept(f"{letter}{time} {thread} {source}] {message}", level, source=source)
    for written, stored in SECRETS:
        head = "W1129 12:00:00.123456       1 auth.go:7] "
        yield masked(head + written, head + stored, "warning", source="auth.go:7")
    for harmless in HARMLESS:
        yield kept(f"I1129 12:00:00.1 1 a.go:1] {harmless}", "info", source="a.go:1")
    for hostile in HOSTILE:
        yield kept(f"E1129 12:00:00.1 1 a.go:1] {hostile}", "error", source="a.go:1")
    for broken in cut("E1129 12:00:00.123456       1 reflector.go:150] x", 1, 5, 9, 14, 21, 30, 46):
        yield marked(broken, "klog")
    yield marked("X1129 12:00:00.123456       1 reflector.go:150] no such letter", "klog")
    yield marked("e1129 12:00:00.123456       1 reflector.go:150] a small letter", "klog")
    yield marked("Flag --x has been deprecated", "klog")
    yield marked("panic: assignment to entry in nil map\n\ngoroutine 7 [running]:\nmain.main()", "klog", "critical")
    yield kept("E1129 12:00:00.1 1 a.go:1] refused\n\tat a.go:1\n\tat b.go:2", "error", source="a.go:1")
    yield kept("E1129 12:00:00.1 1 a.go:1] " + "x" * 100000, "error", source="a.go:1")


HUGE_LINE: Final = "I1129 12:00:00.123456       1 a.go:1] " + HUGE
