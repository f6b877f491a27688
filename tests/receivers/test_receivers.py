"""The doubles refuse what the real services refuse; otherwise a passing test would prove nothing."""

import smtplib
from collections.abc import Iterator, Mapping
from email.message import EmailMessage
from typing import Any, Final

import httpx
import pytest

from observability.core import http
from tests.receivers.checks import SCHEMAS, markup_problem, problem
from tests.receivers.mail import MailDouble
from tests.receivers.services import TIMEOUT, HttpDoubles
from tests.receivers.stack import TOKENS, secrets

Payload = Mapping[str, Any]

SLACK: Final[Payload] = {"channel": "#a", "attachments": [{"fallback": "It", "title": "It", "text": "It &amp; that"}]}
PAGER: Final[Payload] = {
    "routing_key": TOKENS["pagerKey"],
    "event_action": "trigger",
    "dedup_key": "one",
    "payload": {"summary": "It", "source": "depot", "severity": "critical"},
    "links": [{"href": "https://example.com/runbook", "text": "Runbook"}],
}
TEAMS: Final[Payload] = {
    "type": "message",
    "attachments": [
        {
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": None,
            "content": {"type": "AdaptiveCard", "version": "1.2", "body": [{"type": "TextBlock", "text": "It"}]},
        }
    ],
}
DISCORD: Final[Payload] = {"embeds": [{"title": "It", "description": "It", "color": 1}]}
TELEGRAM: Final[Payload] = {"chat_id": "-100", "parse_mode": "HTML", "text": "<b>It</b> &lt; that"}
OPSGENIE: Final[Payload] = {"message": "It", "priority": "P1", "tags": ["critical"], "details": {"system": "depot"}}
PUSHOVER: Final[Payload] = {"token": "a" * 30, "user": "u" * 30, "message": "It", "priority": "0"}
ALERT: Final[Payload] = {
    "status": "firing",
    "labels": {"alertname": "A"},
    "annotations": {},
    "fingerprint": "1",
    "startsAt": "2026-01-01T00:00:00Z",
    "endsAt": "0001-01-01T00:00:00Z",
}
HOOK: Final[Payload] = {
    "version": "4",
    "groupKey": "{}",
    "status": "firing",
    "receiver": "hook",
    "groupLabels": {},
    "commonLabels": {},
    "externalURL": "http://alertmanager",
    "alerts": [ALERT],
}

RIGHT: Final[Mapping[str, tuple[str, Payload]]] = {
    "slack": ("/slack/x", SLACK),
    "slack-bot": ("/api/chat.postMessage", SLACK),
    "pagerduty": ("/v2/enqueue", PAGER),
    "msteams": ("/teams/x", TEAMS),
    "discord": ("/discord/x", DISCORD),
    "telegram": ("/bot1:x/sendMessage", TELEGRAM),
    "opsgenie": ("/v2/alerts", OPSGENIE),
    "pushover": ("/1/messages.json", PUSHOVER),
    "webhook": ("/webhook/x", HOOK),
}
"""For each channel its path and a valid payload."""

