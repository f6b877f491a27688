"""Run the collector with the configuration of a stack on files of Docker's format, and collect what it sends."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Final

import docker
import yaml
from docker.models.containers import Container as Program

from observability.collector import configuration, otlp
from observability.core import http
from observability.core.documents import load_yaml
from observability.logs import inputs, loki, otel
from observability.parts import otel_collector, traces
from observability.parts.images import PINS
from observability.parts.otel_export import ANY
from observability.settings.load import StackConfig
from observability.traces.collector import STORE
from tests.ports import free_port
from tests.servers import engine
from tests.servers.engine import Engine
from tests.servers.otlp_double import Received, receiver
from tests.waits import until

IMAGE: Final = "otel-collector"
PIECE: Final = 16 * 1024
"""Bytes of a line that Docker writes at once."""


@dataclass(frozen=True, kw_only=True)
class Container:
    """A container as Docker shows it; `ports` are those that its image exposes."""

    name: str
    image: str = "example/shop:1.0"
    labels: Mapping[str, str] = field(default_factory=dict)
    ports: Sequence[int] = ()

    @property
    def id(self) -> str:
        """Made from the name."""
        return hashlib.sha256(self.name.encode()).hexdigest()

    @property
    def log(self) -> str:
        """Path of its log within Docker's folder of containers."""
        return f"{self.id}/{self.id}-json.log"

    def document(self) -> dict[str, Any]:
        """What the Engine says of it."""
        ports: dict[str, dict[str, str]] = {f"{port}/tcp": {} for port in self.ports}
        config = {"Hostname": self.id[:12], "Labels": dict(self.labels), "ExposedPorts": ports}
        return {**engine.container("0", self.name, self.image, **config), "Id": self.id}


@dataclass(frozen=True, kw_only=True)
class Running:
    """A collector that runs: where its own pages are, and what it has sent."""

    program: Program
    engine: Engine
    received: Received
    metrics: str
    lines: str
    health: str
    root: Path
    syslog: Mapping[int, int]
    """Where it listens, by the port in the settings."""
    spans: Mapping[int, int]
    """Where it takes spans and metrics and serves their series, by the port in the container."""


