"""Lines of no format, with and without colours; each is recognised by its shape, so the container has no format."""

from collections.abc import Iterator
from typing import Final

from tests.servers.corpus import COLOURS, HARMLESS, HOSTILE, HUGE, SECRETS, Line, kept, masked

FORMAT: Final = ""

WORDS: Final = {
    "TRACE": "debug",
    "DEBUG": "debug",
    "INFO": "info",
    "NOTICE": "info",
    "WARN": "warning",
    "WARNING": "warning",
    "ERROR": "error",
    "SEVERE": "error",
    "CRITICAL": "critical",
    "FATAL": "critical",
    "EMERG": "critical",
}
SHAPES: Final = (
    "{} connection opened",
    "2026-11-29 12:00:00,123 {} [main] c.e.Shop : started",
    "[{}] disk at 81%",
    "2026/11/29 12:00:00 [{}] worker 7 ended",
    "{}: no such file",
    "12:00:00.123 | {} | shop | 3 items",
)
NO_LEVEL: Final = (
    "listening on port 8080",
    "terror and informative, nothing else",
    "GET /orders 200 5 ms",
    "errors=0 warnings=0",
    "Starting nginx ...",
    "|_____| a banner",
)


def lines() -> Iterator[Line]:
    for shape in SHAPES:
        for word, level in WORDS.items():
            yield kept(shape.format(word), level)
            before, after = COLOURS[len(word) % len(COLOURS)]
            yield kept(shape.format(f"{before}{word}{after}"), level)
    for before, after in COLOURS:
        yield kept(f"{before}all of it is ERROR{after}", "error")
        yield kept(f"{before}{after}nothing{after}")
    for text in (*NO_LEVEL, *HARMLESS, *HOSTILE[:12]):
        yield kept(text)
    yield kept("x" * 100000)
    for written, stored in SECRETS:
        yield masked(written, stored)
        before, after = COLOURS[0]
        yield masked(f"{before}WARN{after} {written}", f"{before}WARN{after} {stored}", "warning")
    for name, level in (("error", "error"), ("warning", "warning"), ("fatal", "critical"), ("debug", "debug")):
        yield kept(f"[{name}] small letters", level)
        yield kept(f"({name}) small letters", level)
        yield kept(f"{name}: small letters", level)
    yield kept("INFO started\n  with\n  more\n  lines", "info")
    yield kept(
        'ERROR:shop:failed\nTraceback (most recent call last):\n  File "a.py", line 1, in <module>\nValueError: no',
        "error",
    )
    yield kept("unhandled\njava.lang.IllegalStateException: no\n\tat a.B.c(B.java:1)\n\t... 2 more", "error")


HUGE_LINE: Final = "ERROR " + HUGE
