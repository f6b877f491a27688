"""What surrounds a worked example: its database, its upstream, and receivers of spans and of errors."""

import gzip
import json
import socket
import threading
import uuid
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import docker
from docker.models.containers import Container

from tests.waits import until
from toolchain.recipes.debian import SERVERS

_START = """\
export PGDATA=/tmp/data
initdb --username=postgres --auth=trust >/dev/null
echo 'host all all all trust' >>"$PGDATA/pg_hba.conf"
exec postgres -c listen_addresses='*' -c unix_socket_directories=/tmp -c fsync=off
"""
LOCKER = "locker"
"""The name under which the tests' own session holds a lock."""


@dataclass(kw_only=True)
class Database:
    """A PostgreSQL server in a container of its own."""

    container: Container
    address: tuple[str, int]

    def sql(self, database: str, *statements: str) -> str:
        """What psql prints of some statements."""
        words = [word for one in statements for word in ("-c", one)]
        command = ["psql", "-XtAq", "-v", "ON_ERROR_STOP=1", "-h", "/tmp", "-U", "postgres", "-d", database, *words]  # noqa: S108 - in the container
        code, output = self.container.exec_run(command)
        assert code == 0, output
        return bytes(output).decode().strip()  # type: ignore[arg-type]  # bytes, as it is no stream

    @contextmanager
    def locked(self, database: str, table: str) -> Iterator[Callable[[], int]]:
        """Nobody else reads the table until the block ends. Yields how many sessions wait for it."""
        held = f"BEGIN; LOCK TABLE {table}; SELECT pg_sleep(3600)"
        command = ["psql", "-X", "-h", "/tmp", "-U", "postgres", "-d", database, "-c", held]  # noqa: S108 - in the container
        self.container.exec_run(command, environment={"PGAPPNAME": LOCKER}, detach=True)
        mine = f"FROM pg_stat_activity WHERE application_name = '{LOCKER}' AND datname = '{database}'"
        until(lambda: self.sql(database, f"SELECT count(*) {mine} AND wait_event = 'PgSleep'") == "1")
        waiting = f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{database}' AND wait_event_type = 'Lock'"  # noqa: S608
        try:
            yield lambda: int(self.sql(database, waiting))
        finally:
            self.sql(database, f"SELECT pg_terminate_backend(pid) {mine}")
            until(lambda: self.sql(database, f"SELECT count(*) {mine}") == "0")


@contextmanager
def postgres() -> Iterator[Database]:
    """A server for as long as the block runs."""
    container = docker.from_env().containers.run(
        SERVERS["postgres"],
        entrypoint=["/bin/sh"],
        command=["-ec", _START],
        user="postgres",
        name=f"obs-examples-{uuid.uuid4().hex[:8]}",
        detach=True,
    )
    try:
        container.reload()
        networks = container.attrs["NetworkSettings"]["Networks"].values()
        server = Database(container=container, address=(next(iter(networks))["IPAddress"], 5432))
        ready = ["pg_isready", "-h", server.address[0]]
        until(lambda: container.exec_run(ready).exit_code == 0)
        yield server
    finally:
        container.remove(force=True, v=True)


