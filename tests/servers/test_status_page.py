"""The status page with a real Prometheus: what its queries return, how soon a state shows, and when it is stale."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import docker
import pytest
import yaml
from docker.models.containers import Container

from observability.parts.images import PINS
from observability.settings.load import StackConfig
from observability.status_page.client import asker
from observability.status_page.facts import page
from observability.status_page.model import MEASURED, STALE, Component, Settings, State
from observability.status_page.writer import Writer
from rules import alerts
from tests import networks
from tests.ports import free_port
from tests.tools import archive, run_tool
from tests.unit.conftest import stack_config
from tests.waits import until

NAME: Final = "status-page-test"
GATEWAY: Final = networks.gateway("status-page")

COMPONENTS: Final = {
    "shop": {"title": "Shop", "system": "depot"},
    "orders": {"title": "Orders", "system": "depot", "probes": ["orders"]},
    "studio": {"title": "Studio", "system": "studio"},
}
PROBES: Final = [
    {"name": "orders", "url": "https://shop.example.com/orders", "interval": "15s"},
    {"name": "home", "url": "https://shop.example.com/", "interval": "15s"},
]


def config() -> StackConfig:
    settings = {"enabled": True, "url": "https://status.example.com", "components": COMPONENTS}
    return stack_config("dev", {"statusPage": settings, "systems": {"depot": {"probes": PROBES}}})


@cache
def shown() -> Settings:
    """What the page of this stack shows."""
    found = config()
    return page(found, alerts(found))


def component(name: str) -> Component:
    return next(one for one in shown().components if one.id == name)


# What the queries return, by promtool


def probe(name: str, instance: str = "a") -> str:
    return f'probe_success{{job="blackbox",system="depot",probe="{name}",instance="{instance}"}}'


def up(system: str, instance: str = "a") -> str:
    job = {"depot": "backend", "studio": "studio-api"}[system]
    return f'up{{job="{job}",system="{system}",instance="{instance}"}}'


def firing(name: str, severity: str, system: str = "studio", state: str = "firing") -> str:
    return f'ALERTS{{alertname="{name}",alertstate="{state}",severity="{severity}",system="{system}"}}'


RATIO: Final = 'app:http_errors:ratio_rate5m{system="studio"}'
RATE: Final = 'app:http_requests:rate5m{system="studio"}'
FLOOR: Final = 'app:threshold:event_rate{severity="critical",system="studio",team="studio"}'
TRAFFIC: Final = {RATE: "5x20", FLOOR: "0.1x20"}
UP: Final = {up("studio"): "1x20"}

CASES: Final[Mapping[str, tuple[str, Mapping[str, str], State]]] = {
    "both probes succeed": ("shop", {probe("orders"): "1x20", probe("home"): "1x20"}, "operational"),
    "one of two probes fails": ("shop", {probe("orders"): "0x20", probe("home"): "1x20"}, "degraded"),
    "both probes fail": ("shop", {probe("orders"): "0x20", probe("home"): "0x20"}, "down"),
    "probes succeed and no instance answers": (
        "shop",
        {probe("orders"): "1x20", probe("home"): "1x20", up("depot"): "0x20"},
        "operational",
    ),
    "a page fails at one of two instances": (
        "orders",
        {probe("orders"): "0x20", probe("orders", "b"): "1x20"},
        "operational",
    ),
    "one failed probe": ("orders", {probe("orders"): "1x19 0"}, "operational"),
    "three failed probes": ("orders", {probe("orders"): "1x17 0 0 0"}, "down"),
    "another probe of the system fails": ("orders", {probe("orders"): "1x20", probe("home"): "0x20"}, "operational"),
    "no probe has run": ("orders", {up("depot"): "1x20"}, "unknown"),
    "no probe and an instance answers": ("shop", {up("depot"): "1x20", up("depot", "b"): "0x20"}, "operational"),
    "no probe and no instance answers": ("shop", {up("depot"): "0x20", up("depot", "b"): "0x20"}, "down"),
    "nobody watches it": ("studio", {}, "unknown"),
    "its samples ended": ("studio", {up("studio"): "1x10 stale"}, "unknown"),
    "another system is down": ("studio", {**UP, up("depot"): "0x20"}, "operational"),
    "half of the requests fail": ("studio", {**UP, **TRAFFIC, RATIO: "0.5x20"}, "down"),
    "less than half of the requests fail": ("studio", {**UP, **TRAFFIC, RATIO: "0.49x20"}, "operational"),
    "all of few requests fail": ("studio", {**UP, **TRAFFIC, RATE: "0.05x20", RATIO: "1x20"}, "operational"),
    "an alert with an impact fires": ("studio", {**UP, firing("HighErrorRate", "warning"): "1x20"}, "degraded"),
    "an alert with an impact is pending": (
        "studio",
        {**UP, firing("HighErrorRate", "warning", state="pending"): "1x20"},
        "operational",
    ),
    "the alert fires for another system": (
        "studio",
        {**UP, firing("HighErrorRate", "warning", "depot"): "1x20"},
        "operational",
    ),
    "a disk is full": ("studio", {**UP, firing("CriticalDiskUsage", "critical"): "1x20"}, "operational"),
    "an alert fires while it is down": (
        "studio",
        {up("studio"): "0x20", firing("CriticalErrorRate", "critical"): "1x20"},
        "down",
    ),
}


@cache
def verdicts() -> Mapping[str, str]:
    """promtool's result for each case: one container for all of them."""
    files = {}
    for number, (name, (of, series, expected)) in enumerate(CASES.items()):
        samples = [] if expected == "unknown" else [{"labels": "{}", "value": MEASURED.index(expected)}]
        case = {
            "name": name,
            "interval": "15s",
            "input_series": [{"series": one, "values": values} for one, values in series.items()],
            "promql_expr_test": [{"expr": component(of).query, "eval_time": "5m", "exp_samples": samples}],
        }
        files[f"{number:02}.yaml"] = yaml.safe_dump({"rule_files": [], "evaluation_interval": "15s", "tests": [case]})
    each = "for file in [0-9]*.yaml; do echo file: $file; promtool test rules $file; done"
    said = run_tool("prometheus", ["sh", "-c", f"exec 2>&1; {each}"], files).output.split("file: ")[1:]
    found = dict(one.split("\n", 1) for one in said)
    return {name: found[f"{number:02}.yaml"] for number, name in enumerate(CASES)}