WRONG: Final[list[tuple[str, str, Payload]]] = [
    ("slack", "no attachment", {"text": "It", "attachments": []}),
    ("slack", "a bare <", {"attachments": [{"fallback": "It", "text": "a < b"}]}),
    ("slack", "a mention of everybody", {"attachments": [{"fallback": "It", "text": "<!channel>"}]}),
    ("slack", "a mention in the title", {"attachments": [{"fallback": "It", "text": "It", "title": "<!here>"}]}),
    ("slack", "a bare &", {"attachments": [{"fallback": "It", "text": "a & b"}]}),
    ("slack", "a long text", {"attachments": [{"fallback": "It", "text": "x" * 3001}]}),
    ("slack", "no colour", {"attachments": [{"fallback": "It", "text": "x", "color": "critical"}]}),
    ("slack", "an empty field", {"attachments": [{"fallback": "It", "text": "x", "fields": [{"title": "A"}]}]}),
    ("slack-bot", "no channel", {"attachments": SLACK["attachments"]}),
    ("pagerduty", "a short key", {**PAGER, "routing_key": "short"}),
    ("pagerduty", "an unknown severity", {**PAGER, "payload": {**PAGER["payload"], "severity": "urgent"}}),
    ("pagerduty", "no source", {**PAGER, "payload": {**PAGER["payload"], "source": ""}}),
    ("pagerduty", "a long summary", {**PAGER, "payload": {**PAGER["payload"], "summary": "x" * 1025}}),
    ("pagerduty", "a link to nowhere", {**PAGER, "links": [{"href": "runbooks/It.md"}]}),
    ("pagerduty", "an unknown action", {**PAGER, "event_action": "close"}),
    ("pagerduty", "an end of nothing", {"routing_key": PAGER["routing_key"], "event_action": "resolve"}),
    ("msteams", "no card", {"type": "message", "attachments": []}),
    ("msteams", "an old card", {"@type": "MessageCard", "text": "It"}),
    ("msteams", "a large card", {**TEAMS, "type": "message" + "x" * 30_000}),
    ("discord", "nothing", {}),
    ("discord", "a long title", {"embeds": [{"title": "x" * 257, "description": "It"}]}),
    ("discord", "a long description", {"embeds": [{"title": "It", "description": "x" * 4097}]}),
    ("discord", "too much in all", {"embeds": [{"title": "It", "description": "x" * 4000}] * 2}),
    ("discord", "no description", {"embeds": [{"title": "It", "description": ""}]}),
    ("telegram", "a bare <", {**TELEGRAM, "text": "1 < 2"}),
    ("telegram", "an open tag", {**TELEGRAM, "text": "<b>It"}),
    ("telegram", "a tag it does not know", {**TELEGRAM, "text": "<p>It</p>"}),
    ("telegram", "a link to nowhere", {**TELEGRAM, "text": '<a href="runbooks/It.md">It</a>'}),
    ("telegram", "a long text", {**TELEGRAM, "text": "x" * 4097}),
    ("telegram", "no chat", {"text": "It"}),
    ("opsgenie", "a long message", {**OPSGENIE, "message": "x" * 131}),
    ("opsgenie", "an unknown priority", {**OPSGENIE, "priority": "critical"}),
    ("opsgenie", "a long tag", {**OPSGENIE, "tags": ["x" * 51]}),
    ("opsgenie", "a long source", {**OPSGENIE, "source": "x" * 101}),
    ("opsgenie", "too many details", {**OPSGENIE, "details": {"a": "x" * 8000}}),
    ("pushover", "no message", {**PUSHOVER, "message": ""}),
    ("pushover", "a long message", {**PUSHOVER, "message": "x" * 1025}),
    ("pushover", "a token with a newline", {**PUSHOVER, "token": "a" * 30 + "\n"}),
    ("pushover", "an emergency that is never repeated", {**PUSHOVER, "priority": "2"}),
    ("pushover", "an emergency repeated too soon", {**PUSHOVER, "priority": "2", "retry": "5", "expire": "60"}),
    ("webhook", "no alerts", {**HOOK, "alerts": []}),
    ("webhook", "another version", {**HOOK, "version": "3"}),
]
"""The channel, the error, and the payload."""


@pytest.fixture
def doubles() -> Iterator[HttpDoubles]:
    with HttpDoubles() as found:
        yield found


def post(doubles: HttpDoubles, channel: str, payload: Payload, **headers: str) -> httpx.Response:
    path, _ = RIGHT[channel]
    if channel == "pushover":
        return http.post(doubles.url + path, params=payload, timeout=5)
    scheme = {"slack-bot": "Bearer x", "opsgenie": "GenieKey x"}
    known = {"Authorization": scheme[channel]} if channel in scheme else {}
    return http.post(doubles.url + path, json=payload, headers={**known, **headers}, timeout=5)


@pytest.mark.parametrize("channel", RIGHT)
def test_a_valid_message_is_accepted_and_kept(doubles: HttpDoubles, channel: str) -> None:
    answer = post(doubles, channel, RIGHT[channel][1])
    assert answer.is_success, answer.text
    assert [one.payload for one in doubles.taken(channel)] == [RIGHT[channel][1]]
    assert not doubles.wrong


@pytest.mark.parametrize(
    ("channel", "payload"), [(one[0], one[2]) for one in WRONG], ids=[" ".join(one[:2]) for one in WRONG]
)
def test_an_invalid_message_is_refused(doubles: HttpDoubles, channel: str, payload: Payload) -> None:
    answer = post(doubles, channel, payload)
    assert not answer.is_success or answer.json()["ok"] is False
    assert not doubles.taken(channel)
    assert len(doubles.wrong) == 1


def test_opsgenie_closes_an_alert_with_a_separate_request(doubles: HttpDoubles) -> None:
    url, key = f"{doubles.url}/v2/alerts/one/close?identifierType=alias", {"Authorization": "GenieKey x"}
    assert http.post(url, json={"source": "x"}, headers=key).status_code == 202
    assert http.post(url, json={"message": "x"}, headers=key).status_code == 422


