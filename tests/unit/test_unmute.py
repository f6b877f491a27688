"""What a silenced alert mutes is sent: the script that runs next to Alertmanager, on responses of its API."""

import json
import subprocess
from collections.abc import Mapping
from typing import Any, Final

import pytest

from observability.alerting import alertmanager
from observability.alerting.alertmanager import SCRIPTS
from observability.alerting.inhibition import CAUSE_LABEL
from tests.unit.conftest import stack_config

START: Final = "2026-11-29T07:00:00.000Z"
NOW: Final = "2026-11-29T08:00:00Z"
LATER: Final = "2026-11-29T08:00:35Z"

HOST: Final = {
    "alertname": "HostDown",
    "severity": "critical",
    "condition": "down",
    "system": "depot",
    "host": "web-1",
}
REDIS: Final = {"alertname": "RedisDown", "severity": "critical", "system": "depot", "host": "web-1"}
ERRORS: Final = {
    "alertname": "CriticalErrorRate",
    "severity": "critical",
    "condition": "error_rate",
    "system": "depot",
}
DOWN: Final = {"summary": "Redis of depot is down"}
WARNING: Final = {**ERRORS, "alertname": "HighErrorRate", "severity": "warning"}


def alert(
    fingerprint: str,
    labels: Mapping[str, str],
    *,
    silenced: bool = False,
    muted_by: str | None = None,
    annotations: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """An alert of the response, its fields in Alertmanager's order and its labels in alphabetical order."""
    inhibited, silences = [muted_by] if muted_by else [], ["silence-1"] if silenced else []
    state = "suppressed" if inhibited or silences else "active"
    return {
        "annotations": dict(sorted((annotations or {}).items())),
        "endsAt": "2026-11-29T08:04:00.000Z",
        "fingerprint": fingerprint,
        "receivers": [{"name": "critical"}],
        "startsAt": START,
        "status": {"inhibitedBy": inhibited, "mutedBy": [], "silencedBy": silences, "state": state},
        "updatedAt": NOW,
        "generatorURL": "http://prometheus/graph?g0.expr=a&g0.tab=1",
        "labels": dict(sorted(labels.items())),
    }


def sent(*alerts: dict[str, Any]) -> list[dict[str, Any]]:
    """The alerts that the script sends after this response."""
    # Go escapes these three.
    answer = json.dumps(alerts, separators=(",", ":")).replace("&", "\\u0026").replace("<", "\\u003c")
    done = subprocess.run(
        ["awk", "-v", f"now={NOW}", "-v", f"later={LATER}", "-f", str(SCRIPTS / "unmute.awk")],
        input=answer + "\n",
        capture_output=True,
        text=True,
        check=True,
    )
    return [one for line in done.stdout.splitlines() for one in json.loads(line)]


def test_what_a_silenced_alert_mutes_is_sent_with_its_cause() -> None:
    (one,) = sent(alert("a", HOST, silenced=True), alert("b", REDIS, muted_by="a", annotations=DOWN))
    assert one == {
        "labels": {**REDIS, CAUSE_LABEL: "HostDown"},
        "annotations": DOWN,
        "startsAt": START,
        "endsAt": LATER,
        "generatorURL": "http://prometheus/graph?g0.expr=a&g0.tab=1",
    }


@pytest.mark.parametrize(
    "alerts",
    [
        [alert("a", HOST), alert("b", REDIS, muted_by="a")],
        [alert("a", HOST, silenced=True), alert("b", REDIS)],
        [alert("a", HOST, silenced=True), alert("b", REDIS, muted_by="a", silenced=True)],
        [alert("b", REDIS, muted_by="gone")],
        [alert("a", ERRORS, silenced=True), alert("b", WARNING, muted_by="a")],
        [],
    ],
    ids=["not silenced", "not muted", "both silenced", "source gone", "warning of its critical", "no alert"],
)
def test_nothing_is_sent_where_no_silenced_alert_mutes(alerts: list[dict[str, Any]]) -> None:
    assert sent(*alerts) == []


def test_a_warning_of_another_condition_is_sent_while_its_cause_is_silenced() -> None:
    source = alert("a", ERRORS, silenced=True)
    (one,) = sent(source, alert("b", {**WARNING, "condition": "error_budget"}, muted_by="a"))
    assert one["labels"][CAUSE_LABEL] == "CriticalErrorRate"


def test_a_sent_alert_is_kept_until_its_cause_is_no_longer_silenced() -> None:
    marked = alert("c", {**REDIS, CAUSE_LABEL: "HostDown"})
    muted = alert("b", REDIS, muted_by="a")
    assert [one["endsAt"] for one in sent(alert("a", HOST, silenced=True), muted, marked)] == [LATER]
    (over,) = sent(alert("a", HOST), muted, marked)
    assert (over["labels"], over["endsAt"]) == ({**REDIS, CAUSE_LABEL: "HostDown"}, NOW)
    assert [one["endsAt"] for one in sent(marked)] == [NOW]


@pytest.mark.parametrize("text", ['a "b" {"labels":{"x":"y"}} \\', "line\nbreak", "<&>", "ä€𝄞", '","startsAt":"x'])
def test_texts_are_sent_unchanged(text: str) -> None:
    named = {"fingerprint": "a", "startsAt": text}
    cause = alert("a", {**HOST, "instance": text}, silenced=True, annotations={"labels": text})
    (one,) = sent(cause, alert("b", {**REDIS, "instance": text}, muted_by="a", annotations=named))
    assert one["labels"] == {**REDIS, "instance": text, CAUSE_LABEL: "HostDown"}
    assert one["annotations"] == named
    assert one["startsAt"] == START


def test_the_scripts_are_next_to_alertmanagers_configuration() -> None:
    assert {"start.sh", "unmute.sh", "unmute.awk"} <= alertmanager.files(stack_config()).keys()
