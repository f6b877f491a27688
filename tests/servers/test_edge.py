"""The pinned Caddy as the edge: who is let in to what, and the agents' own programs through it."""

import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import docker
import httpx
import pytest
from docker.models.containers import Container as Program
from docker.models.networks import Network

from observability.collector import configuration
from observability.core import http
from observability.logs import loki
from observability.parts import authority, caddy, otel_collector
from observability.parts.edge import AUTHORITY, AUTHORITY_KEY, AUTHORITY_PREVIOUS
from observability.parts.images import PINS
from observability.parts.prometheus import PORT as PROMETHEUS_PORT
from observability.scrape import agents, edge
from observability.scrape.prometheus import files as prometheus_files
from observability.settings.hosts import earlier_token, token
from tests.hosts.keys import tls_files
from tests.servers.collector_run import Container, collector, entry, ready, write
from tests.servers.edge_run import (
    ADDRESS,
    HOSTS,
    OTHER,
    ROUTES,
    STALE,
    TOKENS,
    address_of,
    beside,
    config,
    edge_network,
    folder_of,
    own,
    started,
    write_edge,
)
from tests.waits import until


@dataclass(frozen=True, kw_only=True)
class Edge:
    """An edge with a Prometheus and a Loki behind it."""

    url: str
    prometheus: str
    loki: str
    authority: Path
    root: Path
    network: Network
    program: Program

    def post(self, path: str, credential: str | None, method: str = "POST") -> int:
        """The status of the response to a request with an empty body."""
        headers = {} if credential is None else {"Authorization": credential}
        context = ssl.create_default_context(cafile=str(self.authority))
        with http.client(verify=context, trust_env=False, timeout=30) as client:
            return client.request(method, f"{self.url}{path}", headers=headers).status_code

    def ready(self) -> None:
        """Wait until it answers by TLS; Caddy opens its ports before it has a certificate."""
        until(lambda: self.post("/", None))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """An edge that two hosts may send through."""
    client, root = docker.from_env(), tmp_path_factory.mktemp("edge")
    with ExitStack() as held:
        network = held.enter_context(edge_network(client))
        stack = config(*HOSTS)
        made = {**authority.make(AUTHORITY, AUTHORITY_KEY, "test"), **TOKENS}
        write_edge(root, stack, made)
        parts = {"prometheus.yaml": own(prometheus_files(stack, {})["prometheus.yaml"])}
        prometheus = held.enter_context(
            beside(
                client,
                network,
                "prometheus",
                files=folder_of(root, "prometheus", parts),
                command=[
                    "--config.file=/etc/test/prometheus.yaml",
                    "--storage.tsdb.path=/prometheus",
                    "--web.enable-remote-write-receiver",
                ],
            )
        )
        written = loki.files(stack)
        lines = held.enter_context(
            beside(
                client,
                network,
                "loki",
                files=folder_of(root, "loki", {"loki.yaml": written["loki.yaml"]}),
                command=["-config.file=/etc/test/loki.yaml"],
            )
        )
        program = held.enter_context(started(client, network, root))
        found = Edge(
            url=f"https://{ADDRESS}:{caddy.PORT}",
            prometheus=f"http://{address_of(prometheus, network)}:{PROMETHEUS_PORT}",
            loki=f"http://{address_of(lines, network)}:3100",
            authority=root / "edge/current" / caddy.CERTIFICATE,
            root=root,
            network=network,
            program=program,
        )
        ready(f"{found.prometheus}/-/ready")
        ready(f"{found.loki}/ready")
        found.ready()
        yield found


def _query(running: Edge, query: str) -> list[dict[str, Any]]:
    answer = http.get(f"{running.prometheus}/api/v1/query", params={"query": query}, timeout=30)
    found: list[dict[str, Any]] = answer.json()["data"]["result"]
    return found


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        # No notifier runs in this test.
        ("GET", "/pictures/0123456789abcdef0123456789abcdef.png", 502),
        ("POST", "/pictures/0123456789abcdef0123456789abcdef.png", 401),
        ("GET", "/picturesque", 401),
    ],
)
def test_pictures_are_read_without_a_credential(running: Edge, method: str, path: str, status: int) -> None:
    assert running.post(path, None, method) == status


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("host", HOSTS)
def test_a_request_with_the_credential_of_a_host_reaches_its_server(running: Edge, path: str, host: str) -> None:
    status = running.post(path, f"Bearer {TOKENS[token(host)]}")
    # An empty body is refused by the server itself: by Prometheus as 400; Loki takes no lines.
    assert status in {200, 204, 400}, status


