"""Secrets that programs write into their lines, as data: what is recognised, and what replaces it.

By pattern only: a card number is recognised by its issuer's first digits and its length, not by its check digit.
Expressions are RE2, without look-around, so what stands before and after a secret is captured and written back.
`$1` is a group.
"""

from dataclasses import dataclass
from typing import Final

MASK: Final = "***"

_NAMES: Final = r"pass(?:word|wd|phrase)?|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?"
_AFTER: Final = r"(?:[_.-]?(?:id|key|value|hash))?"
_KEY: Final = rf"[\w.-]*(?:{_NAMES}|authorization|cookie){_AFTER}"
"""A key that names a secret; a longer word such as `tokens` or `passed` is none."""
_FIELD: Final = rf"[\w.-]*(?:{_NAMES}){_AFTER}"
"""The same without the headers, whose value has several words."""


@dataclass(frozen=True, kw_only=True)
class Secret:
    """One kind of secret: the expression that finds it, and what replaces all of it."""

    name: str
    expression: str
    replacement: str


SECRETS: Final[tuple[Secret, ...]] = (
    Secret(
        name="private key",
        expression=r"(-----BEGIN [A-Z ]*PRIVATE KEY-----)[A-Za-z0-9+/=\s\\]*(-----END [A-Z ]*PRIVATE KEY-----)?",
        replacement=f"$1{MASK}$2",
    ),
    Secret(
        name="value of a key in JSON",
        expression=rf'(?i)("{_KEY}"\s*:\s*)(?:"(?:[^"\\]|\\.)*"?|-?\d[\d.]*|\[[^\]]*\])',
        replacement=f'$1"{MASK}"',
    ),
    Secret(
        name="value of a key in JSON within a string",
        expression=rf'(?i)(\\"{_KEY}\\"\s*:\s*\\")(?:[^"\\]|\\\\.)*',
        replacement=f"$1{MASK}",
    ),
    Secret(
        name="value of a key in the notation of Python and Ruby",
        expression=rf"(?i)('{_KEY}'\s*(?::|=>)\s*)'(?:[^'\\]|\\.)*'?",
        replacement=f"$1'{MASK}'",
    ),
    Secret(
        name="header of a credential",
        expression=(
            r"(?i)\b((?:(?:proxy-)?authorization|x-[\w-]*(?:token|key|secret))\s*[:=]\s*[\"']?"
            r"(?:(?:bearer|basic|digest|token|apikey|negotiate)\s+)?)"
            r"[^\s\"',;&\\*]+"
        ),
        replacement=f"$1{MASK}",
    ),
    Secret(
        name="header of cookies",
        expression=r"(?i)\b((?:set-)?cookie\s*:\s*[\"']?)[^\"'\r\n\\*]+",
        replacement=f"$1{MASK}",
    ),
    Secret(
        name="bearer token",
        expression=r"(?i)\b(bearer\s+)[\w~+/=.-]{16,}",
        replacement=f"$1{MASK}",
    ),
    Secret(
        name="key=value",
        expression=rf"(?i)((?:^|[^\w\"'])[\"']?{_FIELD}=)(?:\"(?:[^\"\\]|\\.)*\"|'[^']*'|[^\s&;,\"'\\]+)",
        replacement=f"$1{MASK}",
    ),
    Secret(
        name="key: value in text",
        expression=(
            r"(?i)\b((?:password|passwd|passphrase|pwd|secret|api[ _-]?key|access[ _-]?key)\s*:\s+)"
            r"(?:\"(?:[^\"\\]|\\.)*\"|'[^']*'|[^\s,;\"'\\]+)"
        ),
        replacement=f"$1{MASK}",
    ),
    Secret(
        name="option of a command",
        expression=r"(?i)(\s--?(?:password|passwd|token|secret|api-?key)\s+)[^\s\"']+",
        replacement=f"$1{MASK}",
    ),
    Secret(
        name="password in SQL",
        expression=r"(?i)\b((?:password|identified\s+by)\s+)'(?:[^']|'')*'",
        replacement=f"$1'{MASK}'",
    ),
    Secret(
        name="credentials in an address",
        expression=r"(\b[a-z][a-z0-9+.-]*://[^/\s:@\"']*:)[^@/\s\"']+@",
        replacement=f"$1{MASK}@",
    ),
    Secret(
        name="JSON web token",
        expression=r"\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?",
        replacement=MASK,
    ),
    Secret(
        name="key of a known service",
        expression=(
            r"\b(?:(?:AKIA|ASIA)[A-Z0-9]{16}|gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{30,}|glpat-[\w-]{20,}|"
            r"xox[abeprs]-[\w-]{10,}|(?:sk|rk|pk)[-_](?:live|test|proj|ant|svcacct)[-_][\w-]{16,}|"
            r"sk-[A-Za-z0-9]{32,}|AIza[\w-]{35}|SG\.[\w-]{16,}\.[\w-]{16,})"
        ),
        replacement=MASK,
    ),
    *(
        # Twice: two numbers with one character between them share that character.
        Secret(
            name=name,
            expression=(
                r"(^|[^\w.-])(?:(?:4\d{3}|5[1-5]\d\d|2[2-7]\d\d|6011|65\d\d|35[2-8]\d)"
                r"(?:\d{12}|(?: \d{4}){3}|(?:-\d{4}){3})|3[47]\d\d(?:\d{11}| \d{6} \d{5}|-\d{6}-\d{5}))"
                r"($|[^\w.-]|[.-](?:$|\D))"
            ),
            replacement=f"$1{MASK}$2",
        )
        for name in ("card number", "card number next to another")
    ),
)
"""The kinds of secrets, in the order in which they are replaced."""

EMAIL: Final = Secret(
    name="mail address",
    expression=r"[\w.%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}",
    replacement=MASK,
)
"""Replaced where the settings say so."""


def secrets(*, email: bool) -> tuple[Secret, ...]:
    """The kinds of secrets that are replaced, in order."""
    return (*SECRETS, *((EMAIL,) if email else ()))


def hint(*, email: bool) -> str:
    """Expression that every line with a secret matches."""
    return f"{HINT}|@" if email else HINT


HINT: Final = (
    r"(?i)pass|pwd|secret|token|key|credential|authorization|cookie|bearer|identified|://|eyJ|AKIA|ASIA|gh[pousr]_|"
    r"github_pat|glpat|xox|[sr]k[-_]|pk[-_]|AIza|SG\.|\d{4}[ -]?\d{4}"
)
"""A line without any of these has no secret that could be recognised; most lines are done after this one test."""
