"""The notifier while an alert lasts and gets worse, and when it hangs: a second message comes after minutes alone.

tests/servers/test_notifier.py has its first message, its end, and the notifier stopped.
"""

import time
from collections.abc import Iterator

import pytest

from tests.servers.notifier_run import Servers, fire, recover, running, without
from tests.waits import until

QUIET = 70
"""Seconds in which an update is muted and ends, and two messages of Prometheus replace annotations several times."""


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    """All three, for the tests of this file in their order."""
    with running() as found:
        yield found


def test_evidence_is_there_again_after_each_message_of_prometheus(servers: Servers) -> None:
    fire(servers, 0.12)
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


def test_without_an_answer_of_the_notifier_the_message_is_plain_and_in_time(servers: Servers) -> None:
    without(servers, servers.notifier.pause, servers.notifier.unpause)