@pytest.mark.parametrize("path", [*ROUTES, "/", "/v1/traces"])
@pytest.mark.parametrize(
    "credential", [None, "", f"Bearer {STALE}", "Bearer", "Basic d2ViLTI6eA==", TOKENS[token("web-2")]]
)
def test_a_request_without_a_credential_of_a_host_is_refused(running: Edge, path: str, credential: str | None) -> None:
    assert running.post(path, credential) == 401


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/write"),
        ("GET", "/otlp/v1/logs"),
        ("POST", "/api/v1/query"),
        ("GET", "/api/v1/query?query=up"),
        ("POST", "/api/v1/write/"),
        ("POST", "/api/v1/../v1/admin/tsdb/snapshot"),
        ("POST", "/-/reload"),
        ("POST", "/loki/api/v1/push"),
        ("POST", "/v1/traces"),
        ("GET", "/metrics"),
    ],
)
def test_a_host_reaches_nothing_but_what_it_sends_to(running: Edge, method: str, path: str) -> None:
    assert running.post(path, f"Bearer {TOKENS[token('web-2')]}", method) == 404


def test_the_certificate_is_of_the_stacks_own_authority_alone(running: Edge, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    other.write_text(authority.make("certificate", "key", "other")["certificate"])
    context = ssl.create_default_context(cafile=str(other))
    with http.client(verify=context, trust_env=False) as client, pytest.raises(httpx.ConnectError, match="verif"):
        client.get(running.url)


def test_a_certificate_of_the_users_own_is_presented_in_its_place(running: Edge, tmp_path: Path) -> None:
    own = tls_files(tmp_path / "tls", OTHER)
    stack = config(*HOSTS, address=OTHER, tls={"files": {}})
    assert stack.settings.edge.pair is not None
    texts = (own.server.certificate.read_text(), own.server.key.read_text())
    root = tmp_path / "edge-with-files"
    write_edge(root, stack, {**dict(zip(stack.settings.edge.pair, texts, strict=True)), **TOKENS})
    with started(docker.from_env(), running.network, root, OTHER, "other-edge") as program:
        second = replace(running, url=f"https://{OTHER}:{caddy.PORT}", authority=own.authority, program=program)
        second.ready()
        credential = f"Bearer {TOKENS[token('web-2')]}"
        assert second.post("/api/v1/write", credential) not in (401, 403, 404)
        assert second.post("/api/v1/write", f"Bearer {STALE}") == 401
        with pytest.raises(httpx.ConnectError, match="verif"):
            replace(second, authority=running.authority).post("/api/v1/write", credential)


def test_its_metrics_are_served_inside_the_network(running: Edge) -> None:
    address = address_of(running.program, running.network)
    page = http.get(f"http://{address}:{caddy.METRICS_PORT}/metrics", timeout=30, trust_env=False).text
    assert "caddy_http_requests_total" in page


@pytest.mark.parametrize("rotated", [False, True])
def test_samples_of_an_agents_prometheus_arrive(running: Edge, rotated: bool) -> None:
    stack = config(*HOSTS)
    written = agents.files(stack, "web-2")
    secrets = _secrets(running, agents.secret_files(stack, "web-2"))
    if rotated:
        secrets[agents.AUTHORITY_FILE] = _bundle(running)
    folder = running.root / f"agent-{rotated}"
    for path, text in {**written, **secrets}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    command = ["--agent", "--config.file=/etc/test/prometheus.yaml", "--storage.agent.path=/prometheus"]
    with beside(docker.from_env(), running.network, "prometheus", files=folder, command=command, alias="agent"):
        began = time.time()
        query = 'timestamp(up{host="web-2",job="prometheus"} == 1)'
        until(lambda: any(float(one["value"][1]) > began for one in _query(running, query)))


@pytest.mark.parametrize("rotated", [False, True])
def test_lines_of_an_agents_collector_arrive(running: Edge, tmp_path: Path, rotated: bool) -> None:
    stack = config(*HOSTS)
    secrets = _secrets(running, configuration.secret_files(stack, "web-2"))
    if rotated:
        secrets[otel_collector.AUTHORITY_FILE] = _bundle(running)
    folder_of(tmp_path, "tls", secrets)
    one = Container(name="shop")
    write(tmp_path, one, entry(f"hello from web-2, {rotated}\n", "stdout", time.time_ns()))
    with collector(stack, tmp_path, [one], host="web-2"):
        until(lambda: _lines(running, f"hello from web-2, {rotated}"))


def _bundle(running: Edge) -> str:
    """The file of authorities that an agent has while that of the edge is being replaced."""
    other = authority.make(AUTHORITY, AUTHORITY_KEY, "another")[AUTHORITY]
    text = edge.trusted(config(*HOSTS, secrets=frozenset({AUTHORITY_PREVIOUS})))
    assert text is not None
    # The edge's own is the second in the file.
    return text.text({AUTHORITY: other, AUTHORITY_PREVIOUS: running.authority.read_text()})


def _secrets(running: Edge, names: Mapping[str, str]) -> dict[str, str]:
    found = {**TOKENS, AUTHORITY: running.authority.read_text()}
    return {path: found[name] for path, name in names.items()}


def _lines(running: Edge, text: str) -> list[Any]:
    answer = http.get(
        f"{running.loki}/loki/api/v1/query_range", params={"query": f'{{container=~".+"}} |= "{text}"'}, timeout=30
    )
    found: list[Any] = answer.json()["data"]["result"]
    return found


def test_samples_older_than_those_of_another_host_arrive_too(running: Edge) -> None:
    now = int(time.time())
    for host, age in (("db-1", 0), ("web-2", 4 * 3600)):
        text = f'# TYPE late_sample gauge\nlate_sample{{host="{host}"}} 1 {(now - age) * 1000}\n'
        _push(running, text, host)
    assert _query(running, f'late_sample{{host="web-2"}} @ {now - 4 * 3600}')


def _push(running: Edge, text: str, host: str) -> None:
    """Send samples with promtool, which speaks remote write."""
    program = [
        *("docker", "run", "--rm", "-i", "--network", str(running.network.name), "--entrypoint", "/bin/promtool"),
        *("-v", f"{running.root}:/etc/test:ro", PINS["prometheus"]),
        *("push", "metrics", "--http.config.file=/etc/test/http.yaml", running.url),
    ]
    (running.root / "http.yaml").write_text(
        f"authorization: {{credentials: {TOKENS[token(host)]}}}\n"
        f"tls_config: {{ca_file: /etc/test/edge/current/{caddy.CERTIFICATE}}}\n"
    )
    done = subprocess.run(program, input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_both_credentials_of_a_host_are_accepted_while_it_gets_another(running: Edge) -> None:
    made = {
        **TOKENS,
        earlier_token("web-2"): STALE,
        AUTHORITY: running.authority.read_text(),
        AUTHORITY_KEY: (running.root / "edge/current" / caddy.KEY).read_text(),
    }
    for names, status in ((frozenset({earlier_token("web-2")}), {200, 204, 400}), (frozenset[str](), {401})):
        write_edge(running.root, config(*HOSTS, secrets=names), made)
        running.program.restart(timeout=5)
        running.ready()
        for path in ROUTES:
            assert running.post(path, f"Bearer {STALE}") in status
            assert running.post(path, f"Bearer {TOKENS[token('web-2')]}") in {200, 204, 400}


def test_a_host_that_is_removed_is_refused_and_the_others_go_on(running: Edge) -> None:
    secrets = {
        **TOKENS,
        AUTHORITY: running.authority.read_text(),
        AUTHORITY_KEY: (running.root / "edge/current" / caddy.KEY).read_text(),
    }
    write_edge(running.root, config("web-2"), secrets)
    running.program.restart(timeout=5)
    running.ready()
    for path in ROUTES:
        assert running.post(path, f"Bearer {TOKENS[token('db-1')]}") == 401
        assert running.post(path, f"Bearer {TOKENS[token('web-2')]}") in {200, 204, 400}
