"""A small stack on this machine with the second host in its settings, driven by `obs` as a user drives it."""

import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import docker
import yaml

from observability.core import http
from observability.core.documents import load_yaml
from observability.core.naming import LABEL_STACK
from observability.operations.preflight import objects
from observability.parts.images import PINS
from tests import networks
from tests.hosts.lab import Host
from tests.in_use import refuse_if_in_use
from tests.waits import HANG_SECONDS
from tools import checkout

STACK: Final = "hosts"
NAME: Final = "web-2"
"""The second host's name in the settings."""
EDGE_PORT: Final = 19105
SUBNET: Final = networks.subnet("agent")
"""Of the agent's network on the second host."""
INTERVAL: Final = 5
"""Seconds between two scrapes."""

SETTINGS: Final[dict[str, Any]] = {
    "environment": "dev",
    # The fewest parts that read a host's metrics, its containers' and their lines.
    "profile": "minimal",
    "loki": {"enabled": True, "port": 19104},
    "collector": {"enabled": True},
    "cadvisor": {"enabled": True},
    "prometheus": {"port": 19101, "scrapeInterval": f"{INTERVAL}s", "evaluationInterval": "5s"},
    "alertmanager": {"port": 19102},
    "nodeExporter": {"port": 19103},
    "network": {"subnet": networks.subnet("hosts")},
    "edge": {"port": EDGE_PORT},
    # Two minutes otherwise: what it waits for is the subject, not how long.
    "systems": {"platform": {"for": {"HostSilent": "10s"}}},
}

LABEL: Final[dict[str, str | list[str] | bool]] = {"label": f"{LABEL_STACK}={STACK}"}


@dataclass(frozen=True, kw_only=True)
class Monitored:
    """The stack's checkout and data folder, and the second host."""

    root: Path
    variables: Mapping[str, str]
    """Variables of its commands."""
    data: Path
    host: Host

    def obs(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `./obs`; its output and exit code."""
        own = {"OBS_DATA_DIR": str(self.data), "OBS_SKIP_CHECK": "1"}
        env = {**os.environ, **self.host.environment, **self.variables, **own}
        for name in ("PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"):
            env.pop(name, None)
        command = [str(self.root / "obs"), *arguments]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=HANG_SECONDS)

    def up(self) -> dict[str, Any]:
        """`obs up --json`, which must succeed."""
        done = self.obs("up", "--json", STACK)
        assert done.returncode == 0, done.stderr + done.stdout
        found: dict[str, Any] = json.loads(done.stdout)
        return {**found, "said": done.stderr}

    @property
    def file(self) -> Path:
        """The stack's file."""
        return self.root / f"Pulumi.{STACK}.yaml"

    def settings(self) -> dict[str, Any]:
        """The settings in the stack's file, without their prefix."""
        values = load_yaml(self.file.read_text())["config"]
        return {key.removeprefix("observability:"): value for key, value in values.items()}

    def configure(self, values: dict[str, Any]) -> None:
        """Write the stack's file."""
        config = {f"observability:{key}": value for key, value in values.items()}
        self.file.write_text(yaml.safe_dump({"config": config}, sort_keys=False))

    def secret(self, name: str) -> str:
        """The stored value of a secret."""
        return (self.data / "secrets" / STACK / name).read_text()

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The result of an instant query of the stack's Prometheus."""
        answer = http.get("http://127.0.0.1:19101/api/v1/query", params={"query": expression}, timeout=60)
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()["data"]["result"]
        return found

    def lines(self, selector: str, since: float) -> list[tuple[dict[str, str], str]]:
        """Labels (with structured metadata) and text of every stored line since a time, in order."""
        params = {"query": selector, "limit": "5000", "start": f"{since:.0f}000000000", "direction": "forward"}
        answer = http.get("http://127.0.0.1:19104/loki/api/v1/query_range", params=params, timeout=60)
        answer.raise_for_status()
        streams = answer.json()["data"]["result"]
        found = [(value[0], stream["stream"], value[1]) for stream in streams for value in stream["values"]]
        return [(labels, line) for _, labels, line in sorted(found, key=lambda one: int(one[0]))]

    def clear(self) -> None:
        """Remove what the stack left on both engines."""
        for client in (self.host.local, self.host.docker):
            for one in objects(client, STACK):
                one.remove(**({"force": True, "v": True} if one.attrs.get("State") else {}))


@contextmanager
def monitored(folder: Path, host: Host) -> Iterator[Monitored]:
    """The stack before its first `up`, without the host in its settings; removed at the end."""
    refuse_if_in_use(docker.from_env(), STACK)
    root = folder / "project"
    found = Monitored(variables=checkout.copy(root), root=root, data=folder / "data", host=host)
    found.configure(SETTINGS)
    try:
        yield found
    finally:
        host.join()
        found.clear()


def now() -> float:
    """Seconds since 1970."""
    return time.time()


def firing(stack: Monitored, alert: str) -> list[dict[str, Any]]:
    """The labels of an alert that fires."""
    return [one["metric"] for one in stack.query(f'ALERTS{{alertname="{alert}", alertstate="firing"}}')]


def write(stack: Monitored, name: str, command: str, **labels: str) -> None:
    """Run a shell command in a container of the second host that the stack knows nothing of."""
    image = PINS["alertmanager"]
    stack.host.load(image)
    stack.host.docker.containers.run(
        image, ["-c", command], name=name, entrypoint="/bin/sh", user="65534", labels=labels, detach=True
    )


def sent(stack: Monitored, path: str, credential: str | None) -> int:
    """The status with which the edge answers a request with this credential."""
    headers = {"Authorization": f"Bearer {credential}"} if credential else {}
    url = f"https://{stack.host.gateway}:{EDGE_PORT}{path}"
    return http.post(url, headers=headers, content=b"", verify=False, timeout=30).status_code
