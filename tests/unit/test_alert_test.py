"""`obs alert-test`: what is sent, to which receivers, and how Alertmanager's counters and log are read."""

from typing import Any

import pytest
import typer
from prometheus_client.parser import text_string_to_metric_families
from typer.testing import CliRunner

from dashboards.linked_rules import files
from observability.alerting.alerts import alerts
from observability.cli.alert_test import Trial, alert_test, trial_of
from observability.core.errors import ConfigError
from observability.operations.deliveries import (
    Post,
    Refusal,
    Row,
    Samples,
    Tally,
    Watch,
    judge,
    muted_by,
    names_receivers,
    posts,
    refusals,
    tally,
)
from observability.operations.home import Home
from observability.parts.alertmanager import TURN_SECONDS
from observability.settings.load import StackConfig
from observability.settings.notifications import Receiver
from tests.unit.conftest import REFERENCE, stack_config

MAIL = Receiver.model_validate({"email": {"to": ["ops@example.com"]}})
SLACK = Receiver.model_validate({"slack": {"channel": "#alerts"}})

NOTIFICATIONS: dict[str, Any] = {
    "smtp": {"host": "smtp.example.com", "sender": "alerts@example.com"},
    "receivers": {
        "ops-mail": {"email": {"to": ["ops@example.com"]}},
        "boss-mail": {"email": {"to": ["boss@example.com"]}},
        "teams": {"msteams": {}},
        "slack-depot": {"slack": {"channel": "#depot"}},
        "digest": {"slack": {"channel": "#digest"}},
    },
    "default": ["ops-mail"],
    "critical": ["ops-mail", "teams", "boss-mail"],
    "info": ["digest"],
    "teams": {"depot": ["slack-depot"]},
}

CONFIG = stack_config("staging", {"notifications": NOTIFICATIONS})
RULES = alerts(files(CONFIG))

LOG = r"""
time=2026-11-21T12:30:10.111Z level=INFO source=app.go:194 msg="Starting Alertmanager" version="(version=0.34.2)"
time=2026-11-21T12:30:12.154Z level=WARN source=retry_stage.go:165 msg="Notify attempt failed, will retry later" component=dispatcher receiver=only-bad integration=webhook[0] aggrGroup="{}/{obs_receiver=\"bad\"}:{alertname=\"ObsAlertTest\"}" attempts=1 err="unexpected status code 500: {\"error\":\"out of order\"}"
time=2026-11-21T12:30:12.171Z level=ERROR source=dispatch.go:589 msg="Notify for alerts failed" component=dispatcher aggrGroup="{}/{obs_receiver=\"refused\"}:{alertname=\"ObsAlertTest\"}" num_alerts=1 err="only-refused/webhook[0]: notify retry canceled due to unrecoverable error after 1 attempts: unexpected status code 403: token hush-hush is wrong"
time=2026-11-21T12:30:22.154Z level=ERROR source=dispatch.go:589 msg="Notify for alerts failed" component=dispatcher aggrGroup="{}/{obs_receiver=\"bad\"}:{alertname=\"ObsAlertTest\"}" num_alerts=1 err="only-bad/webhook[0]: notify retry canceled after 7 attempts: unexpected status code 500: {\"error\":\"out of order\"}"
time=2026-11-21T12:30:22.156Z level=WARN source=retry_stage.go:165 msg="Notify attempt failed, will retry later" component=dispatcher receiver=only-bad integration=webhook[0] aggrGroup="{}/{obs_receiver=\"bad\"}:{alertname=\"ObsAlertTest\"}" attempts=1 err="unexpected status code 500: {\"error\":\"out of order\"}"
time=2026-11-21T12:30:23.000Z level=ERROR source=dispatch.go:589 msg="Notify for alerts failed" component=dispatcher aggrGroup="{}/{severity=\"critical\"}:{alertname=\"DiskFull\", system=\"depot\"}" num_alerts=1 err="critical/email[1]: notify retry canceled after 6 attempts: dial tcp: refused\ncritical/msteamsv2[0]: notify retry canceled after 2 attempts: 429"
"""  # noqa: E501 - as Alertmanager 0.34.2 writes it
"""Lines of Alertmanager's log."""

