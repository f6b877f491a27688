"""A separate checkout with a stack of its own, as the tests of running stacks use it."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import docker
import yaml

from observability.core import http
from observability.core.naming import LABEL_STACK
from tests.in_use import refuse_if_in_use
from tests.waits import HANG_SECONDS
from tools import checkout


@dataclass(kw_only=True)
class Project:
    """A separate checkout, and the way to run `obs` in it."""

    root: Path
    variables: Mapping[str, str]
    """Variables of its commands."""
    data: Path
    stack: str
    settings: Mapping[str, Any]
    """All that its stack file says, by key, unless a test changes it."""
    usual: dict[str, Any] = field(default_factory=dict)
    client: docker.DockerClient = field(default_factory=docker.from_env)
    unsettled: bool = False
    """Whether the stack may differ from the usual settings, until the next `up`."""

    @property
    def gateway(self) -> str:
        """The host's address in the stack's network."""
        return str(next(IPv4Network(self.settings["observability:network"]["subnet"]).hosts()))

    def port(self, service: str) -> int:
        """Where a service is published on loopback."""
        number: int = self.settings[f"observability:{service}"]["port"]
        return number

    def obs(self, *arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        """Run `./obs`; its output and exit code."""
        # The servers' own errors are seen only where no earlier check refuses the input.
        env = {**os.environ, "OBS_DATA_DIR": str(self.data), "OBS_SKIP_CHECK": "1", **self.variables, **environment}
        for name in ("PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"):
            env.pop(name, None)
        command = [str(self.root / "obs"), *arguments]
        return subprocess.run(
            command, env=env, input=stdin, capture_output=True, text=True, check=False, timeout=HANG_SECONDS
        )

    def up(self) -> None:
        """Bring the stack up as it is configured."""
        done = self.obs("up", self.stack)
        assert done.returncode == 0, done.stderr

    def configure(self, changes: dict[str, Any] | None = None) -> None:
        """Write the stack file: the usual settings, with these merged over each section by key; None removes a key."""
        values = {key: dict(value) if isinstance(value, dict) else value for key, value in self.settings.items()}
        for key, value in [*self.usual.items(), *(changes or {}).items()]:
            name = key if ":" in key else f"observability:{key}"
            values[name] = {**values.get(name, {}), **value} if isinstance(value, dict) else value
            if value is None:
                del values[name]
        (self.root / f"Pulumi.{self.stack}.yaml").write_text(yaml.safe_dump({"config": values}))

    def store(self, name: str, value: str) -> str:
        """Store a secret until `forget`; return the command's output."""
        done = self.obs("secret", "set", name, self.stack, stdin=value)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    def store_all(self, values: Mapping[str, str]) -> None:
        """Store secrets until `forget`."""
        done = self.obs("secret", "import", self.stack, stdin=json.dumps(values))
        assert done.returncode == 0, done.stderr

    def forget(self) -> None:
        """Remove the secrets of receivers: without a server at their addresses, messages would fail repeatedly."""
        for path in (self.data / "secrets" / self.stack).glob("*"):
            if path.name.endswith(("Url", "Token", "Key", "User")):
                path.unlink()

    def prometheus(self, path: str, **params: str) -> Any:  # noqa: ANN401 - whatever the API answers
        """The data of a response of the stack's Prometheus."""
        answer = http.get(f"http://127.0.0.1:{self.port('prometheus')}/api/v1/{path}", params=params, timeout=60)
        answer.raise_for_status()
        return answer.json()["data"]

    def started_at(self) -> str:
        """When Prometheus' process started, according to Docker."""
        return str(self.client.containers.get(f"obs-{self.stack}-prometheus").attrs["State"]["StartedAt"])

    def objects(self) -> set[str]:
        """Containers, networks and volumes of the stack that exist."""
        label = {"label": f"{LABEL_STACK}={self.stack}"}
        kinds: list[Any] = [self.client.containers, self.client.networks, self.client.volumes]
        listed: list[Any] = []
        for kind in kinds:
            listed += kind.list(all=True, filters=label) if kind is kinds[0] else kind.list(filters=label)
        return {str(found.name) for found in listed}

    def tracked(self) -> dict[str, bytes]:
        """Every file of the checkout."""
        return {str(path): path.read_bytes() for path in self.root.rglob("*") if path.is_file()}


def copied(folder: Path, stack: str, settings: Mapping[str, Any]) -> Project:
    """A copy of the checkout with its own data folder and a stack with these settings."""
    root = folder / "project"
    return Project(variables=checkout.copy(root), root=root, data=folder / "data", stack=stack, settings=settings)


@contextmanager
def in_use(folder: Path, stack: str, settings: Mapping[str, Any]) -> Iterator[Project]:
    """A copy with a stack of these settings; whatever that left is removed at the end.

    Refused where another stack has its name.
    """
    refuse_if_in_use(docker.from_env(), stack)
    found = copied(folder, stack, settings)
    found.configure()
    yield found
    # With everything that the tests started last, including the demo.
    found.usual = {}
    found.configure()
    done = found.obs("down", stack, "--volumes")
    assert done.returncode == 0, done.stderr


def up(project: Project, usual: dict[str, Any]) -> Project:
    """Bring the stack up with these settings merged over its own."""
    project.usual = usual
    project.configure()
    project.up()
    project.unsettled = False
    return project
