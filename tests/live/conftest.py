"""The stack `live`: a copy of the project with its own stack file, data folder, network and ports.

The parts that every stack has are tested on the spine, where commands are quick; tests of the whole stack run last.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import docker
import httpx
import pytest
import yaml

from observability.core.naming import LABEL_STACK
from observability.settings.load import ROOT
from tests.conftest import has_demo
from tests.in_use import refuse_if_in_use
from tests.waits import HANG_SECONDS as HANG_SECONDS
from tests.waits import until as until

if has_demo():
    from tests.live.settings import DEMO as DEMO
    from tests.live.settings import GATEWAY as GATEWAY
    from tests.live.settings import SETTINGS as SETTINGS
    from tests.live.settings import SPINE as SPINE
    from tests.live.settings import STACK as STACK

collect_ignore_glob = [] if has_demo() else ["*"]


@dataclass(kw_only=True)
class Project:
    """A separate checkout, and the way to run `obs` in it."""

    root: Path
    data: Path
    usual: dict[str, Any] = field(default_factory=dict)
    client: docker.DockerClient = field(default_factory=docker.from_env)

    def obs(self, *arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        """Run `./obs`; its output and exit code."""
        # The servers' own errors are seen only where no earlier check refuses the input.
        env = {**os.environ, "OBS_DATA_DIR": str(self.data), "OBS_SKIP_CHECK": "1", **environment}
        for name in ("PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"):
            env.pop(name, None)
        command = [str(self.root / "obs"), *arguments]
        return subprocess.run(
            command, env=env, input=stdin, capture_output=True, text=True, check=False, timeout=HANG_SECONDS
        )

    def configure(self, changes: dict[str, Any] | None = None) -> None:
        """Write the stack file: the usual settings, with these merged over each section by key; None removes a key."""
        values = {key: dict(value) if isinstance(value, dict) else value for key, value in SETTINGS.items()}
        for key, value in [*self.usual.items(), *(changes or {}).items()]:
            name = key if ":" in key else f"observability:{key}"
            values[name] = {**values.get(name, {}), **value} if isinstance(value, dict) else value
            if value is None:
                del values[name]
        (self.root / f"Pulumi.{STACK}.yaml").write_text(yaml.safe_dump({"config": values}))

    def store(self, name: str, value: str) -> str:
        """Store a secret until `forget`; return the command's output."""
        done = self.obs("secret", "set", name, STACK, stdin=value)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    def forget(self) -> None:
        """Remove the secrets of receivers: without a server at their addresses, messages would fail repeatedly."""
        for path in (self.data / "secrets" / STACK).glob("*"):
            if path.name.endswith(("Url", "Token", "Key", "User")):
                path.unlink()

    def prometheus(self, path: str, **params: str) -> Any:  # noqa: ANN401 - whatever the API answers
        """The data of a response of the stack's Prometheus."""
        answer = httpx.get(f"http://127.0.0.1:19090/api/v1/{path}", params=params, timeout=60)
        answer.raise_for_status()
        return answer.json()["data"]

    def started_at(self) -> str:
        """When Prometheus' process started, according to Docker."""
        return str(self.client.containers.get(f"obs-{STACK}-prometheus").attrs["State"]["StartedAt"])

    def objects(self) -> set[str]:
        """Containers, networks and volumes of the stack that exist."""
        label = {"label": f"{LABEL_STACK}={STACK}"}
        kinds: list[Any] = [self.client.containers, self.client.networks, self.client.volumes]
        listed: list[Any] = []
        for kind in kinds:
            listed += kind.list(all=True, filters=label) if kind is kinds[0] else kind.list(filters=label)
        return {str(found.name) for found in listed}

    def tracked(self) -> dict[str, bytes]:
        """Every file of the checkout."""
        return {str(path): path.read_bytes() for path in self.root.rglob("*") if path.is_file()}


def copied(folder: Path) -> Project:
    """A copy of the checkout with its own data folder."""
    root = folder / "project"
    ignored = shutil.ignore_patterns(".git", ".venv", ".*_cache", "__pycache__", "out")
    shutil.copytree(ROOT, root, ignore=ignored)
    (root / ".venv").symlink_to(ROOT / ".venv")
    return Project(root=root, data=folder / "data")


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The copy; whatever the stack left is removed at the end. Refused where another stack has its name."""
    refuse_if_in_use(docker.from_env(), STACK)
    found = copied(tmp_path_factory.mktemp("live"))
    found.configure()
    yield found
    # With everything that the tests started last, including the demo.
    found.usual = {}
    found.configure()
    done = found.obs("down", STACK, "--volumes")
    assert done.returncode == 0, done.stderr


AFTER_ALL: Final = ("test_alert_test", "test_notifications", "test_teardown")
"""Modules that leave alerts behind or destroy the stack, in this order, after those that need a healthy stack."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the tests of the whole stack after the others, so that the stack is extended once."""

    def place(item: pytest.Item) -> tuple[int, bool]:
        after = AFTER_ALL.index(item.path.stem) + 1 if item.path.stem in AFTER_ALL else 0
        return after, "stack" in getattr(item, "fixturenames", ())

    items.sort(key=place)


def _up(project: Project, usual: dict[str, Any]) -> Project:
    project.usual = usual
    project.configure()
    done = project.obs("up", STACK)
    assert done.returncode == 0, done.stderr
    return project


@pytest.fixture(scope="session")
def spine(project: Project) -> Project:
    """The project with the parts up that every stack has."""
    return _up(project, SPINE)


@pytest.fixture(scope="session")
def stack(project: Project) -> Project:
    """The project with its whole stack up."""
    return _up(project, {})


@pytest.fixture
def settled(project: Project) -> Iterator[Project]:
    """The stack that is up, reset to its usual settings after the test."""
    yield project
    project.forget()
    _up(project, project.usual)
