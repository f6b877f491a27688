"""What a container writes and what is right for it: the rows of the tables log_cases_*.py."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Stored:
    """One stored line; the labels that are not given are those of its container."""

    body: str
    level: str = "unknown"
    metadata: Mapping[str, str] = field(default_factory=dict)
    stream: str = "stdout"
    labels: Mapping[str, str] = field(default_factory=dict)
    at: str = "NOW"


@dataclass(frozen=True, kw_only=True)
class Case:
    """What one container writes, and what is stored of it."""

    name: str
    written: Sequence[str | tuple[str, str]]
    """Texts without the newline at their end; with the output where that is not stdout. One that ends in `\\0` gets no
    newline."""
    stored: Sequence[Stored]
    format: str = ""
    docker: Mapping[str, str] = field(default_factory=dict)
    """More Docker labels."""
    age: float = 0
    """Seconds since Docker received the lines."""
    raw: bool = False
    """Whether the texts are whole lines of Docker's file."""


def kept(text: str, level: str = "unknown", **more: Any) -> Stored:  # noqa: ANN401 - passed on
    """A line that is stored as it was written."""
    return Stored(body=text, level=level, **more)


def unread(text: str, kind: str, level: str = "unknown", **more: Any) -> Stored:  # noqa: ANN401 - passed on
    """A line that is stored as it was written, and marked as unreadable in this format."""
    return Stored(body=text, level=level, metadata={"parse_error": kind}, **more)
