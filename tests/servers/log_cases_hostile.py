"""Stack traces, long lines, hostile lines, and secrets in lines."""

from typing import Final

from tests.servers.log_case import Case, kept, unread

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
LONG: Final = "0123456789abcdef" * 4096
"""64 KiB: four pieces of Docker's."""
JWT: Final = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"


def lines(trace: str) -> tuple[str, ...]:
    """The lines of a trace, as a program writes them."""
    return tuple(trace.split("\n"))


CASES: Final[tuple[Case, ...]] = (
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
    Case(
        name="trace-with-a-line-of-the-other-output",
        written=[("ERROR refused", "stderr"), ("  at a", "stderr"), "served", ("  at b", "stderr")],
        stored=[
            kept("ERROR refused\n  at a", "error", stream="stderr"),
            kept("served"),
            kept("  at b", stream="stderr"),
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
