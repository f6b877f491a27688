"""GoAlert itself, with its database, in the stack: filled from the rota, notified by Alertmanager, and escalating.

About 5 minutes. If GoAlert's image is not available this is skipped: the stack runs without it.
"""

import email
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from aiosmtpd.controller import Controller

from observability.alerting.goalert import parsed, stamp
from observability.alerting.on_call import on_call, shifts, stands
from observability.core import http
from observability.operations.goalert_api import Client
from observability.settings.on_call import OnCallSettings
from tests.live.conftest import GATEWAY, SPINE, STACK, Project, until
from tests.unit.on_call_rota import rota

SMTP_PORT: Final = 18026
ADDRESS: Final = "http://127.0.0.1:18081"

STEPS: Final = [{"after": "1m", "rotation": "leads"}, {"after": "2m", "person": "fatou"}]
"""The shortest delays that GoAlert accepts."""

SAID: Final[dict[str, Any]] = rota("schedules.erpgo.escalation", STEPS, "erpgo")


@dataclass
class Mails:
    """A mail server that keeps what it receives: the recipient, and the text."""

    got: list[tuple[str, str]] = field(default_factory=list)

    async def handle_DATA(self, _: object, __: object, envelope: Any) -> str:  # noqa: ANN401, N802 - aiosmtpd's name
        """Accept a mail."""
        parts = email.message_from_bytes(envelope.content).walk()
        texts = [part.get_payload(decode=True) for part in parts if part.get_content_type() == "text/plain"]
        text = b"".join(text for text in texts if isinstance(text, bytes)).decode()
        self.got += [(recipient, text) for recipient in envelope.rcpt_tos]
        return "250 OK"

    def about(self, summary: str) -> list[str]:
        """The recipients of the mails that contain this, in order."""
        return [recipient for recipient, text in self.got if summary in text]


@pytest.fixture(scope="module")
def goalert(project: Project) -> Iterator[Project]:
    """A stack with GoAlert in it."""
    project.usual = {
        **SPINE,
        "goalert": {"enabled": True, "port": 18081},
        "onCall": SAID,
        "notifications": {"smtp": {"host": GATEWAY, "port": SMTP_PORT, "sender": "alerts@example.com", "tls": False}},
    }
    project.configure()
    done = project.obs("up", STACK)
    assert done.returncode == 0, done.stderr
    if f"obs-{STACK}-goalert" not in project.objects():
        pytest.skip("GoAlert's image is not available here")
    yield project
    project.usual = {}


@pytest.fixture(scope="module")
def mails(goalert: Project) -> Iterator[Mails]:  # noqa: ARG001 - it brings the network
    """The mail server of the settings, on the stack's network, which exists by then."""
    found = Mails()
    server = Controller(found, hostname=GATEWAY, port=SMTP_PORT)
    server.start()
    yield found
    server.stop()


@pytest.fixture(scope="module")
def filled(goalert: Project, mails: Mails) -> Project:
    """The same with the rota in it, and every address confirmed."""
    assert goalert.obs("oncall-sync", STACK).returncode == 1
    until(lambda: len(mails.got) == 3, 120)
    for name, person in SAID["people"].items():
        (code,) = (re.findall(r"\b\d{6}\b", text)[0] for recipient, text in mails.got if recipient == person["email"])
        done = goalert.obs("oncall-verify", name, code, STACK)
        assert done.returncode == 0, done.stdout
    return goalert


def test_a_second_sync_changes_nothing(filled: Project) -> None:
    done = filled.obs("oncall-sync", STACK)
    assert (done.returncode, done.stdout) == (0, f"{STACK}: no change\n")


def test_goalert_has_the_same_person_on_call_every_quarter_hour_for_a_year(filled: Project) -> None:
    password = (filled.data / "secrets" / STACK / "goalertAdminPassword").read_text()
    client = Client(ADDRESS, ADDRESS, "admin", password)
    people = {user["id"]: user["email"].partition("@")[0] for user in client.all("users", "email")}
    (schedule,) = client.all("schedules", "timeZone")
    settings = OnCallSettings.model_validate(SAID)
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    for week in range(52):
        begin, end = start + timedelta(weeks=week), start + timedelta(weeks=week + 1)
        query = (
            "query ($id: ID!, $start: ISOTimestamp!, $end: ISOTimestamp!) "
            "{ one: schedule(id: $id) { shifts(start: $start, end: $end) { userID start end } } }"
        )
        answer = client.ask(query, id=schedule["id"], start=stamp(begin), end=stamp(end))["one"]["shifts"]
        theirs = [(parsed(one["start"]), parsed(one["end"]), people[one["userID"]]) for one in answer]
        ours = shifts(settings, "erpgo", begin, end)
        for quarter in range(7 * 96):
            moment = begin + timedelta(minutes=15 * quarter)
            said = [person for since, until_, person in theirs if since <= moment < until_]
            assert said == [next(shift.person for shift in ours if shift.start <= moment < shift.end)], moment


def test_an_alert_goes_to_the_person_on_call_then_the_next_and_closes_when_over(filled: Project, mails: Mails) -> None:
    assert filled.obs("up", STACK).returncode == 0
    settings = OnCallSettings.model_validate(SAID)
    began = datetime.now(UTC)
    labels = {"alertname": "ServiceDown", "severity": "critical", "system": "erpgo", "team": "erpgo"}
    alert = {"labels": labels, "annotations": {"summary": "erp-1 is down"}}

    def post(ends: datetime) -> None:
        http.post("http://127.0.0.1:19093/api/v2/alerts", json=[{**alert, "endsAt": stamp(ends)}]).raise_for_status()

    post(began + timedelta(hours=1))
    until(lambda: len(mails.about("erp-1 is down")) == 3, 240)
    steps = settings.schedules["erpgo"].escalation
    told = [on_call(settings, "erpgo", began).person, *(stands(settings, step, began) for step in steps)]
    assert mails.about("erp-1 is down") == [settings.people[name].email for name in told]
    assert timedelta(minutes=2) <= datetime.now(UTC) - began
    time.sleep(1)
    post(datetime.now(UTC))
    password = (filled.data / "secrets" / STACK / "goalertAdminPassword").read_text()
    client = Client(ADDRESS, ADDRESS, "admin", password)
    query = "{ alerts(input: {first: 5}) { nodes { status } } }"
    until(lambda: "StatusClosed" in json.dumps(client.ask(query)), 60)
