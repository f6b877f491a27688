"""The notification commands against the real Alertmanager and doubles of the services that receive its messages."""

import re
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from observability.core import http
from tests.receivers.mail import MailDouble
from tests.receivers.services import HttpDoubles
from tests.spine.conftest import ALERTMANAGER, GATEWAY, STACK, Project, until

API = f"{ALERTMANAGER}/api/v2"

LATER = datetime.now(UTC) + timedelta(hours=12)

Done = subprocess.CompletedProcess[str]


@dataclass(frozen=True, kw_only=True)
class Told:
    """The stack, and the doubles that its receivers send to; one responds with 500, one does not exist."""

    project: Project
    http: HttpDoubles
    mail: MailDouble

    def obs(self, *arguments: str) -> Done:
        """Run a command."""
        return self.project.obs(*arguments)


@pytest.fixture(scope="module")
def told(started: Project) -> Iterator[Told]:
    """The spine with five receivers, of which three work."""
    usual = started.usual
    with HttpDoubles(GATEWAY) as http, MailDouble(GATEWAY) as mail:
        http.refuse("webhook", 500)
        notifications = {
            "smtp": {"host": GATEWAY, "port": mail.port, "sender": "alerts@example.com", "tls": False},
            "receivers": {
                "ops": {"email": {"to": ["ops@example.com"]}},
                "chat": {"slack": {"channel": "#alerts"}},
                "broken": {"webhook": {}},
                "gone": {"discord": {}},
            },
            "critical": ["ops", "chat"],
            "warning": {"receivers": ["chat"], "mute": ["always", "later"]},
            "info": ["broken", "gone"],
            "muteTimes": {"always": {}, "later": {"times": [f"{LATER:%H:%M}-{LATER + timedelta(minutes=5):%H:%M}"]}},
        }
        started.usual = {**usual, "notifications": notifications}
        started.configure()
        started.unsettled = True
        secrets = {"chatUrl": f"{http.url}/slack/T0/B0/x", "brokenUrl": f"{http.url}/webhook/x"}
        secrets["goneUrl"] = f"http://{GATEWAY}:9/discord/x"
        started.store_all(secrets)
        done = started.obs("up", STACK)
        assert done.returncode == 0, done.stderr
        yield Told(project=started, http=http, mail=mail)
        started.usual = usual
        started.forget()
        started.configure()


@pytest.fixture(scope="module")
def outcomes(told: Told) -> dict[str, Done]:
    """The results of testing every receiver, and an alert; both at once, as each takes ten seconds or more."""

    def tested(*arguments: str) -> Done:
        return told.obs("alert-test", *arguments, STACK)

    with ThreadPoolExecutor() as pool:
        every, alert = pool.submit(tested), pool.submit(tested, "CriticalErrorRate", "--system", "erpgo")
        return {"every": every.result(), "alert": alert.result()}


def rows(done: Done) -> dict[str, str]:
    """The line for each receiver, with repeated blanks collapsed."""
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    return {line.split()[1]: line for line in lines if line.startswith(("ok ", "FAIL ", "muted "))}


def ask(path: str, **params: str) -> Any:  # noqa: ANN401 - whatever the API answers
    answer = http.get(f"{API}/{path}", params=params, timeout=60)
    answer.raise_for_status()
    return answer.json()


def post(labels: dict[str, str], *, over: bool = False) -> None:
    """An alert that has fired for a while, so that its group is not waited for; or its resolution."""
    now = datetime.now(UTC)
    ends = now if over else now + timedelta(minutes=30)
    alert = {"labels": labels, "startsAt": (now - timedelta(minutes=5)).isoformat(), "endsAt": ends.isoformat()}
    http.post(f"{API}/alerts", json=[alert], timeout=60).raise_for_status()


