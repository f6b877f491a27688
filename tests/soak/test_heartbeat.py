"""A Prometheus or Alertmanager that is down is detected by the dead-man's switch in under three minutes."""

import logging
import re
import time
from typing import Any, Final

import pytest

from demo.tenant.tenant import HEARTBEAT_PORT
from observability.core import http
from tests.live.conftest import DEMO, STACK, Project, until

NOTICED_SECONDS: Final = 180

_log = logging.getLogger(__name__)


def container(stack: Project, service: str) -> Any:  # noqa: ANN401 - Docker's own object
    return stack.client.containers.get(f"obs-{STACK}-{service}")


def listener(stack: Project) -> Any:  # noqa: ANN401 - Docker's own object
    """The demo's container that expects the pings."""
    return stack.client.containers.get(f"{DEMO.name}-heartbeat")


def state() -> str:
    """What it reports about the pings."""
    return str(http.get(f"http://{DEMO.gateway}:{HEARTBEAT_PORT}/", timeout=5).json()["state"])


@pytest.mark.parametrize("service", ["prometheus", "alertmanager"])
def test_a_server_that_is_stopped_is_detected_in_under_three_minutes(stack: Project, service: str) -> None:
    until(lambda: state() == "up", 90)
    stopped = container(stack, service)
    since = int(time.time())
    start = time.monotonic()
    stopped.stop()
    try:
        until(lambda: state() == "down", NOTICED_SECONDS + 60)
        took = time.monotonic() - start
        _log.info("%s is missed after %.0f s", service, took)
        assert took < NOTICED_SECONDS
        until(lambda: b"alerts do not flow" in listener(stack).logs(since=since), 5)
    finally:
        stopped.start()
    until(lambda: state() == "up", 90)
    assert b"pings arrive again" in listener(stack).logs(since=since)


def test_verify_reports_a_heartbeat_that_no_server_accepts(stack: Project) -> None:
    row = re.compile(r"^(ok|FAIL) +the heartbeat leaves +(.*)$", re.MULTILINE)
    until(lambda: state() == "up", 90)
    expecting = listener(stack)
    expecting.stop()
    try:
        # Its window is an interval and two scrapes.
        time.sleep(75)
        said = row.search(stack.obs("verify", STACK, "--quick").stdout)
    finally:
        expecting.start()
    assert said
    assert said.groups() == ("FAIL", "the address of heartbeatUrl has not taken it within 64 s")
    until(lambda: state() == "up", 90)
    said = row.search(stack.obs("verify", STACK, "--quick").stdout)
    assert said
    assert said[1] == "ok"
