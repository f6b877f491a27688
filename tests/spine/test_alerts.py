"""From a rule to a webhook outside the stack, whose address stays secret."""

import json
import queue
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import docker
import pytest

from tests.spine.conftest import GATEWAY, HANG_SECONDS, STACK, Project

pytestmark = pytest.mark.usefixtures("started")

PORT = 19095
TOKEN = "T0PSECRETPATH"  # noqa: S105 - what must not be found anywhere
RULE = """groups:
  - name: purpose
    interval: 1s
    rules:
      - alert: OnPurpose
        expr: vector(42) > 1
        labels: {severity: critical, component: monitoring, condition: test, system: platform, team: platform}
        annotations: {summary: On purpose, description: "It is {{ $value }}"}
"""


@pytest.fixture
def receiver(started: Project) -> Iterator["queue.Queue[tuple[str, dict[str, Any]]]"]:
    """A web server on the host's address in the stack's network, and what is posted to it."""
    assert started.client.networks.get(f"obs-{STACK}")
    received: queue.Queue[tuple[str, dict[str, Any]]] = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.put((self.path, json.loads(body)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer((GATEWAY, PORT), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield received
    server.shutdown()
    server.server_close()


def test_an_alert_raised_on_purpose_reaches_the_webhook_whose_address_stays_secret(
    changed: Project, receiver: "queue.Queue[tuple[str, dict[str, Any]]]", tmp_path: Path
) -> None:
    assert TOKEN not in changed.store("alertWebhookUrl", f"http://{GATEWAY}:{PORT}/{TOKEN}\n")
    rule = changed.root / "rules" / "purpose.yaml"
    rule.write_text(RULE)
    done = changed.obs("up", STACK)
    rule.unlink()
    assert done.returncode == 0, done.stderr

    names = set()
    while "OnPurpose" not in names:
        path, message = receiver.get(timeout=HANG_SECONDS)
        names |= {alert["labels"]["alertname"] for alert in message["alerts"]}
    assert path == f"/{TOKEN}"
    alert = next(alert for alert in message["alerts"] if alert["labels"]["alertname"] == "OnPurpose")
    assert alert["annotations"]["description"] == "It is 42"
    assert {"cluster": "obs-spine", "environment": "dev"}.items() <= alert["labels"].items()

    for container in changed.client.containers.list(all=True, ignore_removed=True):
        assert TOKEN not in json.dumps(container.attrs), container.name
        with suppress(docker.errors.NotFound):  # of another test, removed in the meantime
            assert TOKEN not in container.logs().decode(errors="replace"), container.name
    assert changed.obs("synth", STACK, "--out", str(tmp_path / "out")).returncode == 0
    for path_written in (tmp_path / "out").rglob("*.*"):
        assert TOKEN not in path_written.read_text()
    state = [path for path in (changed.data / "state").rglob("*") if path.is_file()]
    assert state
    assert not [path for path in state if TOKEN.encode() in path.read_bytes()]
    assert TOKEN not in (changed.data / "project" / f"Pulumi.{STACK}.yaml").read_text()
