"""Lines as containers write them, and what is right for each: labels, structured metadata and the stored text.

To add a case, add an entry to CASES. `NOW` in a line or a value stands for the time at which Docker received the line,
as RFC 3339; `NOW-2h` and the like for another.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from observability.core.naming import COMPOSE_PROJECT, COMPOSE_SERVICE, LABEL_SERVICE, LABEL_STACK
from observability.logs.sources import LABEL_SYSTEM, LABEL_TEAM


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


JAVA: Final = (
    "2026-11-29 12:00:00.123 ERROR 1 --- [nio-8080-exec-1] c.e.ShopController : payment refused\n"
    "java.lang.IllegalStateException: no provider\n"
    "\tat com.example.Shop.pay(Shop.java:42)\n"
    "\tat com.example.Shop$$Lambda/0x1.run(Unknown Source)\n"
    "Caused by: java.net.SocketTimeoutException: Read timed out\n"
    "\tat java.base/java.net.Socket.read(Socket.java:1)\n"
    "\t... 23 more"
)
PYTHON: Final = (
    "ERROR:shop:payment refused\n"
    "Traceback (most recent call last):\n"
    '  File "/app/shop.py", line 7, in pay\n'
    "    raise ValueError('no provider')\n"
    "ValueError: no provider\n"
    "\n"
    "During handling of the above exception, another exception occurred:\n"
    "\n"
    "Traceback (most recent call last):\n"
    '  File "/app/shop.py", line 9, in pay\n'
    "shop.errors.PaymentError: no provider"
)
GO: Final = (
    "panic: runtime error: index out of range [5] with length 3\n"
    "\n"
    "goroutine 1 [running]:\n"
    "main.(*Shop).Pay(0xc000012345, {0x1, 0x2})\n"
    "\t/app/main.go:8 +0x1d\n"
    "main.main()\n"
    "\t/app/main.go:4 +0x1d\n"
    "created by main.main in goroutine 1\n"
    "\t/app/main.go:3 +0x1d\n"
    "exit status 2"
)
NODE: Final = (
    "TypeError: Cannot read properties of undefined (reading 'id')\n"
    "    at pay (/app/shop.js:10:7)\n"
    "    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)"
)
EVERYTHING: Final = (
    '{"level":"error","timestamp":"NOW-10s","message":"payment refused","correlation_id":"c-1",'
    '"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","user_id":17,"session_id":"s-1","context":{"order":5}}'
)
CHANGE: Final = (
    'logger=context userId=1 orgId=1 uname=ann t=2026-11-29T12:00:00Z level=info msg="Request Completed" '
    "method=PUT path=/api/v1/provisioning/policies status=202 remote_addr=10.0.0.7 time_ms=1"
)
LONG: Final = "0123456789abcdef" * 4096
"""64 KiB: four pieces of Docker's."""
HUGE: Final = "ERROR " + "x" * 1024 * 1024
JWT: Final = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
ESC: Final = "\x1b"


