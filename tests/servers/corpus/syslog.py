"""Syslog messages: RFC 5424, and RFC 3164 before it."""

from collections.abc import Iterator
from typing import Final

from tests.servers.corpus import HARMLESS, HOSTILE, HUGE, SECRETS, Line, kept, marked, masked

FORMAT: Final = "syslog"

SEVERITIES: Final = ("critical", "critical", "critical", "error", "warning", "info", "info", "debug")
"""The level of each severity, from 0."""
TIME: Final = "2026-11-29T12:00:00.003Z"
STRUCTURED: Final = ("-", '[exampleSDID@32473 iut="3" eventSource="App"]', '[a@1 x="]"][b@2 y=""]')


def new() -> Iterator[Line]:
    """RFC 5424."""
    for facility in range(24):
        for severity, level in enumerate(SEVERITIES):
            data = STRUCTURED[(facility + severity) % len(STRUCTURED)]
            text = f"<{8 * facility + severity}>1 {TIME} web{severity}.example.com app{facility} 77 ID47 {data} said"
            yield kept(text, level, hostname=f"web{severity}.example.com", program=f"app{facility}")
    yield kept(f"<14>1 {TIME} - app 1 - - no host", "info", program="app")
    yield kept(f"<14>1 {TIME} web1 - - - - no program", "info", hostname="web1")
    yield kept("<14>1 - - - - - -", "info")
    yield kept(f"<14>1 {TIME} web1 app 1 - - \ufeffwith a mark", "info", hostname="web1", program="app")
    yield kept(f"<192>1 {TIME} web1 app 1 - - too large", hostname="web1", program="app")
    head = f"<13>1 {TIME} web1 app 1 - - "
    known = {"hostname": "web1", "program": "app"}
    for written, stored in SECRETS:
        yield masked(head + written, head + stored, "info", **known)
    for text in (*HARMLESS, *HOSTILE):
        yield kept(head + text, "info", **known)
    for broken in ("<", "<1", "<>1 - -", "<1234>1 - -", "14>1 - -", "1 2026-11-29T12:00:00Z web1 app", "no syslog"):
        yield marked(broken, "syslog")
    yield marked("< 14>1 - web1 app - - - ERROR: with a blank", "syslog", "error")
    yield kept(f"{head}trace\n\tat a.go:1\n\tat b.go:2", "info", **known)
    yield kept(head + "x" * 100000, "info", **known)


def old() -> Iterator[Line]:
    """RFC 3164."""
    for facility in range(24):
        for severity, level in enumerate(SEVERITIES):
            tag = (f"app{facility}[77]", f"app{facility}")[severity % 2]
            day = ("29", " 9", "01")[severity % 3]
            text = f"<{8 * facility + severity}>Nov {day} 12:00:00 web{severity} {tag}: error or not"
            yield kept(text, level, hostname=f"web{severity}", program=f"app{facility}")
    yield kept("<14>Nov 29 12:00:00 web1 no tag here", "info", hostname="web1")
    yield kept(
        "<14>2026-11-29T12:00:00+01:00 web1 app[1]: as rsyslog sends it", "info", hostname="web1", program="app"
    )
    yield kept("<14>only a priority", "info")
    yield kept("<11>app: no time, no host", "error")
    # As a daemon writes it to a file: no priority, so the words say the level.
    for word, level in (("ERROR", "error"), ("WARN", "warning"), ("info", "info"), ("nothing", "unknown")):
        yield kept(f"Nov 29 12:00:00 web1 cron[7]: {word} of a job", level, hostname="web1", program="cron")
        yield kept(
            f"2026-11-29T12:00:00.1+00:00 web1 cron[7]: {word} of a job", level, hostname="web1", program="cron"
        )
    head, known = "<13>Nov 29 12:00:00 web1 app[1]: ", {"hostname": "web1", "program": "app"}
    for written, stored in SECRETS:
        yield masked(head + written, head + stored, "info", **known)
    for text in (*HARMLESS, *HOSTILE):
        yield kept(head + text, "info", **known)
    for broken in ("Nov 29", "Nov 29 12:00:00", "Nov 29 12:00:00 web1", "29 Nov 12:00:00 web1 app: x", "app[1]: x"):
        yield marked(broken, "syslog")
    yield kept(head + "x" * 100000, "info", **known)


HUGE_5424: Final = f"<13>1 {TIME} web1 app 1 - - " + HUGE
HUGE_3164: Final = "<13>Nov 29 12:00:00 web1 app[1]: " + HUGE
