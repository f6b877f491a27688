"""The pinned Caddy as the edge: who is let in to what, and the agents' own programs through it."""

import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import docker
import httpx
import pytest
from docker.models.containers import Container as Program
from docker.models.networks import Network
from docker.types import IPAMConfig, IPAMPool

from components.edge import COMMAND, FOLDER
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
from observability.settings.load import StackConfig, validate
from tests.hosts.keys import tls_files
from tests.servers.collector_run import Container, collector, entry, ready, write
from tests.waits import until

SUBNET: Final = "10.231.60.192/27"
ADDRESS: Final = "10.231.60.200"
"""Of the edge, on the network of this test."""
OTHER: Final = "10.231.60.201"
"""Of a second edge there, which has a certificate of the user's own."""
HOSTS: Final = ("db-1", "web-2")
ROUTES: Final = ("/api/v1/write", "/otlp/v1/logs")
TOKENS: Final = {token(host): f"{number}a" * 24 for number, host in enumerate(HOSTS)}
STALE: Final = "9" * 48
"""A credential in the right form that no host has."""


def config(
    *hosts: str,
    secrets: frozenset[str] = frozenset(),
    address: str = ADDRESS,
    **more: Any,  # noqa: ANN401 - settings of the edge
) -> StackConfig:
    """A stack with these hosts, and these secrets of a rotation."""
    listed = {host: {"docker": f"ssh://root@{host}.example.com"} for host in hosts}
    pictures = {"pictures": {"url": f"https://{ADDRESS}:{caddy.PORT}/pictures"}}
    placed = {"address": address, **more}
    return validate("dev", {"hosts": listed, "edge": placed, "notifier": pictures}, secrets, complete=False)


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
        network = held.enter_context(_network(client))
        stack = config(*HOSTS)
        made = {**authority.make(AUTHORITY, AUTHORITY_KEY, "test"), **TOKENS}
        _write_edge(root, stack, made)
        parts = {"prometheus.yaml": _own(prometheus_files(stack, {})["prometheus.yaml"])}
        prometheus = held.enter_context(
            _container(
                client,
                network,
                "prometheus",
                files=_folder(root, "prometheus", parts),
                command=[
                    "--config.file=/etc/test/prometheus.yaml",
                    "--storage.tsdb.path=/prometheus",
                    "--web.enable-remote-write-receiver",
                ],
            )
        )
        written = loki.files(stack)
        lines = held.enter_context(
            _container(
                client,
                network,
                "loki",
                files=_folder(root, "loki", {"loki.yaml": written["loki.yaml"]}),
                command=["-config.file=/etc/test/loki.yaml"],
            )
        )
        program = held.enter_context(_caddy(client, network, root))
        found = Edge(
            url=f"https://{ADDRESS}:{caddy.PORT}",
            prometheus=f"http://{_address(prometheus, network)}:{PROMETHEUS_PORT}",
            loki=f"http://{_address(lines, network)}:3100",
            authority=root / "edge/current" / caddy.CERTIFICATE,
            root=root,
            network=network,
            program=program,
        )
        ready(f"{found.prometheus}/-/ready")
        ready(f"{found.loki}/ready")
        found.ready()
        yield found


@contextmanager
def _network(client: docker.DockerClient) -> Iterator[Network]:
    for left in client.networks.list(names=["obs-test-edge"]):
        left.remove()
    pool = IPAMConfig(pool_configs=[IPAMPool(subnet=SUBNET)])
    network = client.networks.create("obs-test-edge", ipam=pool)
    try:
        yield network
    finally:
        network.remove()


def _folder(root: Path, name: str, files: Mapping[str, str]) -> Path:
    folder = root / name
    folder.mkdir()
    for path, text in files.items():
        (folder / path).write_text(text)
    return folder


@contextmanager
def _container(
    client: docker.DockerClient,
    network: Network,
    service: str,
    *,
    files: Path,
    command: list[str],
    alias: str | None = None,
    **options: Any,  # noqa: ANN401 - Docker's own
) -> Iterator[Program]:
    """A container of a pinned image on the network, with the files at /etc/test."""
    mounts = options.pop("volumes", {str(files): {"bind": "/etc/test", "mode": "ro"}})
    address = options.pop("address", None)
    program = client.containers.create(PINS[service], command, volumes=mounts, network_mode="none", **options)
    client.networks.get("none").disconnect(program)
    network.connect(program, aliases=[alias or service], ipv4_address=address)
    program.start()
    try:
        yield program
    finally:
        print(program.logs().decode()[-3000:])  # noqa: T201 - shown by pytest where a test fails
        program.remove(force=True, v=True)


