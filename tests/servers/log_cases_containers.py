"""Where a container belongs, and the kinds of lines any container writes: JSON, times, colours, plain text."""

from typing import Final

from observability.core.naming import COMPOSE_PROJECT, COMPOSE_SERVICE
from observability.logs.sources import LABEL_SYSTEM, LABEL_TEAM
from tests.servers.log_case import Case, Stored, kept, unread

EVERYTHING: Final = (
    '{"level":"error","timestamp":"NOW-10s","message":"payment refused","correlation_id":"c-1",'
    '"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","user_id":17,"session_id":"s-1","context":{"order":5}}'
)
ESC: Final = "\x1b"

CASES: Final[tuple[Case, ...]] = (
    # Where a container belongs.
    Case(
        name="a-stranger",
        written=["hello"],
        stored=[kept("hello", labels={"system": "unassigned", "team": "unassigned", "service": "a-stranger"})],
    ),
    Case(
        name="a-stranger-of-compose",
        docker={COMPOSE_PROJECT: "blog", COMPOSE_SERVICE: "web"},
        written=["hello"],
        stored=[
            kept("hello", labels={"system": "unassigned", "service": "web"}, metadata={"compose_project": "blog"})
        ],
    ),
    Case(
        name="by-label",
        docker={LABEL_SYSTEM: "depot"},
        written=["hello"],
        stored=[kept("hello", labels={"system": "depot", "team": "depot"})],
    ),
    Case(
        name="team-by-label",
        docker={LABEL_TEAM: "depot"},
        written=["hello"],
        stored=[kept("hello", labels={"system": "unassigned", "team": "depot"})],
    ),
    Case(
        name="label-of-an-unknown-team",
        docker={LABEL_SYSTEM: "depot", LABEL_TEAM: "nobody"},
        written=["hello"],
        stored=[kept("hello", labels={"system": "depot", "team": "depot"})],
    ),
    Case(
        name="by-project",
        docker={COMPOSE_PROJECT: "depot", COMPOSE_SERVICE: "api"},
        written=["hello"],
        stored=[
            kept(
                "hello",
                labels={"system": "depot", "team": "depot", "service": "api"},
                metadata={"compose_project": "depot"},
            )
        ],
    ),
    Case(name="academy-by-name", written=["hello"], stored=[kept("hello", labels={"system": "academy"})]),
    Case(
        name="label-of-an-unknown-system",
        docker={LABEL_SYSTEM: "$(reboot)`x`"},
        written=["hello"],
        stored=[kept("hello", labels={"system": "unassigned"})],
    ),
    # JSON.
    Case(
        name="json",
        written=[EVERYTHING],
        stored=[
            Stored(
                body=EVERYTHING,
                level="error",
                metadata={
                    "correlation_id": "c-1",
                    "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
                    "user": "17",
                    "session": "s-1",
                    "context": '{"order":5}',
                },
                at="NOW-10s",
            )
        ],
    ),
    Case(
        name="json-of-another-system",
        docker={LABEL_SYSTEM: "academy"},
        written=[
            '{"level":"info","message":"a","system":"depot"}',
            '{"level":"info","message":"b","system":"unheard-of"}',
            '{"level":"info","message":"c","system":{"a":1}}',
        ],
        stored=[
            kept(
                '{"level":"info","message":"a","system":"depot"}',
                "info",
                labels={"system": "depot", "team": "depot"},
            ),
            kept('{"level":"info","message":"b","system":"unheard-of"}', "info", labels={"system": "academy"}),
            kept('{"level":"info","message":"c","system":{"a":1}}', "info", labels={"system": "academy"}),
        ],
    ),
    Case(
        name="json-of-pino-and-zap",
        # In the order of their own times: the second has no milliseconds.
        written=['{"level":"warn","ts":NOWs,"msg":"slow"}', '{"level":50,"time":NOWms,"msg":"refused"}'],
        stored=[
            kept('{"level":"warn","ts":NOWs,"msg":"slow"}', "warning"),
            kept('{"level":50,"time":NOWms,"msg":"refused"}', "error"),
        ],
    ),
    Case(
        name="json-of-mongodb",
        written=['{"t":{"$date":"NOW"},"s":"W","c":"NETWORK","id":1,"ctx":"conn1","msg":"slow"}'],
        stored=[kept('{"t":{"$date":"NOW"},"s":"W","c":"NETWORK","id":1,"ctx":"conn1","msg":"slow"}', "warning")],
    ),
    Case(
        name="json-without-level",
        written=['{"message":"done","error":null}'],
        stored=[kept('{"message":"done","error":null}')],
    ),
    Case(
        name="json-over-several-lines",
        written=["{", '  "level": "error",', '  "message": "refused"', "}"],
        stored=[kept('{\n  "level": "error",\n  "message": "refused"\n}', "error")],
    ),
    Case(
        name="json-cut-short",
        written=['{"level":"error","message":"ref'],
        stored=[unread('{"level":"error","message":"ref', "json", "error")],
    ),
    Case(
        name="json-that-is-text",
        format="json",
        written=["not JSON", "[1, 2]", '"text"', "{}", '{"level":"info"}'],
        stored=[
            unread("not JSON", "json"),
            unread("[1, 2]", "json"),
            unread('"text"', "json"),
            unread("{}", "json"),
            unread('{"level":"info"}', "json", "info"),
        ],
    ),
    # The time of a line.
    *(
        Case(
            name=f"time-{name}",
            written=[f'{{"level":"info","timestamp":"{said}","message":"x"}}'],
            stored=[
                Stored(
                    body=f'{{"level":"info","timestamp":"{said}","message":"x"}}',
                    level="info",
                    metadata={} if at else {"parse_error": "time", "own_time": own or said},
                    at=at or "NOW",
                )
            ],
        )
        for name, said, at, own in (
            ("a-minute-ago", "NOW-1m", "NOW-1m", ""),
            ("with-an-offset", "NOW+02:00", "NOW", ""),
            ("a-week-and-more-ago", "NOW-8d", "", ""),
            ("two-hours-ago", "NOW-2h", "", ""),
            ("an-hour-ahead", "NOW+1h", "", ""),
            ("of-1970", "1970-01-01T00:00:12Z", "", ""),
            ("of-no-calendar", "2026-02-31T25:61:00Z", "", ""),
            ("that-is-none", "yesterday", "", ""),
        )
    ),
    Case(
        name="time-of-docker-before-its-clock-was-set",
        age=1.7e9,
        written=["hello"],
        stored=[kept("hello", metadata={"parse_error": "time"}, at="READ")],
    ),
    Case(name="time-of-docker-two-weeks-ago", age=14 * 86400, written=["hello"], stored=[]),
    # Colours.
    Case(
        name="colours",
        written=[
            f"{ESC}[31mERROR{ESC}[0m: refused",
            f"{ESC}[33mWARN{ESC}[0m disk at 81%",
            f"[{ESC}[1;32mINFO{ESC}[0m] started",
            f'{ESC}[90m12:00{ESC}[0m {{"level":"x"}}',
            f"{ESC}]0;title\x07FATAL: gone",
        ],
        stored=[
            kept(f"{ESC}[31mERROR{ESC}[0m: refused", "error"),
            kept(f"{ESC}[33mWARN{ESC}[0m disk at 81%", "warning"),
            kept(f"[{ESC}[1;32mINFO{ESC}[0m] started", "info"),
            kept(f'{ESC}[90m12:00{ESC}[0m {{"level":"x"}}'),
            kept(f"{ESC}]0;title\x07FATAL: gone", "critical"),
        ],
    ),
    Case(
        name="coloured-json",
        written=[f'{ESC}[36m{{"level":"error","message":"x"}}{ESC}[0m'],
        stored=[kept(f'{ESC}[36m{{"level":"error","message":"x"}}{ESC}[0m', "error")],
    ),
    # Plain text.
    Case(
        name="plain",
        written=[
            "2026-11-29 12:00:00 INFO connected, error count 0",
            "[warn] refused with error 5",
            "error: no such file",
            "request failed with error 5",
            "terror and informative, nothing else",
            "npm WARN deprecated x@1",
            "",
            "done",
        ],
        stored=[
            kept("2026-11-29 12:00:00 INFO connected, error count 0", "info"),
            kept("[warn] refused with error 5", "warning"),
            kept("error: no such file", "error"),
            kept("request failed with error 5", "error"),
            kept("terror and informative, nothing else"),
            # An empty line belongs to the line before it.
            kept("npm WARN deprecated x@1", "warning"),
            kept("done"),
        ],
    ),
    Case(
        name="plain-although-it-looks-like-json",
        format="plain",
        written=['{"level":"error","message":"x"}'],
        stored=[kept('{"level":"error","message":"x"}', "error")],
    ),
    Case(
        name="both-outputs",
        written=["a", ("b", "stderr"), "c"],
        stored=[kept("a"), kept("b", stream="stderr"), kept("c")],
    ),
    Case(name="windows-line-ends", written=["ERROR a\r", "b\r"], stored=[kept("ERROR a", "error"), kept("b")]),
)
