"""The proxy before the Docker socket, in its image: what it lets through, and what it refuses."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import docker
import pytest

from observability.parts.docker_proxy import MAIN, METRICS_PORT, NAME, PORT, SOCKET, configuration
from observability.parts.images import PINS
from tests.tools import archive
from tests.waits import until

COMMAND = ["haproxy", "-W", "-db", "-f", f"/given/{MAIN}"]

ALLOWED = (
    "GET /_ping",
    "GET /version",
    "GET /info",
    "GET /v1.41/version",
    "GET /containers/json",
    "GET /networks",
    "GET /v1.41/containers/json?all=1&filters=%7B%22status%22%3A%5B%22running%22%5D%7D",
    "GET /events?since=1&until=2",
)

REFUSED = (
    *("POST /_ping", "HEAD /_ping", "PUT /version", "DELETE /info", "OPTIONS /version", "get /version"),
    *("POST /containers/create", "POST /containers/x/kill", "POST /v1.41/containers/x/exec", "POST /exec/x/start"),
    *("GET /containers/x/archive?path=/etc/shadow", "GET /containers/x/export", "GET /containers/x/logs?stdout=1"),
    *("GET /containers/x/attach/ws?stream=1", "GET /containers/x/top", "GET /containers/x/stats", "GET /exec/x/json"),
    *("GET /images/json", "GET /volumes", "GET /secrets", "GET /configs", "GET /swarm", "GET /"),
    *("GET /networks/bridge", "GET /networks/", "POST /networks/create", "DELETE /networks/bridge", "POST /networks"),
    # Paths that a server may read as another than the one that was compared.
    *("GET //version", "GET /containers//json", "GET /./version", "GET /x/../version", "GET /version/"),
    *("GET /containers/../json", "GET /containers/x/../../images/json", "GET /containers/..%2fimages/json"),
    *(
        "GET /%2e%2e/version",
        "GET /containers/x%2farchive/json",
        "GET /%76ersion",
        "GET /version%00",
        "GET /version;x",
    ),
    *("GET /images/json?/containers/json", "GET /images/json?x=/_ping", "GET /images/json#/containers/json"),
    *("GET /containers/x/archive?/json", "GET /vx/version", "GET /v1.41v1.41/version", "GET /v1/version"),
    *("GET http://docker/images/json", "GET http://docker/containers/x/archive", "CONNECT docker:80"),
)


@dataclass(frozen=True, kw_only=True)
class Proxy:
    """Its container's id, and its ports on the loopback address."""

    container: str
    api: int
    metrics: int


@contextmanager
def running(mounts: Mapping[str, dict[str, str]]) -> Iterator[Proxy]:
    """The proxy, which says by now whether it reaches an engine."""
    container = docker.from_env().containers.create(
        PINS[NAME],
        COMMAND,
        user="0:0",
        cap_drop=["ALL"],
        volumes=dict(mounts),
        ports={f"{port}/tcp": ("127.0.0.1", 0) for port in (PORT, METRICS_PORT)},
    )
    try:
        container.put_archive("/", archive({MAIN: configuration()}))
        container.start()
        container.reload()
        api, metrics = (int((container.ports[f"{port}/tcp"] or [])[0]["HostPort"]) for port in (PORT, METRICS_PORT))
        until(lambda: status(metrics, "GET /healthz"))
        yield Proxy(container=str(container.id), api=api, metrics=metrics)
    finally:
        container.remove(force=True, v=True)


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxy]:
    """The proxy before this machine's engine."""
    with running({SOCKET: {"bind": SOCKET, "mode": "ro"}}) as found:
        until(lambda: status(found.metrics, "GET /healthz") == 200)
        yield found


def answer(port: int, line: str, *headers: str) -> str:
    """The response to these very bytes; empty where the connection was closed."""
    request = [f"{line} HTTP/1.1", "Host: docker", "Connection: close", *headers, "", ""]
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        try:
            connection.sendall("\r\n".join(request).encode())
            return b"".join(iter(lambda: connection.recv(65536), b"")).decode(errors="replace")
        except ConnectionError:
            return ""


def status(port: int, line: str, *headers: str) -> int:
    """The response's status; 0 where there is none."""
    words = answer(port, line, *headers).split(maxsplit=2)
    return int(words[1]) if len(words) > 1 else 0


@pytest.mark.parametrize("line", ALLOWED)
def test_a_read_of_the_list_reaches_the_engine(line: str, proxy: Proxy) -> None:
    found = answer(proxy.api, line)
    assert found.startswith("HTTP/1.1 200 ")
    assert "Server: Docker/" in found or "server: Docker/" in found


def test_a_container_is_inspected_by_its_id(proxy: Proxy) -> None:
    found = answer(proxy.api, f"GET /containers/{proxy.container}/json")
    assert f'"Id":"{proxy.container}"' in found
    assert status(proxy.api, "GET /containers/no-such-container/json") == 404


@pytest.mark.parametrize("line", REFUSED)
def test_whatever_is_not_on_the_list_is_refused(line: str, proxy: Proxy) -> None:
    found = answer(proxy.api, line)
    assert "docker/" not in found.lower()  # it did not come from the engine
    assert found.split()[1] in {"400", "403"}


@pytest.mark.parametrize(
    "header", ["Content-Length: 0", "Transfer-Encoding: chunked", "Upgrade: websocket", "Upgrade: h2c"]
)
def test_a_read_with_a_body_or_an_upgrade_is_refused(header: str, proxy: Proxy) -> None:
    assert status(proxy.api, "GET /version", header) == 403


def test_only_metrics_and_health_are_served_beside_the_api(proxy: Proxy) -> None:
    assert "haproxy_process_" in answer(proxy.metrics, "GET /metrics")
    assert status(proxy.metrics, "GET /version") == 404


def test_it_is_unhealthy_while_the_engine_does_not_answer() -> None:
    with running({}) as alone:
        until(lambda: status(alone.metrics, "GET /healthz") == 503)
