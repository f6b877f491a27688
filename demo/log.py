"""Logs: one JSON object per line on standard output, each with the ids of its request."""

import hashlib
import json
import logging
import re
import secrets
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final

_CORRELATION_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,128}")
_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]([0-9a-f])")
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


@dataclass(frozen=True, kw_only=True)
class RequestIds:
    """The ids that identify a request in the logs of all services it passed, and in its trace."""

    correlation_id: str
    trace_id: str
    parent_id: str = ""
    """The caller's span."""
    sampled: bool = True
    """Whether the caller records the trace."""

    @classmethod
    def of(cls, correlation_id: str | None, traceparent: str | None) -> "RequestIds":
        """The ids of a request (W3C Trace Context for the trace), or new ones if they are missing or invalid."""
        trace = _TRACEPARENT.fullmatch(traceparent or "")
        given = correlation_id if correlation_id and _CORRELATION_ID.fullmatch(correlation_id) else None
        correlation = given or secrets.token_hex(16)
        if trace is None:
            return cls(correlation_id=correlation, trace_id=secrets.token_hex(16))
        return cls(
            correlation_id=correlation, trace_id=trace[1], parent_id=trace[2], sampled=int(trace[3], 16) % 2 == 1
        )


_current: ContextVar[RequestIds | None] = ContextVar("request", default=None)


@contextmanager
def request_ids(ids: RequestIds) -> Iterator[None]:
    """Add these ids to every line that this thread logs until the end of the block."""
    token = _current.set(ids)
    try:
        yield
    finally:
        _current.reset(token)


def current_trace() -> str | None:
    """The id of the trace that is recorded of the request that this thread serves."""
    ids = _current.get()
    return ids.trace_id if ids and ids.sampled else None


class JsonFormatter(logging.Formatter):
    """A log record as one line of JSON; each key of `extra` becomes a field.

    A line belongs to `system` unless its `extra` names another one.
    """

    def __init__(self, system: str) -> None:
        super().__init__()
        self._system = system

    def format(self, record: logging.LogRecord) -> str:
        """The line, without the newline."""
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {
            "timestamp": moment.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            "context": record.name,
            "system": self._system,
        }
        ids = _current.get()
        if ids is not None:
            line |= {"correlation_id": ids.correlation_id, "trace_id": ids.trace_id}
        line |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info and record.exc_info[1]:
            _, error, trace = record.exc_info
            line |= {
                "error": f"{type(error).__name__}: {error}".strip(),
                "fingerprint": fingerprint(error, trace),
                "stack": "".join(traceback.format_exception(error)),
            }
        return json.dumps(line, default=str, ensure_ascii=False)


def fingerprint(error: BaseException, trace: TracebackType | None) -> str:
    """The same for errors of one type from one place, regardless of message and line number."""
    places = [f"{frame.filename}:{frame.name}" for frame in traceback.extract_tb(trace)]
    return hashlib.sha256("\n".join([type(error).__name__, *places]).encode()).hexdigest()[:16]


def configure(system: str) -> None:
    """Write every log line to standard output in this format, for this system unless it names another one."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter(system))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
