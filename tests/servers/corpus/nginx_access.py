"""Lines of nginx's access log, in the formats `combined` and `main` and with more fields."""

from collections.abc import Iterator
from typing import Final

from tests.servers.corpus import HARMLESS, HOSTILE, HUGE, SECRETS, Line, kept, marked, masked

FORMAT: Final = "nginx"

STATUS: Final = {
    **dict.fromkeys((200, 201, 204, 206, 301, 302, 304), "info"),
    **dict.fromkeys((400, 401, 403, 404, 405, 409, 413, 429, 499), "warning"),
    **dict.fromkeys((500, 501, 502, 503, 504), "error"),
}
METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "PROPFIND")
CLIENTS: Final = ("172.18.0.5", "2001:db8::7", "unix:", "host.example.com")
PATHS: Final = ("/", "/api/orders?page=2", "/error", "/fatal/panic.css", "/%E2%98%83", "http://other.example/", "*")
TIME: Final = "29/Nov/2026:12:00:00 +0000"
ENDS: Final = (
    '"-" "curl/8"',
    '"https://shop.example.com/" "Mozilla/5.0 (X11)" "203.0.113.7"',
    '"-" "-" 0.123 0.120 .',
)


def access(method: str, path: str, status: object, *, client: str = "10.0.0.7", user: str = "-", end: int = 0) -> str:
    return f'{client} - {user} [{TIME}] "{method} {path} HTTP/1.1" {status} 157 {ENDS[end]}'


def lines() -> Iterator[Line]:
    number = 0
    for status, level in STATUS.items():
        for method in METHODS:
            number += 1
            text = access(
                method,
                PATHS[number % len(PATHS)],
                status,
                client=CLIENTS[number % len(CLIENTS)],
                user=("-", "ann", "bob@example")[number % 3],
                end=number % len(ENDS),
            )
            yield kept(text, level, method=method, status=str(status))
    found = {"method": "GET", "status": "200"}
    for written, stored in SECRETS:
        tail = ' "-"'
        yield masked(
            access("GET", "/", 200).replace('"-" "curl/8"', f'"-" "agent {written}"') + tail,
            access("GET", "/", 200).replace('"-" "curl/8"', f'"-" "agent {stored}"') + tail,
            "info",
            **found,
        )
    for name in ("token", "access_token", "api_key", "password", "client_secret"):
        yield masked(
            access("GET", f"/a?{name}=abc&x=1", 200), access("GET", f"/a?{name}=***&x=1", 200), "info", **found
        )
    for harmless in HARMLESS:
        yield kept(access("GET", f"/?q={harmless.replace(' ', '+')}", 200), "info", **found)
    for hostile in HOSTILE:
        yield kept(access("GET", f"/?q={hostile.replace(' ', '+')}", 404), "warning", method="GET", status="404")
    for request in ("\\x16\\x03\\x01\\x02\\x00", "-", "", "get / HTTP/1.1", "GET", "GET ", "\\x00\\x00", "SSH-2.0-Go"):
        yield marked(f'10.0.0.7 - - [{TIME}] "{request}" 400 157 "-" "-"', "nginx")
    whole = access("GET", "/api", 200)
    yield from (marked(whole[:length], "nginx") for length in (4, 9, 14, 20, 30, 40, 45, 50, 55, 60))
    yield marked("/docker-entrypoint.sh: Configuration complete; ready for start up", "nginx")
    yield marked("/docker-entrypoint.sh: error: no such file", "nginx", "error")
    yield kept(access("GET", "/" + "x" * 8000, 414), "warning", method="GET", status="414")


HUGE_LINE: Final = access("GET", "/" + HUGE, 414)
