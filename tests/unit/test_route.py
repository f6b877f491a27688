"""`obs route`: the receivers of an alert, when they are notified, and what would mute it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from dashboards.linked_rules import files
from observability.alerting.alerts import Alerts, alerts, filled
from observability.alerting.explain import Explanation, destination, explain, muted_while
from observability.alerting.routes import taken
from observability.cli.route import _config, given_labels, route
from observability.cli.silences import Silence
from observability.core.alert import RECENT
from observability.core.documents import load_yaml
from observability.core.errors import ConfigError
from observability.operations.home import Home
from observability.settings.load import StackConfig, secret_specs, validate
from tests.unit.conftest import REFERENCE, stack_config

NOTIFICATIONS: dict[str, Any] = {
    "smtp": {"host": "smtp.example.com", "sender": "alerts@example.com"},
    "receivers": {
        "ops-mail": {"email": {"to": ["ops@example.com", "night@example.com"]}},
        "slack-critical": {"slack": {"channel": "#alerts-critical"}},
        "pager": {"pagerduty": {}},
        "database-team": {"telegram": {"chatId": -100}},
        "slack-depot": {"slack": {"channel": "#depot", "bot": True}},
        "phone": {"opsgenie": {"region": "eu"}},
        "hook": {"webhook": {}},
    },
    "default": ["ops-mail"],
    "critical": ["ops-mail", "slack-critical", "pager"],
    "warning": {"receivers": ["hook"], "mute": ["nights"]},
    "components": {"database": ["database-team"], "security": ["phone"]},
    "teams": {"depot": ["slack-depot"]},
    "onCall": {"studio": ["phone"]},
    "muteTimes": {"nights": {"times": ["22:00-07:00"], "location": "Europe/Berlin"}},
}

PAGER_ALONE: dict[str, Any] = {
    "receivers": {"pager": {"pagerduty": {}}, "hook": {"webhook": {}}},
    "default": ["hook"],
    "critical": ["pager"],
}

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
NIGHT = datetime(2026, 11, 18, 23, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def config() -> StackConfig:
    return stack_config("dev", {"notifications": NOTIFICATIONS})


@pytest.fixture(scope="module")
def rules(config: StackConfig) -> Alerts:
    return alerts(files(config))


@pytest.fixture
def obs(monkeypatch: pytest.MonkeyPatch, config: StackConfig) -> CliRunner:
    """The command line of a stack with these notifications."""
    monkeypatch.setattr(Home, "config", lambda _home, _stack: config)
    monkeypatch.setattr("observability.cli.route._silences", lambda _: [])
    monkeypatch.setenv("COLUMNS", "200")
    return CliRunner()


def said(runner: CliRunner, *arguments: str, code: int = 0) -> str:
    app = typer.Typer()
    app.command()(route)
    done = runner.invoke(app, arguments)
    assert done.exit_code == code, done.output
    return done.output


def refused(config: StackConfig, rules: Alerts, text: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        filled(config, rules, given_labels(text, None))
    return caught.value


def at(config: StackConfig, when: datetime, **labels: str) -> Explanation:
    return explain(config, labels, when)


def test_every_route_names_its_receivers_and_their_destinations(obs: CliRunner) -> None:
    output = said(obs, "severity=critical,component=database,system=depot")
    lines = [" ".join(line.split()) for line in output.splitlines()]
    assert lines[0] == "severity=critical, component=database, system=depot, team=depot"
    assert [line for line in lines if line[:2] in ("1.", "2.", "3.", "4.")] == [
        "1. component-database: its component is database",
        "2. team-depot: its team is depot",
        "3. critical-page: it pages, and its severity is critical",
        "4. critical: its severity is critical",
    ]
    assert "database-team Telegram, chat -100" in lines
    assert "slack-depot Slack #depot" in lines
    assert "ops-mail mail to ops@example.com, night@example.com" in lines
    assert "pager PagerDuty (secret pagerKey)" in lines


def receivers(config: StackConfig, **labels: str) -> list[str]:
    return [delivery.route.receiver for delivery in at(config, NOON, **labels).deliveries]


def test_the_person_on_call_for_a_team_gets_only_its_pages(config: StackConfig) -> None:
    assert receivers(config, severity="critical", team="studio") == ["oncall-studio", "critical-page", "critical"]
    assert receivers(config, severity="critical", page="no", team="studio") == ["critical"]
    assert receivers(config, severity="warning", page="yes", team="studio") == ["oncall-studio", "warning"]
    assert receivers(config, severity="warning", team="studio") == ["warning"]


def pages_together(config: StackConfig, one: dict[str, str], other: dict[str, str]) -> bool:
    """Whether two critical alerts of one system are one page."""
    groups = []
    for labels in (one, other):
        labels = {"severity": "critical", "page": "yes", "system": "depot", **labels}
        (page,) = [route for route in taken(config, labels) if route.receiver == "critical-page"]
        groups.append((page.group_by, [labels.get(name) for name in page.group_by or ()]))
    return groups[0] == groups[1]


def test_the_symptoms_of_one_system_are_one_page(config: StackConfig) -> None:
    errors = {"alertname": "CriticalErrorRate", "component": "application"}
    assert pages_together(config, errors, {"alertname": "EndpointDown", "component": "endpoint", "instance": "a"})
    assert not pages_together(config, errors, {**errors, "system": "studio"})


def test_a_second_server_host_or_disk_that_fails_is_a_separate_page(config: StackConfig) -> None:
    down = {"alertname": "DatabaseDown", "component": "database", "instance": "db-1:5432"}
    assert not pages_together(config, down, {**down, "instance": "db-2:5432"})
    assert not pages_together(config, down, {"alertname": "CriticalErrorRate", "component": "application"})
    disk = {"alertname": "CriticalDiskUsage", "component": "host", "instance": "a:9100", "device": "sda"}
    assert not pages_together(config, disk, {**disk, "device": "sdb"})


def test_an_audience_of_pagers_only_leaves_other_alerts_to_default() -> None:
    of = validate("dev", {"notifications": PAGER_ALONE}, frozenset({"pagerKey", "hookUrl"}), REFERENCE)
    assert receivers(of, severity="critical", page="yes") == ["critical-page"]
    assert receivers(of, severity="critical", page="no") == ["default"]


def test_an_alert_is_identified_by_its_name_and_system_only(obs: CliRunner) -> None:
    for arguments in (("HighErrorRate", "--system", "depot"), ("alertname=HighErrorRate,system=depot",)):
        output = said(obs, *arguments)
        assert "severity=warning, component=application, condition=error_rate" in output
        assert "team-depot" in output


def test_an_alert_with_rules_of_several_severities_is_explained_for_each(obs: CliRunner) -> None:
    output = said(obs, "AuthenticationFailureSpike", "--system", "depot")
    assert output.count("alertname=AuthenticationFailureSpike") == 2
    assert output.index("severity=warning") < output.index("severity=critical")


def test_without_a_system_the_output_says_that_a_team_may_have_receivers(obs: CliRunner) -> None:
    assert "with --system NAME also the receivers" in said(obs, "HighErrorRate")
    assert "with --system NAME" not in said(obs, "HighErrorRate", "--system", "depot")


def test_an_alert_without_receivers_is_exit_code_1(monkeypatch: pytest.MonkeyPatch, obs: CliRunner) -> None:
    nobody = {**NOTIFICATIONS, "default": [], "warning": []}
    nobody["receivers"] = {name: one for name, one in NOTIFICATIONS["receivers"].items() if name != "hook"}
    values = {"notifications": nobody}
    of = validate("dev", values, frozenset(secret_specs(values, REFERENCE)) - {"alertWebhookUrl"}, REFERENCE)
    monkeypatch.setattr(Home, "config", lambda _home, _stack: of)
    output = said(obs, "severity=warning,component=host", code=1)
    assert "no receiver is notified" in output
    assert "observability:notifications of Pulumi.dev.yaml" in output
    assert "no receiver is notified" not in said(obs, "severity=warning,component=database")


def test_the_receivers_are_shown_before_the_secrets_are_stored(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OBS_DATA_DIR", str(tmp_path))
    output = said(CliRunner(), "severity=critical,component=database", "prod")
    assert "secrets are missing: heartbeatUrl, smtpPassword" in output
    assert "./obs secret list prod" in output
    assert "pager                PagerDuty (secret pagerKey)" in output
    assert "alert-webhook" not in output


def test_invalid_settings_are_refused_as_by_every_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OBS_DATA_DIR", str(tmp_path))
    with pytest.raises(ConfigError, match="there is no stack 'nowhere'"):
        _config("nowhere")


@pytest.mark.parametrize(
    ("text", "what", "fix"),
    [
        ("severity=critcal", "severity=critcal: there is no such severity", "did you mean 'critical'?"),
        ("component=databse", "component=databse: there is no such component", "did you mean 'database'?"),
        ("system=depo", "system=depo: there is no such system", "did you mean 'depot'?"),
        ("team=depo", "team=depo: there is no such team", "did you mean 'depot'?"),
        ("HighErorRate", "alertname=HighErorRate: there is no such alertname", "did you mean 'HighErrorRate'?"),
        ("alertname=HighErrorRate,severity=critical", "HighErrorRate never has these labels", "severity=warning"),
    ],
)
def test_a_value_that_no_alert_has_is_refused_with_the_nearest(
    config: StackConfig, rules: Alerts, text: str, what: str, fix: str
) -> None:
    error = refused(config, rules, text)
    assert what in error.what
    assert fix in error.fix


def test_two_systems_at_once_are_refused() -> None:
    with pytest.raises(ConfigError, match="two systems"):
        given_labels("system=depot", "studio")


def test_route_accepts_every_alert_of_the_rule_files(config: StackConfig, rules: Alerts) -> None:
    names = [
        rule["alert"]
        for text in files(config).values()
        for group in load_yaml(text)["groups"]
        for rule in group["rules"]
        if "alert" in rule
    ]
    assert set(rules) == set(names)
    for name in names:
        for labels in filled(config, rules, {"alertname": name, "system": "platform"}):
            # RecentlyCritical has the condition of its cause.
            own = set() if name == RECENT else {"condition"}
            assert {"severity", "component", "team"} | own <= labels.keys()
            assert explain(config, labels, NOON).deliveries


def test_a_mute_time_is_shown_with_its_hours_and_whether_it_is_active(config: StackConfig) -> None:
    (by_day,) = at(config, NOON, severity="warning").deliveries[0].mutes
    (by_night,) = at(config, NIGHT, severity="warning").deliveries[0].mutes
    assert by_day.hours == "every day 22:00-07:00 (Europe/Berlin)"
    assert (by_day.active, by_night.active) == (False, True)
    assert by_day.state == "not active now; next Wednesday 22:00 until Thursday 07:00"
    assert by_night.state == "active now, until Thursday 07:00"


def test_critical_alerts_reach_the_default_audience_at_any_hour() -> None:
    muted = {**NOTIFICATIONS, "critical": [], "default": {"receivers": ["ops-mail", "slack-critical", "pager"]}}
    muted["default"] = {**muted["default"], "mute": ["nights"]}
    of = stack_config("dev", {"notifications": muted})
    assert at(of, NIGHT, severity="critical").deliveries[0].mutes == ()
    assert [mute.name for mute in at(of, NIGHT, severity="none").deliveries[0].mutes] == ["nights"]


def test_the_timing_of_each_route_is_shown(config: StackConfig) -> None:
    page, critical = at(config, NOON, severity="critical").deliveries
    (info,) = at(config, NOON, severity="info").deliveries
    (only,) = at(config, NOON, obs_receiver="hook").deliveries
    assert critical.timing == (
        "after 10s, grouped by alertname, cluster, system; changes every 10s at most, again after 12h"
    )
    assert page.timing.startswith("after 10s, grouped by alertname, cluster, system, instance, device, mount;")
    assert info.timing == "a digest by cluster, system: the first after 5m, then every 4h at most"
    assert only.timing.startswith("at once")


def test_the_watchdog_goes_to_the_dead_mans_switch(obs: CliRunner) -> None:
    assert "the dead man's switch (secret heartbeatUrl)" in said(obs, "Watchdog")


def test_every_channel_states_where_its_messages_go(config: StackConfig) -> None:
    receivers = config.notifications.receivers
    found = {name: destination(name, receiver) for name, receiver in receivers.items()}
    assert found["ops-mail"] == "mail to ops@example.com, night@example.com"
    assert found["slack-critical"] == "Slack #alerts-critical"
    assert found["phone"] == "Opsgenie (eu)"
    assert found["hook"] == "webhook (secret hookUrl)"
    assert found["alert-webhook"] == "webhook (secret alertWebhookUrl)"


def silence(**more: str) -> Silence:
    """An active silence of depot's errors."""
    matchers = [{"name": name, "value": value, "isRegex": False, "isEqual": True} for name, value in more.items()]
    return Silence.read(
        {
            "id": "3f2a91bc-1",
            "status": {"state": "active"},
            "matchers": matchers,
            "createdBy": "ann@example.com",
            "comment": "deploying 1.4",
            "startsAt": "2026-11-18T12:00:00Z",
            "endsAt": "2026-11-18T14:00:00Z",
        }
    )


