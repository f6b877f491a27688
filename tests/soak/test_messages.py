"""A fault of a demo system sends one correct message by every channel, and one resolved notice.

Five to fifteen minutes: an error rate is computed over five.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import pytest

from tests.live.conftest import STACK, Project
from tests.live.project import up
from tests.live.told import Told, connected, told
from tests.receivers.mail import MailDouble
from tests.receivers.services import HttpDoubles
from tests.receivers.stack import CHANNELS

SYSTEM: Final = "erpgo"
FAULT: Final = "critical-error-rate"
ALERT: Final = "CriticalErrorRate"

FIRES_SECONDS: Final = 15 * 60
RESOLVES_SECONDS: Final = 15 * 60


@pytest.fixture(scope="module")
def doubles(stack: Project) -> Iterator[tuple[HttpDoubles, MailDouble]]:
    """The receivers, and the whole stack that notifies them."""
    with connected(stack) as found:
        yield found
        stack.forget()
        up(stack, stack.usual)


@pytest.fixture(scope="module")
def messages(stack: Project, doubles: tuple[HttpDoubles, MailDouble]) -> Mapping[str, list[Told]]:
    """The messages about the fault's alert, by channel, from before the fault until after its end."""
    http, mail = doubles

    def of_fault() -> dict[str, list[Told]]:
        # The silence link of a message names its alert; Opsgenie's close request names only the incident.
        opened = {one.payload["alias"] for one in http.taken("opsgenie") if ALERT in str(one.payload)}
        found = {
            channel: [one for one in heard if ALERT in one.text and SYSTEM in one.text]
            for channel, heard in told(http, mail).items()
        }
        closed = [
            one for one in http.taken("opsgenie") if one.path.split("/")[3:4] and one.path.split("/")[3] in opened
        ]
        found["opsgenie"] += [Told(over=True, title="", text="") for _ in closed]
        return found

    def everywhere(over: bool) -> bool:
        return all(any(one.over is over for one in heard) for heard in of_fault().values())

    switched = stack.obs("fault", SYSTEM, FAULT, "--for", "1h", STACK)
    assert switched.returncode == 0, switched.stderr
    http.wait(lambda: everywhere(over=False), FIRES_SECONDS)
    assert stack.obs("fault", SYSTEM, FAULT, "--off", STACK).returncode == 0
    http.wait(lambda: everywhere(over=True), RESOLVES_SECONDS)
    return of_fault()


@pytest.mark.parametrize("channel", CHANNELS.values())
def test_a_fault_sends_one_message_and_one_resolved_notice(messages: Mapping[str, list[Told]], channel: str) -> None:
    assert [one.over for one in messages[channel]] == [False, True]


@pytest.mark.parametrize("channel", [one for one in CHANNELS.values() if one != "webhook"])
def test_the_message_has_the_value_and_the_threshold(messages: Mapping[str, list[Told]], channel: str) -> None:
    first = messages[channel][0]
    assert first.title.startswith(f"[CRITICAL] {SYSTEM}: ")
    assert "of requests fail" in first.title
    assert "above 10%" in first.text.replace("\\", "")


def test_every_message_is_valid_for_its_service(
    messages: Mapping[str, list[Told]], doubles: tuple[HttpDoubles, MailDouble]
) -> None:
    http, mail = doubles
    assert messages
    assert [(one.channel, one.problem) for one in http.wrong] == []
    assert [one.problem for one in mail.mails if one.problem] == []
