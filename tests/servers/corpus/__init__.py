"""Lines as programs write them, over 200 for each format, and what is right for each.

Each module makes its lines from tables by loops, always the same. What is expected stands in the tables, beside what
is written; nothing is computed by the expressions or the code that read lines.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

JWT: Final = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
HUGE: Final = "".join(f"{number:07d}x" for number in range(128 * 1024))
"""Characters of the longest line of each format."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """What a program writes, and what is stored; `written` may have several lines, which are stored as one."""

    written: str
    stored: str
    level: str = "unknown"
    metadata: Mapping[str, str] = field(default_factory=dict)


def kept(text: str, level: str = "unknown", **metadata: str) -> Line:
    """A line that is stored as it was written."""
    return Line(written=text, stored=text, level=level, metadata=metadata)


def marked(text: str, kind: str, level: str = "unknown") -> Line:
    """A line that is stored as it was written, and marked as unreadable in its format."""
    return Line(written=text, stored=text, level=level, metadata={"parse_error": kind})


def masked(written: str, stored: str, level: str = "unknown", **metadata: str) -> Line:
    """A line with a secret."""
    return Line(written=written, stored=stored, level=level, metadata=metadata)


SECRETS: Final[tuple[tuple[str, str], ...]] = (
    ("password=hunter2 next", "password=*** next"),
    ("db_password=s3cr3t;next", "db_password=***;next"),
    ("token=abc.def-ghi next", "token=*** next"),
    ("access_token=ya29.a0Af next", "access_token=*** next"),
    ("apikey=0123456789 next", "apikey=*** next"),
    ("Authorization: Bearer abcdefghijklmnopqrst next", "Authorization: Bearer *** next"),
    ("authorization: Basic dXNlcjpwYXNz next", "authorization: Basic *** next"),
    ("X-Auth-Token: 8f14e45fceea next", "X-Auth-Token: *** next"),
    ("postgres://app:s3cret@db:5432/shop next", "postgres://app:***@db:5432/shop next"),
    ("redis://:s3cret@cache:6379/0 next", "redis://:***@cache:6379/0 next"),
    (f"jwt {JWT} next", "jwt *** next"),
    ("card 4111 1111 1111 1111 next", "card *** next"),
    ("card 4111-1111-1111-1111 next", "card *** next"),
    ("card 378282246310005 next", "card *** next"),
    ("card 5500005555555559 next", "card *** next"),
    ("key AKIAIOSFODNN7EXAMPLE next", "key *** next"),
    ("key ghp_abcdefghijklmnopqrstuvwxyz0123456789 next", "key *** next"),
    ("key glpat-abcdefghij0123456789 next", "key *** next"),
    ("key sk_live_abcdefghij0123456789 next", "key *** next"),
    ("mysql --password hunter2 -h db next", "mysql --password *** -h db next"),
)
"""A text with a secret, and what is stored of it. None has a quote, so each fits into any format."""

HARMLESS: Final = (
    "tokens=5 passed=3",
    "took 0.4111111111111111 s",
    "order 1764400000000000",
    "trace 4bf92f3577b34da6a3ce929d0e0e4736",
    "bad password for user bob",
    "monkey=1 keyboard",
)
"""Texts that look like a secret and are none."""

HOSTILE: Final = (
    "${env:HOME} $HOME $$ $1",
    "`id` $(reboot)",
    "{{ .level }} {% x %}",
    "<script>alert(1)</script>",
    "'; DROP TABLE lines; --",
    "../../../../etc/passwd",
    "%s%n%x%d",
    "EXPR(1) env(1)",
    "\u202eright to left\u202c",
    "\ufeffmark \ufffd\ufffd replaced",
    "\U0001f4a5\U0001f468\u200d\U0001f469 \u0416\u4e2d\u05d0",
    "a\x01b\x07c\x7fd",
    "x" * 5000,
    "(" * 500 + ")" * 500,
    "\\x16\\x03\\x01\\x00",
)
"""Texts by which a program attacks, or breaks, what reads its lines."""

COLOURS: Final = (
    ("\x1b[31m", "\x1b[0m"),
    ("\x1b[1;33m", "\x1b[m"),
    ("\x1b[38;5;196m", "\x1b[39m"),
    ("\x1b[38;2;255;0;0m", "\x1b[0m"),
    ("\x1b]8;;http://x\x07", "\x1b]8;;\x07"),
)
"""Control sequences around a word."""


def cut(text: str, *lengths: int) -> Iterator[str]:
    """The text, ended early."""
    yield from (text[:length] for length in lengths)


def numbered(texts: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Each text with its number, from 1."""
    yield from enumerate(texts, start=1)
