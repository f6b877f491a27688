"""Run the pinned Jaeger with the configuration of a stack, and ask its API."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from observability.core import http
from observability.parts import jaeger as part
from observability.parts.otel_export import ANY
from observability.settings.load import StackConfig
from observability.traces import jaeger
from tests.ports import free_port
from tests.servers.collector_run import ready, started

OWN: Final = (part.PORT, part.OTLP, part.METRICS, part.HEALTH)


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where a Jaeger is, whether it runs or not: its ports on this machine by those in the container."""

    ports: dict[int, int]

    @property
    def otlp(self) -> str:
        """Address for OTLP by HTTP."""
        return f"http://127.0.0.1:{self.ports[part.OTLP]}"

    def get(self, path: str, **parameters: str | int) -> Any:  # noqa: ANN401 - any JSON
        """The data of an answer of its API; None where it knows nothing of it."""
        answer = http.get(f"http://127.0.0.1:{self.ports[part.PORT]}/api/{path}", params=parameters, timeout=30)
        return answer.json().get("data") if answer.status_code in (200, 404) else None

    def trace(self, trace: str) -> dict[str, Any] | None:
        """A trace by its id."""
        found = self.get(f"traces/{trace}")
        return found[0] if found else None

    def metrics(self) -> str:
        """The page of its own metrics."""
        return http.get(f"http://127.0.0.1:{self.ports[part.METRICS]}/metrics", timeout=10).text


def address() -> Address:
    """Free ports of this machine."""
    return Address(ports={port: free_port() for port in OWN})


@contextmanager
def running(config: StackConfig, root: Path, at: Address) -> Iterator[Address]:
    """A Jaeger at these ports, with its volume below the folder. It is killed at the end: it takes long to stop."""
    root.chmod(0o777)
    text = yaml.safe_dump(jaeger.document(config))
    for old, new in at.ports.items():
        text = text.replace(f"{ANY}:{old}", f"127.0.0.1:{new}").replace(f"port: {old}\n", f"port: {new}\n")
    text = text.replace(ANY, "127.0.0.1").replace(f"{jaeger.DATA}/", f"{root}/volume/")
    (root / jaeger.MAIN).write_text(text)
    with started(root, part.NAME, [f"--config={root}/{jaeger.MAIN}"], killed=True) as program:
        ready(f"http://127.0.0.1:{at.ports[part.HEALTH]}/status", program)
        yield at
