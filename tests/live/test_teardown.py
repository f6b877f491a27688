"""What remains when a stack is destroyed: its data, unless removed too. The last live test: nothing is up after it."""

import time

import docker
import pytest

from tests.live.conftest import SPINE, STACK, Project, until


def test_down_keeps_the_data_and_down_with_volumes_leaves_nothing(stack: Project) -> None:
    since = time.time()
    until(lambda: stack.prometheus("query", query="up")["result"])
    done = stack.obs("down", STACK)
    assert done.returncode == 0, done.stderr
    left = stack.objects()
    assert left
    assert all(name.endswith(("-data", "-config")) for name in left)
    for kept in left:
        assert stack.client.volumes.get(kept)
    with pytest.raises(docker.errors.NotFound):
        stack.client.networks.get(f"obs-{STACK}")
    # Enough to read what was kept.
    stack.configure(SPINE)
    assert stack.obs("up", STACK).returncode == 0
    old = stack.prometheus("query", query="up", time=str(since))["result"]
    assert {"prometheus", "alertmanager", "node", "loki", "postgres"} <= {series["metric"]["job"] for series in old}
    assert stack.obs("down", STACK, "--volumes").returncode == 0
    assert stack.objects() == set()