@pytest.mark.parametrize("channel", ["slack-bot", "opsgenie"])
def test_a_message_without_its_key_is_refused(doubles: HttpDoubles, channel: str) -> None:
    post(doubles, channel, RIGHT[channel][1], Authorization="")
    assert [one.problem for one in doubles.deliveries] == ["not authorised"]


def test_invalid_json_is_refused(doubles: HttpDoubles) -> None:
    assert http.post(f"{doubles.url}/slack/x", content=b"{").status_code == 400


def test_an_unknown_path_is_refused(doubles: HttpDoubles) -> None:
    assert http.post(f"{doubles.url}/v1/enqueue", json=PAGER).status_code == 404
    assert doubles.wrong


@pytest.mark.parametrize("status", [500, 429])
def test_a_service_refuses_on_purpose_until_it_accepts_again(doubles: HttpDoubles, status: int) -> None:
    doubles.refuse("slack", status)
    assert post(doubles, "slack", SLACK).status_code == status
    assert post(doubles, "discord", DISCORD).is_success
    assert not doubles.taken("slack")
    doubles.accept("slack")
    assert post(doubles, "slack", SLACK).is_success
    assert [one.refused for one in doubles.deliveries if one.channel == "slack"] == [status, None]


def test_a_service_that_does_not_respond_accepts_nothing(doubles: HttpDoubles) -> None:
    doubles.refuse("slack", TIMEOUT)
    with pytest.raises(httpx.TimeoutException):
        http.post(f"{doubles.url}/slack/x", json=SLACK, timeout=0.2)
    assert not doubles.taken("slack")


def test_the_secrets_contain_the_addresses_of_the_doubles(doubles: HttpDoubles) -> None:
    found = secrets(doubles.url)
    assert http.post(found["slackUrl"], json=SLACK).is_success
    assert http.post(found["teamsUrl"], json=TEAMS).is_success
    assert http.post(found["discordUrl"], json=DISCORD).is_success
    assert http.post(found["hookUrl"], json=HOOK).is_success


def test_every_schema_names_the_page_it_was_written_from() -> None:
    texts = [path.read_text() for path in SCHEMAS.glob("*.json")]
    assert len(texts) == 10
    assert all("Written from https://" in text for text in texts)


def test_markup_is_parsed_as_html() -> None:
    assert markup_problem("<p>a<br>b <a href='https://x/'>c</a></p>") is None
    assert markup_problem("<p>a</b>") is not None
    assert markup_problem("<p>a") is not None
    assert problem("telegram", {**TELEGRAM, "text": "<b>" + "&lt;" * 4096 + "</b>"}) is None


def mail(html: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "alerts@example.com", "ops@example.com", "Ä critical alert"
    message["Date"], message["Message-Id"] = "Sat, 21 Nov 2026 12:00:00 +0000", "<1@example.com>"
    message.set_content("It is so")
    message.add_alternative(html, subtype="html")
    return message


def test_a_mail_is_kept_unchanged() -> None:
    with MailDouble() as double, smtplib.SMTP("127.0.0.1", double.port) as client:
        client.send_message(mail("<p>It is so</p>"))
        [found] = double.wait(lambda: double.mails)
    assert (found.subject, found.recipients, found.problem) == ("Ä critical alert", ("ops@example.com",), None)
    assert "It is so" in found.part("plain")
    assert "<p>It is so</p>" in found.part("html")


def test_a_mail_with_broken_html_is_invalid() -> None:
    with MailDouble() as double, smtplib.SMTP("127.0.0.1", double.port) as client:
        client.send_message(mail("<p><b>It is so</p>"))
        assert double.mails[0].problem is not None


def test_a_mail_server_refuses_on_purpose_until_it_accepts_again() -> None:
    with MailDouble() as double, smtplib.SMTP("127.0.0.1", double.port) as client:
        double.refuse()
        with pytest.raises(smtplib.SMTPDataError):
            client.send_message(mail("<p>It</p>"))
        double.accept()
        client.send_message(mail("<p>It</p>"))
        assert len(double.mails) == 1


@pytest.mark.filterwarnings("ignore:Requiring AUTH")
def test_a_mail_server_with_a_user_refuses_other_users() -> None:
    with MailDouble(user=("alerts", "right")) as double, smtplib.SMTP("127.0.0.1", double.port) as client:
        with pytest.raises(smtplib.SMTPException):
            client.send_message(mail("<p>It</p>"))
        with pytest.raises(smtplib.SMTPAuthenticationError):
            client.login("alerts", "wrong")
        client.login("alerts", "right")
        client.send_message(mail("<p>It</p>"))
        assert len(double.mails) == 1
