"""A worked example that runs: its address, its metrics, its log."""

import json
import os
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.examples.builds import Built
from tests.examples.doubles import Database, Forwarder
from tests.ports import free_port
from tests.waits import HANG_SECONDS, until

SCHEMA = (Path(__file__).parents[2] / "examples/schema.sql").read_text(encoding="utf-8")
SLOW = {"SLOW_REQUEST_SECONDS": "0.5", "SLOW_OPERATION_SECONDS": "0.4"}


@dataclass(kw_only=True)
class Service:
    """A running service."""

    built: Built
    server: Database
    database: str
    to_database: Forwarder
    to_upstream: Forwarder
    address: str
    process: subprocess.Popen[bytes]
    output: Path

    def get(self, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401 - httpx' own
        """The response to a request."""
        return self.ask("GET", path, **options)

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401 - httpx' own
        """The response to a request, on a connection of its own."""
        return httpx.request(method, self.address + path, timeout=HANG_SECONDS, trust_env=False, **options)

    def metrics(self) -> str:
        """The page of its metrics, as Prometheus asks for it."""
        return self.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"}).text

    def samples(self, name: str) -> dict[frozenset[tuple[str, str]], float]:
        """The samples of a name, by their labels."""
        found = {}
        for labels, value in re.findall(rf"^{name}(?:{{(.*?)}})? (\S+)", self.metrics(), re.MULTILINE):
            found[frozenset(re.findall(r'(\w+)="([^"]*)"', labels))] = float(value)
        return found

    def line(self, **fields: object) -> dict[str, Any]:
        """The line with these fields; it may be written after the response that it is about."""
        found: list[dict[str, Any]] = until(lambda: self.lines(**fields))
        assert len(found) == 1, found
        return found[0]

    def counts(self, total: float, name: str, **labels: str) -> None:
        """Wait until the samples sum up to this; a request may be counted after its response."""
        until(lambda: self.total(name, **labels) == total)

    def total(self, name: str, **labels: str) -> float:
        """The sum of the samples of a name with these labels."""
        return sum(value for has, value in self.samples(name).items() if labels.items() <= has)

    def lines(self, **fields: object) -> list[dict[str, Any]]:
        """The lines of its log with these fields."""
        lines = [json.loads(line) for line in self.output.read_text(encoding="utf-8").splitlines()]
        return [line for line in lines if fields.items() <= line.items()]

    @contextmanager
    def broken(self) -> Iterator[None]:
        """A defect of the service: the table that it reads has another name."""
        self.server.sql(self.database, "ALTER TABLE orders RENAME TO gone")
        try:
            yield
        finally:
            self.server.sql(self.database, "ALTER TABLE gone RENAME TO orders")

    @contextmanager
    def under_way(self, path: str, until_seconds: float = 0.0) -> Iterator[Callable[[], httpx.Response]]:
        """A request that waits for its table in the block, for this long; afterwards it is answered."""
        answers: list[httpx.Response] = []
        asking = threading.Thread(target=lambda: answers.append(self.get(path)), daemon=True)

        def answer() -> httpx.Response:
            asking.join(HANG_SECONDS)
            assert answers, f"{path} was not answered"
            return answers[0]

        with self.server.locked(self.database, "orders") as waiting:
            asking.start()
            until(lambda: waiting() == 1)
            if until_seconds:
                held = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type"
                since = f"{held} = 'Lock' AND now() - query_start > interval '{until_seconds} seconds'"
                until(lambda: self.server.sql(self.database, since) == "1")
            yield answer


@contextmanager
def service(
    built: Built,
    server: Database,
    upstream: tuple[str, int],
    output: Path,
    environment: Mapping[str, str] | None = None,
    database: str | None = None,
) -> Iterator[Service]:
    """A service with a database of its own, for as long as the block runs."""
    database = database or f"orders_{built.language}"
    if not server.sql("postgres", f"SELECT 1 FROM pg_database WHERE datname = '{database}'"):  # noqa: S608
        server.sql("postgres", f"CREATE DATABASE {database}")
        server.sql(database, SCHEMA)
    to_database, to_upstream, port = Forwarder(server.address), Forwarder(upstream), free_port()
    values = {
        "PORT": str(port),
        "DATABASE_URL": f"postgresql://postgres@127.0.0.1:{to_database.port}/{database}?sslmode=disable",
        "UPSTREAM_URL": f"http://127.0.0.1:{to_upstream.port}",
        "OTEL_SERVICE_NAME": f"orders-{built.language}",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        **SLOW,
        **(environment or {}),
    }
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    with output.open("wb") as file:
        process = subprocess.Popen(
            built.command, cwd=built.folder, env=kept | values, stdout=file, stderr=subprocess.STDOUT
        )
    one = Service(
        built=built,
        server=server,
        database=database,
        to_database=to_database,
        to_upstream=to_upstream,
        address=f"http://127.0.0.1:{port}",
        process=process,
        output=output,
    )
    try:
        until(lambda: _started(one))
        yield one
    finally:
        for forwarder in (to_database, to_upstream):
            forwarder.close()
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait()


def _started(one: Service) -> bool:
    assert one.process.poll() is None, one.output.read_text(encoding="utf-8")[-3000:]
    return one.get("/health/live").status_code == 200
