"""The annotations that the notifier adds to an alert. Pure, only the standard library."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from observability.alerting.causes import Cause, Lines
from observability.core.alert import CAUSE, LOG_LINES, PICTURE

OWN: Final = (CAUSE, *LOG_LINES, PICTURE)
"""Every annotation that the notifier adds."""

LONGEST: Final = 400
"""Characters of the longest annotation; the templates shorten further."""

EVIDENCE: Final = 120
"""Characters of one piece of evidence."""

_CONTROL: Final = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")
"""White space, control characters, and characters that are invisible or turn the direction of writing."""


def annotations(causes: Sequence[Cause], lines: Iterable[Lines]) -> dict[str, str]:
    """The annotations of an alert: its causes, the most likely first, and its systems' groups of error lines."""
    found = {}
    if causes:
        found[CAUSE] = plain(_cause(causes))
    newest = sorted(lines, key=lambda one: one.place)
    for name, one in zip(LOG_LINES, newest, strict=False):
        times = f"{one.count} \N{MULTIPLICATION SIGN} " if one.count > 1 else ""
        found[name] = plain(f"{times}{one.service}: {one.text}")
    return found


def plain(text: str, longest: int = LONGEST) -> str:
    """The text on one line without control characters, shortened."""
    found = _CONTROL.sub(" ", text).strip()
    return found if len(found) <= longest else f"{found[: longest - 1]}…"


def _cause(causes: Sequence[Cause]) -> str:
    first, *others = causes
    evidence = f" ({'; '.join(plain(one, EVIDENCE) for one in first.evidence[:2])})" if first.evidence else ""
    also = "; ".join(one.what for one in others[:2])
    return f"{first.what}{evidence}" + (f". Also possible: {also}" if also else "")


def with_own(old: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """The annotations of an alert with the notifier's own replaced by these."""
    return {**{name: text for name, text in old.items() if name not in OWN}, **own}
