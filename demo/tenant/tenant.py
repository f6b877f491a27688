"""One demo on this machine: start, remove, show its state. It needs no monitoring stack."""

import re
import secrets as randomness
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import docker
from rich.console import Console

from demo.tenant import images
from demo.tenant.compose import Project, load
from demo.tenant.containers import Containers, ContainerState
from demo.tenant.options import TenantOptions
from observability.core.errors import ConfigError
from toolchain import ConsoleReport, ensure_images
from toolchain.cache import lock

COMPOSE: Final = Path(__file__).resolve().parent.parent / "compose.yaml"

PASSWORDS: Final = ("app-password", "monitoring-password")
"""The roles' passwords, by the name of their file: of the shop's role, and of the monitoring role."""

HEARTBEAT: Final = "heartbeatUrl"
"""The stack's secret with the address that receives the pings of its dead-man's switch."""

HEARTBEAT_PORT: Final = 8000
"""Port of the gateway address that receives the pings of a dead-man's switch."""


@dataclass(frozen=True, kw_only=True)
class Tenant:
    """A demo as its options describe it; `folder` holds its passwords, readable only by their owner."""

    options: TenantOptions
    folder: Path

    def passwords(self) -> dict[str, str]:
        """The passwords by name, generated on first use. Hexadecimal digits, so that they never need quoting."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        found = {}
        for name in PASSWORDS:
            path = self.folder / name
            if not path.is_file():
                draft = path.with_name(f".{name}.new")
                draft.touch(mode=0o600)
                draft.write_text(randomness.token_hex(24), encoding="utf-8")
                draft.replace(path)
            found[name] = path.read_text(encoding="utf-8")
        return found

    def stack_secrets(self, stack: str) -> dict[str, str]:
        """The secrets that a stack of this name needs to watch this demo, by their names there."""
        return {
            "socialSellingPostgresPassword": self.passwords()["monitoring-password"],
            HEARTBEAT: f"http://{self.options.gateway}:{HEARTBEAT_PORT}/ping/{stack}",
        }

    def owns(self, stack: str, name: str, stored: str | None) -> bool:
        """Whether the demo may set a stack's secret: another address that a user stored is kept.

        An address of this demo in another subnet, from before a change of the options, may be replaced too.
        """
        if stored is None or name != HEARTBEAT:
            return True
        return re.fullmatch(rf"http://[\d.]+:{HEARTBEAT_PORT}/ping/{re.escape(stack)}", stored) is not None

    def project(self) -> Project:
        """Its Compose project from `compose.yaml`."""
        options = self.options
        variables = {
            "DEMO_NAME": options.name,
            "DEMO_IMAGE": images.app_image(),
            "DEMO_SUBNET": str(options.subnet),
            "DEMO_GATEWAY": options.gateway,
            "DEMO_PORT": str(options.port),
            "DEMO_FAULT_PORT": str(options.fault_port),
            "DEMO_RATE": f"{options.rate:g}",
            "DEMO_OTLP": options.otlp or "",
            "DEMO_SECRETS": str(self.folder),
        }
        return load(COMPOSE, variables)

    def up(self, console: Console, say: Callable[[str], None]) -> list[ContainerState]:
        """Start it, images included, and wait until it is healthy; `say` is called with a line for each change.

        ConfigError if an image, a port or the network is not available; TenantError if a container fails.
        """
        self.passwords()
        project = self.project()
        with lock(f"tenant-{project.name}"):
            client = self._client(project, console)
            containers = Containers(client, project, COMPOSE.parent, self.folder)
            for line in containers.up():
                say(line)
            return containers.states()

    def plan(self, client: docker.DockerClient) -> list[str]:
        """What `up` would do, one line per change."""
        return Containers(client, self.project(), COMPOSE.parent, self.folder).plan()

    def down(self, client: docker.DockerClient, *, volumes: bool) -> list[str]:
        """Remove its containers and network, and with `volumes` its data and passwords; returns what was removed."""
        project = self.project()
        with lock(f"tenant-{project.name}"):
            removed = Containers(client, project, COMPOSE.parent, self.folder).down(volumes=volumes)
        if volumes:
            for name in PASSWORDS:
                (self.folder / name).unlink(missing_ok=True)
        return removed

    def states(self, client: docker.DockerClient) -> list[ContainerState]:
        """The state of its services in Docker."""
        return Containers(client, self.project(), COMPOSE.parent, self.folder).states()

    def _client(self, project: Project, console: Console) -> docker.DockerClient:
        """The engine, after every image is available; images that already exist are not reported."""
        wanted: dict[str, str] = {}
        for name, service in project.services.items():
            if service.image not in wanted.values():
                wanted[name] = service.image
        client, left_out = ensure_images(wanted, images.RECIPES, _Quiet(console))
        _refuse(left_out)
        return client


class _Quiet(ConsoleReport):
    """Reports what is obtained, not what already exists: a second `up` prints nothing."""

    def line(self, item: str, text: str) -> None:
        """Print the line, unless nothing had to be done."""
        if not text.startswith("found"):
            super().line(item, text)


def _refuse(left_out: Mapping[str, str]) -> None:
    for name, reason in left_out.items():
        raise ConfigError(f"the image of the demo's {name} is not available: {reason}", "see ./obs doctor")
