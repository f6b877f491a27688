"""A page in a real browser: its server, which also answers for the service and for Sentry, and the browser."""

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from tests.examples.doubles import Request, Web

CHROMIUM: Final = shutil.which("chromium")

TYPES: Final = {".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".json": "application/json"}

ANSWERS: Final[Mapping[tuple[str, str], tuple[int, object]]] = {
    ("POST", "/orders"): (500, {"error": "internal"}),
    ("GET", "/orders/99999"): (404, {"error": "not found"}),
}
"""What the service answers, by method and path."""


AGAIN: Final = b"""<script>
addEventListener('error', ({ target }) => target instanceof HTMLScriptElement && location.reload(), true);
</script>"""
"""The page has hundreds of modules. Where a busy browser gives up on one, none of it runs, and it is loaded again."""


class _Server(ThreadingHTTPServer):
    # A browser opens many connections at once; one over the limit waits for minutes.
    request_queue_size = 128
    daemon_threads = True


@contextmanager
def served(folder: Path, settings: Mapping[str, Any], script: str) -> Iterator[Web]:
    """The page of a folder with these settings and a script that runs beside its own; what was asked is kept.

    The DSN of the settings is that of this server.
    """
    double = Web()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            path = urlsplit(self.path).path
            headers = {name.lower(): value for name, value in self.headers.items()}
            double.requests.append(Request(path=path, headers=headers, body=body))
            status, kind, text = self._answer(path)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(text)))
            self.send_header("Document-Policy", "js-profiling")
            self.end_headers()
            self.wfile.write(text)

        do_POST = do_GET  # noqa: N815 - the base class' name

        def _answer(self, path: str) -> tuple[int, str, bytes]:
            if (self.command, path) in ANSWERS:
                status, document = ANSWERS[self.command, path]
                return status, TYPES[".json"], json.dumps(document).encode()
            if path == "/settings.json":
                return 200, TYPES[".json"], json.dumps({**settings, **_dsn(settings, double.port)}).encode()
            if path.endswith("/envelope/"):
                return 200, TYPES[".json"], b"{}"
            if path == "/driver.js":
                return 200, TYPES[".js"], script.encode()
            file = folder / (path.removeprefix("/") or "index.html")
            if not file.is_file():
                return 404, "text/plain", b""
            text = file.read_bytes()
            if file.name == "index.html":
                text = text.replace(b"<title>", AGAIN + b"<title>")
                text = text.replace(b"<h1>", b'<script type="module" src="driver.js"></script><h1>')
            return 200, TYPES.get(file.suffix, "text/plain"), text

        def log_message(self, *_: object) -> None: ...

    server = _Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    double.port = server.server_port
    try:
        yield double
    finally:
        server.shutdown()
        server.server_close()


def _dsn(settings: Mapping[str, Any], port: int) -> dict[str, str]:
    return {"dsn": f"http://public@127.0.0.1:{port}/1"} if settings.get("dsn") else {}


@contextmanager
def browser(address: str, profile: Path) -> Iterator[None]:
    """A browser that shows the address as long as the block runs."""
    command = [
        *(str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
        *("--disable-background-networking", "--disable-dev-shm-usage", f"--user-data-dir={profile}"),
        # Without it a headless browser ends once the page is loaded.
        *("--remote-debugging-port=0", address),
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            # It has nothing to keep, and does not always end by itself.
            process.kill()
