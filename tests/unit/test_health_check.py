"""The health check by HTTP, run as Docker runs it: what a service answers, and how long it may take to answer."""

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from components.service import HEALTHY_SECONDS, http_health


@contextmanager
def serving(status: int, after: float = 0.0) -> Iterator[str]:
    """A page with that status, or that never answers with 0; it begins to listen after so many seconds."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if not status:
                time.sleep(30)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler, bind_and_activate=False)
    server.daemon_threads = True
    server.server_bind()

    def serve() -> None:
        time.sleep(after)
        server.server_activate()
        server.serve_forever()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/healthz"
    finally:
        server.shutdown()
        server.server_close()


def checked(url: str, folder: Path) -> int:
    """The exit code of one check by bash."""
    shell, *arguments, script = http_health(url, bash=True).test[1:]
    own = script.replace("/dev/shm/", f"{folder}/").replace(f"sleep {HEALTHY_SECONDS}", "sleep 0")  # noqa: S108
    return subprocess.run([shell, *arguments, own], check=False, capture_output=True, timeout=60).returncode


def test_a_service_that_answers_is_healthy(tmp_path: Path) -> None:
    with serving(200) as url:
        assert [checked(url, tmp_path) for _ in range(2)] == [0, 0]
    assert (tmp_path / "healthy").exists()


def test_a_service_that_begins_to_listen_during_a_check_is_healthy(tmp_path: Path) -> None:
    with serving(200, after=1) as url:
        assert checked(url, tmp_path) == 0


def test_a_service_that_answers_with_an_error_is_unhealthy(tmp_path: Path) -> None:
    (tmp_path / "healthy").touch()
    with serving(503) as url:
        assert checked(url, tmp_path) == 1
    assert not (tmp_path / "healthy").exists()


def test_a_service_that_refuses_the_connection_is_unhealthy(tmp_path: Path) -> None:
    with serving(200) as url:
        pass
    assert checked(url, tmp_path) == 1


def test_a_service_that_never_answers_is_unhealthy(tmp_path: Path) -> None:
    with serving(0) as url:
        assert checked(url, tmp_path) == 1
