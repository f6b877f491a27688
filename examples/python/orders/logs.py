"""Logs: one JSON object a line on standard output, each with the ids of its request; fingerprints of errors."""

import hashlib
import json
import logging
import re
import secrets
import sys
import traceback
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from opentelemetry import trace

from .settings import NAME

CORRELATION_HEADER: Final = "x-correlation-id"
_VALID: Final = re.compile(r"[A-Za-z0-9._-]{1,128}")
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_OWN: Final = Path(__file__).parent


@dataclass
class Request:
    """What is known of the request that is served."""

    correlation_id: str
    user: str | None = None
    queries: int = 0


current: Final[ContextVar[Request | None]] = ContextVar("request", default=None)


def current_id() -> str:
    """The correlation id of the request that is served; empty outside of requests."""
    request = current.get()
    return request.correlation_id if request else ""


def correlation_id(given: str | None) -> str:
    """The caller's id, or a new one where there is none or it is not one."""
    return given if given and _VALID.fullmatch(given) else secrets.token_hex(16)


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON; each key of `extra` becomes a field."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without the newline."""
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {
            "timestamp": moment.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            "context": record.name,
            "service": NAME,
        }
        request, span = current.get(), trace.get_current_span().get_span_context()
        if request:
            line["correlation_id"] = request.correlation_id
            if request.user:
                line["user"] = request.user
        if span.is_valid:
            line |= {"trace_id": f"{span.trace_id:032x}", "span_id": f"{span.span_id:016x}"}
        line |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info and record.exc_info[1]:
            error = record.exc_info[1]
            line |= {
                "error": f"{type(error).__name__}: {error}",
                "fingerprint": fingerprint(error),
                "stack": "".join(traceback.format_exception(error)),
            }
        return json.dumps(line, default=str, ensure_ascii=False)


def fingerprint(error: BaseException) -> str:
    """The same for errors of one type from one place: neither message, line numbers nor libraries count."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{Path(one.filename).name}:{one.name}" for one in frames if Path(one.filename).parent == _OWN]
    return hashlib.sha256("\n".join([type(error).__name__, *places]).encode()).hexdigest()[:16]


def configure() -> None:
    """Write every line of every logger in this form."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # The service logs its requests itself, and its calls of others are spans.
    for name in ("uvicorn.access", "httpx"):
        logging.getLogger(name).setLevel(logging.WARNING)