METRICS = """
# TYPE alertmanager_notifications_total counter
alertmanager_notifications_total{integration="webhook",receiver_name="only-bad"} %d
# TYPE alertmanager_notification_requests_total counter
alertmanager_notification_requests_total{integration="webhook",receiver_name="only-bad"} %d
# TYPE alertmanager_notification_requests_failed_total counter
alertmanager_notification_requests_failed_total{integration="webhook",receiver_name="only-bad"} %d
# TYPE alertmanager_notifications_failed_total counter
alertmanager_notifications_failed_total{integration="webhook",reason="serverError",receiver_name="only-bad"} %d
alertmanager_notifications_failed_total{integration="webhook",reason="clientError",receiver_name="only-bad"} 4
alertmanager_notifications_failed_total{integration="webhook",reason="serverError",receiver_name="only-good"} 9
"""


def samples(started: int, requests: int, refused: int, given_up: int) -> Samples:
    families = text_string_to_metric_families(METRICS % (started, requests, refused, given_up))
    return {(one.name, frozenset(one.labels.items())): one.value for family in families for one in family.samples}


def verdicts(rows: list[Row]) -> dict[str, tuple[str, str]]:
    return {row.post.name: (row.verdict, row.detail) for row in rows}


def trial(name: str | None = None, system: str | None = None, severity: str | None = None) -> Trial:
    return trial_of(CONFIG, RULES, name, system, severity, "a1b2c3d4")


def refused(name: str | None = None, system: str | None = None, config: StackConfig = CONFIG) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        trial_of(config, RULES, name, system, None, "a1b2c3d4")
    return caught.value


def test_without_a_name_every_receiver_is_tested_by_its_own_route() -> None:
    of = trial()
    assert [alert["labels"]["obs_receiver"] for alert in of.alerts] == [*NOTIFICATIONS["receivers"], "alert-webhook"]
    assert [post.receiver for post in of.posts] == [f"only-{name}" for name in CONFIG.notifications.receivers]
    assert all(post.index == 0 for post in of.posts)


def test_the_name_of_a_receiver_tests_only_that_receiver() -> None:
    of = trial("teams")
    assert [alert["labels"]["obs_receiver"] for alert in of.alerts] == ["teams"]
    assert [(post.receiver, post.integration) for post in of.posts] == [("only-teams", "msteamsv2")]


def test_an_alert_has_the_labels_of_its_rule_and_those_that_prometheus_adds() -> None:
    (alert,) = trial("CriticalErrorRate", "depot").alerts
    assert alert["labels"] == {
        "alertname": "CriticalErrorRate",
        "severity": "critical",
        "component": "application",
        "condition": "error_rate",
        "page": "yes",
        "system": "depot",
        "team": "depot",
        "obs_test": "a1b2c3d4",
        "environment": "staging",
        "cluster": "obs-staging",
    }
    assert alert["annotations"]["runbook_url"] == "runbooks/CriticalErrorRate.md"
    assert not [text for text in alert["annotations"].values() if "{{" in text]


@pytest.mark.parametrize("of", [trial("teams"), trial("CriticalErrorRate", "depot")])
def test_every_test_message_states_that_it_is_a_test(of: Trial) -> None:
    for alert in of.alerts:
        assert alert["labels"]["obs_test"] == "a1b2c3d4"
        assert alert["annotations"]["summary"].startswith("This is only a test")
        assert "obs alert-test" in alert["annotations"]["description"]


def test_an_alerts_routes_name_all_its_receivers() -> None:
    of = trial("CriticalErrorRate", "depot")
    assert [(post.name, *post.place) for post in of.posts] == [
        ("slack-depot", "team-depot", "slack[0]"),
        ("ops-mail", "critical", "email[0]"),
        ("teams", "critical", "msteamsv2[0]"),
        ("boss-mail", "critical", "email[1]"),
        ("alert-webhook", "critical", "webhook[0]"),
    ]
    assert of.wait == 10


def test_of_several_severities_the_highest_is_sent_unless_another_is_named() -> None:
    assert trial("AuthenticationFailureSpike", "depot").alerts[0]["labels"]["severity"] == "critical"
    warning = trial("AuthenticationFailureSpike", "depot", "warning")
    assert warning.alerts[0]["labels"]["severity"] == "warning"
    assert [post.receiver for post in warning.posts] == ["team-depot", "default", "default"]


