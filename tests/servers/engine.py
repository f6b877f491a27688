"""A double of the Docker Engine: lists containers, shows one, and streams events, as its API documents them."""

import json
import queue
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlparse


def container(identifier: str, name: str, image: str = "busybox:1.36", **config: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """What the Engine says of a running container on one network."""
    return {
        "Id": identifier * 64,
        "Name": f"/{name}",
        "State": {"Running": True, "Paused": False},
        "Config": {"Hostname": f"host-{identifier}", "Image": image, "Cmd": ["sleep", "60"], "Labels": {}, **config},
        "NetworkSettings": {"Ports": {}, "Networks": {"bridge": {"IPAddress": "172.17.0.9"}}},
    }


class Engine:
    """The containers, which a test changes, and every path that was asked for."""

    def __init__(self, version: str = "1.44") -> None:
        self.version = version
        self.containers: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []
        self._streams: list[queue.SimpleQueue[str | None]] = []

    def start(self, document: dict[str, Any]) -> None:
        """Add a container."""
        self.containers[document["Id"]] = document
        self._report("start", document["Id"])

    def end(self, identifier: str) -> None:
        """A container's process ends; the container stays."""
        self.containers[identifier]["State"]["Running"] = False
        self._report("die", identifier)

    def drop_streams(self) -> None:
        """The connections of those who follow the events break."""
        for stream in self._streams:
            stream.put(None)
        self._streams.clear()

    def follow(self) -> Iterator[str]:
        """Events from now on, until the connection breaks."""
        stream: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._streams.append(stream)
        while (line := stream.get()) is not None:
            yield line

    def answer(self, path: str, query: dict[str, list[str]]) -> object:
        """The response to a request; None: there is no such thing."""
        if path == "/version":
            return {"ApiVersion": self.version}
        if path == f"/v{self.version}/containers/json":
            assert json.loads(query["filters"][0]) == {"status": ["running"]}
            running = [one for one in self.containers.values() if one["State"]["Running"]]
            return [{"Id": one["Id"], "Image": one["Config"]["Image"]} for one in running]
        found = re.fullmatch(rf"/v{re.escape(self.version)}/containers/([0-9a-f]+)/json", path)
        return self.containers.get(found[1]) if found else None

    def _report(self, action: str, identifier: str) -> None:
        event = {"Type": "container", "Action": action, "Actor": {"ID": identifier}, "timeNano": time.time_ns()}
        for stream in self._streams:
            stream.put(json.dumps(event))


@contextmanager
def serving(engine: Engine, address: str) -> Iterator[int]:
    """Serve it on a free port of this address; yields the port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            url = urlparse(self.path)
            engine.asked.append(url.path)
            if url.path == f"/v{engine.version}/events":
                self._stream()
                return
            found = engine.answer(url.path, parse_qs(url.query))
            body = json.dumps({"message": "no such container"} if found is None else found).encode()
            self.send_response(404 if found is None else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _stream(self) -> None:
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for event in engine.follow():
                self.wfile.write(f"{len(event) + 1:x}\r\n{event}\n\r\n".encode())
            self.wfile.write(b"0\r\n\r\n")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            pass

    server = ThreadingHTTPServer((address, 0), Handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        engine.drop_streams()
        server.shutdown()
        server.server_close()
