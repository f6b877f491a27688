"""The pinned blackbox exporter with the settings of probes of every kind, before servers that answer or do not."""

import base64
import json
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import docker
import httpx
import pytest

from observability.core import http
from observability.parts import blackbox
from observability.parts.images import PINS
from observability.parts.model import FOLDER_MARK, NOBODY, Placed
from observability.parts.probe import SECRETS, Probe, module_name
from tests.hosts.keys import tls_files
from tests.tools import archive
from tests.waits import until

SECRET: Final = "s3cret"  # noqa: S105 - of the pages of this test

GATEWAY: Final = "gateway"
"""Name under which the container reaches this machine."""

NAMED: Final = "192.0.2.1"
"""What the certificate is for."""


class _Pages(BaseHTTPRequestHandler):
    """Pages that answer by path, method, headers and body."""

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length).decode()
        basic = "Basic " + base64.b64encode(f"probe:{SECRET}".encode()).decode()
        right = {
            "/bearer": self.headers.get("Authorization") == f"Bearer {SECRET}",
            "/basic": self.headers.get("Authorization") == basic,
            "/key": self.headers.get("X-Api-Key") == SECRET,
            "/header": self.headers.get("Accept") == "application/json",
            "/post": self.command == "POST" and body == '{"ping": 1}',
        }.get(self.path, True)
        status = {"/teapot": 418, "/gone": 410, "/moved": 302}.get(self.path, 200 if right else 401)
        text = json.dumps({"status": "ok", "checks": [{"ready": True, "load": 2}], "name": 'a "b" é'})
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/gone")
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text.encode())

    do_GET = do_POST = do_HEAD = _answer  # noqa: N815 - names of the library

    def log_message(self, *_: object) -> None:
        """Nothing."""


CASES: Final[dict[str, tuple[dict[str, Any], dict[str, float]]]] = {
    "page": ({}, {"probe_success": 1, "probe_http_status_code": 200}),
    "bearer": ({"bearerToken": True}, {"probe_success": 1}),
    "basic": ({"basicAuthUser": "probe"}, {"probe_success": 1}),
    "key": ({"secretHeader": "X-Api-Key"}, {"probe_success": 1}),
    "header": ({"headers": {"Accept": "application/json"}}, {"probe_success": 1}),
    "post": ({"method": "POST", "body": '{"ping": 1}'}, {"probe_success": 1}),
    "teapot": ({"status": [418]}, {"probe_success": 1, "probe_http_status_code": 418}),
    "gone": ({}, {"probe_success": 0, "probe_http_status_code": 410}),
    "moved": ({"followRedirects": False, "status": [302]}, {"probe_success": 1, "probe_http_status_code": 302}),
    "keyword": ({"keyword": '"status": "ok"'}, {"probe_success": 1, "probe_failed_due_to_regex": 0}),
    "no-keyword": ({"keyword": "(.*)"}, {"probe_success": 0, "probe_failed_due_to_regex": 1}),
    "json": (
        {"json": {"status": "ok", "checks.0.ready": True, "checks.0.load": 2, "name": 'a "b" é'}},
        {"probe_success": 1, "probe_failed_due_to_cel": 0},
    ),
    "no-json": ({"json": {"status": "down"}}, {"probe_success": 0, "probe_failed_due_to_cel": 1}),
    "absent-json": ({"json": {"checks.7.ready": True}}, {"probe_success": 0, "probe_failed_due_to_cel": 1}),
}
"""Settings of a probe of the page of that name, and what the exporter then says."""

OTHERS: Final[dict[str, tuple[str, float]]] = {
    "port": ("tcp://{host}:{port}", 1),
    "tls": ("tls://{host}:{tls}", 1),
    "https": ("https://{host}:{tls}/", 1),
    "https-unknown-authority": ("https://{host}:{tls}/?unknown", 0),
    "dns": ("dns://{host}:{dns}/shop.example.com", 1),
    "dns-other-answer": ("dns://{host}:{dns}/shop.example.com.", 0),
    "dns-no-answer": ("dns://{host}:{dns}/none.example.com", 0),
    "closed": ("tcp://{host}:1", 0),
    "echo": ("icmp://{host}", 1),
    "no-tls": ("tls://{host}:{port}", 0),
    "no-grpc": ("grpc://{host}:{port}/shop", 0),
    "no-dns": ("dns://{host}:1/shop.example.com", 0),
}


MORE: Final[dict[str, dict[str, Any]]] = {
    "dns": {"keyword": "192.0.2.7"},
    "dns-other-answer": {"keyword": "192.0.2.8"},
}
"""Further settings of OTHERS."""


