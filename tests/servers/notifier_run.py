"""Prometheus, Alertmanager and the notifier in their images on a network of their own.

Where the test serves: the metrics of a shop, a double of Loki, and two receivers, on the network's gateway.
"""

import io
import json
import tarfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import docker
import yaml
from docker.models.containers import Container

from observability.alerting import alertmanager
from observability.core import http
from observability.notifier.facts import FILE, files
from observability.parts import notifier, program
from observability.parts.images import PINS
from tests import networks
from tests.unit.conftest import stack_config
from tests.waits import until

LIMIT: Final = timedelta(minutes=4)
"""From the start of an alert to its message: less than the wait of Alertmanager for a second message of the group.

How long the delivery takes is measured by tests/soak/test_delivery.py.
"""

ADDED: Final = ("cause", "line_1", "line_2")
"""Annotations that the notifier adds."""

NAME: Final = "words-notifier"
GATEWAY: Final = networks.gateway("notifier")

SYSTEM: Final = "depot"
STORE: Final = "db.example.com:5432"
EXTERNAL: Final = {"cluster": "obs-dev", "environment": "dev"}
"""The labels that Prometheus adds when it sends an alert."""

REFUSED: Final = "<b>could not connect to postgres db.example.com:5432</b>: \x1b[31mrefused \u202e"
LINES: Final = [REFUSED, REFUSED, "order 17 failed"]

RULES: Final = {
    "groups": [
        {
            "name": "one",
            "interval": "1s",
            "rules": [
                {
                    "alert": "CriticalErrorRate",
                    "expr": "last_over_time(shop_errors[1m]) > 0.1",
                    "for": "2s",
                    "labels": {
                        "severity": "critical",
                        "component": "application",
                        "condition": "error_rate",
                        "team": SYSTEM,
                    },
                    "annotations": {
                        "summary": "{{ $labels.system }}: {{ $value | humanizePercentage }} of requests fail",
                        "description": "Now {{ $value | humanizePercentage }}.",
                        "dashboard_url": "http://grafana:3000/d/shop?viewPanel=1",
                    },
                }
            ],
        }
    ]
}


URL: Final = "https://obs.example.com/pictures"
PANEL: Final = {
    "title": "Errors",
    "targets": [{"expr": "shop_errors", "refId": "A", "legendFormat": "{{system}}"}],
    "fieldConfig": {"defaults": {"unit": "percentunit"}},
}


class World:
    """The shop's share of errors, and every message that arrived: (time, receiver, payload)."""

    def __init__(self) -> None:
        self.errors = 0.0
        self.messages: list[tuple[datetime, str, dict[str, Any]]] = []
        self.port = 0

    def metrics(self) -> str:
        """The shop's and its store's metrics."""
        return f'shop_errors{{system="{SYSTEM}"}} {self.errors}\npg_up{{job="postgres",instance="{STORE}"}} 0\n'

    def lines(self) -> object:
        """Loki's answer."""
        now = int(datetime.now(UTC).timestamp()) * 10**9
        values = [[str(now - age), line] for age, line in enumerate(LINES)]
        return {"data": {"result": [{"stream": {"service": "api"}, "values": values}]}}

    def of(self, receiver: str) -> list[dict[str, Any]]:
        """The payloads at a receiver, the oldest first."""
        return [payload for _, name, payload in self.messages if name == receiver]


@contextmanager
def serving(world: World) -> Iterator[None]:
    """Serve it on the gateway."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text = world.metrics() if self.path == "/metrics" else json.dumps(world.lines())
            self._respond(text)

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            world.messages.append((datetime.now(UTC), self.path.strip("/"), body))
            self._respond("ok")

        def _respond(self, text: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            pass

    server = ThreadingHTTPServer((GATEWAY, 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    world.port = server.server_port
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


class Servers:
    """The three containers."""

    def __init__(self, containers: Mapping[str, Container], world: World) -> None:
        self.containers = containers
        self.world = world
        self.addresses: dict[str, str] = {}

    @property
    def notifier(self) -> Container:
        """The notifier."""
        return self.containers["notifier"]

    def api(self, service: str, port: int, path: str) -> Any:  # noqa: ANN401 - any JSON
        """The JSON of a server's path; the test reaches the network from its gateway.

        Not of the notifier after a test has stopped it: its address may be another one.
        """
        if service not in self.addresses:
            self.containers[service].reload()
            networks = self.containers[service].attrs["NetworkSettings"]["Networks"]
            self.addresses[service] = networks[NAME]["IPAddress"]
        answer = http.get(f"http://{self.addresses[service]}:{port}{path}", trust_env=False, timeout=10)
        kind = answer.raise_for_status().headers["Content-Type"]
        return answer.json() if "json" in kind else answer.content if "png" in kind else answer.text

    def alerts(self) -> list[dict[str, Any]]:
        """Alertmanager's alerts."""
        return list(self.api("alertmanager", 9093, "/api/v2/alerts"))


