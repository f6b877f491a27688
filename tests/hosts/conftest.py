"""The second host that the tests of this folder share."""

from collections.abc import Iterator

import pytest

from tests.hosts.lab import Host, second_host
from tests.hosts.stack import NAME, STACK, SUBNET, Monitored, monitored


@pytest.fixture(scope="session")
def host() -> Iterator[Host]:
    """A second host; skips where it cannot be made."""
    with second_host() as found:
        yield found


@pytest.fixture(scope="module")
def hosts_stack(host: Host, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monitored]:
    """The stack of these tests."""
    with monitored(tmp_path_factory.mktemp("hosts"), host) as found:
        yield found


@pytest.fixture(scope="module")
def running(hosts_stack: Monitored) -> Monitored:
    """The stack after `host add` and the first `up`."""
    added = hosts_stack.obs(
        "host", "add", NAME, "--docker", hosts_stack.host.ssh, "--edge", hosts_stack.host.gateway, STACK
    )
    assert added.returncode == 0, added.stderr
    values = hosts_stack.settings()
    values["hosts"][NAME]["subnet"] = SUBNET
    hosts_stack.configure(values)
    hosts_stack.up()
    return hosts_stack