def test_the_timeout_grows_with_the_number_of_alertmanagers() -> None:
    three = stack_config("staging", {"notifications": NOTIFICATIONS, "alertmanager": {"replicas": 3}})
    patience = trial_of(three, RULES, "teams", None, None, "a1b2c3d4").patience
    assert patience == trial("teams").patience + 2 * TURN_SECONDS


def test_the_command_does_not_wait_for_a_digest() -> None:
    of = trial("NewErrorType", "depot")
    assert of.posts == ()
    assert [post.receiver for post in of.later] == ["team-depot", "info", "info"]
    assert of.wait == 0


@pytest.mark.parametrize(
    ("name", "what", "fix"),
    [
        ("ops-mial", "there is no receiver and no alert 'ops-mial' in staging", "did you mean 'ops-mail'?"),
        ("HighErorRate", "there is no receiver and no alert 'HighErorRate'", "did you mean 'HighErrorRate'?"),
        ("prod", "there is no receiver and no alert 'prod'", "a stack is the last argument"),
        ("HighErrorRate", "HighErrorRate may be about any system", "./obs alert-test HighErrorRate --system"),
        ("Watchdog", "Watchdog is the heartbeat", "./obs verify staging"),
    ],
)
def test_a_name_that_is_not_a_receiver_or_an_alert_is_refused_with_the_fix(name: str, what: str, fix: str) -> None:
    error = refused(name)
    assert what in error.what
    assert fix in error.fix


def test_a_stack_without_receivers_has_nothing_to_test() -> None:
    from observability.settings.load import validate

    error = refused(config=validate("dev", {}, frozenset(), REFERENCE))
    assert error.what == "dev has no receivers, so alerts are not sent"
    assert "observability:notifications of Pulumi.dev.yaml" in error.fix


def test_wrong_use_is_refused_without_a_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Home, "config", lambda _home, _stack: stack_config("dev", {"alertmanager": {"port": 1}}))
    app = typer.Typer()
    app.command()(alert_test)
    assert isinstance(CliRunner().invoke(app, ["nobody"]).exception, ConfigError)
    unanswered = CliRunner().invoke(app, [])
    assert unanswered.exit_code == 1
    assert "Alertmanager of dev at http://127.0.0.1:1: " in unanswered.output


def test_integrations_are_numbered_within_their_kind_as_alertmanager_numbers_them() -> None:
    found = posts("critical", {"a": MAIL, "b": SLACK, "c": MAIL, "d": SLACK})
    assert [post.place for post in found] == [
        ("critical", "email[0]"),
        ("critical", "slack[0]"),
        ("critical", "email[1]"),
        ("critical", "slack[1]"),
    ]


def test_the_increase_of_the_counters_is_the_result_of_the_message() -> None:
    before = samples(5, 20, 12, 2)
    assert tally(before, samples(6, 21, 12, 2), "only-bad", "webhook") == Tally(accepted=1, refused=0, given_up=0)
    assert tally(before, samples(6, 27, 19, 3), "only-bad", "webhook") == Tally(
        accepted=0, refused=7, given_up=1, reasons=("serverError",)
    )


def test_counters_that_a_reload_reset_are_read_from_zero() -> None:
    assert tally(samples(5, 20, 12, 2), samples(1, 1, 0, 0), "only-bad", "webhook").accepted == 1


def test_counters_without_receivers_are_detected() -> None:
    assert names_receivers(samples(0, 0, 0, 0))
    assert not names_receivers({("alertmanager_notifications_total", frozenset({("integration", "slack")})): 1})


def test_a_servers_error_is_read_from_the_log_with_all_attempts() -> None:
    found = refusals(LOG, "ObsAlertTest")
    assert found["only-bad", "webhook[0]"] == Refusal(
        text='unexpected status code 500: {"error":"out of order"}', attempts=7
    )
    assert found["only-refused", "webhook[0]"].text == "unexpected status code 403: token hush-hush is wrong"
    assert len(found) == 2


def test_errors_of_another_alert_are_ignored() -> None:
    assert refusals(LOG, "DiskFull") == {
        ("critical", "email[1]"): Refusal(text="dial tcp: refused", attempts=6),
        ("critical", "msteamsv2[0]"): Refusal(text="429", attempts=2),
    }


def test_a_secret_in_a_servers_error_is_omitted() -> None:
    found = refusals(LOG, "ObsAlertTest", ["hush-hush"])
    assert found["only-refused", "webhook[0]"].text == "unexpected status code 403: token [secret] is wrong"


