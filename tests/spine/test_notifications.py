"""From an alert to a message by every channel: the correct message, once, and one resolved notice.

The receivers are doubles that refuse what the real services refuse. Pushover, whose address cannot be set, and a mail
server that requires TLS and a password are in tests/receivers.
"""

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from observability.core import http
from observability.core.documents import load_yaml
from observability.settings.load import ROOT
from tests.live.told import Told, connected, told
from tests.receivers.mail import MailDouble
from tests.receivers.services import HttpDoubles
from tests.receivers.stack import CHANNELS
from tests.spine.conftest import ALERTMANAGER, Project

ALERTS: Final = f"{ALERTMANAGER}/api/v2/alerts"

GROUP_SECONDS: Final = 10
"""How long Alertmanager waits for more alerts of a group, and before it sends changes of it."""

OUTSIDE: Final = {"cluster": "obs-spine", "environment": "dev"}
"""The labels that Prometheus adds to every alert that it sends."""

Alert = dict[str, dict[str, str]]


def of_rule(name: str, file: str, labels: Mapping[str, str], page: str = "yes") -> Alert:
    """An alert as Prometheus creates it from a rule of the repository, for these labels of a series.

    Of the rules of one name, one for each severity or case, it is the first that pages, or does not.
    """

    def filled(text: str) -> str:
        return re.sub(r"\{\{ \$labels\.(\w+) \}\}", lambda match: labels[match[1]], text)

    groups = load_yaml((ROOT / "rules" / f"{file}.yaml").read_text())["groups"]
    named = [rule for group in groups for rule in group["rules"] if rule.get("alert") == name]
    rule = next(rule for rule in named if rule["labels"].get("page", "yes") == page)
    said = {**rule["annotations"], "runbook_url": f"https://git.example.com/runbooks/{name}.md"}
    return {
        "labels": {"alertname": name, "page": page, **rule["labels"], **labels, **OUTSIDE},
        "annotations": {key: filled(text) for key, text in said.items()},
    }


DOWN: Final = of_rule(
    "HostDown", "host", {"system": "erpgo", "team": "erpgo", "instance": "erp-1", "host": "erp-1", "job": "node"}
)
ON_IT: Final = [
    of_rule(
        "ServiceDown",
        "stack",
        {"system": system, "team": system, "instance": f"erp-1:{port}", "host": "erp-1", "job": job},
        page="no",
    )
    for system in ("erpgo", "syncup", "alawael")
    for job, port in (("app", 8080), ("postgres", 9187), ("redis", 9121), ("nginx", 9113), ("cadvisor", 8081))
    for port in (port, port + 10_000)
]
"""Thirty alerts of services on that host; the systems have instances on other hosts."""

ERRORS: Final = {
    "system": "syncup",
    "team": "syncup",
    **OUTSIDE,
    "component": "application",
    "condition": "error_rate",
}
FAILING: Final = [
    {
        "labels": {"alertname": name, "severity": severity, **ERRORS},
        "annotations": {"summary": "syncup: 12% of requests fail", "description": f"More than {limit} is too much."},
    }
    for name, severity, limit in (("HighErrorRate", "warning", "1%"), ("CriticalErrorRate", "critical", "5%"))
]
"""A warning and the critical alert of the same problem."""


def post(alerts: list[Alert], since: datetime, until: datetime | None = None) -> None:
    ends = until or datetime.now(UTC) + timedelta(minutes=30)
    times = {"startsAt": since.isoformat(), "endsAt": ends.isoformat()}
    http.post(ALERTS, json=[{**alert, **times} for alert in alerts], timeout=60).raise_for_status()


@dataclass(frozen=True, kw_only=True)
class Said:
    """What every channel received in the test, and when the alerts began."""

    by: Mapping[str, list[Told]]
    http: HttpDoubles
    mail: MailDouble
    since: datetime


@pytest.fixture(scope="module")
def doubles(started: Project) -> Iterator[tuple[HttpDoubles, MailDouble]]:
    """The receivers, and the stack that notifies them of every alert."""
    with connected(started) as found:
        yield found


