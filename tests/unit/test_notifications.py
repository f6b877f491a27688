"""The list of receivers: the routes and receivers generated from it, and what is refused."""

from typing import Any

import pytest

from observability.alerting import alertmanager, mute_times
from observability.alerting.routes import taken
from observability.core.documents import load_yaml
from observability.core.errors import ConfigError
from observability.settings.load import StackConfig, from_file, validate
from observability.settings.notifications import MuteTime, Receiver, receiver_secrets
from tests.unit.conftest import REFERENCE, base, stack_config

EVERY_CHANNEL: dict[str, Any] = {
    "smtp": {"host": "smtp.example.com", "sender": "alerts@example.com", "user": "alerts"},
    "receivers": {
        "ops-mail": {"email": {"to": ["ops@example.com", "ops2@example.com"]}},
        "slack-hook": {"slack": {"channel": "#alerts"}},
        "slack-bot": {"slack": {"channel": "#alerts", "bot": True}},
        "pager": {"pagerduty": {}},
        "teams": {"msteams": {}},
        "discord": {"discord": {}},
        "telegram": {"telegram": {"chatId": -100}},
        "opsgenie": {"opsgenie": {"region": "eu"}},
        "pushover": {"pushover": {}},
        "hook": {"webhook": {}, "resolved": False},
    },
    "default": ["ops-mail"],
    "critical": ["slack-hook", "slack-bot", "pager", "teams", "discord", "telegram", "opsgenie", "pushover", "hook"],
    "warning": {"receivers": ["slack-hook"], "mute": ["nights"]},
    "components": {"database": ["ops-mail"]},
    "teams": {"depot": ["hook"]},
    "muteTimes": {"nights": {"times": ["22:00-07:00"], "location": "Europe/Berlin"}},
}
"""A list with every kind of channel and audience."""


def config(notifications: dict[str, Any] | None = None, secrets: tuple[str, ...] | None = None) -> StackConfig:
    values = {"notifications": EVERY_CHANNEL if notifications is None else notifications}
    return stack_config("dev", values) if secrets is None else validate("dev", values, frozenset(secrets), REFERENCE)


def refused(notifications: dict[str, Any]) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        config(notifications)
    assert "\n" not in caught.value.what + caught.value.fix
    return caught.value


def rendered(of: StackConfig) -> dict[str, Any]:
    document: dict[str, Any] = load_yaml(alertmanager.files(of)["alertmanager.yaml"])
    return document


def test_every_secret_is_a_file_and_no_other_file_is_named() -> None:
    of = config()
    named = {
        value.removeprefix(f"{alertmanager.CONFIG_DIR}/")
        for receiver in rendered(of)["receivers"]
        for key, blocks in receiver.items()
        if key != "name"
        for block in blocks
        for field, value in block.items()
        if field.endswith("_file")
    }
    named.add(rendered(of)["global"]["smtp_auth_password_file"].removeprefix(f"{alertmanager.CONFIG_DIR}/"))
    assert named == set(alertmanager.secret_files(of))


def test_a_receivers_secrets_are_named_after_it() -> None:
    names = {secret.name for secret in receiver_secrets(config().settings.notifications.receivers)}
    assert {"slackHookUrl", "slackBotToken", "pagerKey", "pushoverToken", "pushoverUser", "hookUrl"} <= names
    assert "opsMailUrl" not in names


@pytest.mark.parametrize(
    ("labels", "receivers"),
    [
        (
            {"severity": "critical", "component": "database", "team": "depot"},
            ["component-database", "team-depot", "critical-page", "critical"],
        ),
        ({"severity": "critical", "page": "yes", "component": "host"}, ["critical-page", "critical"]),
        ({"severity": "critical", "page": "no", "component": "host"}, ["critical"]),
        ({"severity": "warning", "page": "yes", "component": "host"}, ["warning"]),
        ({"severity": "warning", "component": "database"}, ["component-database", "warning"]),
        ({"severity": "warning", "component": "host"}, ["warning"]),
        ({"severity": "info", "component": "host"}, ["default"]),
        (
            {"severity": "info", "component": "database", "team": "depot"},
            ["component-database", "team-depot", "default"],
        ),
        ({"severity": "none"}, ["default"]),
        ({"alertname": "Watchdog", "severity": "info"}, ["heartbeat"]),
        ({"severity": "critical", "obs_verify": "true"}, ["verify"]),
        ({"severity": "critical", "obs_receiver": "pager"}, ["only-pager"]),
    ],
)
def test_an_alert_takes_the_routes_that_requirements_name(labels: dict[str, str], receivers: list[str]) -> None:
    assert [route.receiver for route in taken(config(), labels)] == receivers