@pytest.mark.parametrize(
    ("matchers", "shown"),
    [
        ({"alertname": "HighErrorRate"}, "silenced by 3f2a91bc until 2026-11-18 14:00 UTC by ann@example.com"),
        ({"system": "depot", "route": "/a"}, 'silenced by 3f2a91bc where route="/a", until 2026-11-18 14:00 UTC'),
        ({"system": "studio"}, None),
    ],
)
def test_an_active_silence_of_the_alert_is_shown(
    monkeypatch: pytest.MonkeyPatch, obs: CliRunner, matchers: dict[str, str], shown: str | None
) -> None:
    monkeypatch.setattr("observability.cli.route._silences", lambda _: [silence(**matchers)])
    output = said(obs, "HighErrorRate", "--system", "depot")
    assert ("silenced by" in output) is (shown is not None)
    assert shown is None or shown in output


def test_without_a_running_alertmanager_the_output_omits_silences_and_says_so(
    monkeypatch: pytest.MonkeyPatch, obs: CliRunner
) -> None:
    monkeypatch.setattr("observability.cli.route._silences", lambda _: None)
    assert "silences are not considered" in said(obs, "HighErrorRate", "--system", "depot")


ERRORS = {"severity": "warning", "component": "application", "condition": "error_rate", "system": "depot"}


