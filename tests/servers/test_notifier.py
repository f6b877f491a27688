"""The notifier beside a real Alertmanager and Prometheus: what arrives at receivers, with it and without it."""

import io
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from PIL import Image

from tests.servers.notifier_run import STORE, SYSTEM, URL, Servers, running
from tests.waits import until

ADDED = ("cause", "line_1", "line_2")

QUIET = 70
"""Seconds in which an update is muted and ends, and two messages of Prometheus replace annotations several times."""

LIMIT = timedelta(minutes=4)
"""From the start of an alert to its message: less than the wait of Alertmanager for a second message of the group.

How long the delivery takes is measured by tests/soak/test_delivery.py.
"""


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    """All three, for the tests of this file in their order."""
    with running() as found:
        # A panel is drawn when its alert starts: by then a watched system has samples.
        old = "/api/v1/query?query=shop_errors%20offset%2020s"
        until(lambda: found.api("prometheus", 9090, old)["data"]["result"])
        yield found


def fire(servers: Servers, errors: float) -> dict[str, Any]:
    """The shop fails; the first message at the webhook."""
    before = len(servers.world.of("hook"))
    servers.world.errors = errors
    until(lambda: len(servers.world.of("hook")) > before)
    return servers.world.of("hook")[before]


def recover(servers: Servers) -> list[dict[str, Any]]:
    """The shop works again; the messages at the webhook until no more follow."""
    before = len(servers.world.of("hook"))
    servers.world.errors = 0.0
    until(lambda: len(servers.world.of("hook")) > before)
    until(lambda: not servers.alerts())
    time.sleep(25)
    return servers.world.of("hook")[before:]


def in_time(servers: Servers, message: dict[str, Any]) -> bool:
    """Whether a message arrived within the limit after its alert's start."""
    (arrived,) = [at for at, name, one in servers.world.messages if name == "hook" and one is message]
    start = datetime.fromisoformat(message["alerts"][0]["startsAt"])
    return arrived - start.astimezone(UTC) <= LIMIT


def test_the_first_message_has_the_cause_and_the_lines_in_time(servers: Servers) -> None:
    message = fire(servers, 0.12)
    (alert,) = message["alerts"]
    assert alert["labels"]["system"] == SYSTEM
    assert alert["annotations"]["cause"].startswith(f"PostgreSQL {STORE} of {SYSTEM} is down")
    assert alert["annotations"]["line_1"] == f"2 × api: <b>could not connect to postgres {STORE}</b>: [31mrefused"  # noqa: RUF001
    assert alert["annotations"]["line_2"] == "api: order 17 failed"
    assert in_time(servers, message)
    text = until(lambda: servers.world.of("chat"))[0]["attachments"][0]["text"]
    assert text.startswith(f"*Cause:* PostgreSQL {STORE} of {SYSTEM} is down (")
    assert f"Log: 2 × api: ‹b›could not connect to postgres {STORE}‹/b›: [31mrefused\n" in text  # noqa: RUF001


def test_the_panel_is_drawn_and_served_without_sign_in(servers: Servers) -> None:
    address = until(lambda: servers.alerts()[0]["annotations"].get("picture"))
    base, _, name = address.rpartition("/")
    assert base == URL
    image = Image.open(io.BytesIO(servers.api("notifier", 9096, f"/pictures/{name}")))
    assert image.format == "PNG"
    assert image.info["Title"] == "Errors"


def test_evidence_is_there_again_after_each_message_of_prometheus(servers: Servers) -> None:
    missing = 0
    for _ in range(40):
        (alert,) = servers.alerts()
        missing += "cause" not in alert["annotations"]
        time.sleep(1)
    # Prometheus sent it two or three times.
    assert missing <= 8
    assert len(servers.world.of("hook")) == 1


def test_an_alert_that_got_worse_is_one_more_message_and_its_end_is_none(servers: Servers) -> None:
    servers.world.errors = 0.45
    message = until(lambda: servers.world.of("hook")[1:])[0]
    (update,) = [one for one in message["alerts"] if "update" in one["labels"]]
    assert update["annotations"]["update"] == "45% now, 12% in the last message"
    assert len(message["alerts"]) == 2
    text = until(lambda: servers.world.of("chat")[1:])[0]["attachments"][0]
    assert text["title"] == "[CRITICAL] Update: depot: 45% of requests fail (dev)"
    assert text["text"].startswith("*Update:* 45% now, 12% in the last message\n*Cause:* ")
    time.sleep(QUIET)
    assert len(servers.world.of("hook")) == 2
    until(lambda: [one["labels"]["alertname"] for one in servers.alerts()] == ["CriticalErrorRate"])
    assert len(servers.world.of("hook")) == 2


def test_the_end_of_an_alert_with_an_update_is_one_message(servers: Servers) -> None:
    (over,) = recover(servers)
    assert over["status"] == "resolved"
    (alert,) = over["alerts"]
    assert "update" not in alert["labels"]


@pytest.mark.parametrize("state", ["stopped", "paused"])
def test_without_the_notifier_the_message_is_plain_and_in_time(servers: Servers, state: str) -> None:
    servers.notifier.stop(timeout=5) if state == "stopped" else servers.notifier.pause()
    try:
        message = fire(servers, 0.12)
        assert in_time(servers, message)
        assert not message["alerts"][0]["annotations"].keys() & set(ADDED)
        (over,) = recover(servers)
        assert over["status"] == "resolved"
    finally:
        servers.notifier.start() if state == "stopped" else servers.notifier.unpause()