@pytest.fixture(scope="module")
def said(doubles: tuple[HttpDoubles, MailDouble]) -> Said:
    """A host goes down with all that runs on it and a system fails; then both recover. Returns the messages sent."""
    http, mail = doubles
    since = datetime.now(UTC) - timedelta(minutes=1)
    everything = [DOWN, *ON_IT, *FAILING]

    def complete(over: bool) -> bool:
        return all(sum(one.over is over for one in messages) >= 2 for messages in told(http, mail).values())

    # The critical alerts first, as one that arrives while the warning's group is being sent would be too late.
    post([DOWN, FAILING[1]], since)
    post(everything, since)
    http.wait(lambda: complete(over=False))
    post(everything, since, until=datetime.now(UTC))
    http.wait(lambda: complete(over=True))
    time.sleep(GROUP_SECONDS + 1)
    return Said(by=told(http, mail), http=http, mail=mail, since=since)


@pytest.mark.parametrize("channel", CHANNELS.values())
def test_every_channel_gets_one_message_of_each_outage_and_one_when_it_ends(said: Said, channel: str) -> None:
    messages = said.by[channel]
    assert sorted(one.over for one in messages) == [False, False, True, True], messages


def test_every_message_is_valid_for_its_service(said: Said) -> None:
    assert [(one.channel, one.problem) for one in said.http.wrong] == []
    assert [one.problem for one in said.mail.mails if one.problem] == []


@pytest.mark.parametrize("channel", CHANNELS.values())
def test_a_critical_alert_sends_no_warning_as_well(said: Said, channel: str) -> None:
    assert not [one for one in said.by[channel] if "HighErrorRate" in one.text or "[WARNING]" in one.title]


@pytest.mark.parametrize("channel", CHANNELS.values())
def test_a_host_that_is_down_sends_one_message(said: Said, channel: str) -> None:
    assert len(ON_IT) == 30
    assert not [one for one in said.by[channel] if "ServiceDown" in one.text]


@pytest.mark.parametrize("channel", CHANNELS.values())
def test_a_message_describes_the_alert_and_has_its_links(said: Said, channel: str) -> None:
    (down,) = (one for one in said.by[channel] if not one.over and "erp-1" in one.text)
    description = DOWN["annotations"]["description"]
    assert description in down.text
    for word in ("Host erp-1 of erpgo is down", "erpgo", "dev", "host", "critical"):
        assert word in down.text
    if channel != "webhook":
        assert "[CRITICAL] Host erp-1 of erpgo is down (dev)" in down.title
        assert "https://git.example.com/runbooks/HostDown.md" in down.text
        assert f"{ALERTMANAGER}/#/silences/new?filter=%7Balertname%3D%22HostDown%22" in down.text
    if channel not in ("opsgenie", "webhook"):
        assert f"Since {said.since:%Y-%m-%d %H:%M:%S} UTC" in down.text


def test_a_mail_goes_to_every_address_and_has_a_plain_text_part(said: Said) -> None:
    for one in said.mail.mails:
        assert one.recipients == ("ops@example.com", "management@example.com")
        assert one.message["Auto-Submitted"] == "auto-generated"
        assert one.subject in one.part("html").replace("&#43;", "+")
        assert one.part("plain").startswith(one.subject)


def test_a_resolved_notice_closes_the_same_incident(said: Said) -> None:
    keys = [(one.payload["dedup_key"], one.payload["event_action"]) for one in said.http.taken("pagerduty")]
    assert {action for _, action in keys} == {"trigger", "resolve"}
    assert len({key for key, _ in keys}) == 2
    opened = {one.payload["alias"] for one in said.http.taken("opsgenie") if "message" in one.payload}
    closed = {one.path.split("/")[3] for one in said.http.taken("opsgenie") if "message" not in one.payload}
    assert opened == closed
    assert len(opened) == 2
