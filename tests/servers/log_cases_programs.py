"""Lines of programs with a format of their own."""

from typing import Final

from observability.core.naming import LABEL_SERVICE, LABEL_STACK
from tests.servers.log_case import Case, kept, unread

CHANGE: Final = (
    'logger=context userId=1 orgId=1 uname=ann t=2026-11-29T12:00:00Z level=info msg="Request Completed" '
    "method=PUT path=/api/v1/provisioning/policies status=202 remote_addr=10.0.0.7 time_ms=1"
)

CASES: Final[tuple[Case, ...]] = (
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
                metadata={"hostname": "web1", "program": "su"},
            ),
            kept(
                "<165>Nov 29 12:00:00 web1 app[1]: no error here",
                "info",
                metadata={"hostname": "web1", "program": "app"},
            ),
            kept("<999>1 - web1 app no such priority", metadata={"hostname": "web1", "program": "app"}),
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
)
