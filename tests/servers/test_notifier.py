"""The notifier beside a real Alertmanager and Prometheus: what arrives at receivers, with it and without it."""

import io
from collections.abc import Iterator

import pytest
from PIL import Image

from tests.servers.notifier_run import STORE, SYSTEM, URL, Servers, fire, in_time, recover, running, without
from tests.waits import until


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    """All three, for the tests of this file in their order."""
    with running() as found:
        yield found


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


def test_the_end_of_an_alert_is_one_message(servers: Servers) -> None:
    (over,) = recover(servers)
    assert over["status"] == "resolved"


def test_without_the_notifier_the_message_is_plain_and_in_time(servers: Servers) -> None:
    without(servers, servers.notifier.stop, servers.notifier.start)