class Forwarder:
    """A port of the loopback interface that leads to another address until it is cut."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._cut = False
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """End every connection, and each new one at once."""
        self._cut = True
        for one in list(self._open):
            _end(one)

    def restore(self) -> None:
        """Lead to the address again."""
        self._cut = False

    def close(self) -> None:
        """End it all."""
        self.cut()
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self._cut:
                    _end(client)
                    continue
                try:
                    server = socket.create_connection(self._target)
                except OSError:
                    _end(client)
                    continue
                self._open |= {client, server}
                for source, to in ((client, server), (server, client)):
                    threading.Thread(target=self._copy, args=(source, to), daemon=True).start()

    def _copy(self, source: socket.socket, to: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                to.sendall(data)
        for one in (source, to):
            self._open.discard(one)
            _end(one)


def _end(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()


@dataclass
class Request:
    """A request that a double got."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Web:
    """A double that answers by HTTP and remembers what it was asked."""

    port: int = 0
    requests: list[Request] = field(default_factory=list)

    @property
    def address(self) -> str:
        """Its base address."""
        return f"http://127.0.0.1:{self.port}"

    def spans(self) -> list["Span"]:
        """Every span that it got by OTLP in protobuf."""
        return [span for one in self.requests if one.path == "/v1/traces" for span in _spans(one.body)]

    def envelopes(self, kind: str) -> list[dict[str, Any]]:
        """Every item of one kind that it got by Sentry's envelope protocol."""
        found = []
        for one in self.requests:
            if one.path.endswith("/envelope/"):
                found += [json.loads(body) for header, body in _items(one.body) if header["type"] == kind]
        return found

    def recordings(self) -> str:
        """What it got of replays: the events of all of their recordings."""
        found = ""
        for one in self.requests:
            if one.path.endswith("/envelope/"):
                for header, body in _items(one.body):
                    if header["type"] == "replay_recording":
                        _, _, packed = body.partition(b"\n")
                        found += (zlib.decompress(packed) if packed[:1] == b"\x78" else packed).decode()
        return found


@contextmanager
def web(answer: Callable[[str], object]) -> Iterator[Web]:
    """A server that answers each path with a document."""
    double = Web()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self._body()
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            headers = {name.lower(): value for name, value in self.headers.items()}
            double.requests.append(Request(path=self.path.partition("?")[0], headers=headers, body=body))
            document = json.dumps(answer(self.path)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(document)))
            self.end_headers()
            self.wfile.write(document)

        do_POST = do_GET  # noqa: N815 - the base class' name

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") == "chunked":
                chunks = []
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    chunks.append(self.rfile.read(size))
                    self.rfile.readline()
                self.rfile.readline()
                return b"".join(chunks)
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    double.port = server.server_port
    try:
        yield double
    finally:
        server.shutdown()
        server.server_close()


def _items(envelope: bytes) -> Iterator[tuple[dict[str, Any], bytes]]:
    """The items of an envelope: a line with a header, then as many bytes as it says, or a line."""
    _, _, rest = envelope.partition(b"\n")
    while rest.strip():
        line, _, rest = rest.partition(b"\n")
        header = json.loads(line)
        if "length" in header:
            body, rest = rest[: header["length"]], rest[header["length"] :].removeprefix(b"\n")
        else:
            body, _, rest = rest.partition(b"\n")
        yield header, body


@dataclass(frozen=True, kw_only=True)
class Span:
    """What a test asks of a span."""

    trace: str
    id: str
    parent: str
    name: str
    attributes: dict[str, object]
    failed: bool


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """Number and value of each field of a message of protobuf."""
    at = 0

    def number() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        key = number()
        kind = key & 7
        if kind == 0:
            yield key >> 3, number()
            continue
        size = {1: 8, 5: 4}.get(kind) or number()
        yield key >> 3, data[at : at + size]
        at += size


def _of(data: bytes, *path: int) -> Iterator[Any]:
    """Every value at a path of field numbers."""
    for number, value in _fields(data):
        if number == path[0]:
            if len(path) == 1:
                yield value
            else:
                yield from _of(value, *path[1:])


def _value(data: bytes) -> object:
    for number, value in _fields(data):
        return value.decode() if number == 1 else bool(value) if number == 2 else value
    return None


def _spans(body: bytes) -> Iterator[Span]:
    """The spans of an ExportTraceServiceRequest: resource_spans 1, scope_spans 2, spans 2."""
    for span in _of(body, 1, 2, 2):
        texts = {number: value for number, value in _fields(span) if number in (1, 2, 4, 5)}
        attributes = {}
        for one in _of(span, 9):
            pair = dict(_fields(one))
            attributes[pair[1].decode()] = _value(pair[2])
        yield Span(
            trace=texts[1].hex(),
            id=texts[2].hex(),
            parent=texts.get(4, b"").hex(),
            name=texts[5].decode(),
            attributes=attributes,
            failed=2 in _of(span, 15, 3),
        )