@contextmanager
def running() -> Iterator[Servers]:
    """All of it, with the stack's own configuration of Alertmanager."""
    client = docker.from_env()
    world, found = World(), dict[str, Container]()
    with networks.bridge(client, NAME, "notifier") as network, serving(world):
        for service, (command, user, folder, texts) in _containers(world).items():
            found[service] = client.containers.create(
                PINS[service], name=f"{NAME}-{service}", user=user, network=NAME, **command
            )
            network.disconnect(found[service])
            network.connect(found[service], aliases=[service])
            found[service].put_archive("/", _archive(folder, texts))
            found[service].start()
        servers = Servers(found, world)
        until(lambda: servers.api("prometheus", 9090, "/api/v1/targets")["data"]["activeTargets"])
        until(lambda: "notifier_rounds_total" in servers.api("notifier", 9096, "/metrics"))
        # A panel is drawn when its alert starts: by then a watched system has samples.
        old = "/api/v1/query?query=shop_errors%20offset%2020s"
        until(lambda: servers.api("prometheus", 9090, old)["data"]["result"])
        yield servers


def _containers(world: World) -> dict[str, tuple[dict[str, Any], str, str, dict[str, str]]]:
    """Command, user, folder and files of each."""
    receivers = {"hook": {"webhook": {}}, "chat": {"slack": {"channel": "#a"}}}
    stores = {SYSTEM: {"postgres": [{"address": STORE}]}}
    config = stack_config(
        "dev", {"notifications": {"receivers": receivers, "default": ["hook", "chat"]}, "systems": stores}
    )
    secrets = alertmanager.secret_files(config)
    urls = {path: f"http://{GATEWAY}:{world.port}/{name.removesuffix('Url')}" for path, name in secrets.items()}
    prometheus = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s", "external_labels": EXTERNAL},
        "rule_files": ["rules.yaml"],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": ["alertmanager:9093"]}]}]},
        "scrape_configs": [
            {
                "job_name": "shop",
                "honor_labels": True,
                "static_configs": [{"targets": [f"{GATEWAY}:{world.port}"]}],
            }
        ],
    }
    rules = {"rules.yaml": yaml.safe_dump(RULES)}
    document = json.loads(files(config, rules)[FILE])
    document["servers"]["loki"] = [f"http://{GATEWAY}:{world.port}"]
    document["worse"]["settle"] = 5
    document["pictures"] = {"folder": notifier.PICTURES, "url": URL, "panels": {"shop/1": PANEL}, "scrape": 1}
    current = alertmanager.CONFIG_DIR
    return {
        "alertmanager": (
            {
                "entrypoint": [
                    *("/bin/sh", f"{current}/start.sh", "/bin/alertmanager"),
                    f"--config.file={current}/alertmanager.yaml",
                    "--storage.path=/alertmanager",
                    "--cluster.listen-address=",
                ]
            },
            "65534:65534",
            current,
            {**alertmanager.files(config), **urls},
        ),
        "prometheus": (
            {
                "command": [
                    "--config.file=/etc/prometheus/own/prometheus.yaml",
                    "--storage.tsdb.path=/prometheus",
                    "--rules.alert.resend-delay=15s",
                ]
            },
            "65534:65534",
            "/etc/prometheus/own",
            {"prometheus.yaml": yaml.safe_dump(prometheus), **rules},
        ),
        "notifier": (
            {},
            notifier.RECIPE.user,
            f"{program.folder(notifier.NAME)}/current",
            {FILE: json.dumps(document)},
        ),
    }


def _archive(folder: str, texts: Mapping[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, text in texts.items():
            data = text.encode()
            info = tarfile.TarInfo(f"{folder}/{path}".lstrip("/"))
            info.size, info.mode = len(data), 0o644
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def fire(servers: Servers, errors: float) -> dict[str, Any]:
    """The shop fails; the first message at the webhook."""
    before = len(servers.world.of("hook"))
    servers.world.errors = errors
    until(lambda: len(servers.world.of("hook")) > before)
    return servers.world.of("hook")[before]


def recover(servers: Servers) -> list[dict[str, Any]]:
    """The shop works again; the messages at the webhook until no more follow."""
    before = len(servers.world.of("hook"))
    servers.world.errors = 0.0
    until(lambda: len(servers.world.of("hook")) > before)
    until(lambda: not servers.alerts())
    time.sleep(25)
    return servers.world.of("hook")[before:]


def in_time(servers: Servers, message: dict[str, Any]) -> bool:
    """Whether a message arrived within the limit after its alert's start."""
    (arrived,) = [at for at, name, one in servers.world.messages if name == "hook" and one is message]
    start = datetime.fromisoformat(message["alerts"][0]["startsAt"])
    return arrived - start.astimezone(UTC) <= LIMIT


def without(servers: Servers, away: Callable[[], object], back: Callable[[], object]) -> None:
    """Require a plain message in time, and one of its end, while the notifier is away."""
    away()
    try:
        message = fire(servers, 0.12)
        assert in_time(servers, message)
        assert not message["alerts"][0]["annotations"].keys() & set(ADDED)
        (over,) = recover(servers)
        assert over["status"] == "resolved"
    finally:
        back()