@pytest.mark.parametrize("name", CASES)
def test_the_query_returns_the_state(name: str) -> None:
    said = verdicts()[name]
    assert "SUCCESS" in said, said
    assert "FAILED" not in said, said


# How soon, with a server


class Page:
    """The watched system: it answers while `works`."""

    def __init__(self) -> None:
        self.works = True
        self.port = 0


@contextmanager
def serving(system: Page) -> Iterator[None]:
    """Serve its metrics on the gateway of the test's network."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b"shop_up 1\n"
            self.send_response(200 if system.works else 500)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            pass

    server = ThreadingHTTPServer((GATEWAY, 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    system.port = server.server_port
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def prometheus(system: Page, port: int) -> Iterator[Container]:
    """Prometheus in its image, which scrapes the system every 15 seconds as a stack does by default."""
    client = docker.from_env()
    with networks.bridge(client, NAME, "status-page"), serving(system):
        target = {"targets": [f"{GATEWAY}:{system.port}"], "labels": {"system": "studio"}}
        document: dict[str, Any] = {
            "global": {"scrape_interval": "15s"},
            "scrape_configs": [{"job_name": "studio-api", "static_configs": [target]}],
        }
        container = client.containers.create(
            PINS["prometheus"],
            ["--config.file=/given/prometheus.yaml", "--storage.tsdb.path=/tmp/data"],
            name=NAME,
            user="65534",
            network=NAME,
            ports={"9090/tcp": ("127.0.0.1", port)},
        )
        container.put_archive("/", archive({"prometheus.yaml": yaml.safe_dump(document)}))
        container.start()
        yield container


def seconds_until(writer: Writer, expected: State) -> float:
    """The time until the page, which is written every 15 seconds as by default, shows a state of the component."""
    begun = time.monotonic()

    def reached() -> bool:
        return {row.component.id: row.state for row in writer.round().rows}["studio"] == expected

    until(reached, pause=15)
    return time.monotonic() - begun


def test_a_system_that_goes_down_is_red_within_a_minute_and_back(tmp_path: Path) -> None:
    system, port = Page(), free_port()
    with prometheus(system, port) as container:
        writer = Writer(
            settings=Settings(
                title="Test", url="https://status.example.com", components=(component("studio"),), back=1
            ),
            ask=asker(f"http://127.0.0.1:{port}"),
            folder=tmp_path,
            pages=tmp_path / "pages",
        )
        writer.say = lambda _: None
        seconds_until(writer, "operational")
        system.works = False
        assert seconds_until(writer, "down") <= 60
        assert "Some components are down" in (tmp_path / "pages" / "index.html").read_text()
        system.works = True
        assert seconds_until(writer, "operational") <= 60
        checked = writer.round().checked
        container.stop(timeout=10)
        dead = writer.round()
        assert (dead.checked, dead.stale) == (checked, False)
        later = writer.round(datetime.now(UTC) + STALE + timedelta(seconds=1))
        assert later.stale
        assert "The current state is unknown" in (tmp_path / "pages" / "index.html").read_text()