def test_a_warning_is_muted_by_the_critical_of_its_condition() -> None:
    critical = muted_while({"alertname": "HighErrorRate", **ERRORS})[0]
    assert critical.startswith("a critical alert fires with condition error_rate, system depot (and the same or no ")
    assert not [words for words in muted_while({**ERRORS, "severity": "critical"}) if words.startswith("a critical a")]


def test_what_is_on_a_host_is_muted_while_it_is_down() -> None:
    assert "HostDown fires with host erp-1" in muted_while({"alertname": "RedisDown", "host": "erp-1"})
    down = {"alertname": "HostDown", "severity": "critical", "component": "host", "host": "erp-1"}
    assert muted_while(down) == ["HostSilent fires with host erp-1"]
    assert muted_while({**down, "alertname": "HostSilent"}) == []


def test_an_alert_is_not_muted_by_alerts_of_the_same_kind() -> None:
    down = {"alertname": "DatabaseDown", "severity": "critical", "component": "database", "system": "depot"}
    assert not [words for words in muted_while(down) if words.startswith("DatabaseDown")]
    slow = {**down, "alertname": "SlowDatabaseQueries", "severity": "warning"}
    assert "DatabaseDown or ElasticsearchDown fires with system depot" in muted_while(slow)


def test_what_mutes_is_named_without_the_labels_of_tests() -> None:
    silent = {"alertname": "LogsSilent", "condition": "logs_silent", "severity": "warning", "cluster": "a"}
    words = muted_while(silent)
    assert "ServiceDown of job collector fires with cluster a" in words
    assert "obs_test" not in " ".join(words)
    assert any(text.startswith("DatabaseDown or ") for text in muted_while({"alertname": "ServiceDown"}))