def lines(trace: str) -> tuple[str, ...]:
    """The lines of a trace, as a program writes them."""
    return tuple(trace.split("\n"))


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
    # Lines of other programs.
    Case(
        name="klog",
        written=["E1129 12:00:00.123456       1 reflector.go:150] watch failed", "I1129 12:00:00.1 1 a.go:1] ok"],
        stored=[
            kept(
                "E1129 12:00:00.123456       1 reflector.go:150] watch failed",
                "error",
                metadata={"source": "reflector.go:150"},
            ),
            kept("I1129 12:00:00.1 1 a.go:1] ok", "info", metadata={"source": "a.go:1"}),
        ],
    ),
    Case(
        name="syslog",
        written=[
            "<34>1 2026-11-29T12:00:00.003Z web1 su - ID47 - 'su root' failed for bob",
            "<165>Nov 29 12:00:00 web1 app[1]: no error here",
            "<999>1 - web1 app no such priority",
        ],
        stored=[
            kept(
                "<34>1 2026-11-29T12:00:00.003Z web1 su - ID47 - 'su root' failed for bob",
                "critical",
                metadata={"host": "web1", "program": "su"},
            ),
            kept("<165>Nov 29 12:00:00 web1 app[1]: no error here", "info"),
            kept("<999>1 - web1 app no such priority", metadata={"host": "web1", "program": "app"}),
        ],
    ),
    Case(
        name="cadvisor",
        docker={LABEL_STACK: "staging", LABEL_SERVICE: "cadvisor"},
        written=["W1129 12:00:00.123456       1 manager.go:150] slow"],
        stored=[
            kept(
                "W1129 12:00:00.123456       1 manager.go:150] slow",
                "warning",
                metadata={"source": "manager.go:150"},
                labels={"system": "platform", "team": "platform", "service": "cadvisor"},
            )
        ],
    ),
    Case(
        name="logfmt",
        written=[
            'ts=2026-11-29T12:00:00Z caller=a.go:1 level=warn msg="error in the text" traceID=abc123',
            'time=2026-11-29T12:00:00Z level=ERROR source=main.go:1 msg="x"',
        ],
        stored=[
            kept(
                'ts=2026-11-29T12:00:00Z caller=a.go:1 level=warn msg="error in the text" traceID=abc123',
                "warning",
                metadata={"trace_id": "abc123"},
            ),
            kept('time=2026-11-29T12:00:00Z level=ERROR source=main.go:1 msg="x"', "error"),
        ],
    ),
    Case(
        name="logfmt-that-is-text",
        format="logfmt",
        written=["just words"],
        stored=[unread("just words", "logfmt")],
    ),
    Case(
        name="web-nginx",
        written=[
            '172.18.0.5 - - [29/Nov/2026:12:00:00 +0000] "GET /api/orders?page=2 HTTP/1.1" 200 47 "-" "curl/8"',
            '172.18.0.5 - bob [29/Nov/2026:12:00:00 +0000] "POST /api/orders HTTP/1.1" 502 157 "-" "-"',
            '172.18.0.5 - - [29/Nov/2026:12:00:00 +0000] "GET /error HTTP/1.1" 404 1 "-" "-"',
            ("2026/11/29 12:00:00 [crit] 7#7: *1 connect() failed (111: Connection refused)", "stderr"),
            "/docker-entrypoint.sh: Configuration complete; ready for start up",
            '172.18.0.5 - - [29/Nov/2026:12:00:00 +0000] "\\x16\\x03\\x01" 400 157 "-" "-"',
        ],
        stored=[
            kept(
                '172.18.0.5 - - [29/Nov/2026:12:00:00 +0000] "GET /api/orders?page=2 HTTP/1.1" 200 47 "-" "curl/8"',
                "info",
                metadata={"method": "GET", "status": "200"},
            ),
            kept(
                '172.18.0.5 - bob [29/Nov/2026:12:00:00 +0000] "POST /api/orders HTTP/1.1" 502 157 "-" "-"',
                "error",
                metadata={"method": "POST", "status": "502"},
            ),
            kept(
                '172.18.0.5 - - [29/Nov/2026:12:00:00 +0000] "GET /error HTTP/1.1" 404 1 "-" "-"',
                "warning",
                metadata={"method": "GET", "status": "404"},
            ),
            kept(
                "2026/11/29 12:00:00 [crit] 7#7: *1 connect() failed (111: Connection refused)",
                "critical",
                stream="stderr",
            ),
            unread("/docker-entrypoint.sh: Configuration complete; ready for start up", "nginx"),
            unread('172.18.0.5 - - [29/Nov/2026:12:00:00 +0000] "\\x16\\x03\\x01" 400 157 "-" "-"', "nginx"),
        ],
    ),
    Case(
        name="shop-postgres",
        written=[
            "2026-11-29 12:00:00.934 UTC [1] LOG:  database system is ready to accept connections",
            "2026-11-29 12:00:00.934 UTC [31] app@shop ERROR:  deadlock detected",
            "2026-11-29 12:00:00.934 UTC [31] app@shop STATEMENT:  UPDATE t",
            "\tSET a = 1",
            "\tWHERE id = 3",
            "2026-11-29 12:00:00.934 UTC [1] PANIC:  could not write to file",
            "initdb: error: directory exists",
        ],
        stored=[
            kept("2026-11-29 12:00:00.934 UTC [1] LOG:  database system is ready to accept connections", "info"),
            kept("2026-11-29 12:00:00.934 UTC [31] app@shop ERROR:  deadlock detected", "error"),
            kept(
                "2026-11-29 12:00:00.934 UTC [31] app@shop STATEMENT:  UPDATE t\n\tSET a = 1\n\tWHERE id = 3", "info"
            ),
            kept("2026-11-29 12:00:00.934 UTC [1] PANIC:  could not write to file", "critical"),
            unread("initdb: error: directory exists", "postgres", "error"),
        ],
    ),
    Case(
        name="cache-redis",
        written=["1:M 29 Nov 2026 12:00:00.124 * Ready", "1:M 29 Nov 2026 12:00:00.124 # WARNING overcommit", "Ready"],
        stored=[
            kept("1:M 29 Nov 2026 12:00:00.124 * Ready", "info"),
            kept("1:M 29 Nov 2026 12:00:00.124 # WARNING overcommit", "warning"),
            unread("Ready", "redis"),
        ],
    ),
    Case(
        name="grafana-sign-in",
        format="grafana",
        written=[CHANGE],
        stored=[
            kept(
                CHANGE,
                "info",
                metadata={
                    "audit": "change",
                    "user": "ann",
                    "method": "PUT",
                    "path": "/api/v1/provisioning/policies",
                    "status": "202",
                    "client": "10.0.0.7",
                },
            )
        ],
    ),
    # Stack traces.
    Case(name="trace-of-java", written=[*lines(JAVA), "next"], stored=[kept(JAVA, "error"), kept("next")]),
    Case(name="trace-of-python", written=[*lines(PYTHON), "next"], stored=[kept(PYTHON, "error"), kept("next")]),
    Case(name="trace-of-go", written=["started", *lines(GO)], stored=[kept("started"), kept(GO, "critical")]),
    Case(
        name="trace-after-a-line-of-another-matter",
        written=["INFO started", *lines(NODE)],
        # Joined to it, and an error all the same.
        stored=[kept(f"INFO started\n{NODE}", "error")],
    ),
    Case(
        name="trace-between-json",
        written=['{"level":"info","message":"a"}', *lines(GO), '{"level":"info","message":"b"}'],
        stored=[
            kept('{"level":"info","message":"a"}', "info"),
            kept(GO, "critical"),
            kept('{"level":"info","message":"b"}', "info"),
        ],
    ),
    # Size.
    Case(name="long", written=[f"ERROR {LONG}"], stored=[kept(f"ERROR {LONG}", "error")]),
    Case(
        name="long-json",
        written=[f'{{"level":"error","message":"{LONG}"}}'],
        stored=[kept(f'{{"level":"error","message":"{LONG}"}}', "error")],
    ),
    Case(
        name="without-end",
        written=["password prompt\0"],
        stored=[kept("password prompt", metadata={"partial": "true"})],
    ),
    # Hostile.
    Case(
        name="deep-json",
        written=['{"message":"x","a":' + "[" * 20000 + "]" * 20000 + "}"],
        stored=[
            unread('{"message":"x","a":' + "[" * 20000 + "]" * 20000 + "}", "json"),
        ],
    ),
    Case(
        name="expressions",
        written=["${env:HOME} $HOME `id` $(id) {{ .level }} EXPR(1) %s"],
        stored=[kept("${env:HOME} $HOME `id` $(id) {{ .level }} EXPR(1) %s")],
    ),
    Case(
        name="control-characters",
        written=["a\0b\x01c\x7f\ufeff\u202ed \U0001f4a5 \ud7ff"],
        stored=[kept("a\0b\x01c\x7f\ufeff\u202ed \U0001f4a5 \ud7ff")],
    ),
    Case(
        name="large-context",
        written=['{"level":"info","message":"x","context":"' + "y" * 100000 + '"}'],
        stored=[
            kept(
                '{"level":"info","message":"x","context":"' + "y" * 100000 + '"}',
                "info",
                metadata={"context": "y" * 2048},
            )
        ],
    ),
    Case(
        name="broken-file",
        raw=True,
        written=['{"log":"hello\\n","stream":"stdout","ti', "\0\0\0\0"],
        stored=[
            unread('{"log":"hello\\n","stream":"stdout","ti', "docker", stream="", at="READ"),
            unread("\0\0\0\0", "docker", stream="", at="READ"),
        ],
    ),
    # Secrets.
    Case(
        name="secrets-in-text",
        written=[
            "login with password=hunter2 and token=abc",
            "Authorization: Bearer abcdefghijklmnop",
            "Cookie: sid=abc; theme=dark",
            f"jwt {JWT} end",
            "card 4111 1111 1111 1111, 378282246310005.",
            "took 0.4111111111111111 s, order 1764400000000000",
            "connecting to postgres://app:s3cret@db:5432/shop",
        ],
        stored=[
            kept("login with password=*** and token=***"),
            kept("Authorization: Bearer ***"),
            kept("Cookie: ***"),
            kept("jwt *** end"),
            kept("card ***, ***."),
            kept("took 0.4111111111111111 s, order 1764400000000000"),
            kept("connecting to postgres://app:***@db:5432/shop"),
        ],
    ),
    Case(
        name="secrets-in-json",
        written=[
            '{"level":"info","message":"x","context":{"password":"hunter2","api_key":"k","order":5}}',
            '{"level":"info","message":"body: {\\"password\\":\\"hunter2\\"}"}',
            '{"level":"info","message":"x","context":{"p\\u0061ssword":"hunter2"}}',
        ],
        stored=[
            kept(
                '{"level":"info","message":"x","context":{"password":"***","api_key":"***","order":5}}',
                "info",
                metadata={"context": '{"api_key":"***","order":5,"password":"***"}'},
            ),
            kept('{"level":"info","message":"body: {\\"password\\":\\"***\\"}"}', "info"),
            kept(
                '{"level":"info","message":"x","context":{"p\\u0061ssword":"hunter2"}}',
                "info",
                metadata={"context": '{"password":"***"}'},
            ),
        ],
    ),
    Case(
        name="secrets-of-nginx",
        format="nginx",
        written=['10.0.0.1 - - [29/Nov/2026:12:00:00 +0000] "GET /reset?token=abc&x=1 HTTP/1.1" 200 1 "-" "-"'],
        stored=[
            kept(
                '10.0.0.1 - - [29/Nov/2026:12:00:00 +0000] "GET /reset?token=***&x=1 HTTP/1.1" 200 1 "-" "-"',
                "info",
                metadata={"method": "GET", "status": "200"},
            )
        ],
    ),
)
"""Every line of the table."""
