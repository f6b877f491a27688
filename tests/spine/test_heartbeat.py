"""The dead-man's switch: the Watchdog arrives repeatedly at an address outside the stack."""

import re
import threading
from collections.abc import Iterator

import pytest

from demo.heartbeat import Heartbeat, server
from tests.spine.conftest import GATEWAY, STACK, Project, until

pytestmark = pytest.mark.usefixtures("started")

PORT = 19096
INTERVAL = 20.0


class Counted(Heartbeat):
    """A heartbeat that counts its pings."""

    def __init__(self) -> None:
        super().__init__(period=INTERVAL, grace=INTERVAL)
        self.pings = 0

    def ping(self) -> None:
        self.pings += 1
        super().ping()


@pytest.fixture
def outside() -> Iterator[Counted]:
    """The receiver of the pings, on the host's address in the stack's network."""
    counted = Counted()
    listener = server((GATEWAY, PORT), counted)
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    yield counted
    listener.shutdown()
    listener.server_close()


def test_pings_arrive_repeatedly_and_verify_reports_them(changed: Project, outside: Counted) -> None:
    changed.configure({"notifications": {"heartbeat": {"interval": f"{INTERVAL:.0f}s"}}})
    changed.store("heartbeatUrl", f"http://{GATEWAY}:{PORT}/ping/1234\n")
    done = changed.obs("up", STACK)
    assert done.returncode == 0, done.stdout + done.stderr

    until(lambda: outside.pings)
    verified = changed.obs("verify", STACK, "--quick")
    assert "the heartbeat leaves" in verified.stdout
    # Alerts of the stack itself may still fire about servers that earlier tests stopped.
    failed = [line for line in verified.stdout.splitlines() if re.match(r"\s*FAIL\s+(?!\s|alert )", line)]
    assert failed == [], verified.stdout
    until(lambda: outside.pings >= 3)
    assert outside.status()["state"] == "up"
