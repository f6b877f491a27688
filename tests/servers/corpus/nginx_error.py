"""Lines of nginx's error log."""

from collections.abc import Iterator
from typing import Final

from tests.servers.corpus import HARMLESS, HOSTILE, HUGE, SECRETS, Line, cut, kept, marked, masked

FORMAT: Final = "nginx"

LEVELS: Final = {
    "debug": "debug",
    "info": "info",
    "notice": "info",
    "warn": "warning",
    "error": "error",
    "crit": "critical",
    "alert": "critical",
    "emerg": "critical",
}
MESSAGES: Final = (
    "7#7: *1 connect() failed (111: Connection refused) while connecting to upstream, client: 10.0.0.7",
    '7#7: *2 open() "/usr/share/nginx/html/favicon.ico" failed (2: No such file or directory)',
    "7#7: *3 upstream timed out (110: Operation timed out) while reading response header from upstream",
    "7#7: *4 client intended to send too large body: 1048577 bytes",
    "7#7: *5 SSL_do_handshake() failed (SSL: error:0A000412:SSL routines::sslv3 alert bad certificate)",
    "7#7: *6 limiting requests, excess: 5.500 by zone one",
    "1#1: signal 15 (SIGTERM) received, exiting",
    "1#1: worker process 31 exited on signal 11 (core dumped)",
    "1#1: bind() to 0.0.0.0:80 failed (98: Address already in use)",
    '1#1: using the "epoll" event method',
    "7#7: *7 no live upstreams while connecting to upstream",
    "7#7: *8 upstream prematurely closed connection while reading upstream",
    "7#7: *9 access forbidden by rule",
    '7#7: *10 directory index of "/srv/" is forbidden',
    "7#7: *11 recv() failed (104: Connection reset by peer)",
    "7#7: *12 peer closed connection in SSL handshake",
    "7#7: *13 client sent invalid method while reading client request line",
    "7#7: *14 a client request body is buffered to a temporary file /var/cache/nginx/client_temp/0000000001",
    "7#7: *15 worker_connections are not enough",
    "1#1: could not build optimal types_hash",
)


def lines() -> Iterator[Line]:
    for said, level in LEVELS.items():
        for number, message in enumerate(MESSAGES):
            yield kept(f"2026/11/29 12:00:{number:02} [{said}] {message}", level)
    for written, stored in SECRETS:
        head = '2026/11/29 12:00:00 [error] 7#7: *1 refused, request: "GET / HTTP/1.1", '
        yield masked(head + written, head + stored, "error")
    for harmless in HARMLESS:
        yield kept(f"2026/11/29 12:00:00 [info] 7#7: {harmless}", "info")
    for hostile in HOSTILE:
        yield kept(f"2026/11/29 12:00:00 [error] 7#7: {hostile}", "error")
    for broken in cut("2026/11/29 12:00:00 ", 4, 10, 13, 16, 19):
        yield marked(broken, "nginx")
    yield marked("2026/11/29 12:00:00 [error]", "nginx", "error")
    yield marked("2026/11/29 12:00:00 [ERROR] capitals", "nginx", "error")
    yield marked("nginx: [emerg] host not found in upstream in /etc/nginx/conf.d/default.conf:3", "nginx", "critical")
    yield marked("nginx: configuration file /etc/nginx/nginx.conf test failed", "nginx")
    yield kept("2026/11/29 12:00:00 [error] 7#7: *1 FastCGI sent in stderr\n\tin /srv/a.php:7\n#0 main", "error")
    yield kept("2026/11/29 12:00:00 [error] 7#7: " + "x" * 100000, "error")


HUGE_LINE: Final = "2026/11/29 12:00:00 [error] 7#7: " + HUGE