@contextmanager
def _caddy(
    client: docker.DockerClient, network: Network, root: Path, address: str = ADDRESS, alias: str = "edge"
) -> Iterator[Program]:
    """Caddy as the stack runs it: not root, one capability, a root that is read-only."""
    with _container(
        client,
        network,
        "edge",
        files=root,
        command=[],
        entrypoint=["/bin/sh", "-c", COMMAND],
        volumes={str(root / "edge"): {"bind": FOLDER, "mode": "ro"}},
        address=address,
        alias=alias,
        user="65534:65534",
        read_only=True,
        tmpfs={"/tmp": "size=16m,mode=1777"},  # noqa: S108 - the container's own
        environment={"XDG_CONFIG_HOME": "/tmp", "XDG_DATA_HOME": "/tmp"},  # noqa: S108
        cap_drop=["ALL"],
        cap_add=["NET_BIND_SERVICE"],
        security_opt=["no-new-privileges:true"],
    ) as program:
        yield program


def _write_edge(root: Path, stack: StackConfig, secrets: Mapping[str, str]) -> None:
    folder = root / "edge/current"
    folder.mkdir(parents=True, exist_ok=True)
    root.chmod(0o755)
    texts = {
        **edge.files(stack),
        **{path: secrets[name] for path, name in edge.secret_files(stack).items()},
        caddy.HOSTS: edge.hosts(stack).text(secrets),
    }
    for path, text in texts.items():
        (folder / path).write_text(text)


def _own(text: str) -> str:
    """Prometheus' configuration without its own targets and rules."""
    return text.partition("\nscrape_configs:")[0] + "\nscrape_configs: []\n"


def _address(program: Program, network: Network) -> str:
    program.reload()
    return str(program.attrs["NetworkSettings"]["Networks"][network.name]["IPAddress"])


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
    _write_edge(root, stack, {**dict(zip(stack.settings.edge.pair, texts, strict=True)), **TOKENS})
    with _caddy(docker.from_env(), running.network, root, OTHER, "other-edge") as program:
        second = replace(running, url=f"https://{OTHER}:{caddy.PORT}", authority=own.authority, program=program)
        second.ready()
        credential = f"Bearer {TOKENS[token('web-2')]}"
        assert second.post("/api/v1/write", credential) not in (401, 403, 404)
        assert second.post("/api/v1/write", f"Bearer {STALE}") == 401
        with pytest.raises(httpx.ConnectError, match="verif"):
            replace(second, authority=running.authority).post("/api/v1/write", credential)


def test_its_metrics_are_served_inside_the_network(running: Edge) -> None:
    address = _address(running.program, running.network)
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
    with _container(docker.from_env(), running.network, "prometheus", files=folder, command=command, alias="agent"):
        began = time.time()
        query = 'timestamp(up{host="web-2",job="prometheus"} == 1)'
        until(lambda: any(float(one["value"][1]) > began for one in _query(running, query)))


@pytest.mark.parametrize("rotated", [False, True])
def test_lines_of_an_agents_collector_arrive(running: Edge, tmp_path: Path, rotated: bool) -> None:
    stack = config(*HOSTS)
    secrets = _secrets(running, configuration.secret_files(stack, "web-2"))
    if rotated:
        secrets[otel_collector.AUTHORITY_FILE] = _bundle(running)
    _folder(tmp_path, "tls", secrets)
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
        _write_edge(running.root, config(*HOSTS, secrets=names), made)
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
    _write_edge(running.root, config("web-2"), secrets)
    running.program.restart(timeout=5)
    running.ready()
    for path in ROUTES:
        assert running.post(path, f"Bearer {TOKENS[token('db-1')]}") == 401
        assert running.post(path, f"Bearer {TOKENS[token('web-2')]}") in {200, 204, 400}