def test_each_receiver_is_reported_as_delivered_or_with_its_servers_error(
    outcomes: dict[str, Done],
) -> None:
    done = outcomes["every"]
    assert done.returncode == 1, done.stdout + done.stderr
    found = rows(done)
    assert re.fullmatch(r"ok chat Slack #alerts delivered in \d+\.\d s", found["chat"])
    assert re.fullmatch(r"ok ops mail to ops@example\.com delivered in \d+\.\d s", found["ops"])
    assert re.search(r"unexpected status code 500.*\(\d+ attempts in \d+\.\d s\)", found["broken"])
    assert re.search(r"connection refused \(\d+ attempts in \d+\.\d s\)", found["gone"])
    assert "delivered: 2 of 4" in done.stdout


def test_a_test_message_states_that_it_is_a_test(told: Told, outcomes: dict[str, Done]) -> None:
    assert outcomes["every"].returncode == 1
    (mail,) = [one for one in told.mail.mails if "the receiver ops works" in str(one.part("plain"))][:1]
    assert "TEST" in mail.subject
    assert "This is only a test" in mail.part("plain")
    (message,) = [one for one in told.http.taken("slack") if "the receiver chat works" in str(one.payload)][:1]
    assert "TEST" in str(message.payload)
    assert told.http.wrong == []


def test_an_alert_takes_its_own_routes_and_reaches_all_receivers(outcomes: dict[str, Done]) -> None:
    done = outcomes["alert"]
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert [line.split(" delivered")[0] for line in lines if line.startswith("ok")] == [
        "ok critical ops mail to ops@example.com",
        "ok critical chat Slack #alerts",
    ]


def test_a_test_leaves_no_alert_and_sends_a_resolved_notice(told: Told, outcomes: dict[str, Done]) -> None:
    assert outcomes["every"].returncode == 1
    assert ask("alerts", filter='obs_test=~".+"') == []
    until(lambda: [one for one in told.mail.mails if "RESOLVED" in one.subject.upper()])


def test_a_silence_is_added_listed_with_what_it_mutes_and_expired(told: Told) -> None:
    labels = {"alertname": "HighResponseTime", "system": "syncup", "severity": "critical", "run": str(time.time_ns())}
    post(labels)
    try:
        until(lambda: ask("alerts", filter=f'run="{labels["run"]}"'))
        made = told.obs(
            *("silence", "add", "alertname=HighResponseTime,system=~sync.*", STACK, "--for", "2h"),
            *("--reason", "deploying 1.4", "--author", "ann"),
        )
        assert made.returncode == 0, made.stdout + made.stderr
        assert "mutes 1 alert now:\n  HighResponseTime critical syncup since " in made.stdout
        (short,) = re.findall(r"^([0-9a-f]{8}) active until ", made.stdout, re.MULTILINE)
        until(lambda: ask("alerts", filter=f'run="{labels["run"]}"')[0]["status"]["silencedBy"])
        listed = told.obs("silence", "list", STACK).stdout
        assert f'{short}  alertname="HighResponseTime", system=~"sync.*"' in listed
        assert "ann: deploying 1.4" in listed
        assert "mutes 1 alert now" in listed
        ended = told.obs("silence", "expire", short, STACK)
        assert ended.returncode == 0, ended.stderr
        after = told.obs("silence", "list", STACK).stdout
        assert re.search(rf"^{short} .*\n.*\n.*, expired ", after, re.MULTILINE), after
        assert ask("alerts", filter=f'run="{labels["run"]}"')[0]["status"]["silencedBy"] == []
    finally:
        post(labels, over=True)


def test_mute_times_are_active_as_reported_by_alertmanager(told: Told) -> None:
    labels = {"alertname": "HighResponseTime", "system": "syncup", "severity": "warning", "run": str(time.time_ns())}
    post(labels)
    try:

        def muted_by() -> list[str]:
            groups = ask("alerts/groups", filter=f'run="{labels["run"]}"')
            return [name for group in groups for one in group["alerts"] for name in one["status"]["mutedBy"]]

        assert until(muted_by) == ["always"]
        done = told.obs("mutes", STACK)
        assert done.returncode == 0, done.stdout + done.stderr
        always, later = done.stdout.split("later:")
        assert "always active" in always
        assert "muted now: HighResponseTime syncup for warning" in always
        assert f"not active now; next {LATER:%A %H:%M} until " in later
        assert "muted now" not in later
    finally:
        post(labels, over=True)
