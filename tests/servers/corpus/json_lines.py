"""Lines of applications in JSON."""

import json
from collections.abc import Iterator
from typing import Any, Final

from tests.servers.corpus import HARMLESS, HOSTILE, HUGE, SECRETS, Line, kept, marked, masked

FORMAT: Final = "json"

LEVELS: Final[dict[Any, str]] = {
    "trace": "debug",
    "DEBUG": "debug",
    "verbose": "debug",
    "info": "info",
    "INFO": "info",
    "notice": "info",
    "warn": "warning",
    "WARNING": "warning",
    "error": "error",
    "ERR": "error",
    "SEVERE": "error",
    "critical": "critical",
    "fatal": "critical",
    "Panic": "critical",
    "emerg": "critical",
    "loud": "unknown",
    10: "debug",
    20: "debug",
    30: "info",
    40: "warning",
    50: "error",
    60: "critical",
    35: "unknown",
}
KEYS: Final = ("level", "severity", "lvl", "levelname", "log.level")
MESSAGES: Final = ("message", "msg", "event")
IDS: Final = (
    ("correlation_id", "correlation_id"),
    ("correlationId", "correlation_id"),
    ("request_id", "correlation_id"),
    ("requestId", "correlation_id"),
    ("trace_id", "trace_id"),
    ("traceId", "trace_id"),
    ("trace.id", "trace_id"),
    ("user_id", "user"),
    ("userId", "user"),
    ("user", "user"),
    ("session_id", "session"),
    ("sessionId", "session"),
)


def text(**fields: Any) -> str:  # noqa: ANN401 - any JSON
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def lines() -> Iterator[Line]:
    for number, key in enumerate(KEYS):
        for said, level in LEVELS.items():
            message = MESSAGES[number % len(MESSAGES)]
            yield kept(json.dumps({key: said, message: f"order {number} paid"}), level)
    for key, name in IDS:
        yield kept(text(level="info", message="x", **{key: "a-17"}), "info", **{name: "a-17"})
        yield kept(text(level="info", message="x", **{key: 17}), "info", **{name: "17"})
        yield kept(text(level="info", message="x", **{key: ""}), "info")
        yield kept(text(level="info", message="x", **{key: None}), "info")
    yield kept(text(log={"level": "warn"}, message="nested"), "warning")
    yield kept(text(level="error", message="x", user={"id": 5}), "error", user="5")
    yield kept(text(level="error", message="x", trace={"id": "t"}), "error", trace_id="t")
    for written, stored in SECRETS:
        yield masked(text(level="warn", message=written), text(level="warn", message=stored), "warning")
    for name in ("password", "api_key", "accessToken", "client_secret", "Authorization", "cookie", "db.password"):
        yield masked(
            text(level="info", message="x", context={name: "hunter2", "order": 5}),
            text(level="info", message="x", context={name: "***", "order": 5}),
            "info",
            context=json.dumps(dict(sorted({name: "***", "order": 5}.items())), separators=(",", ":")),
        )
    for harmless in HARMLESS:
        yield kept(text(level="info", message=harmless), "info")
    for hostile in HOSTILE:
        yield kept(text(level="error", message=hostile), "error")
    whole = '{"level":"error","message":"payment refused","order":5}'
    yield from (marked(whole[:length], "json", "error") for length in range(20, 54, 4))
    yield from (marked(whole[:length], "json") for length in (1, 2, 5, 9))
    yield marked(whole + whole, "json", "error")
    yield marked('{"level":"error","message":}', "json", "error")
    yield marked("{'level':'error','message':'x'}", "json", "error")
    yield marked('{"level":"info","order":5}', "json", "info")
    yield marked("just words of an application", "json")
    yield marked("ERROR: not JSON", "json", "error")
    for indent in (1, 2, 4):
        yield kept(
            json.dumps({"level": "error", "message": "over several lines", "n": indent}, indent=indent), "error"
        )
    yield kept(f'{{"level":"info","message":"{"x" * 100000}"}}', "info")


HUGE_LINE: Final = '{"level":"info","message":"' + HUGE + '"}'
