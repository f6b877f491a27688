"""The dead-man's switch: where the Watchdog is sent, and the demo's receiver, which reports once that pings stop."""

import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import pytest

from demo.heartbeat import Heartbeat, server
from observability.alerting import alertmanager
from observability.alerting.routes import routes
from observability.core import http
from observability.core.documents import load_yaml
from observability.core.errors import ConfigError
from observability.core.types import seconds
from observability.settings.load import StackConfig, validate
from tests.unit.conftest import REFERENCE, stack_config


@dataclass
class Clock:
    """A clock that advances only when it is set."""

    now: float = field(default=1_800_000_000.0)

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True)
class Running:
    """A heartbeat of one minute with a grace period of half a minute, and its port."""

    heartbeat: Heartbeat
    clock: Clock
    client: httpx.Client

    def state(self) -> object:
        return self.client.get("/").json()["state"]


@pytest.fixture
def running() -> Iterator[Running]:
    clock = Clock()
    heartbeat = Heartbeat(60, 30, clock)
    made = server(("127.0.0.1", 0), heartbeat)
    threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    with http.client(base_url=f"http://127.0.0.1:{made.server_port}", trust_env=False) as client:
        yield Running(heartbeat, clock, client)
    made.shutdown()
    made.server_close()


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_a_request_with_any_method_of_the_protocol_is_a_ping(running: Running, method: str) -> None:
    assert running.state() == "new"
    answer = running.client.request(method, "/ping/stack")
    assert (answer.status_code, answer.text) == (200, "" if method == "HEAD" else "OK")
    assert running.client.get("/").json()["pings"] == 1
    assert running.state() == "up"


def test_a_long_message_is_a_ping_too(running: Running) -> None:
    assert running.client.post("/ping/stack", json={"alerts": ["x" * 300_000]}).status_code == 200
    assert running.state() == "up"


def test_a_status_request_is_not_a_ping(running: Running) -> None:
    for _ in range(3):
        running.client.get("/")
    assert running.client.get("/").json()["pings"] == 0
    assert running.client.post("/").status_code == 404
    assert running.client.get("/other").status_code == 404
    assert running.state() == "new"


def test_it_is_late_after_the_period_and_missing_after_the_grace(running: Running) -> None:
    running.client.post("/ping/stack")
    for later, state in ((60, "up"), (1, "grace"), (29, "grace"), (1, "down")):
        running.clock.now += later
        assert running.state() == state
    running.client.post("/ping/stack")
    assert running.state() == "up"


def test_a_heartbeat_without_any_ping_is_missing_as_well(running: Running) -> None:
    running.clock.now += 91
    assert running.state() == "down"
    assert running.client.get("/").json()["last_ping"] is None


def test_it_reports_once_that_pings_stopped_and_once_that_they_resumed(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    running.client.post("/ping/stack")
    running.clock.now += 90
    running.heartbeat.look()
    assert caplog.messages == []
    running.clock.now += 1
    for _ in range(3):
        running.heartbeat.look()
    running.clock.now += 9
    for _ in range(2):
        running.client.post("/ping/stack")
    assert [(record.levelno, record.getMessage()) for record in caplog.records if record.name == "heartbeat"] == [
        (logging.ERROR, "no ping for 91 s: alerts do not flow"),
        (logging.WARNING, "pings arrive again after 100 s without"),
    ]


def without_address(**values: object) -> StackConfig:
    """A dev stack that has no secret."""
    return validate("dev", values, frozenset(), REFERENCE)


def told(config: StackConfig) -> object:
    """The address to which Alertmanager sends the heartbeat."""
    document = load_yaml(alertmanager.files(config)["alertmanager.yaml"])
    (receiver,) = (one for one in document["receivers"] if one["name"] == "heartbeat")
    return receiver.get("webhook_configs")


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_pings_go_to_the_stored_address(stack: str) -> None:
    url_file = "/etc/alertmanager/current/secrets/heartbeatUrl"
    assert told(stack_config(stack)) == [{"url_file": url_file, "send_resolved": False}]


def test_without_a_stored_address_no_ping_is_sent() -> None:
    assert told(without_address()) is None


@pytest.mark.parametrize(("interval", "repeat"), [("1m", 55), ("20s", 15), ("5m", 295)])
def test_a_ping_is_due_just_before_the_interval_is_over(interval: str, repeat: float) -> None:
    (route,) = (
        one
        for one in routes(without_address(notifications={"heartbeat": {"interval": interval}}))
        if one.receiver == "heartbeat"
    )
    assert seconds(route.repeat_interval or "") == repeat
    assert (route.group_wait, route.group_interval) == ("0s", None)


@pytest.mark.parametrize("interval", ["10s", "2h", "often"])
def test_an_interval_that_cannot_be_met_is_refused(interval: str) -> None:
    with pytest.raises(ConfigError, match=r"notifications\.heartbeat\.interval"):
        without_address(notifications={"heartbeat": {"interval": interval}})
