"""Spans through the pinned Caddy: of other hosts with their credential, of browsers by the origin of their page."""

import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import docker
import httpx
import pytest
import yaml
from docker.models.containers import Container as Program

from observability.collector import configuration
from observability.core.documents import load_yaml
from observability.parts import authority, caddy, traces
from observability.parts.edge import AUTHORITY, AUTHORITY_KEY
from observability.settings.hosts import token
from observability.settings.load import validate
from tests import networks
from tests.servers.collector_run import collector
from tests.servers.edge_run import beside, folder_of, started, write_edge
from tests.servers.spans import request, send, written
from tests.waits import until

NETWORK: Final = "obs-test-traces-edge"
ADDRESS: Final = str(networks.SUBNETS["edge-traces"][200])
ORIGIN: Final = "https://shop.example.com"
TOKENS: Final = {token("web-2"): "5a" * 24}
CONFIG: Final = validate(
    "dev",
    {
        "traces": {"browsers": {"origins": [ORIGIN]}},
        "edge": {"address": ADDRESS},
        "hosts": {"web-2": {"docker": "ssh://root@web-2.example.com"}},
    },
    frozenset(),
    complete=False,
)


def receiving() -> str:
    """The receivers of the stack's collector, with nothing behind them but its log, which shows every span."""
    own: dict[str, Any] = load_yaml(configuration.files(CONFIG)[configuration.MAIN])
    receivers = {name: own["receivers"][name] for name in ("otlp", "otlp/browsers")}
    pipelines = {"traces": {"receivers": list(receivers), "exporters": ["debug"]}}
    return yaml.safe_dump(
        {
            "receivers": receivers,
            "exporters": {"debug": {"verbosity": "detailed"}},
            "service": {"pipelines": pipelines},
        }
    )


@dataclass(frozen=True, kw_only=True)
class Edge:
    """An edge with a collector behind it."""

    authority: Path
    behind: Program

    def ask(self, method: str, path: str, headers: dict[str, str], body: object = None) -> httpx.Response:
        """The answer to a request by TLS."""
        context = ssl.create_default_context(cafile=str(self.authority))
        with httpx.Client(verify=context, trust_env=False, timeout=30) as client:
            return client.request(method, f"https://{ADDRESS}:{caddy.PORT}{path}", headers=headers, json=body)

    def answers(self) -> bool:
        """Whether it answers, and the collector behind it."""
        try:
            return self.ask("POST", "/browser/v1/traces", {"Origin": ORIGIN}, written("shop", [])).status_code == 200
        except httpx.HTTPError:
            return False


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """The edge of a stack that takes spans of browsers."""
    client, root = docker.from_env(), tmp_path_factory.mktemp("edge")
    with ExitStack() as held:
        network = held.enter_context(networks.bridge(client, NETWORK, "edge-traces"))
        write_edge(root, CONFIG, {**authority.make(AUTHORITY, AUTHORITY_KEY, "test"), **TOKENS})
        files = folder_of(root, "collector", {"collector.yaml": receiving()})
        command = ["--config=/etc/test/collector.yaml"]
        behind = held.enter_context(
            beside(client, network, "otel-collector", files=files, command=command, alias="collector")
        )
        held.enter_context(started(client, network, root, ADDRESS))
        found = Edge(authority=root / "edge/current" / caddy.CERTIFICATE, behind=behind)
        until(found.answers)
        yield found


SPANS: Final = written("shop", [request(200)])


def test_spans_of_a_host_arrive_with_its_credential_and_not_without(running: Edge) -> None:
    own = {"Authorization": f"Bearer {TOKENS[token('web-2')]}"}
    assert running.ask("POST", "/v1/traces", own, SPANS).status_code == 200
    assert running.ask("POST", "/v1/traces", {}, SPANS).status_code == 401


def test_spans_of_a_page_of_the_settings_arrive_and_others_are_refused(running: Edge) -> None:
    found = running.ask("POST", "/browser/v1/traces", {"Origin": ORIGIN}, SPANS)
    assert (found.status_code, found.headers["Access-Control-Allow-Origin"]) == (200, ORIGIN)
    for headers in ({}, {"Origin": "https://other.example.com"}):
        assert running.ask("POST", "/browser/v1/traces", headers, SPANS).status_code == 401


def test_a_browser_is_told_before_it_sends_that_it_may(running: Edge) -> None:
    asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}
    found = running.ask("OPTIONS", "/browser/v1/traces", {**asked, "Access-Control-Request-Headers": "content-type"})
    assert found.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "content-type" in found.headers["Access-Control-Allow-Headers"].lower()


def test_a_request_of_a_browser_is_limited_in_size_and_to_its_path(running: Edge) -> None:
    large = {**SPANS, "padding": "x" * 1_200_000}
    assert running.ask("POST", "/browser/v1/traces", {"Origin": ORIGIN}, large).status_code == 413
    for path in ("/browser/api/v1/write", "/browser/otlp/v1/logs", "/api/v1/write"):
        assert running.ask("POST", path, {"Origin": ORIGIN}, SPANS).status_code == 401


def test_spans_of_an_agents_collector_arrive_with_the_name_of_its_host(running: Edge, tmp_path: Path) -> None:
    known = {**TOKENS, AUTHORITY: running.authority.read_text()}
    names = configuration.secret_files(CONFIG, "web-2")
    folder_of(tmp_path, "tls", {path: known[name] for path, name in names.items()})
    one = request(200)
    with collector(CONFIG, tmp_path, host="web-2") as agent:
        assert send(agent.spans[traces.HTTP], "shop", [one]) == 200
        until(lambda: one.trace in running.behind.logs().decode())
        assert "host.name: Str(web-2)" in running.behind.logs().decode()
