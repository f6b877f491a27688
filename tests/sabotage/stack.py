"""A small stack of its own, which tests change by hand: Prometheus, Alertmanager, node-exporter and a receiver."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Final

import docker
import yaml

from observability.core import http, naming
from observability.core.documents import load_yaml
from observability.core.naming import LABEL_STACK
from observability.operations.rows import Row
from observability.parts.images import PINS
from observability.settings.load import ROOT
from observability.systems import load as system_files
from tests import networks

STACK: Final = "truth"
GATEWAY: Final = networks.gateway("sabotage")
PROMETHEUS: Final = "http://127.0.0.1:19390"
ALERTMANAGER: Final = "http://127.0.0.1:19393"
HOOK: Final = 19380

SETTINGS: Final[dict[str, Any]] = {
    "environment": "dev",
    "profile": "minimal",
    "network": {"subnet": networks.subnet("sabotage")},
    "prometheus": {"port": 19390, "scrapeInterval": "2s", "evaluationInterval": "2s"},
    "alertmanager": {"port": 19393},
    "nodeExporter": {"port": 19391},
    "notifications": {
        "receivers": {"hook": {"webhook": {}}},
        "default": ["hook"],
        "muteTimes": {"nights": {"times": ["02:00-02:01"], "location": "Europe/Berlin"}},
    },
    "systems": {
        name: {"unwatched": dict.fromkeys(("instances", *system.exporters), "not placed in this test")}
        for name, system in system_files.load().items()
    },
}
"""A stack of Prometheus, Alertmanager and node-exporter with one receiver."""

PATIENCE: Final = 12.0
"""Seconds for which a check waits in these tests."""

IDLE: Final = ["sh", "-c", "trap 'exit 0' TERM INT; sleep 3600 & wait"]


@dataclass(kw_only=True)
class Stack:
    """The stack under test: its project folder, its data folder, and what its receiver answers."""

    root: Path
    data: Path
    client: docker.DockerClient = field(default_factory=docker.from_env)
    answer: int = 200

    @property
    def environment(self) -> dict[str, str]:
        """Variables with which `obs` uses this stack's folders."""
        return {**os.environ, "OBS_DATA_DIR": str(self.data), "OBS_PROJECT": str(self.root), "OBS_SKIP_CHECK": "1"}

    def obs(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run `./obs`."""
        command = [str(ROOT / "obs"), *arguments]
        return subprocess.run(
            command, env=self.environment, input=stdin, capture_output=True, text=True, check=False, timeout=600
        )

    def rows(self) -> list[Row]:
        """The rows of the quick `verify`, which waits less than the command does."""
        script = (
            "import json, sys, time, dataclasses\n"
            "from observability.cli.look import load_all\n"
            "from observability.operations.home import Home\n"
            "from observability.operations.preflight import connect\n"
            "from observability.operations.verify import Subject, verify\n"
            "from observability.synth.record import record\n"
            "config, rules = load_all(sys.argv[1])\n"
            "secrets = Home.find().secrets(sys.argv[1])\n"
            "subject = Subject(config=config, declared=record(config, rules, secrets), client=connect(),\n"
            "                  secrets=secrets, deadline=time.monotonic() + float(sys.argv[2]))\n"
            "print(json.dumps([dataclasses.asdict(row) for row in verify(subject, quick=True)]))\n"
        )
        done = subprocess.run(
            [sys.executable, "-P", "-c", script, STACK, str(PATIENCE)],
            env={**self.environment, "PYTHONPATH": str(ROOT)},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        return [Row(**{**row, "repair": tuple(row["repair"])}) for row in json.loads(done.stdout)]

    def name(self, service: str) -> str:
        """A service's container."""
        return naming.container(STACK, service)

    def in_volume(self, service: str, script: str, role: str = "config") -> None:
        """Run a shell script, as root, in the folder of a service's current configuration."""
        folder = "/v/current" if role == "config" else "/v"
        self.client.containers.run(
            PINS["alertmanager"],
            ["-c", f"cd {folder} && {script}"],
            entrypoint="sh",
            user="0:0",
            volumes={naming.volume(STACK, service, role): {"bind": "/v", "mode": "rw"}},
            remove=True,
        )

    def edit(self, service: str, file: str, change: Callable[[Any], None], *, reload: str = "") -> None:
        """Change a YAML file of a service's configuration in its volume, then reload it."""
        document = load_yaml(self.read(service, file))
        change(document)
        self.write(service, file, yaml.safe_dump(document, sort_keys=False))
        if reload:
            http.post(f"{reload}/-/reload", timeout=30).raise_for_status()

    def read(self, service: str, file: str) -> str:
        """A file of a service's current configuration."""
        done = self.client.containers.run(
            PINS["alertmanager"],
            [f"/v/current/{file}"],
            entrypoint="cat",
            user="0:0",
            volumes={naming.volume(STACK, service, "config"): {"bind": "/v", "mode": "ro"}},
            remove=True,
        )
        return bytes(done).decode()

    def write(self, service: str, file: str, text: str) -> None:
        """Replace a file of a service's current configuration."""
        self.in_volume(service, f"cat > {file} <<'END-OF-FILE'\n{text}\nEND-OF-FILE\nchmod 0644 {file}")

    def recreate(self, service: str, change: Callable[[dict[str, Any], dict[str, Any]], None]) -> None:
        """Replace a container with one of the same name that differs: `change` gets its Config and HostConfig."""
        api, name = self.client.api, self.name(service)
        seen = api.inspect_container(name)
        config, host = seen["Config"], seen["HostConfig"]
        config.pop("Hostname", None)
        change(config, host)
        api.remove_container(name, force=True)
        ends = {} if host["NetworkMode"] == "host" else {naming.network(STACK): {"Aliases": [service]}}
        body = {**config, "HostConfig": host, "NetworkingConfig": {"EndpointsConfig": ends}}
        api.create_container_from_config(body, name=name)  # type: ignore[no-untyped-call]
        api.start(name)

    def silence(self, until: datetime, **matcher: object) -> None:
        """Add a silence."""
        document = {
            "matchers": [{"isEqual": True, **matcher}],
            "startsAt": datetime.now(UTC).isoformat(),
            "endsAt": until.isoformat(),
            "createdBy": "somebody",
            "comment": "sabotage",
        }
        http.post(f"{ALERTMANAGER}/api/v2/silences", json=document, timeout=10).raise_for_status()

    def end_silences(self) -> None:
        """Expire every silence."""
        for one in http.get(f"{ALERTMANAGER}/api/v2/silences", timeout=10).json():
            if one["status"]["state"] != "expired":
                http.delete(f"{ALERTMANAGER}/api/v2/silence/{one['id']}", timeout=10)

    def sweep(self) -> None:
        """Remove everything of this stack from Docker, including what others made."""
        label: dict[str, Any] = {"label": f"{LABEL_STACK}={STACK}"}
        strangers = self.client.containers.list(all=True, filters={"name": f"^/{STACK}-stranger"}, ignore_removed=True)
        for container in [*self.client.containers.list(all=True, filters=label, ignore_removed=True), *strangers]:
            container.remove(force=True, v=True)
        for network in [
            *self.client.networks.list(filters=label),
            *self.client.networks.list(names=[f"{STACK}-other"]),
        ]:
            network.remove()
        for volume in self.client.volumes.list(filters=label):
            volume.remove(force=True)


@contextmanager
def running(folder: Path) -> Iterator[Stack]:
    """The stack, up and green, with a receiver on its gateway; removed at the end."""
    stack = Stack(root=folder / "project", data=folder / "data")
    stack.root.mkdir()
    document = {"config": {f"observability:{key}": value for key, value in SETTINGS.items()}}
    (stack.root / f"Pulumi.{STACK}.yaml").write_text(yaml.safe_dump(document))
    stack.sweep()
    try:
        done = stack.obs("secret", "set", "hookUrl", STACK, stdin=f"http://{GATEWAY}:{HOOK}/\n")
        assert done.returncode == 0, done.stderr
        done = stack.obs("up", STACK)
        assert done.returncode == 0, done.stdout + done.stderr
        with _receiver(stack):
            yield stack
    finally:
        stack.obs("down", STACK, "--volumes", "--yes")
        stack.sweep()


@contextmanager
def _receiver(stack: Stack) -> Iterator[None]:
    """A webhook on the gateway of the stack's network, which answers as the stack says."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", "0")))
            self.send_response(stack.answer)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            pass

    server = ThreadingHTTPServer((GATEWAY, HOOK), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