def stamp(nanoseconds: int) -> str:
    """A time as Docker writes it."""
    whole = datetime.fromtimestamp(nanoseconds // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{whole}.{nanoseconds % 10**9:09d}Z"


def entry(text: str, stream: str, nanoseconds: int) -> str:
    """One line of Docker's file."""
    document = {"log": text, "stream": stream, "time": stamp(nanoseconds)}
    line = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&":
        line = line.replace(character, f"\\u{ord(character):04x}")
    return line + "\n"


def entries(text: str, stream: str, nanoseconds: int) -> str:
    """A program's line as Docker writes it: in pieces, of which only the last ends in a newline."""
    data = text.encode()
    pieces = [data[start : start + PIECE].decode() for start in range(0, len(data), PIECE)] or [""]
    if len(pieces) > 1 and pieces[-1] == "\n":
        pieces[-2:] = ["".join(pieces[-2:])]
    return "".join(entry(piece, stream, nanoseconds) for piece in pieces)


def moment(written: str, nanoseconds: int) -> tuple[str, int]:
    """The text in place of `NOW…`, and the nanoseconds that it stands for."""
    unit = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    shift = re.fullmatch(r"NOW([+-]\d+)([smhd])", written)
    offset = re.fullmatch(r"NOW([+-])(\d\d):(\d\d)", written)
    if shift:
        nanoseconds += int(shift[1]) * unit[shift[2]] * 10**9
    milliseconds = nanoseconds // 10**6
    when = datetime.fromtimestamp(milliseconds / 1000, UTC)
    if written == "NOWms":
        return str(milliseconds), milliseconds * 10**6
    if written == "NOWs":
        return str(milliseconds // 1000), milliseconds // 1000 * 10**9
    if offset:
        zone = timedelta(hours=int(offset[2]), minutes=int(offset[3])) * (1 if offset[1] == "+" else -1)
        when = when.astimezone(timezone(zone))
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z"), milliseconds * 10**6


def dated(text: str, nanoseconds: int) -> str:
    """The text with each `NOW…` replaced."""
    return re.sub(r"NOW(?:ms|s|[+-]\d\d:\d\d|[+-]\d+[smhd])?", lambda found: moment(found[0], nanoseconds)[0], text)


def adapted(
    config: StackConfig,
    root: Path,
    address: str,
    exporter: Mapping[str, str],
    ports: Mapping[int, int],
    host: str | None = None,
    store: Mapping[str, str] | None = None,
    logstash: str | None = None,
) -> str:
    """The configuration as it is, but for its addresses and folders.

    `exporter` is what differs in that to Loki, `store` in that to the store of traces; `logstash` is its address.
    """
    document: dict[str, Any] = load_yaml(configuration.files(config, host)[configuration.MAIN])
    document["extensions"]["docker_observer"]["endpoint"] = address
    document["exporters"]["otlp_http/loki"].update(exporter)
    if STORE in document["exporters"]:
        document["exporters"][STORE].update(store or {})
    if logstash:
        document["exporters"]["otlp_http/elk"]["logs_endpoint"] = f"{logstash}/v1/logs"
    text = yaml.safe_dump(document, sort_keys=False)
    for old, new in ports.items():
        text = re.sub(rf"(?<=0\.0\.0\.0:){old}\b|(?<=port: ){old}\b", str(new), text)
    text = text.replace(ANY, "127.0.0.1")
    for secret in (inputs.CURRENT, f"{otel_collector.TOOLS}/current"):
        text = text.replace(secret, f"{root}/tls")
    return text.replace(otel.CONTAINERS, f"{root}/containers").replace(otel_collector.DATA, f"{root}/data")


def write(root: Path, container: Container, text: str) -> None:
    """Add to a container's log."""
    path = root / "containers" / container.log
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(text)


@contextmanager
def collector(
    config: StackConfig,
    root: Path,
    containers: Sequence[Container] = (),
    to: str | None = None,
    host: str | None = None,
    store: str | None = None,
    logstash: str | None = None,
) -> Iterator[Running]:
    """A collector that finds these containers, and sends to a double unless there is an address of a Loki, or a store.

    With `host` it is the agent's on that host, which sends to the edge as it is configured; the secrets that it reads
    are in the folder `tls`.
    """
    listeners = inputs.listeners_of(config)
    of_spans = (traces.GRPC, traces.HTTP, traces.BROWSERS, traces.MEASURED)
    own = (otel_collector.PORT, otel_collector.LINES, otel_collector.HEALTH, *(one.internal for one in listeners))
    of_metrics = (traces.GRPC, traces.HTTP, *otlp.ports(config).values()) if otlp.ports(config) else ()
    of_spans = tuple(dict.fromkeys((*(of_spans if config.runs(traces.NAME) else ()), *of_metrics)))
    own += of_spans
    ports = {port: free_port() for port in own}
    root.chmod(0o777)
    for name in ("data", "containers"):
        (root / name).mkdir(exist_ok=True)
    with ExitStack() as stack:
        found = Engine()
        for one in containers:
            found.start(one.document())
        address = f"tcp://127.0.0.1:{stack.enter_context(engine.serving(found, '127.0.0.1'))}"
        received = stack.enter_context(receiver())
        double = {"endpoint": received.address, "encoding": "json", "compression": "none"}
        exporter = {"endpoint": f"{to}/otlp"} if to else double
        kept = {"endpoint": store} if store else double
        text = adapted(config, root, address, {} if host else exporter, ports, host, {} if host else kept, logstash)
        (root / configuration.MAIN).write_text(text)
        program = stack.enter_context(started(root, IMAGE, [f"--config={root}/{configuration.MAIN}", *otel.ARGUMENTS]))
        running = Running(
            program=program,
            engine=found,
            received=received,
            metrics=f"http://127.0.0.1:{ports[otel_collector.PORT]}/metrics",
            lines=f"http://127.0.0.1:{ports[otel_collector.LINES]}/metrics",
            health=f"http://127.0.0.1:{ports[otel_collector.HEALTH]}/",
            root=root,
            syslog={one.settings.port: ports[one.internal] for one in listeners},
            spans={port: ports[port] for port in of_spans},
        )
        ready(running.health, program)
        yield running


@contextmanager
def loki_server(config: StackConfig, root: Path) -> Iterator[str]:
    """The address of the pinned Loki with the configuration of the stack, but for its addresses and folders."""
    port = free_port()
    document: dict[str, Any] = load_yaml(loki.files(config)["loki.yaml"])
    document["server"] |= {
        "http_listen_address": "127.0.0.1",
        "http_listen_port": port,
        "grpc_listen_port": free_port(),
    }
    document["server"]["grpc_listen_address"] = "127.0.0.1"
    text = (
        yaml.safe_dump(document)
        .replace(loki.DATA + "/", f"{root}/loki/")
        .replace(f": {loki.DATA}\n", f": {root}/loki\n")
    )
    root.chmod(0o777)
    (root / "loki.yaml").write_text(text)
    with started(root, "loki", [f"-config.file={root}/loki.yaml"]) as program:
        ready(f"http://127.0.0.1:{port}/ready", program)
        yield f"http://127.0.0.1:{port}"


@contextmanager
def started(root: Path, image: str, arguments: Sequence[str], *, killed: bool = False) -> Iterator[Program]:
    """The program of a pinned image, with the folder at the same path; at the end it is stopped, or killed."""
    container = docker.from_env().containers.run(
        PINS[image],
        list(arguments),
        volumes={str(root): {"bind": str(root), "mode": "rw"}},
        network_mode="host",
        user="0:0",
        detach=True,
    )
    try:
        yield container
    finally:
        if killed:
            container.kill()
        else:
            container.stop(timeout=20)
        print(container.logs().decode()[-4000:])  # noqa: T201 - shown by pytest where a test fails
        container.remove(force=True, v=True)


def ready(address: str, program: Program | None = None) -> None:
    """Wait until it answers; AssertionError where its program ends instead."""

    def answers() -> bool:
        if program is not None:
            program.reload()
            assert program.status == "running", program.logs().decode()[-4000:]
        return http.get(address, timeout=5).status_code == 200

    until(answers)