def test_an_html_page_as_the_error_is_cut_to_one_line() -> None:
    log = LOG.replace("out of order", r"<html>\n  <p>" + "x" * 900)
    text = refusals(log, "ObsAlertTest")["only-bad", "webhook[0]"].text
    assert len(text) == 301
    assert "<html> <p>x" in text


ONE = Post(name="hook", receiver="only-hook", integration="webhook", index=0)
KEY = ("only-hook", "webhook")
REFUSED = Refusal(text="unexpected status code 500: no", attempts=7)


@pytest.mark.parametrize(
    ("watch", "refusal", "verdict", "detail"),
    [
        (
            Watch(tallies={KEY: Tally(accepted=1, refused=0, given_up=0)}, took={KEY: 0.42}),
            None,
            "ok",
            "delivered in 0.4 s",
        ),
        (
            Watch(tallies={KEY: Tally(accepted=1, refused=2, given_up=0)}, took={KEY: 3.1}),
            Refusal(text="unexpected status code 500: no", attempts=2),
            "ok",
            "delivered in 3.1 s, after 2 refusals: unexpected status code 500: no",
        ),
        (
            Watch(tallies={KEY: Tally(accepted=0, refused=7, given_up=1)}, took={KEY: 10.2}),
            REFUSED,
            "FAIL",
            "unexpected status code 500: no (7 attempts in 10.2 s)",
        ),
        (
            Watch(tallies={KEY: Tally(accepted=0, refused=1, given_up=1)}, took={KEY: 10.2}),
            Refusal(text="context deadline exceeded", attempts=1),
            "FAIL",
            "no answer in time (context deadline exceeded) (1 attempt in 10.2 s)",
        ),
        (
            Watch(tallies={KEY: Tally(accepted=0, refused=7, given_up=0)}),
            REFUSED,
            "FAIL",
            "unexpected status code 500: no (7 attempts, still trying)",
        ),
        (
            Watch(tallies={KEY: Tally(accepted=0, refused=3, given_up=1, reasons=("serverError",))}, took={KEY: 10.2}),
            None,
            "FAIL",
            "serverError (3 attempts in 10.2 s)",
        ),
        (Watch(), None, "FAIL", "no answer yet; Alertmanager keeps trying"),
        (Watch(muted={"only-hook": "mute time nights"}), None, "muted", "muted by mute time nights"),
    ],
)
def test_the_row_of_a_receiver_has_delivered_or_the_servers_error_and_the_time(
    watch: Watch, refusal: Refusal | None, verdict: str, detail: str
) -> None:
    said = {ONE.place: refusal} if refusal else {}
    assert verdicts(judge([ONE], watch, said)) == {"hook": (verdict, detail)}


def test_the_log_shows_which_of_two_receivers_of_one_kind_failed() -> None:
    two = posts("critical", {"ops": MAIL, "boss": MAIL})
    key = ("critical", "email")
    watch = Watch(tallies={key: Tally(accepted=1, refused=6, given_up=1)}, took={key: 20.2})
    said = {("critical", "email[1]"): Refusal(text="550 no such user", attempts=6)}
    assert verdicts(judge(two, watch, said)) == {
        "ops": ("ok", "delivered within 20.2 s"),
        "boss": ("FAIL", "550 no such user (6 attempts in 20.2 s)"),
    }


def test_two_receivers_of_one_kind_that_failed_without_an_error_are_both_named() -> None:
    two = posts("critical", {"ops": MAIL, "boss": MAIL})
    key = ("critical", "email")
    watch = Watch(tallies={key: Tally(accepted=0, refused=8, given_up=2, reasons=("other",))}, took={key: 20.2})
    found = verdicts(judge(two, watch, {}))
    assert [verdict for verdict, _ in found.values()] == ["FAIL", "FAIL"]


def test_what_mutes_an_alert_is_named() -> None:
    nothing: dict[str, list[str]] = {"silencedBy": [], "mutedBy": [], "inhibitedBy": []}
    assert muted_by(nothing, {}) == ""
    assert muted_by({**nothing, "silencedBy": ["12345678-9"]}, {}) == "silence 12345678"
    assert muted_by({**nothing, "mutedBy": ["nights"]}, {}) == "mute time nights"
    assert muted_by({**nothing, "inhibitedBy": ["f00"]}, {"f00": "HostDown"}) == "HostDown, which fires"
