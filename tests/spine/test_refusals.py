"""Wrong use and invalid configuration: exit 2, the problem, how to fix it, no traceback, nothing changed."""

import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.spine.conftest import STACK, Project


def write_broken_rule(project: Project) -> None:
    (project.root / "rules" / "broken.yaml").write_text("groups: [\n")


def setting(**changes: Any) -> Callable[[Project], None]:  # noqa: ANN401 - any setting
    return lambda project: project.configure(changes)


LINKS = {name: f"https://{name}.example.com" for name in ("runbooks", "prometheus", "alertmanager", "grafana")}
"""Without these, prod is refused before its secrets are checked."""

CASES: list[tuple[str, Callable[[Project], None], str]] = [
    ("an unknown key", setting(prometheus={"scrapInterval": "5s"}), "scrapInterval: unknown key"),
    ("a wrong type", setting(prometheus={"port": "many"}), "observability:prometheus.port: 'many'"),
    ("an impossible duration", setting(prometheus={"retention": "0s"}), "observability:prometheus.retention"),
    ("a rule file that does not parse", write_broken_rule, "broken.yaml:1:9: not valid YAML"),
    (
        "two services with one name",
        setting(exporters=[{"name": "prometheus", "image": "a/b:1", "port": 1}]),
        "two services have the name 'prometheus'",
    ),
    ("a pin without a tag", setting(images={"overrides": {"prometheus": "prom/prometheus"}}), "has no tag"),
    (
        "a required secret missing in prod",
        setting(environment="prod", links=LINKS),
        "alertWebhookUrl is required in prod",
    ),
]


def refused(done: subprocess.CompletedProcess[str], message: str) -> None:
    """Two lines on standard error, at the end: the message in the first."""
    assert done.returncode == 2, done.stdout + done.stderr
    what, fix = done.stderr.strip().splitlines()[-2:]
    assert message in what
    assert fix
    assert "Traceback" not in done.stderr


def running(project: Project) -> dict[str, str]:
    """Identity of every container of the spine."""
    found = project.client.containers.list(all=True, filters={"name": f"obs-{STACK}-"}, ignore_removed=True)
    return {str(container.name): str(container.id) for container in found}


@pytest.mark.parametrize(("break_it", "message"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_it_is_refused_and_nothing_is_changed(
    spine: Project, break_it: Callable[[Project], None], message: str
) -> None:
    before = running(spine)
    (spine.data / "secrets" / STACK / "alertWebhookUrl").unlink(missing_ok=True)
    break_it(spine)
    try:
        refused(spine.obs("up", STACK), message)
    finally:
        spine.configure()
        (spine.root / "rules" / "broken.yaml").unlink(missing_ok=True)
    assert running(spine) == before


def test_an_unknown_stack_is_refused(project: Project) -> None:
    refused(project.obs("up", "nowhere"), "there is no stack 'nowhere'")


def test_a_port_in_use_is_refused(spine: Project) -> None:
    before = running(spine)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        spine.configure({"prometheus": {"port": port}})
        try:
            refused(spine.obs("up", STACK), f"port {port} of 127.0.0.1, wanted by prometheus, is already taken")
        finally:
            spine.configure()
    assert running(spine) == before


@pytest.mark.parametrize("command", ["up", "verify", "status"])
def test_an_engine_that_is_not_reachable_is_named(project: Project, command: str, tmp_path: Path) -> None:
    nowhere = f"unix://{tmp_path}/docker.sock"
    done = project.obs(command, STACK, DOCKER_HOST=nowhere)
    refused(done, "does not answer")
    assert str(tmp_path) in done.stderr
