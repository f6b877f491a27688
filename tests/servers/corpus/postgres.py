"""Lines of PostgreSQL's log, with usual values of `log_line_prefix`."""

from collections.abc import Iterator
from typing import Final

from tests.servers.corpus import HARMLESS, HOSTILE, HUGE, SECRETS, Line, cut, kept, marked, masked

FORMAT: Final = "postgres"

SEVERITIES: Final = {
    "DEBUG1": "debug",
    "DEBUG5": "debug",
    "LOG": "info",
    "INFO": "info",
    "NOTICE": "info",
    "DETAIL": "info",
    "HINT": "info",
    "CONTEXT": "info",
    "STATEMENT": "info",
    "WARNING": "warning",
    "ERROR": "error",
    "FATAL": "critical",
    "PANIC": "critical",
}
PREFIXES: Final = (
    "2026-11-29 12:00:00.934 UTC [1] ",
    "2026-11-29 12:00:00 UTC [31] ",
    "2026-11-29 12:00:00.934 CET [31] app@shop ",
    "2026-11-29 12:00:00.934 +0100 [31] [unknown]@[unknown] ",
    "2026-11-29 12:00:00.934 UTC [31] app@shop 40P01 psql 10.0.0.7(51234) ",
)
MESSAGES: Final = ("deadlock detected", "duration: 1234.567 ms  statement: SELECT 1 -- ERROR: in the text", "")


def lines() -> Iterator[Line]:
    for said, level in SEVERITIES.items():
        for prefix in PREFIXES:
            for message in MESSAGES:
                yield kept(f"{prefix}{said}:  {message}", level)
    for written, stored in SECRETS:
        yield masked(f"{PREFIXES[2]}LOG:  connection {written}", f"{PREFIXES[2]}LOG:  connection {stored}", "info")
    for clause in ("PASSWORD 'hunter2'", "password 'it''s'", "ENCRYPTED PASSWORD 'x y'"):
        stored = f"{clause.partition(chr(39))[0]}'***'"
        yield masked(
            f"{PREFIXES[0]}STATEMENT:  ALTER ROLE app {clause};",
            f"{PREFIXES[0]}STATEMENT:  ALTER ROLE app {stored};",
            "info",
        )
    for harmless in HARMLESS:
        yield kept(f"{PREFIXES[0]}LOG:  {harmless}", "info")
    for hostile in HOSTILE:
        yield kept(f"{PREFIXES[0]}ERROR:  {hostile}", "error")
    for number in range(2, 8):
        statement = "\n".join(f"\tAND column_{one} = {one}" for one in range(number))
        yield kept(f"{PREFIXES[1]}STATEMENT:  SELECT 1 WHERE true\n{statement}", "info")
    for broken in cut("2026-11-29 12:00:00.934 UTC [31] app@shop", 4, 10, 16, 23, 27, 32, 41):
        yield marked(broken, "postgres")
    yield marked("initdb: error: directory exists", "postgres", "error")
    yield marked("waiting for server to start....", "postgres")
    yield marked("PostgreSQL Database directory appears to contain a database; Skipping initialization", "postgres")
    yield kept(f"{PREFIXES[0]}ERROR:  {'x' * 100000}", "error")


HUGE_LINE: Final = f"{PREFIXES[0]}STATEMENT:  SELECT '{HUGE}'"
