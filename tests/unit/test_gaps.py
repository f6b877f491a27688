"""Settings with which alerts reach no receiver are found, and shown by `up`, `doctor` and `verify`."""

from datetime import UTC, datetime
from typing import Any

import pytest

from observability.alerting.alerts import Alert, Alerts
from observability.alerting.gaps import gaps
from observability.operations import parts
from observability.settings.load import StackConfig, secret_specs, validate
from tests.unit.conftest import REFERENCE
from tests.unit.on_call_rota import rota

NOW = datetime(2026, 1, 6, tzinfo=UTC)

LINKS = {
    "runbooks": "https://git.example.com/runbooks",
    "alertmanager": "https://alerts.example.com",
    "prometheus": "https://metrics.example.com",
    "grafana": "https://grafana.example.com",
}

COMPLETE: dict[str, Any] = {
    "notifications": {
        "receivers": {"hook": {"webhook": {}}, "pager": {"pagerduty": {}}},
        "default": ["hook"],
        "critical": ["hook", "pager"],
    },
    "links": LINKS,
}


def rule(name: str, **labels: str) -> Alert:
    return Alert(name=name, labels={"component": "application", **labels}, annotations={})


RULES: Alerts = {
    "HighErrorRate": (rule("HighErrorRate", severity="warning", page="no"),),
    "CriticalErrorRate": (rule("CriticalErrorRate", severity="critical", page="yes"),),
}


def stack(environment: str = "prod", /, **sections: Any) -> StackConfig:  # noqa: ANN401 - sections of the settings
    values = {**COMPLETE, "environment": environment, **sections}
    secrets = frozenset(secret_specs(values, REFERENCE)) - {"alertWebhookUrl", "oncallDepotUrl"}
    return validate("dev", values, secrets, REFERENCE)


def notified(**changes: Any) -> StackConfig:  # noqa: ANN401 - parts of the section
    return stack(notifications={**COMPLETE["notifications"], **changes})


def found(config: StackConfig, known: Alerts = RULES) -> dict[str, str]:
    """The problems, by the path of the setting."""
    return {gap.path: gap.what for gap in gaps(config, known, NOW)}


def test_a_complete_stack_has_no_gap() -> None:
    assert found(stack()) == {}


def test_a_stack_without_receivers_sends_no_alert() -> None:
    assert found(stack("dev", notifications={})) == {
        "notifications.receivers": "no alert is sent to anybody: there are no receivers"
    }


@pytest.mark.parametrize(
    ("changes", "path", "what"),
    [
        (
            {"default": [], "warning": ["hook"], "info": ["hook"], "critical": ["pager"]},
            "notifications.critical",
            "critical alerts with page=no have no receiver",
        ),
        ({"default": []}, "notifications.info", "info alerts have no receiver"),
        (
            {"warning": ["hook", "pager"], "critical": ["hook"]},
            "notifications.receivers.pager",
            "pager is never notified: it is a pager, and none of its alerts pages",
        ),
        (
            {"default": ["hook"], "critical": ["hook"], "components": {"proxy": ["pager"]}},
            "notifications.critical",
            "no receiver pages: a critical alert wakes nobody",
        ),
    ],
)
def test_alerts_without_a_receiver_and_receivers_without_alerts_are_found(
    changes: dict[str, Any], path: str, what: str
) -> None:
    assert found(notified(**changes))[path] == what


def test_a_receiver_of_a_team_that_no_watched_system_has_is_found() -> None:
    teams = {"depot": ["chat"]}
    receivers = {**COMPLETE["notifications"]["receivers"], "chat": {"discord": {}}}
    config = stack(
        "staging",
        notifications={**COMPLETE["notifications"], "teams": teams, "receivers": receivers},
        systems={"depot": {"instances": {"static": ["erp-1.example.com:8080"]}}},
    )
    assert "notifications.receivers.chat" not in found(config)
    nothing = {"HighErrorRate": (rule("HighErrorRate", severity="warning", team="studio"),)}
    assert found(config, nothing)["notifications.receivers.chat"] == "chat is never notified: no alert reaches it"


def test_links_that_open_only_on_the_host_are_found_outside_of_dev() -> None:
    gap = found(stack("staging", links={"runbooks": LINKS["runbooks"], "grafana": LINKS["grafana"]}))
    assert gap.keys() == {"links.alertmanager", "links.prometheus"}
    assert "http://127.0.0.1:9093, which opens on the stack's host alone" in gap["links.alertmanager"]
    assert "links.runbooks" in found(stack("staging", links={}))
    assert "links.grafana" in found(stack(links={**LINKS, "grafana": "http://localhost:3000"}))
    assert found(stack("dev", links={})) == {}


def test_a_schedule_without_a_receiver_and_an_escalation_that_goes_back_are_found() -> None:
    on_call = rota("rotations.leads.people", ["ben", "dora"])
    gap = found(stack(onCall=on_call))
    assert gap["onCall.schedules.depot"] == "no receiver calls the person on call for depot"
    assert gap["onCall.schedules.depot.escalation[0]"].startswith("from 2026-01-06 19:00 UTC it goes back to ben")


@pytest.mark.parametrize(("environment", "verdict"), [("dev", "warning"), ("prod", "failed")])
def test_a_gap_fails_verify_and_doctor_only_in_prod(environment: str, verdict: str) -> None:
    config = stack(environment, notifications={**COMPLETE["notifications"], "default": []})
    rows = {path: (found_verdict, detail) for path, found_verdict, detail in parts.receivers(config)}
    found_verdict, detail = rows["alerts: notifications.info"]
    assert found_verdict == verdict
    assert detail.startswith("info alerts have no receiver; name one that is not a pager in info or default")
