"""The dead-man's switch: the Watchdog arrives at an address outside the stack, as often as it should."""

import threading
import time
from collections.abc import Iterator

import pytest

from demo.heartbeat import Heartbeat, server
from tests.live.conftest import GATEWAY, STACK, Project, until

pytestmark = pytest.mark.usefixtures("spine")

PORT = 19096
INTERVAL = 20.0


class Noted(Heartbeat):
    """A heartbeat that remembers when its pings came."""

    def __init__(self) -> None:
        super().__init__(period=INTERVAL, grace=INTERVAL)
        self.times: list[float] = []

    def ping(self) -> None:
        self.times.append(time.monotonic())
        super().ping()


@pytest.fixture
def outside() -> Iterator[Noted]:
    """What expects the pings, on the host's address in the stack's network."""
    noted = Noted()
    listener = server((GATEWAY, PORT), noted)
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    yield noted
    listener.shutdown()
    listener.server_close()


def test_a_ping_arrives_in_every_interval_and_verify_says_so(settled: Project, outside: Noted) -> None:
    settled.configure({"notifications": {"heartbeat": {"interval": f"{INTERVAL:.0f}s"}}})
    settled.store("heartbeatUrl", f"http://{GATEWAY}:{PORT}/ping/1234\n")
    done = settled.obs("up", STACK)
    assert done.returncode == 0, done.stdout + done.stderr

    until(lambda: outside.times, 15)
    verified = settled.obs("verify", STACK, "--quick")
    assert "the heartbeat leaves" in verified.stdout
    assert verified.returncode == 0, verified.stdout
    until(lambda: len(outside.times) >= 3, 2 * INTERVAL + 5)
    first, second, third = outside.times[:3]
    assert second - first == pytest.approx(INTERVAL, abs=3)
    assert third - second == pytest.approx(INTERVAL, abs=3)
    assert outside.status()["state"] == "up"
