"""Alerts are delivered although a component fails for a while: a receiver, Alertmanager, one of two Alertmanagers.

About 25 minutes. The alerts are rules that hold between two moments, so nothing has to be changed in between.
"""

import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final

import pytest

from tests.live.conftest import STACK, Project, until
from tests.soak.inbox import HANGS, URL, Inbox, Message, inbox

_log = logging.getLogger(__name__)

REFUSES_SECONDS: Final = 600
DOWN_SECONDS: Final = 300
"""How long a receiver refuses, and how long Alertmanager is down."""

BACK_SECONDS: Final = 60
"""The time within which everything arrives once it can: the next flush of a group, or Prometheus' next sending."""

ONCE_SECONDS: Final = 45
"""How long to wait for a duplicate message. A replica flushes every 10 s, and waits 4 s for the other."""

LOADED_SECONDS: Final = 40
"""How long the alerts may take to be loaded before the first of them is due."""

FOR_EVER: Final = 10.0**6

REFUSING: Final[Mapping[str, tuple[str, int]]] = {
    "/chat": ("slack", 500),
    "/pager": ("pagerduty", 429),
    "/hook": ("webhook", HANGS),
}
"""By path: Alertmanager's name of the channel, and how it is refused."""

WEBHOOKS: Final = ("/hook", "/other")
"""The paths whose messages are Alertmanager's own JSON."""

RECEIVERS: Final[dict[str, Any]] = {
    "chat": {"slack": {"channel": "#alerts"}},
    "pager": {"pagerduty": {"apiUrl": f"{URL}/pager"}},
    "hook": {"webhook": {}},
    "other": {"webhook": {}},
}
SECRETS: Final = {
    "chatUrl": f"{URL}/chat",
    "pagerKey": "0123456789abcdef0123456789abcdef",
    "hookUrl": f"{URL}/hook",
    "otherUrl": f"{URL}/other",
}


@pytest.fixture
def taken(settled: Project) -> Iterator[Inbox]:
    """What was posted to the receivers; the rule file of the test is removed afterwards."""
    with inbox() as found:
        yield found
    (settled.root / "rules" / "purpose.yaml").unlink(missing_ok=True)


def up(project: Project, alerts: Mapping[str, tuple[float, float]], replicas: int = 1) -> float:
    """Bring up the stack with all receivers and these alerts: from when until when each holds, in seconds.

    They are relative to the returned moment, in seconds since 1970.
    """
    notifications = {"receivers": RECEIVERS, "default": list(RECEIVERS)}
    project.configure({"notifications": notifications, "alertmanager": {"replicas": replicas}})
    for name, value in SECRETS.items():
        stored = project.obs("secret", "set", name, STACK, stdin=f"{value}\n")
        assert stored.returncode == 0, stored.stderr
    done = project.obs("up", STACK)
    assert done.returncode == 0, done.stdout + done.stderr
    start = time.time() + LOADED_SECONDS
    rules = [
        {
            "alert": name,
            "expr": f"(vector(time()) >= {start + begin:.0f}) < {start + end:.0f}",
            "labels": {
                "severity": "warning",
                "component": "monitoring",
                "condition": name.lower(),
                "system": "platform",
                "team": "platform",
            },
            "annotations": {"summary": f"{name} on purpose", "description": f"{name} holds for a while."},
        }
        for name, (begin, end) in alerts.items()
    ]
    document = {"groups": [{"name": "purpose", "interval": "1s", "rules": rules}]}
    (project.root / "rules" / "purpose.yaml").write_text(json.dumps(document))
    done = project.obs("up", STACK)
    assert done.returncode == 0, done.stdout + done.stderr
    assert time.time() < start, "the alerts were loaded too late"
    return start


def sleep_until(moment: float) -> None:
    time.sleep(max(moment - time.time(), 0))


def replica(project: Project, service: str) -> Any:  # noqa: ANN401 - Docker's own object
    return project.client.containers.get(f"obs-{STACK}-{service}")


