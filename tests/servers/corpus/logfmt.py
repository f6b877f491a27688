"""Lines in logfmt, as Go's programs write them."""

from collections.abc import Iterator
from typing import Final

from tests.servers.corpus import HARMLESS, HOSTILE, HUGE, SECRETS, Line, cut, kept, marked, masked

FORMAT: Final = "logfmt"

LEVELS: Final = {
    "debug": "debug",
    "trace": "debug",
    "DEBUG": "debug",
    "info": "info",
    "INFO": "info",
    "notice": "info",
    "warn": "warning",
    "WARN": "warning",
    "warning": "warning",
    "error": "error",
    "ERROR": "error",
    "eror": "error",
    "crit": "critical",
    "fatal": "critical",
    "panic": "critical",
    "loud": "unknown",
}
HEADS: Final = (
    "ts=2026-11-29T12:00:00.123Z caller=main.go:17 level={} msg=started",
    'time="2026-11-29T12:00:00Z" level={} msg="connection refused" attempt=3',
    'lvl={} component=store msg="error in the text is no level"',
    'level="{}" msg=quoted',
    "logger=tsdb t=2026-11-29T12:00:00Z level={} msg=compact",
    "level={}",
    "  level={} msg=indented-first",
)


def lines() -> Iterator[Line]:
    # The first, so that what is indented does not continue another line.
    for head in HEADS[:6]:
        for said, level in LEVELS.items():
            yield kept(head.format(said), level)
    for key in ("trace_id", "traceID", "traceId", "trace_ID"):
        for number in range(8):
            yield kept(f"level=info msg=x {key}=4bf92f{number}", "info", trace_id=f"4bf92f{number}")
    for key in ("correlation_id", "correlationId", "request_id", "requestID"):
        for number in range(8):
            yield kept(f'level=warn {key}="r-{number}" msg=x', "warning", correlation_id=f"r-{number}")
    for written, stored in SECRETS:
        yield masked(f"level=error msg=x {written}", f"level=error msg=x {stored}", "error")
    for harmless in HARMLESS:
        yield kept(f"level=info {harmless}", "info")
    for hostile in HOSTILE:
        yield kept(f"level=error msg={hostile}", "error")
    for broken in cut("caller=main.go:17 ts=2026-11-29 lev", 3, 8, 12, 17, 22, 30, 35):
        yield marked(broken, "logfmt")
    for word in ("WARN", "ERROR", "FATAL"):
        level = {"WARN": "warning", "ERROR": "error", "FATAL": "critical"}[word]
        yield marked(f"2026/11/29 12:00:00 {word} of another logger", "logfmt", level)
    yield marked(
        "panic: runtime error: index out of range\n\ngoroutine 1 [running]:\nmain.main()", "logfmt", "critical"
    )
    yield kept('level=error msg="failed"\n\tat a.go:1\n\tat b.go:2', "error")
    yield kept("level=info msg=" + "x" * 100000, "info")


HUGE_LINE: Final = "level=info msg=" + HUGE