class _Names(socketserver.BaseRequestHandler):
    """A name server that knows one address, of every name that begins with `shop`."""

    def handle(self) -> None:
        """Answer one question; `request` is the packet and the socket."""
        packet, channel = self.request
        question = packet[12:]
        question = question[: question.index(0) + 5]
        known = question.startswith(b"\x04shop")
        answer = b"\xc0\x0c\x00\x01\x00\x01" + (60).to_bytes(4, "big") + b"\x00\x04" + bytes((192, 0, 2, 7))
        head = packet[:2] + b"\x81\x80\x00\x01" + (b"\x00\x01" if known else b"\x00\x00") + bytes(4)
        channel.sendto(head + question + (answer if known else b""), self.client_address)


@contextmanager
def serving(server: socketserver.TCPServer) -> Iterator[int]:
    """The server in a thread; its port."""
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield int(server.socket.getsockname()[1])
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The ports of the pages, of the pages by TLS and of the name server, and the certificate of the authority."""
    keys = tls_files(tmp_path_factory.mktemp("tls") / "keys", NAMED)
    secure = ThreadingHTTPServer(("0.0.0.0", 0), _Pages)  # noqa: S104 - the container reaches it by the gateway
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(keys.server.certificate, keys.server.key)
    secure.socket = context.wrap_socket(secure.socket, server_side=True)
    plain = ThreadingHTTPServer(("0.0.0.0", 0), _Pages)  # noqa: S104 - as above
    names = socketserver.ThreadingUDPServer(("0.0.0.0", 0), _Names)  # noqa: S104 - as above
    with serving(plain) as port, serving(secure) as tls, serving(names) as dns:
        yield {"port": port, "tls": tls, "dns": dns, "ca": keys.authority.read_text()}


@pytest.fixture(scope="module")
def results(ports: dict[str, Any]) -> Iterator[dict[str, dict[str, float]]]:
    """The series of every probe, by its name."""
    base = f"http://{GATEWAY}:{ports['port']}"
    wanted = [{"name": f"p-{name}", "url": f"{base}/{name}", **own} for name, (own, _) in CASES.items()]
    wanted += [
        {"name": f"p-{name}", "url": url.format(host=GATEWAY, **ports), "timeout": "3s", **MORE.get(name, {})}
        for name, (url, _) in OTHERS.items()
    ]
    # A stack replaces the path of the certificate with the certificate.
    own = {"ca": ports["ca"], "server_name": NAMED}
    probes = [
        one.model_copy(update=own) if one.name in ("p-tls", "p-https") else one
        for one in map(Probe.model_validate, wanted)
    ]
    placed = [Placed(system="depot", server=one, secret="secret" if one.needs_password else None) for one in probes]
    files = {"blackbox.yaml": blackbox.modules(placed, "tests").replace(FOLDER_MARK, "/given")}
    files |= {f"{SECRETS}/{one.name}": SECRET for one in probes if one.needs_password}
    container = docker.from_env().containers.create(
        PINS["blackbox-exporter"],
        ["--config.file=/given/blackbox.yaml"],
        user=NOBODY,
        cap_drop=["ALL"],
        read_only=False,
        extra_hosts={GATEWAY: "host-gateway"},
        ports={f"{blackbox.PORT}/tcp": ("127.0.0.1", 0)},
    )
    try:
        container.put_archive("/", archive(files))
        container.start()
        container.reload()
        address = f"http://127.0.0.1:{(container.ports[f'{blackbox.PORT}/tcp'] or [])[0]['HostPort']}"
        until(lambda: _healthy(address))
        found = {one.name.removeprefix("p-"): _probed(address, one) for one in probes}
        secret = [one for one in probes if one.needs_password]
        container.put_archive("/", archive({f"{SECRETS}/{one.name}": "another" for one in secret}))
        yield found | {f"{one.name.removeprefix('p-')}, later": _probed(address, one) for one in secret}
    finally:
        container.remove(force=True, v=True)


def _healthy(address: str) -> bool:
    try:
        return http.get(f"{address}/-/healthy", trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def _probed(address: str, probe: Probe) -> dict[str, float]:
    params = {"module": module_name(probe), "target": probe.target}
    text = http.get(f"{address}/probe", params=params, timeout=60, trust_env=False).text
    lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in lines if "{" not in name}


@pytest.mark.parametrize("name", CASES)
def test_a_page_is_requested_and_judged_as_its_settings_say(results: dict[str, dict[str, float]], name: str) -> None:
    assert CASES[name][1].items() <= results[name].items()


@pytest.mark.parametrize("name", ["bearer", "basic", "key"])
def test_a_changed_secret_is_read_at_the_next_probe(results: dict[str, dict[str, float]], name: str) -> None:
    assert results[name]["probe_success"] == 1
    assert results[f"{name}, later"]["probe_success"] == 0


@pytest.mark.parametrize("name", OTHERS)
def test_a_probe_of_another_kind_succeeds_where_its_server_answers(
    results: dict[str, dict[str, float]], name: str
) -> None:
    assert results[name]["probe_success"] == OTHERS[name][1]
