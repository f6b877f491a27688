"""Lines of Redis' log."""

from collections.abc import Iterator
from typing import Final

from tests.servers.corpus import HARMLESS, HOSTILE, HUGE, SECRETS, Line, cut, kept, marked, masked

FORMAT: Final = "redis"

MARKS: Final = {".": "debug", "-": "debug", "*": "info", "#": "warning"}
MESSAGES: Final = (
    "Ready to accept connections tcp",
    "Background saving started by pid 77",
    "WARNING Memory overcommit must be enabled!",
    "Error condition on socket for SYNC: Connection refused",
    "DB saved on disk",
    "Accepted 10.0.0.7:51234",
    "Can't save in background: fork: Cannot allocate memory",
    "Connection with replica 10.0.0.8:6379 lost.",
    "oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo",
    "User requested shutdown...",
    "Client closed connection id=5 addr=10.0.0.7:51234",
)


def lines() -> Iterator[Line]:
    for role in "XCSM":
        for mark, level in MARKS.items():
            for number, message in enumerate(MESSAGES):
                yield kept(
                    f"{1 + 122 * (number % 2)}:{role} 29 Nov 2026 12:00:{number:02}.124 {mark} {message}", level
                )
    for written, stored in SECRETS:
        yield masked(f"1:M 29 Nov 2026 12:00:00.124 * {written}", f"1:M 29 Nov 2026 12:00:00.124 * {stored}", "info")
    for harmless in HARMLESS:
        yield kept(f"1:M 29 Nov 2026 12:00:00.124 * {harmless}", "info")
    for hostile in HOSTILE:
        yield kept(f"1:M 29 Nov 2026 12:00:00.124 # {hostile}", "warning")
    for broken in cut("1:M 29 Nov 2026 12:00:00.124 * x", 1, 3, 6, 15, 20, 28, 30):
        yield marked(broken, "redis")
    yield marked("1:Q 29 Nov 2026 12:00:00.124 * no such role", "redis")
    yield marked("1:M 29 Nov 2026 12:00:00.124 ! no such mark", "redis")
    yield marked("Redis 7.0.15 (00000000/0) 64 bit", "redis")
    yield marked("*** FATAL CONFIG FILE ERROR (Redis 7.0.15) ***", "redis", "critical")
    yield marked("=== REDIS BUG REPORT START: Cut & paste starting from here ===", "redis")
    yield marked("# Server", "redis")
    yield kept("1:M 29 Nov 2026 12:00:00.124 # Crashed by signal: 11\n\tat a.c:1\n\tat b.c:2", "warning")
    yield kept("1:M 29 Nov 2026 12:00:00.124 * " + "x" * 100000, "info")


HUGE_LINE: Final = "1:M 29 Nov 2026 12:00:00.124 * " + HUGE