def test_what_still_fires_is_delivered_once_receivers_accept_messages_again(spine: Project, taken: Inbox) -> None:
    taken.refuses.update({path: status for path, (_, status) in REFUSING.items()})
    lasting = {"FiresAtOnce": (0.0, FOR_EVER), "FiresLate": (REFUSES_SECONDS / 2, FOR_EVER)}
    start = up(spine, {**lasting, "FiresForAWhile": (60.0, REFUSES_SECONDS / 2)})

    def told(channel: str) -> Callable[[], object]:
        return lambda: taken.of("/other", "AlertmanagerNotificationsFailing", f'"integration":"{channel}"')

    for channel, _ in REFUSING.values():
        until(told(channel), 360)
        _log.info("%s is refused: told after %.0f s", channel, taken.messages[-1].at - start)
    for name in ("FiresAtOnce", "FiresForAWhile"):
        assert taken.of("/other", name), f"the receiver that works was not told of {name}"
    sleep_until(start + REFUSES_SECONDS)
    assert taken.refused.keys() == REFUSING.keys()
    assert not [one for one in taken.messages if one.path in REFUSING]

    taken.refuses.clear()
    back = time.time()
    for path in REFUSING:
        for name in lasting:
            message = until(partial(taken.of, path, name), BACK_SECONDS)[0]
            _log.info("%s heard of %s %.0f s after it took messages again", path, name, message.at - back)


def test_an_alert_that_began_while_alertmanager_was_down_arrives_when_it_is_back(spine: Project, taken: Inbox) -> None:
    start = up(spine, {"FiresMeanwhile": (30.0, FOR_EVER)})
    sleep_until(start)
    alertmanager = replica(spine, "alertmanager")
    alertmanager.stop()
    down = time.time()
    until(lambda: spine.prometheus("query", query='ALERTS{alertname="FiresMeanwhile"}')["result"], 60)
    sleep_until(down + DOWN_SECONDS)
    assert not taken.of("/other", "FiresMeanwhile")
    alertmanager.start()
    back = time.time()
    for path in ("/chat", "/pager", "/hook", "/other"):
        message = until(partial(taken.of, path, "FiresMeanwhile"), BACK_SECONDS)[0]
        _log.info("%s heard of it %.0f s after Alertmanager was back", path, message.at - back)


def test_of_two_alertmanagers_one_sends_each_message_also_while_either_is_stopped(
    spine: Project, taken: Inbox
) -> None:
    spans = {"BothRun": (0.0, 60.0), "FirstStopped": (125.0, 185.0), "SecondStopped": (270.0, 330.0)}
    end = 420.0
    start = up(spine, {**spans, "AllAlong": (0.0, end)}, replicas=2)

    def messages(name: str, status: str, path: str) -> list[Message]:
        return taken.of(path, f'"alertname":"{name}"', f'"status":"{status}"')

    def once(name: str, status: str, expected: float) -> None:
        """Exactly one message at every receiver, and no second one for a while."""
        for path in WEBHOOKS:
            first = until(partial(messages, name, status, path), 90)[0]
            _log.info("%s heard that %s is %s after %.0f s", path, name, status, first.at - start - expected)
        time.sleep(ONCE_SECONDS)
        for path in WEBHOOKS:
            assert len(messages(name, status, path)) == 1, f"{path}: {name} is {status}"

    members = 'min(alertmanager_cluster_members{job="alertmanager"})'
    until(lambda: spine.prometheus("query", query=members)["result"][0]["value"][1] == "2", 60)
    stopped = {"FirstStopped": "alertmanager", "SecondStopped": "alertmanager-2"}
    for name, (begin, over) in spans.items():
        sleep_until(start + begin - 5)
        if name in stopped:
            replica(spine, stopped[name]).stop()
        once(name, "firing", begin)
        once(name, "resolved", over)
        if name in stopped:
            replica(spine, stopped[name]).start()
    until(lambda: spine.prometheus("query", query=members)["result"][0]["value"][1] == "2", 60)
    sleep_until(start + end)
    for path in WEBHOOKS:
        assert len(messages("AllAlong", "firing", path)) == 1, f"{path}: told again as a replica came or went"
        # If a replica was restarted in between, Alertmanager may send a second resolved notice.
        until(partial(messages, "AllAlong", "resolved", path), BACK_SECONDS)