def test_group_wait_and_repeat_interval_are_as_required() -> None:
    route = rendered(config())["route"]
    assert route["group_by"] == ["alertname", "cluster", "system"]
    assert (route["group_wait"], route["group_interval"], route["repeat_interval"]) == ("10s", "10s", "12h")


def test_info_alerts_are_sent_as_a_digest_even_without_a_named_receiver() -> None:
    (info,) = (
        route for route in rendered(config())["route"]["routes"] if route.get("matchers") == ['severity="info"']
    )
    assert info["receiver"] == "default"
    assert info["group_by"] == ["cluster", "system"]
    assert info["group_interval"] == "4h"


def test_info_alerts_reach_teams_as_a_digest_and_never_page() -> None:
    of = config({**EVERY_CHANNEL, "teams": {"depot": ["hook", "pager"]}})
    info = [route for route in taken(of, {"severity": "info", "team": "depot"}) if route.receiver.startswith("team-")]
    assert [(route.receiver, route.group_interval) for route in info] == [("team-depot", "4h")]
    assert [one["name"] for one in rendered(of)["receivers"] if "pagerduty_configs" in one] == [
        *("critical-page", "team-depot-page", "only-pager")
    ]


def test_a_team_that_has_only_a_pager_gets_no_info_alerts() -> None:
    of = config({**EVERY_CHANNEL, "teams": {"depot": ["pager"]}})
    assert [route.receiver for route in taken(of, {"severity": "info", "team": "depot"})] == ["default"]


def test_resolved_notices_are_sent_unless_a_receiver_wants_none() -> None:
    receivers = {one["name"]: one for one in rendered(config())["receivers"]}
    assert receivers["only-pager"]["pagerduty_configs"][0]["send_resolved"] is True
    assert receivers["only-hook"]["webhook_configs"][0]["send_resolved"] is False


def test_the_webhook_secret_alone_adds_a_receiver_of_all_alerts() -> None:
    of = config({}, ("alertWebhookUrl",))
    receivers = {one["name"]: one for one in rendered(of)["receivers"]}
    assert receivers["default"]["webhook_configs"][0]["url_file"].endswith("/secrets/alertWebhookUrl")
    for severity in ("critical", "warning", "info"):
        assert [route.receiver for route in taken(of, {"severity": severity})] == ["default"]


def test_the_webhook_secret_adds_a_receiver_to_every_severity() -> None:
    receivers = {one["name"]: one for one in rendered(config())["receivers"]}
    assert len(receivers["critical"]["webhook_configs"]) == 2
    assert len(receivers["warning"]["webhook_configs"]) == 1


def test_without_receivers_no_alert_is_sent() -> None:
    assert rendered(config({}, ()))["receivers"][0] == {"name": "default"}


def test_the_heartbeat_is_sent_to_its_address_and_never_as_a_resolved_notice() -> None:
    (heartbeat,) = (one for one in rendered(config())["receivers"] if one["name"] == "heartbeat")
    assert heartbeat["webhook_configs"] == [
        {"url_file": "/etc/alertmanager/current/secrets/heartbeatUrl", "send_resolved": False}
    ]


