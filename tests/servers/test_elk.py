"""What of the section `elk` runs here: the collector's lines to Logstash, and the setup, both by TLS to doubles."""

import base64
import json
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import time_ns
from typing import Any, Final

from observability.elk import logstash, sending, servers
from observability.parts import elk
from observability.settings.secrets import stated_secrets
from tests.servers.collector_run import Container, collector, entries, write
from tests.servers.logstash_double import Pipeline
from tests.unit.conftest import stack_config
from tests.waits import until

CONFIG: Final = stack_config("staging", {"elk": {"collector": True}})
VALUES: Final[Mapping[str, str]] = {
    **{name: f"value-of-{name}" for name in stated_secrets()},
    **(stated_secrets()[elk.AUTHORITY].together or dict)(),
}
SHOP: Final = Container(name="shop-1")


@dataclass
class Asked:
    """The requests that a double was sent: method, path, user with password, and document; and what it answers."""

    address: str = ""
    requests: list[tuple[str, str, str, Any]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    """The statuses of the next answers, before those that are 200."""


@contextmanager
def double(folder: Path, server: str, known: Callable[[str], bool]) -> Iterator[Asked]:
    """A server with the certificate of `server`, which refuses whom it does not know."""
    certificate, key = elk.SERVERS[server]
    (folder / "double.pem").write_text(VALUES[certificate] + VALUES[key])
    asked = Asked()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            user = base64.b64decode(self.headers.get("Authorization", "").removeprefix("Basic ")).decode()
            status = 401 if not known(user) else asked.answers.pop(0) if asked.answers else 200
            if status == 200:
                asked.requests.append((self.command, self.path, user, document))
            self.send_response(status)
            # As Logstash answers: no JSON.
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def do_POST(self) -> None:
            self._answer()

        def do_PUT(self) -> None:
            self._answer()

        def log_message(self, *_: object) -> None: ...

    found = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "double.pem")
    found.socket = context.wrap_socket(found.socket, server_side=True)
    threading.Thread(target=found.serve_forever, daemon=True).start()
    asked.address = f"https://127.0.0.1:{found.server_port}"
    try:
        yield asked
    finally:
        found.shutdown()
        found.server_close()


def setup_in(folder: Path, address: str) -> list[str]:
    """The command of the setup, with its files in the folder."""
    files, secrets = servers.setup(CONFIG)
    files = {**files, "address": address, **{path: VALUES[name] for path, name in secrets.items()}}
    for path, text in files.items():
        (folder / path).write_text(text)
    return [sys.executable, "setup.py"]


def test_the_setup_installs_policy_and_template_and_does_so_again(tmp_path: Path) -> None:
    with double(tmp_path, elk.ELASTICSEARCH, lambda user: user == f"obs-setup:{VALUES['elkSetupPassword']}") as asked:
        asked.answers += [503]
        command = setup_in(tmp_path, asked.address)
        for _ in range(2):
            subprocess.run(command, cwd=tmp_path, check=True, timeout=60)
    assert [one[:2] for one in asked.requests] == 2 * [
        ("PUT", "/_ilm/policy/obs-lines"),
        ("PUT", "/_index_template/obs-lines"),
    ]
    assert asked.requests[:2] == asked.requests[2:]


def test_the_setup_says_why_it_failed(tmp_path: Path) -> None:
    with double(tmp_path, elk.ELASTICSEARCH, lambda _: False) as asked:
        command = setup_in(tmp_path, asked.address)
        found = subprocess.run(command, cwd=tmp_path, check=False, timeout=60, capture_output=True, text=True)
        assert (found.returncode, "HTTP 401" in found.stderr) == (1, True)
        (tmp_path / "ca.pem").unlink()
        found = subprocess.run(command, cwd=tmp_path, check=False, timeout=60, capture_output=True, text=True)
        assert "CERTIFICATE_VERIFY_FAILED" in found.stderr
    assert asked.requests == []


def test_lines_arrive_at_logstash_as_at_loki_after_it_was_full(tmp_path: Path) -> None:
    (tmp_path / "tls").mkdir()
    secrets = {path: VALUES[name] for path, name in sending.secret_files(CONFIG).items()}
    texts = {path: text.text(VALUES) for path, text in sending.secret_texts(CONFIG, None).items()}
    for path, text in {**secrets, **texts}.items():
        (tmp_path / "tls" / path).write_text(text)
    pipeline = Pipeline(logstash.pipeline(CONFIG).text(VALUES))
    allowed = f"collector:{VALUES['elkCollectorPassword']}"
    start = time_ns()
    written = ["plain text", '{"level": "error", "message": "failed \\"here\\"", "trace_id": "4bf92f35"}']
    for number, line in enumerate(written):
        write(tmp_path, SHOP, entries(f"{line}\n", "stdout", start + number * 10**6))
    with double(tmp_path, elk.LOGSTASH, lambda user: user == allowed) as asked:
        asked.answers += [429, 429]
        with collector(CONFIG, tmp_path, [SHOP], logstash=asked.address) as running:

            def stored() -> list[tuple[str, dict[str, Any]]]:
                return [made for *_, document in asked.requests for made in pipeline.run(document, "http")]

            until(lambda: len(stored()) >= 2 and len(running.received.entries) >= 2)
            found = sorted(stored(), key=lambda one: one[1]["@timestamp"])
            at_loki = running.received.by_container()["shop-1"]
    assert [document["message"] for _, document in found] == [one.body for one in at_loki]
    assert [index[:6] for index, _ in found] == ["lines-", "lines-"]
    for (_, document), one in zip(found, at_loki, strict=True):
        assert document.keys() >= {"container", "system", "level", "service", "stack"}
        assert {**one.resource, **one.attributes}.items() <= document.items()
        assert document["@timestamp"].endswith("Z")
    assert found[1][1]["level"] == "error"