@pytest.mark.parametrize(
    ("change", "what", "fix"),
    [
        ({"critical": ["pagr"]}, "notifications.critical[0]: there is no receiver 'pagr'", "did you mean 'pager'"),
        ({"components": {"database": []}}, "notifications.components.database: has no receivers", "name a receiver"),
        ({"info": ["hook", "pager"]}, "notifications.info[1]: pager pages people", "mail or chat"),
        ({"info": {"mute": ["nights"]}}, "notifications.info: has no receivers", "name a receiver"),
        ({"teams": {"depo": ["hook"]}}, "notifications.teams.depo: there is no such team", "did you mean 'depot'"),
        ({"critical": {"receivers": ["hook"], "mute": ["nights"]}}, "notifications.critical.mute", "silence"),
        (
            {"warning": {"receivers": ["hook"], "mute": ["night"]}},
            "notifications.warning.mute: there is no mute time 'night'",
            "did you mean 'nights'",
        ),
        ({"smtp": None}, "notifications.receivers.ops-mail.email: there is no mail server", "add notifications.smtp"),
        (
            {"receivers": {**EVERY_CHANNEL["receivers"], "idle": {"webhook": {}}}},
            "notifications.receivers.idle: it is in no audience",
            "name it in",
        ),
        (
            {"muteTimes": {"nights": {"times": ["22:00-07:00"], "location": "Europe/Berlim"}}},
            "notifications.muteTimes.nights.location: 'Europe/Berlim': is no time zone",
            "Europe/Berlin",
        ),
        (
            {"muteTimes": {"nights": {"times": ["22:00-22:00"]}}},
            "notifications.muteTimes.nights.times: 22:00-22:00 has no length",
            "22:00-07:00",
        ),
        (
            {"receivers": {**EVERY_CHANNEL["receivers"], "slack-hook": {"slack": {}}}},
            "notifications.receivers.slack-hook.slack.channel: is missing",
            "#alerts-critical",
        ),
        (
            {"receivers": {**EVERY_CHANNEL["receivers"], "hook": {"webhook": {}, "msteams": {}}}},
            "notifications.receivers.hook: has msteams and webhook",
            "exactly one",
        ),
    ],
)
def test_a_wrong_name_or_audience_is_refused_by_its_path(change: dict[str, Any], what: str, fix: str) -> None:
    error = refused({**EVERY_CHANNEL, **change})
    assert f"observability:{what}" in error.what
    assert fix in error.what + error.fix


def test_a_missing_secret_of_a_receiver_is_requested_by_name() -> None:
    with pytest.raises(ConfigError) as caught:
        config({"receivers": {"pager": {"pagerduty": {}}}, "critical": ["pager"]}, ())
    assert "observability:notifications.receivers.pager needs the secret observability:pagerKey" in caught.value.what
    assert "./obs secret set pagerKey dev" in caught.value.fix


def test_prod_is_refused_without_a_heartbeat() -> None:
    with pytest.raises(ConfigError) as caught:
        validate("prod", {"links": base("prod")["links"]}, frozenset({"alertWebhookUrl"}), REFERENCE)
    assert "the secret observability:heartbeatUrl is required in prod and missing" in caught.value.what


def test_in_prod_all_missing_settings_are_reported_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        from_file("prod", REFERENCE)
    assert "heartbeatUrl" in caught.value.what
    assert "; so are smtpPassword, slackCriticalUrl, slackWarningUrl, pagerKey" in caught.value.what


def test_hours_past_midnight_end_on_the_next_day() -> None:
    over = mute_times.intervals(MuteTime(times=("22:00-07:00",), weekdays=("sunday",)))
    assert [(one.begin, one.end, one.weekdays) for one in over] == [
        ("22:00", "24:00", ("sunday",)),
        ("00:00", "07:00", ("monday",)),
    ]


def test_hours_until_midnight_do_not_affect_the_next_day() -> None:
    assert [(one.begin, one.end) for one in mute_times.intervals(MuteTime(times=("22:00-00:00",)))] == [
        ("22:00", "24:00")
    ]


def test_a_mute_time_without_hours_is_the_whole_day() -> None:
    (whole,) = mute_times.intervals(MuteTime(weekdays=("sunday",)))
    assert (whole.begin, whole.end) == ("00:00", "24:00")


def test_a_channel_requires_only_its_own_settings() -> None:
    with pytest.raises(TypeError, match="pagerduty has no settings of Receiver"):
        Receiver.model_validate({"pagerduty": {}}).settings(Receiver)
